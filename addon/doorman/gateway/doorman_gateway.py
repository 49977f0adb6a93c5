import json
import logging
import re
import time
from datetime import datetime

from odoo import api, models, release
from odoo.exceptions import AccessError, MissingError
from odoo.tools import config
from odoo.tools.json import json_default

from ..models.audit.doorman_audit import CALLS, clean, withhold
from ..models.connection.doorman_connection import LIVE_STATES
from ..models.connection.keys import hash_proof
from ..policy import closed_models
from ..policy.change_scope import forget, writing
from ..policy.guard import Guard
from ..policy.json_depth import shallow, too_deep
from ..policy.refusal import Refusal
from ..tools import custom_tool_text, registry

_logger = logging.getLogger(__name__)

PROOF = re.compile(r"^[0-9a-f]{64}$")
MAX_TIMEOUT_MS = 300_000

# The fence, from the tables, past every cache. A function, because PostgreSQL then
# keeps its plan: planning five tables takes several times as long as reading them.
FENCE_FUNCTION = """
    DROP FUNCTION IF EXISTS doorman_fence(varchar);
    CREATE FUNCTION doorman_fence(asked varchar) RETURNS TABLE (
        id integer, name varchar, auth_type varchar, version integer, state varchar,
        active boolean, expired boolean, user_id integer, company_id integer,
        login varchar, user_active boolean, user_share boolean, key_valid boolean,
        enabled boolean, settings_version integer, log_payloads boolean,
        token_scopes text, token_expires_at timestamp, client_id varchar,
        resource varchar
    ) LANGUAGE plpgsql AS $$
    BEGIN
        RETURN QUERY
        SELECT c.id, c.name, c.auth_type, c.version, c.state, c.active,
               c.expires_at IS NOT NULL
                   AND c.expires_at <= now() at time zone 'utc',
               c.user_id, u.company_id, u.login, u.active, u.share,
               k.id IS NOT NULL
                   AND k.scope = 'mcp'
                   AND k.user_id = c.user_id
                   AND (k.expiration_date IS NULL
                        OR k.expiration_date >= now() at time zone 'utc'),
               s.enabled, s.version, s.log_payloads,
               NULL::text, NULL::timestamp, NULL::varchar, NULL::varchar
          FROM doorman_connection_proof p
          JOIN doorman_connection c ON c.id = p.connection_id
          JOIN res_users u ON u.id = c.user_id
          LEFT JOIN res_users_apikeys k ON k.id = p.api_key_id
         CROSS JOIN doorman_settings s
         WHERE p.proof = asked AND s.singleton;
        IF FOUND THEN
            RETURN;
        END IF;
        -- Access tokens and nothing else: a code or refresh token opens nothing here.
        RETURN QUERY
        SELECT c.id, c.name, c.auth_type, c.version, c.state, c.active,
               c.expires_at IS NOT NULL
                   AND c.expires_at <= now() at time zone 'utc',
               c.user_id, u.company_id, u.login, u.active, u.share,
               COALESCE(f.dead_at IS NULL AND l.active AND s.oauth_enabled
                   AND c.auth_type = 'oauth'
                   AND t.expires_at > now() at time zone 'utc', false),
               s.enabled, s.version, s.log_payloads,
               t.scopes, t.expires_at, l.client_id, f.resource
          FROM doorman_oauth_token t
          JOIN doorman_oauth_family f ON f.id = t.family_id
          JOIN doorman_oauth_client l ON l.id = f.client_id
          JOIN doorman_connection c ON c.id = f.connection_id
          JOIN res_users u ON u.id = c.user_id
         CROSS JOIN doorman_settings s
         WHERE t.stored = asked AND t.kind = 'access' AND s.singleton;
    END $$
"""

# The savepoint that a failing call is undone to comes along with the fence: a round
# trip to PostgreSQL costs as much as a small query.
FENCE = """
    SAVEPOINT doorman;
    SELECT fence.*,
           set_config('statement_timeout', %s, true),
           set_config('synchronous_commit', %s, true)
      FROM doorman_fence(%s) fence
"""
UNDO = "ROLLBACK TO SAVEPOINT doorman"

