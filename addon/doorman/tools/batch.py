"""A change of several records: all, or none; and with which of them it fails."""

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..policy import odoo_words
from ..policy.change_scope import trying_out
from ..policy.refusal import at


class _NoError(Exception):
    """It can be done, and is undone."""


def at_once(env, run, alone):
    """Change several records in one go. If that fails, the error is told with the first
    record that fails by itself, where there is one.

    :param env: of the connection's user
    :param run: does it, for all of them
    :param alone: ``[(place, run)]``: does it for one of them
    :return: what ``run`` does
    """
    if len(alone) < 2:
        return run()
    try:
        with env.cr.savepoint(), odoo_words.held(env):
            done = run()
            env.flush_all()
            return done
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception as exc:
        with trying_out():
            place = _first_that_fails(env.cr, alone)
        with at(place):
            raise exc


def _first_that_fails(cr, alone):
    for place, run in alone:
        try:
            with cr.savepoint():
                run()
                cr.flush()
                raise _NoError
        except _NoError:
            continue
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:  # noqa: BLE001 what is wrong, the first attempt tells
            return place
    return ""
