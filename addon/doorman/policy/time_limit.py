"""Questions to the database that must not take long."""

import logging

import psycopg2

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


def within(cr, milliseconds, ask):
    """Ask something that only reads, and stop it if it takes too long. Nobody's request
    may wait longer because of it than it would have: its own limit stays if that is
    shorter.

    :param int milliseconds: for one question to the database
    :param ask: called without arguments
    :return: what it gives; None if it took too long, or failed
    """
    cr.execute(
        "SELECT current_setting('statement_timeout'), (1000 * extract(epoch FROM "
        "current_setting('statement_timeout')::interval))::int"
    )
    before, limit = cr.fetchone()
    limit = min(limit or milliseconds, milliseconds)
    try:
        with cr.savepoint(flush=False):
            # Undone with the savepoint, where it comes to that.
            cr.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit)])
            found = ask()
            cr.execute("SELECT set_config('statement_timeout', %s, true)", [before])
            return found
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except psycopg2.errors.QueryCanceled:
        return None
    except Exception:  # noqa: BLE001 one model's own search must not fail the rest
        _logger.info("Doorman: a search beside others failed", exc_info=True)
        return None
