"""What ``run_python`` takes for code: a small part of Python, which Odoo's own
``safe_eval`` looks at once more.

No private names, nothing that catches an error, nothing that makes a class or imports:
what is behind the records and the environment that the code gets cannot be named. How
long it takes, and how much, is not seen here (python_process).
"""

import ast

from odoo.tools import safe_eval

from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.policy.shared import MAX_CODE

from .words import _lt

ALLOWED = (
    *(ast.Module, ast.Expr, ast.Pass, ast.Assign, ast.AugAssign),
    *(ast.For, ast.While, ast.If, ast.Break, ast.Continue, ast.Raise),
    *(ast.FunctionDef, ast.Return, ast.Lambda, ast.arguments, ast.arg, ast.keyword),
    *(ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred),
    *(ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.NamedExpr),
    *(ast.List, ast.Tuple, ast.Dict, ast.Set, ast.IfExp),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
# They take a path of attributes as text.
FORMATS = frozenset({"format", "format_map"})


def check_code(code):
    """:raise Refusal: if it is not code that is run here"""
    if not isinstance(code, str) or not code.strip() or "\0" in code:
        raise Refusal(
            "invalid_code", _lt("The code must be text: Python that sets result.")
        )
    if len(code) > MAX_CODE:
        raise Refusal(
            "invalid_code",
            _lt("The code can have at most %(most)s characters.", most=MAX_CODE),
        )
    try:
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
    except SyntaxError as exc:
        raise wrong(exc.lineno, exc.msg) from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        raise Refusal(
            "nested_too_deeply", _lt("The code is nested too deeply.")
        ) from exc
    for node in nodes:
        _check(node)
    try:
        forbidden = safe_eval.test_python_expr(code, mode="exec")
    except NameError as exc:
        forbidden = str(exc)
    if forbidden:
        raise wrong(0, forbidden[:300])


def _check(node):
    line = getattr(node, "lineno", 0)
    if not isinstance(node, ALLOWED):
        raise wrong(
            line,
            _lt("%(step)s cannot be run here", step=type(node).__name__.lower()),
            _lt(
                "You can use loops, conditions, functions and comprehensions, but not "
                "import, class, with or try: an error ends the run, and undoes it."
            ),
        )
    if isinstance(node, ast.Attribute):
        if node.attr.startswith("_") or node.attr in FORMATS:
            raise wrong(
                line,
                _lt(".%(name)s cannot be read here", name=node.attr[:40]),
                _lt('Use f"{value}" to build text.'),
            )
        if not isinstance(node.ctx, ast.Load):
            raise wrong(
                line,
                _lt("%(name)s cannot be set in this way", name=node.attr[:40]),
                _lt("Write: record.write({...})."),
            )
    for name in (getattr(node, key, None) for key in ("id", "arg", "name")):
        if isinstance(name, str) and name.startswith("_") and name != "_":
            raise wrong(line, _lt("the name %(name)s is private", name=name[:40]))


def wrong(line, what, hint=""):
    """The refusal of code, or of an error of its own, as its writer needs it."""
    return Refusal(
        "invalid_code",
        _lt("Line %(line)s: %(what)s.", line=line or "?", what=what),
        hint,
    )
