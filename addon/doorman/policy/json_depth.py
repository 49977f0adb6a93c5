"""How deep a request goes, before anything that walks through it looks at it."""

MAX_DEPTH = 32


def too_deep(value, limit=MAX_DEPTH):
    """Whether a JSON value is nested deeper than ``limit`` levels. Level by level, and
    not by calling itself: Python's own stack is what is protected."""
    level = [value]
    for _depth in range(limit):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def shallow(request):
    """What a request says without being nested: enough to tell of it."""
    return {
        name: {k: v for k, v in value.items() if not isinstance(v, dict | list)}
        if isinstance(value, dict)
        else value
        for name, value in request.items()
        if not isinstance(value, list)
    }
