import hashlib
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ...policy import oauth_values
from ...policy.credentials import hash_proof
from ...policy.oauth_values import OAuthRefusal
from ...policy.refusal import _lt
from ...policy.shared import LIVE_STATUSES

# In these, a connection may hold tokens. Inactive: calls are refused until an
# administrator has activated it, the login is not.
STATES = ["inactive", *LIVE_STATUSES]
# How often one login may be refreshed: each time leaves two rows for weeks.
MAX_A_MINUTE = 30

FIND = """
    SELECT t.kind, t.generation, t.scopes, t.used_at,
           t.expires_at <= now() at time zone 'utc' AS over,
           f.id AS family_id, f.generation AS latest, f.dead_at, f.pepper,
           f.redirect_uri, f.challenge, f.resource, f.client_id, f.connection_id,
           c.active AND c.state = ANY(%s) AND (c.expires_at IS NULL
               OR c.expires_at > now() at time zone 'utc') AS connected,
           c.user_id, c.expires_at AS until, u.active AND NOT u.share AS employed
      FROM doorman_oauth_token t
      JOIN doorman_oauth_family f ON f.id = t.family_id
      JOIN doorman_connection c ON c.id = f.connection_id
      JOIN res_users u ON u.id = c.user_id
     WHERE t.stored = %s AND t.kind = ANY(%s)
"""

# What decides: of all that come at once with the same one, one gets a row. It changes
# the family as well, so that who ends that at the same instant is thrown back, or this.
USE = """
    WITH won AS (
        UPDATE doorman_oauth_token t SET used_at = now() at time zone 'utc'
          FROM doorman_oauth_family f
         WHERE t.stored = %s AND t.used_at IS NULL AND f.id = t.family_id
           AND t.expires_at > now() at time zone 'utc'
           AND f.dead_at IS NULL AND f.generation = t.generation
     RETURNING t.family_id, t.generation
    )
    UPDATE doorman_oauth_family f SET generation = won.generation + 1
      FROM won WHERE f.id = won.family_id AND f.dead_at IS NULL
 RETURNING f.generation
"""


def refuse(reason, error="invalid_grant"):
    """:raise OAuthRefusal: always; what was wrong, only the logs learn"""
    words = {
        "invalid_grant": "The code or token is invalid or no longer works.",
        "invalid_scope": "The scope exceeds what was granted.",
        "invalid_target": "The token is for another resource.",
        "temporarily_unavailable": "Too many refreshes; wait a minute.",
    }
    raise OAuthRefusal(error, words[error], reason)


