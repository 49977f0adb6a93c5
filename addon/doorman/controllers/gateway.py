import json
import threading

from odoo import http
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.http import request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import real_time

from ..policy.lost_database import is_lost
from ..policy.shared import MAX_FILE
from . import gateway_batch
from .shortcut import ROUTE

# Larger than any request of the service, of which a file in base64 is the largest;
# without it Odoo would take 128 MB.
MAX_BODY = MAX_FILE * 4 // 3 + 1024 * 1024

# A request of the service with this header is told how long it took in Odoo.
TIMING_HEADER = "X-Doorman-Timing"


class DoormanController(http.Controller):
    """The service's own JSON-RPC endpoint: the gateway's methods and no others.

    Faster than Odoo's ``/jsonrpc``, which opens a second cursor, checks the caches a
    second time and logs a deprecation for every call.
    """

    @http.route(
        ROUTE,
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
                gateway_batch.check(request.env["doorman.gateway"], body)
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
            return self._respond(gateway_batch.run(gateway, body, self._error))
        if method not in gateway._methods:
            return self._answer(
                call_id, error=("NotFound", "No such gateway method"), status=404
            )
        return self._call(gateway, call_id, method, params)

    def _service_uid(self):
        scheme, _, key = request.httprequest.headers.get("Authorization", "").partition(
            " "
        )
        if scheme.lower() != "bearer" or not key:
            return None
        return request.env["doorman.settings"]._service_uid(key.strip())

    def _call(self, gateway, call_id, method, params):
        try:
            if method != "hello":
                # Before its arguments are looked at: those may be what is different.
                gateway._check_caller()
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
        if is_lost(exc):
            return 503, "psycopg2.OperationalError", "The database does not answer"
        if isinstance(exc, AccessError):
            return 403, "odoo.exceptions.AccessError", exc.args[0]
        if type(exc) is UserError:
            # Of another interface: its words are for those who run the service.
            return 422, "odoo.exceptions.UserError", exc.args[0]
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
        headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Cache-Control", "no-store"),
        ]
        # Not told to strangers: how long it takes to refuse a key is a hint at it.
        if request.env.uid and TIMING_HEADER in request.httprequest.headers:
            headers.append(("Server-Timing", self._timing()))
        return request.make_response(body, headers=headers, status=status)

    @staticmethod
    def _timing():
        """How long the request has taken so far: what is left is its COMMIT. Odoo
        measures both for its own log (http.py, Application; sql_db.py, Cursor).

        :return: milliseconds, all in all and in the database, as W3C Server Timing
            writes them: ``total;dur=12.34, db;dur=4.56``
        """
        thread = threading.current_thread()
        total = real_time() - thread.perf_t0
        return f"total;dur={total * 1000:.2f}, db;dur={thread.query_time * 1000:.2f}"
