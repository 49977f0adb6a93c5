"""What ``run_python`` takes for code: a small part of Python, before Odoo's own
``safe_eval`` looks at it once more.

No private names, nothing that catches an error, nothing that makes a class or imports:
what is behind the records and the environment that the code gets cannot be named, and
the end of its time cannot be caught.
"""

import ast
import sys
import time
from contextlib import contextmanager

from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.policy.shared import MAX_CODE

from .words import _lt

SECONDS = 20
# Of the code in a traceback, and for the clock.
FILENAME = "<run_python>"

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
MAX_POWER = 100
# They take a path of attributes as text.
FORMATS = frozenset({"format", "format_map"})


def check_code(code):
    """:raise Refusal: if it is not code that is run here"""
    if not isinstance(code, str) or not code.strip() or "\0" in code:
        raise Refusal("invalid_code", _lt("The code is text: Python that sets result."))
    if len(code) > MAX_CODE:
        raise Refusal(
            "invalid_code", _lt("The code has at most %(most)s letters.", most=MAX_CODE)
        )
    try:
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
    except SyntaxError as exc:
        raise _wrong(exc.lineno, exc.msg) from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        raise Refusal(
            "nested_too_deeply", _lt("The code is nested too deeply.")
        ) from exc
    for node in nodes:
        _check(node)


def _check(node):
    line = getattr(node, "lineno", 0)
    if not isinstance(node, ALLOWED):
        raise _wrong(
            line,
            _lt("%(step)s cannot be run here", step=type(node).__name__.lower()),
            _lt(
                "There are loops, conditions, functions, comprehensions; no "
                "import, class, with or try: an error ends the run, and undoes "
                "it."
            ),
        )
    if isinstance(node, ast.Attribute):
        if node.attr.startswith("_") or node.attr in FORMATS:
            raise _wrong(
                line,
                _lt(".%(name)s cannot be read here", name=node.attr[:40]),
                _lt('A text is put together by f"{value}".'),
            )
        if not isinstance(node.ctx, ast.Load):
            raise _wrong(
                line,
                _lt("%(name)s cannot be set in this way", name=node.attr[:40]),
                _lt("Write: record.write({...})."),
            )
    if isinstance(node, ast.BinOp | ast.AugAssign) and not _is_short(node):
        # One step of it may take hours, and no clock is looked at within a step.
        raise _wrong(
            line,
            _lt("an exponent can be at most %(most)s here", most=MAX_POWER),
            _lt("Multiply."),
        )
    for name in (getattr(node, key, None) for key in ("id", "arg", "name")):
        if isinstance(name, str) and name.startswith("_") and name != "_":
            raise _wrong(line, _lt("the name %(name)s is private", name=name[:40]))


def _is_short(node):
    if not isinstance(node.op, ast.Pow | ast.LShift):
        return True
    right = node.right if isinstance(node, ast.BinOp) else node.value
    if isinstance(right, ast.UnaryOp):
        right = right.operand
    return isinstance(right, ast.Constant) and (
        isinstance(right.value, int | float) and right.value <= MAX_POWER
    )


def _wrong(line, what, hint=""):
    return Refusal(
        "invalid_code",
        _lt("Line %(line)s: %(what)s.", line=line or "?", what=what),
        hint,
    )


def told(exc):
    """An error of the code's own, as its writer needs it."""
    # safe_eval makes it a text; what it was is before that.
    cause = exc.__context__ or exc
    line, step = 0, cause.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == FILENAME:
            line = step.tb_lineno
        step = step.tb_next
    return _wrong(line, f"{type(cause).__name__}: {str(cause)[:300]}")


@contextmanager
def clock(late):
    """The time that the code has: at each of its lines, it is looked at.

    :param late: called once it is over; raises
    """
    end = time.monotonic() + SECONDS

    def line(_frame, _event, _arg):
        if time.monotonic() > end:
            late()
        return line

    def called(frame, _event, _arg):
        # Not the lines of Odoo itself, which PostgreSQL's own timeout ends.
        return line if frame.f_code.co_filename == FILENAME else None

    kept = sys.gettrace()
    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(kept)
