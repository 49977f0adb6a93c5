import re

from odoo import api, models
from odoo.sql_db import Cursor
from odoo.tools import SQL

from ..policy import in_force, shared
from ..policy.change_scope import forget, undoable
from ..policy.credentials import hash_proof
from ..policy.json_depth import shallow, too_deep
from ..policy.refusal import Refusal, _lt, kept
from ..policy.shared import LIVE_STATUSES
from ..tools import operations

PROOF = re.compile(r"^[0-9a-f]{64}$")
MAX_TIMEOUT_MS = 300_000

# The fence, from the tables, past every cache. A function, because PostgreSQL keeps its
# plans while a batch runs. From one request to the next they are gone (Odoo's pool
# resets a connection), and one table at a time is planned in half the time that joining
# five takes. STABLE, so that all of it sees the same snapshot.
FENCE_FUNCTION = """
    DROP FUNCTION IF EXISTS doorman_fence(varchar);
    CREATE FUNCTION doorman_fence(asked varchar) RETURNS TABLE (
        id integer, name varchar, auth_type varchar, version integer, state varchar,
        active boolean, expired boolean, user_id integer, company_id integer,
        login varchar, user_active boolean, user_share boolean, key_valid boolean,
        enabled boolean, settings_version integer, log_payloads boolean,
        token_scopes text, token_expires_at timestamp, client_id varchar,
        resource varchar, read_only_by varchar, database_identity varchar
    ) LANGUAGE plpgsql STABLE AS $$
    DECLARE
        moment timestamp := now() at time zone 'utc';
        held integer; api_key integer; family integer; client integer; holder integer;
        is_key boolean; is_alive boolean; is_client boolean; is_oauth boolean;
    BEGIN
        SELECT p.connection_id, p.api_key_id INTO held, api_key
          FROM doorman_connection_proof p WHERE p.proof = asked;
        is_key := FOUND;
        IF NOT is_key THEN
            -- Access tokens and nothing else: a code or refresh token opens nothing.
            SELECT t.family_id, t.scopes, t.expires_at
              INTO family, token_scopes, token_expires_at
              FROM doorman_oauth_token t WHERE t.stored = asked AND t.kind = 'access';
            SELECT f.connection_id, f.client_id, f.resource, f.dead_at IS NULL
              INTO held, client, resource, is_alive
              FROM doorman_oauth_family f WHERE f.id = family;
            SELECT l.client_id, l.active INTO client_id, is_client
              FROM doorman_oauth_client l WHERE l.id = client;
        END IF;
        SELECT c.id, c.name, c.auth_type, c.version, c.state, c.active,
               COALESCE(c.expires_at <= moment, false), c.user_id
          INTO id, name, auth_type, version, state, active, expired, holder
          FROM doorman_connection c WHERE c.id = held;
        SELECT u.id, u.company_id, u.login, u.active, u.share
          INTO user_id, company_id, login, user_active, user_share
          FROM res_users u WHERE u.id = holder;
        IF user_id IS NULL THEN
            RETURN;
        END IF;
        SELECT s.enabled, s.version, s.log_payloads, s.oauth_enabled,
               CASE WHEN s.all_read_only THEN COALESCE(s.all_read_only_by, '?') END,
               s.database_identity
          INTO enabled, settings_version, log_payloads, is_oauth, read_only_by,
               database_identity
          FROM doorman_settings s WHERE s.singleton;
        IF is_key THEN
            key_valid := EXISTS (
                SELECT FROM res_users_apikeys k
                 WHERE k.id = api_key AND k.scope = 'doorman' AND k.user_id = holder
                   AND (k.expiration_date IS NULL OR k.expiration_date >= moment));
        ELSE
            key_valid := COALESCE(is_alive AND is_client AND is_oauth
                AND auth_type = 'oauth' AND token_expires_at > moment, false);
        END IF;
        RETURN NEXT;
    END $$
"""

# The savepoint that a failing call is undone to comes along with the fence: a round
# trip to PostgreSQL costs as much as a small query.
FENCE = """
    SAVEPOINT doorman;
    SELECT fence.*,
           set_config('statement_timeout', %s, true),
           set_config('synchronous_commit', %s, true),
           now() AT TIME ZONE 'UTC' AS moment
      FROM doorman_fence(%s) fence
"""

# Why a connection opens nothing any more, for the audit.
ENDED = {
    "archived": _lt("connection archived"),
    "revoked": _lt("connection revoked"),
    "expired": _lt("connection expired"),
    "inactive": _lt("connection inactive"),
}


class Stored(str):
    """What is kept of a credential, in place of its proof. Only code has one: in JSON
    there is no such thing."""

    __slots__ = ()


