"""Reads {path: source} as JSON from stdin, and writes {path: [[level, module, name], ...]}: what each file imports.

level is the number of leading dots, module what follows them, name what is imported from it; "" for a plain import."""

import ast
import json
import sys


def imports(source, path):
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            yield from ([0, alias.name, ""] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ([node.level, node.module or "", alias.name] for alias in node.names)


json.dump({path: list(imports(source, path)) for path, source in json.load(sys.stdin).items()}, sys.stdout)
