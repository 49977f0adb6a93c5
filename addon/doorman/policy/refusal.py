"""How a rule of ours says no."""

from contextlib import contextmanager


class Refusal(Exception):
    """The call is refused by a rule of ours, with a kind that the service knows."""

    def __init__(self, kind, message, hint=""):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


@contextmanager
def at(place):
    """The time in which something is done for one of several records of a request:
    what goes wrong is told with it.

    :param str place: such as ``records[2]``; "" for none
    """
    try:
        yield
    except Exception as exc:
        if place and not place_of(exc):
            exc.doorman_place = place
        raise


def place_of(exc):
    """:return: which record of a request an error is about; "" if that is not known"""
    return getattr(exc, "doorman_place", "")
