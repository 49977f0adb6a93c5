import json
import time
from dataclasses import replace

import psycopg2

from odoo import api, models, release
from odoo.exceptions import AccessError, ConcurrencyError, MissingError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import config
from odoo.tools.json import json_default

from ..policy import gate
from ..policy.change_scope import Trial, acting, writing
from ..policy.gate import Waits
from ..policy.refusal import Refusal, _lt
from ..policy.shared import RISKS
from ..tools import operations, seen_records
from ..tools.call import call_of, run
from ..tools.operations import LOW

# Errors of a read that no field alone is to blame for.
AS_THEY_ARE = (Refusal, ConcurrencyError, psycopg2.errors.QueryCanceled)


class DoormanGateway(models.AbstractModel):
    """What the service may call: these methods, as its own user, and nothing else.

    Each takes and gives plain JSON. The service's key alone acts as nobody: what
    reads or writes data wants the proof of a client's own credential as well.
    """

    _name = "doorman.gateway"
    _description = "Doorman gateway"

    # The methods that the JSON-RPC endpoint reaches.
    _methods = (
        "hello",
        "resolve",
        "call",
        "fields",
        "approval_status",
        "file_link",
        "file_open",
        "file_take",
        "file_put",
        "record",
        "sync_catalog",
        "run_job",
        "oauth_register",
        "oauth_client",
        "oauth_begin",
        "oauth_redeem",
        "oauth_refresh",
        "oauth_revoke",
        "oauth_assert",
    )

    def _check_caller(self):
        # By id, not by group: a person who was put into the group is still refused.
        if self.env.uid != self.env["doorman.settings"]._service_user_id():
            raise AccessError(
                self.env._("Only the Doorman service's own user can call this.")
            )

    # ---- methods ----

    @api.model
    def hello(self, version="", url=""):
        """Who answers here; also the service's heartbeat.

        :param str version: of the service, and which of its processes asks:
            ``0.2.0+<UUID>``; empty: somebody only asks
        :param str url: of its MCP endpoint, as AI tools reach it
        """
        self._check_caller()
        settings = self.env["doorman.settings"].sudo()._get()
        is_copy = settings._look_for_copy()
        if settings.enabled and not settings.database_identity:
            settings._note_database()
        if version:
            self.env["doorman.replica"]._note(version, url)
        module = self.env["ir.module.module"].sudo()
        return {
            "odoo_version": release.version,
            "addon_version": module._get("doorman").latest_version or "",
            "database": self.env.cr.dbname,
            "database_id": settings._database_id(),
            "copy_of": settings.database_name or "?" if is_copy else "",
            "web_url": settings.get_base_url(),
            "web_url_follows": not settings._web_url_is_kept(),
            "enabled": settings.enabled,
            "settings_version": settings.version,
            "registry": self._registry(),
            "company": self.env["res.company"].sudo().search([], limit=1).name,
            "oauth": settings._oauth(),
            # How many requests are worked on at once; 0: threads. It also says that
            # the endpoint takes batches.
            "workers": config["workers"],
            "jobs": self._job_list(),
            "services": self.env["doorman.replica"]._alive()._urls(),
            "other_mcp": list(settings._other_mcp()),
        }

    @api.model
    def resolve(self, proof):
        """What holds for the connection behind a credential.

        :param str proof: SHA-256 of the credential, 64 hex digits
        """
        self._check_caller()
        row = self._fence_row(proof, "0", "off")
        refusal, _reason = self._refusal(row)
        # The switch is left to the service's own decision, which knows what to say.
        if refusal and refusal.kind != "forbidden":
            return {"error": refusal.told()}
        audit = self.env["doorman.audit"]
        return {
            "snapshot": self._snapshot(row),
            "used_today": audit._used_today(row["id"]),
            "rows_today": audit._rows_today(row["id"]),
        }

    @api.model
    def call(self, fence, request):
        """One ORM call, as the connection's user, with its audit row.

        :param dict fence: proof, connection, version, settings_version, groups,
            registry, and rows_left, how many rows of data it may still get today
        :param dict request: model, method, ids, kwargs, context, timeout_ms, audit
        :return: ``{value, rows, registry}``, with how many rows of data are in it;
            ``{pending, registry}`` if a person has to approve it; ``{stale}`` or
            ``{error}``
        """
        self._check_caller()
        started = time.monotonic()
        answer, audit = self._fenced(fence, request)
        self._leave_row(answer, audit, started)
        return answer

    @api.model
    def fields(self, fence, model, lang="en_US"):
        """The field metadata of a model, as the connection's user may see it. For
        the service's own cache: the request it is for leaves the audit row.

        :param str model: technical name
        :param str lang: Odoo language code of the labels
        """
        self._check_caller()
        request = {"model": model, "method": "fields_get", "context": {"lang": lang}}
        answer, _audit = self._fenced(fence, request, self._describe_fields)
        return answer

    def _describe_fields(self, connection, row, request, _audit):
        # No rule for reading holds: nobody's records are in it, and nobody asked.
        guard = self._guard(connection, row, request)
        with acting(guard.env):
            return {"value": run(call_of(guard, request))}

    @staticmethod
    def _may_share(request):
        """Whether a call may be part of a batch: it only reads, and is mostly short."""
        found = operations.get(request.get("method"))
        return found is not None and found.shares

    @api.model
    def _offers(self, name):
        """Whether this database has the addon that brings an operation."""
        return operations.is_offered(self.env, name)

    @staticmethod
    def _operation(request):
        """The operation that a request names, whether this database has its addon or
        not; None if there is none."""
        return operations.of(request)

    @api.model
    def sync_catalog(self, tools):
        """Make the tool catalog the one that the service serves. What a tool does says
        how risky it is at least: the service cannot talk that down."""
        self._check_caller()
        try:
            return self.env["doorman.tool"]._sync([*map(self._not_talked_down, tools)])
        except psycopg2.errors.UniqueViolation as exc:
            # A replica that started at the same time was first. Odoo runs this again,
            # and then it sees those tools; a broken constraint it would only report.
            raise ConcurrencyError("the same tools were made meanwhile") from exc

    @staticmethod
    def _not_talked_down(tool):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            return tool
        told, least = tool.get("risk") or LOW, operations.least_risk(tool["name"])
        if told not in RISKS:
            return tool  # refused, by its own words
        return tool | {"risk": gate.highest({told, least})}

    @api.model
    def json_call(self, method, payload):
        """The same methods for transports that cannot carry every JSON value.

        :param str method: one of the others
        :param str payload: its named arguments, as JSON text
        :return: its answer, as JSON text
        """
        self._check_caller()
        if method not in self._methods:
            raise MissingError(self.env._("There is no gateway method %s.", method))
        return self._dump(getattr(self, method)(**json.loads(payload)))

    # ---- running a request ----

    def _connection(self, row):
        # Not in sudo: another environment costs more than what is asked of it, which
        # the cache mostly knows.
        return self.env["doorman.connection"].browse(row["id"])

    def _answer(self, connection, row, request, audit):
        try:
            value = self._do(connection, row, request, audit)
            return {"value": value, "rows": audit.get("rows") or 0}
        except Waits as waits:
            if request.get("ask") is False:
                # The service wants it for itself: nobody is to be asked for that.
                raise Refusal("needs_approval", _lt("This needs approval.")) from waits
            self._undo()
            return self._ask(connection, row, request, audit, waits.tried)

    def _do(self, connection, row, request, audit, approved=False, shown=None):
        """Run a request.

        :param bool approved: a person has approved it
        :param shown: what they were shown that leaves, as ``_write`` takes it
        :return: the answer of the operation, plain JSON
        """
        operations.check_offered(self.env, request)
        limits = self._row_limits(connection, row, request, approved)
        limits.check_left(request)
        if operations.only_reads(request):
            value = self._look(connection, row, request, audit, approved, limits.most)
        else:
            value = self._write(connection, row, request, audit, approved, shown)
            limits.spare(request, value)
        audit["rows"] = limits.check(request, value)
        audit["seen"], audit["seen_cut"] = seen_records.of(request, value)
        return value

    def _look(self, connection, row, request, audit, approved, most):
        """One call that changes nothing.

        :param most: how many rows its answer may give out; None for any number
        :return: the answer of the operation, plain JSON
        """
        guard = self._guard(connection, row, request)
        runs_code = operations.runs_code(request)
        self._check_may_read(connection, row, request)
        if not approved:
            self._check_reading(connection, row, request)
        call = replace(call_of(guard, request), most_rows=most)
        if not runs_code:
            return self._read(call)
        audit["message"] = self._code(request)
        # Whatever somebody's code has done while it looked is undone.
        with writing(guard.env, Trial()):
            value = run(call)
            value = json.loads(json.dumps(value, default=json_default))
        self._undo()
        return value

    def _read(self, call):
        """Run a call that changes nothing. If a field fails, once more without it."""
        try:
            return self._run_reading(call)
        except (*AS_THEY_ARE, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            raise
        except Exception:
            if not call.operation.leaves_out:
                raise
            self._undo()
            return self._run_reading(replace(call, careful=True))

    def _run_reading(self, call):
        with acting(call.env):
            value = run(call)
            self.env.flush_all()
        return value

    def _registry(self):
        return str(self.env.registry.registry_sequence)

    @staticmethod
    def _dump(value):
        text = json.dumps(value, ensure_ascii=False, default=json_default)
        # A lone surrogate is valid JSON as an escape only.
        return text.encode(errors="backslashreplace").decode()
