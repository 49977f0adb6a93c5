"""What the tools do as the connection's user: a file for each family of them.

All files are imported: what an operation is, and that there is one, stands in its file
alone (operations.py).
"""

from importlib import import_module
from pkgutil import iter_modules

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")
