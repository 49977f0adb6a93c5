"""The process in which one piece of code of ``run_python`` runs, alone.

Odoo starts it (python_process.py) and talks to it over two pipes. It knows nothing of
Odoo: no database, no registry, no credentials. Whatever the code asks of its records
becomes a question, which Odoo answers by the connection's rules, or by ending this
process. It has no time and no memory but what is given to it, so what the code does
needs no looking at: a loop, a text of a gigabyte, one call that takes for ever.
"""

# What the code uses of these without importing it: no file is opened any more then.
import _strptime  # noqa: F401
import codecs
import datetime
import functools
import json
import math  # noqa: F401
import os
import pickle
import sys
import time  # noqa: F401
import types
import unicodedata  # noqa: F401

from records import Environment
from values import plain

# Of the code in a traceback.
FILENAME = "<run_python>"
CODECS = ("ascii", "latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16")
MAX_ERROR, MAX_MESSAGE = 300, 2_000
IN, OUT = sys.stdin.buffer, sys.stdout.buffer


class UserError(Exception):
    """``UserError`` of the code: a message for whoever called it."""

    def __init__(self, message):
        super().__init__(message)


def known_import(name, _globals=None, _locals=None, _fromlist=(), _level=0):
    """What Python's own C code imports for itself (``datetime``, of ``time``)."""
    if name not in sys.modules:
        raise ImportError(f"{name} cannot be imported here")
    return sys.modules[name]


# The same names as Odoo's safe_eval has; a test holds them against it.
BUILTINS = {
    **{"True": True, "False": False, "None": None},
    **{"bytes": bytes, "str": str, "unicode": str, "bool": bool, "int": int},
    **{"float": float, "dict": dict, "list": list, "tuple": tuple, "set": set},
    **{"enumerate": enumerate, "map": map, "filter": filter, "zip": zip},
    **{"range": range, "xrange": range, "reduce": functools.reduce},
    **{"abs": abs, "min": min, "max": max, "sum": sum, "round": round},
    **{"sorted": sorted, "len": len, "repr": repr, "all": all, "any": any},
    **{"ord": ord, "chr": chr, "divmod": divmod, "isinstance": isinstance},
    **{"Exception": Exception, "__import__": known_import},
}
OF_DATETIME = (
    *("date", "datetime", "time", "timedelta", "timezone", "tzinfo"),
    *("MAXYEAR", "MINYEAR"),
)


def ask(question, **facts):
    """:return: Odoo's answer; where there is none, Odoo has ended the run"""
    tell(question, facts)
    return heard()


def tell(question, facts):
    told = json.dumps([question, facts]).encode()
    OUT.write(len(told).to_bytes(4, "big") + told)
    OUT.flush()


def heard():
    head = IN.read(4)
    if len(head) < 4:
        os._exit(0)  # nobody is there any more
    # From Odoo to here alone: what comes from here is never unpickled.
    return pickle.loads(IN.read(int.from_bytes(head, "big")))


def limit(seconds, memory):
    """Give up, for good, what the code may not have: any more memory or time, and the
    opening of files and of network connections."""
    try:
        import resource
    except ImportError:
        return  # not on Windows: there, it is Odoo that ends it once its time is over
    none = (0, 0)
    limits = {
        "RLIMIT_CPU": (seconds, seconds + 1),
        **{"RLIMIT_NOFILE": none, "RLIMIT_FSIZE": none, "RLIMIT_CORE": none},
    }
    if sys.platform == "linux":
        limits["RLIMIT_AS"] = (memory, memory)
    for name, (soft, hard) in limits.items():
        which = getattr(resource, name)
        most = resource.getrlimit(which)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(which, (soft, hard))


def main():
    start = heard()
    sys.path.extend(start["paths"])
    from dateutil.relativedelta import relativedelta

    for name in CODECS:
        codecs.lookup(name)
    limit(start["seconds"], start["memory"])
    job = ask("code")
    names = {
        "__builtins__": BUILTINS,
        "env": Environment(ask, job["user"]),
        "datetime": types.SimpleNamespace(
            **{name: getattr(datetime, name) for name in OF_DATETIME}
        ),
        "relativedelta": relativedelta,
        "UserError": UserError,
    }
    try:
        exec(compile(job["code"], FILENAME, "exec"), names)
        tell("done", {"result": plain(names.get("result"))})
    except MemoryError:
        names.clear()
        tell("no_memory", {})
    except UserError as exc:
        tell("user_error", {"text": str(exc)[:MAX_MESSAGE]})
    except Exception as exc:
        text = f"{type(exc).__name__}: {str(exc)[:MAX_ERROR]}"
        tell("failed", {"line": line_of(exc), "text": text})


def line_of(exc):
    """:return: the line of the code that an error is of; 0 if it is of none"""
    line, step = 0, exc.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == FILENAME:
            line = step.tb_lineno
        step = step.tb_next
    return line


main()
