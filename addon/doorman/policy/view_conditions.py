"""The conditions of a view, worked out without running them.

A condition such as ``state != 'draft' or not partner_id`` is Python that a browser
interprets. Only comparisons of values, lists, and what joins them are known here; what
else there may be (calls, attributes) is left open.
"""

import ast
import operator

COMPARE = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
WORDS = {"true": True, "false": False}


class UnknownError(Exception):
    """It cannot be told what this comes to."""


def names_in(text):
    """:return: the names that a condition mentions; none for what is not a condition"""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def is_true(text, values):
    """:param dict values: by name
    :return: whether a condition holds; None where that cannot be told
    """
    try:
        return bool(_value(ast.parse(text.strip(), mode="eval").body, values))
    except (UnknownError, SyntaxError, TypeError, ValueError, RecursionError):
        return None


def _value(node, values):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id in WORDS:
            return WORDS[node.id]
        if node.id not in values:
            raise UnknownError(node.id)
        return values[node.id]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item, values) for item in node.elts]
    if isinstance(node, ast.BoolOp):
        return _joined(node, values)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return not _value(node.operand, values)
        if isinstance(node.op, ast.USub):
            return -_value(node.operand, values)
    if isinstance(node, ast.Compare):
        return _compared(node, values)
    if isinstance(node, ast.IfExp):
        chosen = node.body if _value(node.test, values) else node.orelse
        return _value(chosen, values)
    raise UnknownError(type(node).__name__)


def _joined(node, values):
    """What is not known does not matter where another part decides."""
    stops = isinstance(node.op, ast.Or)
    unknown, found = None, not stops
    for part in node.values:
        try:
            found = _value(part, values)
        except UnknownError as exc:
            unknown = exc
            continue
        if bool(found) is stops:
            return found
    if unknown:
        raise unknown
    return found


def _compared(node, values):
    left = _value(node.left, values)
    for sign, other in zip(node.ops, node.comparators, strict=True):
        right = _value(other, values)
        if not COMPARE[type(sign)](left, right):
            return False
        left = right
    return True
