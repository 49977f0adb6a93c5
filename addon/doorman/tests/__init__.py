"""Odoo runs the modules that it finds here under a name that begins with ``test_``: all
of these folders, each once, so that none can be forgotten."""

from importlib import import_module
from pathlib import Path

from odoo.addons.base.models.ir_qweb import IrQweb

# Before tests over HTTP, Odoo makes the scripts and styles of every page, for browsers.
# None of these tests opens one, and that takes half a minute.
IrQweb._pregenerate_assets_bundles = lambda self: []

_HERE = Path(__file__).parent

for _path in sorted(_HERE.rglob("test_*.py")):
    _parts = _path.relative_to(_HERE).with_suffix("").parts
    _module = import_module("." + ".".join(_parts), __name__)
    # One in no folder has its own name here already, by being imported.
    globals()["_".join(reversed(_parts))] = _module