# The same words for a credential that never was, and one that is no more: who
# guesses learns nothing. The audit row says which.
NOT_VALID = "This key or token is not valid (any more)."
NOT_VALID_HINT = "Ask your Odoo administrator for a new one."


class Stored(str):
    """What is kept of a credential, in place of its proof. Only code has one: in JSON
    there is no such thing."""

    __slots__ = ()


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
        "request_approval",
        "approval_status",
        "file_link",
        "file_open",
        "file_take",
        "file_put",
        "record",
        "sync_catalog",
        "fold_use",
        "expire_connections",
        "remind_expiry",
        "purge_audit",
        "expire_approvals",
        "remind_approvals",
        "expire_invites",
        "remind_invited",
        "oauth_register",
        "oauth_client",
        "oauth_begin",
        "oauth_redeem",
        "oauth_refresh",
        "oauth_revoke",
        "purge_oauth",
    )

    def init(self):
        self.env.cr.execute(FENCE_FUNCTION)

    def _check_caller(self):
        # By id, not by group: a person who was put into the group is still refused.
        if self.env.uid != self.env["doorman.settings"]._service_user_id():
            raise AccessError(
                self.env._("Only the Doorman service's own user may call this.")
            )

    # ---- methods ----

    @api.model
    def hello(self, version="", url=""):
        """Who answers here; also the service's heartbeat.

        :param str version: of the service; empty: somebody only asks
        :param str url: of its MCP endpoint, as AI tools reach it
        """
        self._check_caller()
        settings = self.env["doorman.settings"].sudo()._get()
        if version:
            self._note_service(version, url)
        module = self.env["ir.module.module"].sudo()
        return {
            "odoo_version": release.version,
            "addon_version": module._get("doorman").latest_version or "",
            "database": self.env.cr.dbname,
            "web_url": settings.get_base_url(),
            "enabled": settings.enabled,
            "settings_version": settings.version,
            "registry": self._registry(),
            "company": self.env["res.company"].sudo().search([], limit=1).name,
            "oauth": settings._oauth(),
            # How many requests are worked on at once; 0: threads. It also says that
            # the endpoint takes batches.
            "workers": config["workers"],
        }

    def _note_service(self, version, url):
        self.env.cr.execute(
            # Not at every call: several replicas that say hello at the same instant
            # would make each other wait and try again.
            "UPDATE doorman_settings SET gateway_last_seen = now() at time zone 'utc', "
            "gateway_version = %s, gateway_url = %s WHERE singleton "
            "AND (gateway_last_seen IS NULL "
            "OR gateway_last_seen < now() at time zone 'utc' - interval '5 seconds')",
            [str(version)[:64], str(url)[:256] or None],
        )

    @api.model
    def resolve(self, proof):
        """What holds for the connection behind a credential.

        :param str proof: SHA-256 of the credential, 64 hex digits
        """
        self._check_caller()
        row = self._fence_row(proof, "0", "off")
        refusal, _reason = self._refusal(row)
        # The switch is left to the service's own decision, which knows what to say.
        if refusal and refusal["kind"] != "forbidden":
            return {"error": refusal}
        return {
            "snapshot": self._snapshot(row),
            "used_today": self.env["doorman.audit"]._used_today(row["id"]),
        }

    @api.model
    def call(self, fence, request):
        """One ORM call, as the connection's user, with its audit row.

        :param dict fence: proof, connection, version, settings_version, groups
        :param dict request: model, method, ids, kwargs, context, timeout_ms, audit
        :return: ``{value, registry}``, ``{stale}`` or ``{error}``
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
        answer, _audit = self._fenced(fence, request)
        return answer

    def _leave_row(self, answer, audit, started):
        audit["duration_ms"] = round((time.monotonic() - started) * 1000)
        if "stale" not in answer:
            self.env["doorman.audit"]._insert(audit, fenced=True)

    @api.model
    def record(self, events):
        """Refusals that never became a call, for the audit.

        :param list events: time, connection, model, reason, message, count, audit
        """
        self._check_caller()
        events = events[:1000]
        for event in events:
            self._record_one(event)
        return {"recorded": len(events)}

    @api.model
    def sync_catalog(self, tools):
        """Make the tool catalog the one that the service serves."""
        self._check_caller()
        return self.env["doorman.tool"]._sync(tools)

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

    # ---- the fence ----

    def _fence_row(self, proof, timeout, synchronous):
        stored = ""
        if isinstance(proof, Stored):
            stored = str(proof)
        elif isinstance(proof, str) and PROOF.fullmatch(proof):
            stored = hash_proof(proof)
        self.env.cr.execute(FENCE, [timeout, synchronous, stored])
        names = [column.name for column in self.env.cr.description]
        row = self.env.cr.fetchone()
        return row and dict(zip(names, row, strict=True))

    def _refusal(self, row):
        """:return: an error and the true reason, or ``(None, None)``"""
        reason = None
        if row is None:
            reason = "unknown credential"
        elif not row["user_active"] or row["user_id"] == api.SUPERUSER_ID:
            # The superuser would bypass every rule: no connection is ever that.
            reason = "user archived"
        elif row["user_share"]:
            reason = "user is no internal user"
        elif not row["key_valid"]:
            reason = "key removed or expired"
        elif self._left_out(row):
            reason = "user is no MCP user"
        elif self._login_waits(row):
            return self._login_waits(row)
        elif row["state"] not in LIVE_STATES or not row["active"]:
            reason = f"connection {row['state'] if row['active'] else 'archived'}"
        elif row["expired"]:
            reason = "connection expired"
        if reason:
            kind, message, hint = "unauthenticated", NOT_VALID, NOT_VALID_HINT
        elif not row["enabled"]:
            reason = "server switched off"
            kind = "forbidden"
            message = "Access for AI tools is switched off in this Odoo."
            hint = "An MCP administrator can switch it on in Doorman's settings."
        else:
            return None, None
        return {"kind": kind, "message": message, "hint": hint}, reason

    def _connection(self, row):
        # Not in sudo: another environment costs more than what is asked of it, which
        # the cache mostly knows.
        return self.env["doorman.connection"].browse(row["id"])

    def _fenced(self, fence, request, work=None, durable=False):
        """Check the fence, then run. What is checked and what is done see the same
        snapshot of the database: there is no moment in between.

        :param work: does it and gives the answer; by default the request itself
        :param bool durable: whether it writes, whatever the request does
        :return: the answer, and the audit row without its duration
        """
        if not isinstance(fence, dict) or not isinstance(request, dict):
            raise TypeError("fence and request are objects")
        if too_deep(request):
            request, work = shallow(request), self._refuse_deep
        reads = registry.only_reads(request)
        # A row of a call that only read may be lost if PostgreSQL itself crashes
        # within a fraction of a second; a write waits for the disk.
        row = self._fence_row(
            fence.get("proof"),
            str(self._timeout_ms(request)),
            "off" if reads and not durable else "on",
        )
        audit = self._audit_row(row, request)
        if row and row["log_payloads"]:
            audit["request_payload"] = self._payload(request.get("kwargs"))
        refusal, reason = self._refusal(row)
        if refusal:
            audit.update(outcome="refused", reason=refusal["kind"], message=reason)
            return {"error": refusal}, audit
        connection = self._connection(row)
        user = self.env["res.users"].browse(row["user_id"])
        if (
            fence.get("connection") != row["id"]
            or fence.get("version") != row["version"]
            or fence.get("settings_version") != row["settings_version"]
            or fence.get("groups") != user._doorman_fingerprint()
            or fence.get("registry") != self._registry()
        ):
            return {"stale": self._snapshot(row)}, audit
        audit["outcome"] = "ok"
        try:
            answer = (work or self._answer)(connection, row, request, audit)
        except Exception as exc:
            self._undo()
            error = {"hint": ""} | self._error(exc)
            code = audit.get("message")
            audit.update(outcome="error", **error)
            if code:  # what was refused, of a query or code, is worth knowing
                audit["message"] = f"{error['message'][:240]} <- {code}"
            if isinstance(exc, Refusal):
                audit["outcome"] = "refused"
            audit["reason"] = audit.pop("kind")
            audit.pop("hint", None)
            return {"error": error}, audit
        if row["log_payloads"]:
            audit["response_payload"] = self._payload(answer.get("value", answer))
        return answer | {"registry": self._registry()}, audit

    def _refuse_deep(self, *_request):
        raise Refusal("invalid_input", "The request is nested too deeply.")

    def _answer(self, connection, row, request, audit):
        return {"value": self._do(connection, row, request, audit)}

    def _do(self, connection, row, request, audit, approved=False):
        """Run a request.

        :param bool approved: a person has approved it
        :return: the answer of the operation, plain JSON
        """
        if not registry.only_reads(request):
            return self._write(connection, row, request, audit, approved)
        guard = self._guard(connection, row, request)
        runs_code = request.get("method") in registry.CODE
        if approved or runs_code:
            self._check_may_read(connection, row, request)
        if not approved:
            self._check_gate(guard, connection, row, request)
        if not runs_code:
            value = registry.run(guard, request)
            self.env.flush_all()
            return value
        audit["message"] = self._code(request)
        # Whatever somebody's code has done while it looked is undone.
        with writing(guard.env, True):
            value = registry.run(guard, request)
            value = json.loads(json.dumps(value, default=json_default))
        self._undo()
        return value

    @staticmethod
    def _timeout_ms(request):
        timeout = request.get("timeout_ms")
        if type(timeout) is not int or not 0 < timeout <= MAX_TIMEOUT_MS:
            timeout = MAX_TIMEOUT_MS
        return timeout

    def _undo(self):
        """What the call left undone in memory, and what it did in the database."""
        forget(self.env)
        self.env.cr.execute(UNDO)

    def _guard(self, connection, row, request):
        """The rules for a call, with an environment of the connection's user."""
        allowed, companies = connection._model_rule(row["version"])
        if not isinstance(request.get("context") or {}, dict):
            raise Refusal("invalid_input", "The context is malformed.")
        context = {
            key: value
            for key, value in (request.get("context") or {}).items()
            if key in closed_models.CONTEXT_KEYS
        }
        if registry.only_reads(request):
            # Sizes instead of contents for binary fields: bytes never go through here.
            # Code behind a write may need them: the files of an e-mail.
            context["bin_size"] = True
        self._check_language(context)
        user = self.env["res.users"].browse(row["user_id"])
        self._limit_companies(context, companies, user)
        # A fresh context, not one on top of ours.
        env = self.env(user=row["user_id"], context=context, su=False)
        self.env["doorman.settings"]._warm_companies(env.companies)
        guard = Guard(env, allowed, bool(request.get("dry_run")))
        guard.narrow = companies is not None
        *_others, approval = connection._write_rule(row["version"])
        if approval:
            guard.asks_to_read = frozenset(
                rule["model"]
                for rule in approval["rules"]
                if rule["reads"] and rule["model"]
            )
        return guard

    def _check_language(self, context):
        """What is no language of this Odoo would fail later, in the words of whatever
        looked at it first."""
        lang = context.get("lang")
        if lang is None:
            return
        known = [code for code, _name in self.env["res.lang"].get_installed()]
        if lang not in (*known, "en_US"):
            raise Refusal(
                "invalid_input",
                f"{str(lang)[:20]!r} is no language of this Odoo.",
                f"There are: {', '.join(known)}.",
            )

    def _limit_companies(self, context, companies, user):
        """Keep a call inside the companies of its connection and its user."""
        asked = context.get("allowed_company_ids")
        if asked is None and companies is None:
            return
        mine = set(user.sudo().company_ids.ids)
        if companies is not None:
            mine &= companies
        if asked is not None:
            # True is 1, and 1.0 is: only numbers are ids.
            if (
                not isinstance(asked, list)
                or not asked
                or any(type(i) is not int for i in asked)
                or set(asked) - mine
            ):
                raise Refusal(
                    "not_allowed",
                    "This connection may not work in that company.",
                    "Call get_context for the companies it may work in.",
                )
        elif not mine:
            raise Refusal(
                "not_allowed", "None of this connection's companies is its user's."
            )
        else:
            main = user.sudo().company_id.id
            context["allowed_company_ids"] = sorted(mine, key=lambda c: c != main)

    # ---- audit ----

    def _audit_row(self, row, request):
        """What is known of a request before it runs."""
        asked = request.get("audit")
        asked = asked if isinstance(asked, dict) else {}
        ids = request.get("ids")
        audit = {
            "ip": self._text(asked.get("ip")),
            "client": self._text(asked.get("client")),
            "method": self._text(asked.get("method")),
            "tool": self._text(asked.get("tool")),
            "request_id": self._text(asked.get("request_id")),
            "model": self._text(request.get("model")),
            "orm_method": self._text(self._orm_method(request)),
            "record_ids": ",".join(map(str, ids)) if isinstance(ids, list) else None,
            "count": 1,
        }
        if row:
            audit.update(
                connection_id=row["id"],
                connection_name=row["name"],
                connection_type=row["auth_type"],
                user_id=row["user_id"],
                user_login=row["login"],
                company_id=row["company_id"],
            )
        return audit

    @staticmethod
    def _orm_method(request):
        method, kwargs = request.get("method"), request.get("kwargs")
        if own := custom_tool_text.name_of(request):
            return own
        if method == "call_method" and isinstance(kwargs, dict):
            return kwargs.get("method")
        return method

    @classmethod
    def _payload(cls, value):
        """What was asked or answered, as text for the audit, without what is called
        like a credential."""
        return cls._dump(withhold(value))

    def _record_one(self, event):
        """One refusal, or one request that is no call. The service says only which
        connection it means: name and user are the connection's own."""
        if not isinstance(event, dict) or not isinstance(
            event.get("connection") or 0, int
        ):
            raise TypeError("an event is an object")
        if event.get("time"):
            datetime.fromisoformat(event["time"])
        count = min(max(1, int(event.get("count") or 1)), 1_000_000)
        asked = event.get("audit")
        audit = self._audit_row(None, {"audit": asked, "model": event.get("model")})
        served = event.get("outcome") == "ok"
        if served and audit["method"] in CALLS:
            # A call leaves its row where it is done. Told here, it never was.
            raise ValueError("a tool call is not recorded from outside")
        connection = (
            self.env["doorman.connection"].sudo().browse(event.get("connection") or 0)
        )
        if connection.exists():
            audit.update(
                connection_id=connection.id,
                connection_name=connection.name,
                connection_type=connection.auth_type,
                user_id=connection.user_id.id,
                user_login=connection.user_id.login,
                company_id=connection.company_id.id or None,
            )
        audit.update(
            time=self._text(event.get("time"))[:19].replace("T", " ") or None,
            outcome="ok" if served else "refused",
            reason=self._text(event.get("reason")),
            message=self._text(event.get("message")),
            count=count,
        )
        self.env["doorman.audit"]._insert(audit)

    @staticmethod
    def _text(value):
        return clean(value)[:256] if value else ""

    def _registry(self):
        return str(self.env.registry.registry_sequence)

    @staticmethod
    def _dump(value):
        text = json.dumps(value, ensure_ascii=False, default=json_default)
        # A lone surrogate is valid JSON as an escape only.
        return text.encode(errors="backslashreplace").decode()