class DoormanOauthToken(models.AbstractModel):
    """How a code becomes tokens, and a refresh token its successor."""

    _inherit = "doorman.oauth.token"

    @api.model
    def _redeem(self, asked):
        """A code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

        :param dict asked: code, client_id, secret, redirect_uri, challenge, resource
        :raise OAuthRefusal: RFC 6749 section 5.2
        """
        client = self._client(asked)
        proof = asked.get("code")
        row = self._row(proof, ["code"])
        if row["used_at"]:
            self._reused(row, asked)
        self._check_bound(row, client, asked)
        if (
            asked.get("redirect_uri") != row["redirect_uri"]
            or asked.get("challenge") != row["challenge"]
        ):
            refuse("another redirect URI or verifier")
        self._check_alive(row)
        return self._next(row, proof, row["scopes"])

    @api.model
    def _refresh(self, asked):
        """A refresh token for its successor (RFC 6749 section 6, RFC 9700 4.14).

        :param dict asked: refresh, client_id, secret, scopes, resource
        :raise OAuthRefusal: RFC 6749 section 5.2
        """
        client = self._client(asked)
        proof = asked.get("refresh")
        row = self._row(proof, ["refresh"])
        if row["used_at"] and not self._in_grace(row, client):
            self._reused(row, asked)
        self._check_bound(row, client, asked)
        scopes = self._narrowed(row["scopes"].split(), asked.get("scopes"))
        self._check_alive(row)
        if row["used_at"]:
            return self._again(*self._newest(row, proof))
        self._check_pace(row)
        return self._next(row, proof, " ".join(scopes))

    @api.model
    def _revoke(self, asked):
        """End what came of a consent, by one of its tokens (RFC 7009).

        :param dict asked: token, client_id, secret
        :return: whether there was such a token of this client
        """
        client = self._client(asked)
        row = self._find(asked.get("token"), ["access", "refresh"])
        if not row or row["client_id"] != client.id:
            return False
        if self._kill([row["family_id"]], "revoked by its client"):
            self._leave_row(row, "oauth/revoke", "ok", None, asked)
        return True

    # ---- checks ----

    @api.model
    def _client(self, asked):
        if not self.env["doorman.settings"]._oauth()["enabled"]:
            raise OAuthRefusal(
                "temporarily_unavailable", "Login is switched off.", "oauth off"
            )
        return self.env["doorman.oauth.client"]._authenticated(
            asked.get("client_id"), asked.get("secret")
        )

    @api.model
    def _find(self, proof, kinds):
        if not isinstance(proof, str) or not oauth_values.PROOF.fullmatch(proof):
            return None
        self.env["doorman.connection"].flush_model()
        self.env.cr.execute(FIND, [STATES, hash_proof(proof), kinds])
        return self.env.cr.dictfetchone()

    def _row(self, proof, kinds):
        row = self._find(proof, kinds)
        if not row:
            refuse("unknown")
        if row["dead_at"]:
            refuse("family dead")
        return row | {"stored": hash_proof(proof)}

    def _check_bound(self, row, client, asked):
        if row["client_id"] != client.id:
            refuse("another client's")
        if row["over"]:
            refuse("expired")
        if asked.get("resource") not in (None, row["resource"]):
            refuse("another resource", "invalid_target")

    def _check_alive(self, row):
        if not row["connected"]:
            refuse("connection ended")
        user = self.env["res.users"].browse(row["user_id"])
        if not row["employed"] or user.id == api.SUPERUSER_ID:
            refuse("user archived or no internal user")
        if not user._has_group("doorman.group_user"):
            refuse("user is not an MCP user")

    def _check_pace(self, row):
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*) FROM doorman_oauth_token WHERE family_id = %s
                   AND used_at > now() at time zone 'utc' - interval '1 minute'
                """,
                row["family_id"],
            )
        )
        if self.env.cr.fetchone()[0] >= MAX_A_MINUTE:
            refuse("refreshed too often", "temporarily_unavailable")

    @staticmethod
    def _narrowed(granted, asked):
        if asked is None:
            return granted
        if not isinstance(asked, list) or not asked:
            refuse("scopes are malformed", "invalid_scope")
        if any(scope not in granted for scope in asked):
            refuse("wider than before", "invalid_scope")
        return [scope for scope in granted if scope in asked]

    def _in_grace(self, row, client):
        """Whether a refresh token that was used is shown once more by a client that
        has not got the answer yet: soon, by the clock. Programs of one login that
        share its tokens refresh at once, and some of them several generations late."""
        settings = self.env["doorman.settings"]._get().sudo()
        grace = timedelta(seconds=settings.oauth_grace_seconds)
        return (
            row["client_id"] == client.id and self.env.cr.now() < row["used_at"] + grace
        )

    # ---- what they get ----

    def _next(self, row, proof, scopes):
        """The next generation: the refresh token for all that was granted, the access
        token for what is asked for now (RFC 6749 section 6)."""
        self.env.cr.execute(
            USE,
            [row["stored"]],
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        won = self.env.cr.fetchone()
        if not won:
            # It ended between our two looks at it: look again.
            raise ConcurrencyError("The code or token has just been used")
        settings = self.env["doorman.settings"]._oauth()
        tokens = {}
        for kind, wide in (("access", scopes), ("refresh", row["scopes"])):
            tokens[kind] = oauth_values.derive(row["pepper"], kind, proof)
            self._keep(
                row["family_id"],
                kind,
                won[0],
                tokens[kind],
                wide,
                settings[f"{kind}_seconds"],
                row["until"],
            )
        return self._again(row | {"generation": won[0] - 1}, proof)

    def _newest(self, row, proof):
        """The last refresh token that was used, and its row, by way of one before it.
        A latecomer gets what the others have: a token of its own generation would be
        shown after the grace, and end the login.

        :return: the row, as far as ``_again`` reads it, and the token's proof
        """
        while row["generation"] < row["latest"] - 1:
            token = oauth_values.derive(row["pepper"], "refresh", proof)
            proof = hashlib.sha256(token.encode()).hexdigest()
            row = row | {"generation": row["generation"] + 1}
        return row, proof

    def _again(self, row, proof):
        """The generation after this one: no other than the first time."""
        self.env.cr.execute(
            SQL(
                """
                SELECT scopes, GREATEST(0, floor(extract(epoch FROM
                           expires_at - now() at time zone 'utc')))::integer
                  FROM doorman_oauth_token
                 WHERE family_id = %s AND generation = %s AND kind = 'access'
                """,
                row["family_id"],
                row["generation"] + 1,
            )
        )
        found = self.env.cr.fetchone()
        if not found:
            refuse("its successor is over")
        return {
            "access_token": oauth_values.derive(row["pepper"], "access", proof),
            "expires_in": found[1],
            "refresh_token": oauth_values.derive(row["pepper"], "refresh", proof),
            "scopes": found[0].split(),
        }

    # ---- reuse ----

    def _reused(self, row, asked):
        """Somebody else has what was used before: nobody can tell who is the thief, so
        all of it ends (RFC 9700 section 4.14.2, RFC 6749 section 4.1.2)."""
        code = row["kind"] == "code"
        what = "code" if code else "refresh token"
        if self._kill([row["family_id"]], f"{what} reused"):
            words = _lt("A refresh token was used twice.")
            if code:
                words = _lt("A code was used twice.")
            self._leave_row(row, "oauth/reuse", "refused", words, asked)
            connection = self.env["doorman.connection"].browse(row["connection_id"])
            # Who knows which of them asked for what waits to be approved? The next
            # login must not carry it on.
            connection._drop_requests(_lt("Its login may have been stolen."))
            connection.sudo()._inside().message_post(
                body=self.env._(
                    "A code or refresh token was used twice: somebody may have stolen "
                    "it. Everything from that login has ended; the AI tool has to log "
                    "in again. From %s.",
                    self._ip(asked) or "?",
                )
            )
        refuse(f"{what} reused")

    @staticmethod
    def _ip(asked):
        ip = asked.get("ip")
        return ip[:64] if oauth_values.is_text(ip, 256) else None

    def _leave_row(self, row, method, outcome, message, asked):
        connection = self.env["doorman.connection"].browse(row["connection_id"]).sudo()
        self.env["doorman.audit"]._insert(
            connection._audit_of(method)
            | {
                "ip": self._ip(asked),
                "outcome": outcome,
                "reason": "invalid_grant" if outcome == "refused" else None,
                "message": message,
            }
        )
