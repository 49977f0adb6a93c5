import json
import logging
import time
from contextlib import contextmanager

import psycopg2

from odoo import http
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.http import request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..models.audit.doorman_audit import FENCED_INSERT
from ..tools.files import MAX_BYTES
from ..tools.registry import SHARED

_logger = logging.getLogger(__name__)

# Larger than any request of the service, of which a file in base64 is the largest;
# without it Odoo would take 128 MB.
MAX_BODY = MAX_BYTES * 4 // 3 + 1024 * 1024

# A batch: how many calls, how long one may ask the database while others wait for it,
# and after how much time and how many bytes the rest is put back.
MAX_BATCH = 32
CALL_MS = 250
BATCH_SECONDS = 0.1
BATCH_BYTES = 1024 * 1024

# The error of a call that was put back: nothing of it was done, and the service sends
# it again in a request of its own.
ALONE = ("doorman.Alone", "To be sent alone")


@contextmanager
def hurried(cr):
    """The time in which a call of a batch runs: many short statements make the others
    wait as one long one does. A call of which one was stopped, or failed, is made again
    alone: also where its code does not mind and goes on, with half an answer.

    :return: a list that is empty as long as every statement went well
    """
    run, failed = cr.execute, []
    end = time.monotonic() + CALL_MS / 1000

    def in_time(query, params=None, log_exceptions=True):
        try:
            late = time.monotonic() > end and query is not FENCED_INSERT
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


class DoormanController(http.Controller):
    """The service's own JSON-RPC endpoint: the gateway's methods and no others.

    Faster than Odoo's ``/jsonrpc``, which opens a second cursor, checks the caches a
    second time and logs a deprecation for every call.
    """

    @http.route(
        "/doorman/jsonrpc",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,  # no cookie counts here: the key is in a header
        # Never a replica, which Odoo would ask first by default: what was revoked a
        # moment ago may not have arrived there.
        readonly=False,
        save_session=False,
        max_content_length=MAX_BODY,
    )
    def jsonrpc(self, **_params):
        uid = self._service_uid()
        if not uid:
            return self._answer(
                None,
                error=("odoo.exceptions.AccessDenied", "Access Denied"),
                status=401,
            )
        try:
            body = json.loads(request.httprequest.get_data())
            if isinstance(body, list):
                self._check_batch(body)
            else:
                call_id, method, params = body.get("id"), body["method"], body["params"]
                if not isinstance(params, dict):
                    raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return self._answer(
                None, error=("ValueError", "Not a JSON-RPC 2.0 request"), status=400
            )
        request.update_env(user=uid, su=False)
        gateway = request.env["doorman.gateway"]
        if isinstance(body, list):
            return self._batch(gateway, body)
        if method not in gateway._methods:
            return self._answer(
                call_id, error=("NotFound", "No such gateway method"), status=404
            )
        return self._call(gateway, call_id, method, params)

    @staticmethod
    def _check_batch(body):
        """Calls that only read, and are short as a rule: whatever else there is may not
        be put back, or would not be alone in its transaction."""
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
                or asked.get("method") not in SHARED
            ):
                raise ValueError

    def _batch(self, gateway, body):
        """A JSON-RPC 2.0 batch: reads that waited for the same worker.

        Each is a transaction of its own, as if it had come alone: it sees no value that
        was read for another, and what fails takes nothing of another's along. Groups
        and rules are those of the request's beginning, as in every request of Odoo's:
        BATCH_SECONDS ago at most.
        """
        started, size, answers = time.monotonic(), 0, []
        for entry in body:
            answer = None
            late = time.monotonic() - started > BATCH_SECONDS or size > BATCH_BYTES
            if not late or not answers:
                answer = self._one_of_many(gateway, entry)
            answers.append(answer or self._error(entry["id"], ALONE, 503))
            size += len(answers[-1])
        return self._respond(f"[{','.join(answers)}]")

    def _one_of_many(self, gateway, entry):
        """:return: the answer as JSON, or None if the call has to be made alone"""
        cr = gateway.env.cr
        asked = entry["params"]["request"]
        limit = gateway._timeout_ms(asked)
        try:
            with hurried(cr) as failed:
                result = gateway.call(
                    entry["params"]["fence"],
                    asked | {"timeout_ms": min(limit, CALL_MS)},
                )
            text = gateway._dump(
                {"jsonrpc": "2.0", "id": entry["id"], "result": result}
            )
            # The service takes so many bytes of one answer: with a long one in it, it
            # would refuse the whole batch.
            if not failed and len(text) <= BATCH_BYTES:
                cr.commit()  # the next one is another transaction, of another user
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

    def _service_uid(self):
        scheme, _, key = request.httprequest.headers.get("Authorization", "").partition(
            " "
        )
        if scheme.lower() != "bearer" or not key:
            return None
        return request.env["doorman.settings"]._service_uid(key.strip())

    def _call(self, gateway, call_id, method, params):
        try:
            result = getattr(gateway, method)(**params)
            body = gateway._dump({"jsonrpc": "2.0", "id": call_id, "result": result})
            return self._respond(body)
        except Exception as exc:
            # Up with it, so that Odoo rolls back, and runs the request again where
            # that helps; what it sends in the end is this, not a page of HTML.
            status, name, message = self._fault(exc)
            exc.error_response = self._answer(
                call_id, error=(name, message), status=status
            )
            raise

    @staticmethod
    def _fault(exc):
        if isinstance(exc, (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
            return 503, "odoo.exceptions.ConcurrencyError", "Too many at once"
        if isinstance(exc, AccessError):
            return 403, "odoo.exceptions.AccessError", exc.args[0]
        if isinstance(exc, (TypeError, ValueError)):
            # A service of another version.
            return 400, "TypeError", "Wrong arguments"
        return 500, "InternalError", "Internal error"

    def _answer(self, call_id, error, status):
        return self._respond(self._error(call_id, error, status), status)

    @staticmethod
    def _error(call_id, error, status):
        name, message = error
        return json.dumps(
            {
                "jsonrpc": "2.0",
                "id": call_id,
                "error": {
                    "code": status,
                    "message": "Doorman gateway error",
                    "data": {"name": name, "message": message},
                },
            }
        )

    def _respond(self, body, status=200):
        return request.make_response(
            body,
            headers=[
                ("Content-Type", "application/json; charset=utf-8"),
                ("Cache-Control", "no-store"),
            ],
            status=status,
        )
