"""What Doorman changes in the code of Odoo and of libraries, each with its reason.

Odoo runs ``post_load`` once in each process (server, worker, shell, test run) that
loads the addon, and the changes are then there for every database of that process, also
for one without Doorman. So each of them does what the original does, unless a
connection's change runs in this thread or on this cursor.
"""

from functools import wraps

import requests

from odoo.fields import Field

from .policy import change_scope, inverses


def post_load():
    requests.Session.send = _offline_while_tried(requests.Session.send)
    Field.determine_inverse = _limited(Field.determine_inverse)


def _offline_while_tried(send):
    """``requests``: what was sent to another system can't be undone, so nothing leaves
    while a change is only tried out. To the code that asks, the network is down.
    Business code makes its own sessions, so there is no other place to stop it."""

    @wraps(send)
    def offline_while_tried(session, request, **kwargs):
        if change_scope.is_tried():
            raise requests.exceptions.ConnectionError("AI tools only try this out.")
        return send(session, request, **kwargs)

    return offline_while_tried


def _limited(determine_inverse):
    """Odoo's fields: a value that a caller sends may be written to other records by its
    field's inverse. Odoo calls inverses here and nowhere else, and only while one runs
    can its writes be told from those that other code makes."""

    @wraps(determine_inverse)
    def limited(field, records):
        with inverses.running(field, records):
            return determine_inverse(field, records)

    return limited
