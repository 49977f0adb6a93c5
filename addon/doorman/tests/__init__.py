"""Odoo runs the modules that it finds here under a name that begins with ``test_``: all
of these folders, so that none can be forgotten."""

from importlib import import_module
from pathlib import Path

_HERE = Path(__file__).parent

for _path in sorted(_HERE.rglob("test_*.py")):
    _parts = _path.relative_to(_HERE).with_suffix("").parts
    globals()["test_" + "_".join(_parts)] = import_module(
        "." + ".".join(_parts), __name__
    )
