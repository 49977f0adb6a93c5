"""PostgreSQL is away, as opposed to: it refuses a statement."""

import psycopg2
from psycopg2.pool import PoolError

# It ends the sessions, as it is stopped or has crashed, or it takes no more of them
# (PostgreSQL, appendix A, classes 08, 53 and 57).
_ENDED = (
    psycopg2.errors.AdminShutdown,
    psycopg2.errors.CrashShutdown,
    psycopg2.errors.CannotConnectNow,
    psycopg2.errors.TooManyConnections,
    psycopg2.errors.ConnectionException,
    psycopg2.errors.ConnectionFailure,
    psycopg2.errors.ConnectionDoesNotExist,
    PoolError,
)


def is_lost(exc):
    """Whether the transaction is gone because its connection is: nothing was done,
    and the same may be asked again once PostgreSQL is back.

    :param exc: what was raised before the COMMIT
    :return: bool
    """
    if isinstance(exc, psycopg2.InterfaceError):
        # psycopg2 says either once the connection is gone. Of a cursor that somebody's
        # code has closed Odoo says it itself, with a capital letter.
        return str(exc) in ("connection already closed", "cursor already closed")
    # What libpq says of a connection has no SQLSTATE, so it is of no class of its own.
    return type(exc) is psycopg2.OperationalError or isinstance(exc, _ENDED)