class DoormanGateway(models.AbstractModel):
    """The fence: whether a credential, its connection, its user and the settings are
    valid, and the same that the service has decided by."""

    _inherit = "doorman.gateway"

    def init(self):
        res = super().init()
        self.env.cr.execute(FENCE_FUNCTION)
        return res

    def _fence_row(self, proof, timeout, synchronous):
        stored = ""
        if isinstance(proof, Stored):
            stored = str(proof)
        elif isinstance(proof, str) and PROOF.fullmatch(proof):
            stored = hash_proof(proof)
        self.env.cr.execute(FENCE, [timeout, synchronous, stored])
        names = [column.name for column in self.env.cr.description]
        found = self.env.cr.fetchone()
        if found is None:
            return None
        row = dict(zip(names, found, strict=True))
        # What Odoo asks for when it writes, in a statement of its own. A cursor of its
        # test runner has another clock.
        if isinstance(self.env.cr, Cursor) and self.env.cr._now is None:
            self.env.cr._now = row["moment"]
        return row

    def _refusal(self, row):
        """:return: Refusal, and the true reason in words; or ``(None, None)``"""
        reason = None
        if row is None:
            reason = _lt("unknown credential")
        elif not row["user_active"] or row["user_id"] == api.SUPERUSER_ID:
            # The superuser would bypass every rule: no connection is ever that.
            reason = _lt("user archived")
        elif row["user_share"]:
            reason = _lt("user is not an internal user")
        elif not row["key_valid"]:
            reason = _lt("key removed or expired")
        elif self._left_out(row):
            reason = _lt("user is not an MCP user")
        elif self._login_waits(row):
            return self._login_waits(row)
        elif row["state"] not in LIVE_STATUSES or not row["active"]:
            state = row["state"] if row["active"] else "archived"
            reason = ENDED.get(state) or _lt("connection %(state)s", state=state)
        elif row["expired"]:
            reason = _lt("connection expired")
        if reason:
            # The same words for a credential that never was, and one that is no more:
            # who guesses learns nothing. The audit row says which.
            refused = Refusal(
                "credential_invalid",
                _lt(shared.SAY_INVALID),
                _lt(shared.SAY_INVALID_HINT),
            )
        elif not row["enabled"] or self._in_copy(row):
            reason = _lt("server switched off")
            if row["enabled"]:
                reason = _lt("the database is a copy")
            refused = Refusal(
                "switched_off", _lt(shared.SAY_OFF), _lt(shared.SAY_OFF_HINT)
            )
        else:
            return None, None
        return refused, reason

    def _in_copy(self, row):
        # Keys of the original open no copy, even if nothing has looked before.
        settings = self.env["doorman.settings"]
        return bool(row["database_identity"]) and settings._is_copy(
            row["database_identity"]
        )

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
        reads = operations.only_reads(request)
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
            self._note_refused(audit, refusal, reason)
            return {"error": refusal.told()}, audit
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
        request = request | {"rows_left": fence.get("rows_left")}
        try:
            with undoable(self.env), in_force.until_the_end(self.env.cr):
                answer = (work or self._answer)(connection, row, request, audit)
        except Exception as exc:
            self._undo()
            given = request.get("context")
            lang = given.get("lang") if isinstance(given, dict) else None
            lang = lang or user._doorman_context().get("lang")
            failure = self._failure(exc, request.get("model"), lang)
            error, code = failure.told(), audit.get("message")
            audit.update(
                outcome="refused" if isinstance(exc, Refusal) else "error",
                reason=error["kind"],
                message=error["message"],
                words=kept(failure),
            )
            if code:  # what was refused, of a query or code, is worth knowing
                audit["message"] = f"{error['message'][:240]} <- {code}"
                if audit["words"]:
                    audit["words"]["code"] = code
            return {"error": failure.told()}, audit
        if row["log_payloads"]:
            audit["response_payload"] = self._payload(answer.get("value", answer))
        return answer | {"registry": self._registry()}, audit

    def _refuse_deep(self, *_request):
        raise Refusal("nested_too_deeply", _lt("The request is nested too deeply."))

    @staticmethod
    def _timeout_ms(request):
        timeout = request.get("timeout_ms")
        if type(timeout) is not int or not 0 < timeout <= MAX_TIMEOUT_MS:
            timeout = MAX_TIMEOUT_MS
        return timeout

    def _undo(self):
        """What the call left undone in memory, and what it did in the database."""
        self._undo_to("doorman")

    def _undo_to(self, savepoint):
        forget(self.env)
        self.env.cr.execute(SQL("ROLLBACK TO SAVEPOINT %s", SQL.identifier(savepoint)))
