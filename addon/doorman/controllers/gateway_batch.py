"""Several calls in one request to the service's endpoint."""

import logging
import time
from contextlib import contextmanager

import psycopg2

from ..policy.shared import MAX_BATCH

_logger = logging.getLogger(__name__)

# A batch: how many calls, how long one may ask the database while others wait for it,
# and after how much time and how many bytes the rest is put back.
CALL_MS = 250
BATCH_SECONDS = 0.1
BATCH_BYTES = 1024 * 1024

# The error of a call that was put back: nothing of it was done, and the service sends
# it again in a request of its own.
ALONE = ("doorman.Alone", "To be sent alone")


@contextmanager
def hurried(cr, spared):
    """The time in which a call of a batch runs: many short statements make the others
    wait as one long one does. A call of which one was stopped, or failed, is made again
    alone: also where its code does not mind and goes on, with half an answer.

    :param str spared: this very statement runs also when the time is over
    :return: a list that is empty as long as every statement went well
    """
    run, failed = cr.execute, []
    end = time.monotonic() + CALL_MS / 1000

    def in_time(query, params=None, log_exceptions=True):
        try:
            late = time.monotonic() > end and query is not spared
            if failed or late:  # but what is done by then counts
                raise psycopg2.errors.QueryCanceled("Others wait")
            # Nothing for the log, which would tell it as an error: alone it is told.
            return run(query, params, log_exceptions=False)
        except psycopg2.Error as exc:
            failed.append(exc)
            raise

    cr.execute = in_time
    try:
        yield failed
    finally:
        del cr.execute


def check(gateway, body):
    """Calls that only read, and are short as a rule: whatever else there is may not
    be put back, or would not be alone in its transaction.

    :raise ValueError: or another error of reading it, if this is not such a batch
    """
    if not 0 < len(body) <= MAX_BATCH:
        raise ValueError
    for entry in body:
        fence, asked = entry["params"]["fence"], entry["params"]["request"]
        if (
            type(entry["id"]) is not int
            or entry["method"] != "call"
            or len(entry["params"]) != 2
            or not isinstance(fence, dict)
            or not isinstance(asked, dict)
            or not gateway._may_share(asked)
        ):
            raise ValueError


def run(gateway, body, error):
    """A JSON-RPC 2.0 batch: reads that waited for the same worker.

    Each is a transaction of its own, as if it had come alone: it sees no value that
    was read for another, and what fails takes nothing of another's along. Groups
    and rules are those of the request's beginning, as in every request of Odoo's:
    BATCH_SECONDS ago at most.

    :param error: makes the answer of a call that is put back, from its id, the name and
        words of the error, and its HTTP status
    :return: the answers as JSON, in the order of the calls
    """
    started, size, answers = time.monotonic(), 0, []
    for entry in body:
        answer = None
        late = time.monotonic() - started > BATCH_SECONDS or size > BATCH_BYTES
        if not late or not answers:
            answer = _one_of_many(gateway, entry)
        answers.append(answer or error(entry["id"], ALONE, 503))
        size += len(answers[-1])
    return f"[{','.join(answers)}]"


def _one_of_many(gateway, entry):
    """:return: the answer as JSON, or None if the call has to be made alone"""
    cr = gateway.env.cr
    asked = entry["params"]["request"]
    limit = gateway._timeout_ms(asked)
    try:
        with hurried(cr, gateway.env["doorman.audit"]._fenced_insert) as failed:
            result = gateway.call(
                entry["params"]["fence"],
                asked | {"timeout_ms": min(limit, CALL_MS)},
            )
        text = gateway._dump({"jsonrpc": "2.0", "id": entry["id"], "result": result})
        # The service takes so many bytes of one answer: with a long one in it, it
        # would refuse the whole batch.
        if not failed and len(text) <= BATCH_BYTES:
            # The next one is another transaction, of another user.
            cr.commit()  # pylint: disable=invalid-commit
            cr.reset()
            # Now: if the next one fails, what is still to be told is dropped.
            gateway.env.registry.signal_changes()
            return text
    except Exception:
        # Alone it is run again where that helps, or its error is told and logged.
        _logger.debug("A call of a batch is put back", exc_info=True)
    cr.rollback()
    cr.reset()
    gateway.env.registry.reset_changes()
    return None
