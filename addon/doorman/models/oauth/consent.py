import psycopg2

from odoo import api, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL

from ...policy import oauth_values
from ...policy.refusal import _lt, in_language
from ...policy.shared import LIVE_STATUSES

# What one person has at a time. Anybody's program may register again and again, and
# each connection has rate limits of its own.
MAX_CONNECTIONS = 50


class DoormanOauthRequest(models.AbstractModel):
    """A person decides on a request.

    standing ── who they are, what they could grant, what is in the way
    allow    ── the request is used up, the connection is there, a code is made
    deny     ── the request is used up

    Each in one transaction, for the person who is logged in when the button is pressed.
    """

    _inherit = "doorman.oauth.request"

    @api.model
    def _standing(self, asked):
        """What the caller could make of a request. Changes nothing.

        :param dict asked: the request
        :return: ``refusal``: why it cannot be allowed at all, in words of ``_lt``, or
            False; ``connection``: theirs with this client, empty if there is none;
            ``granted`` and ``withheld``: scopes; ``policy``: what it is under
        """
        user = self.env.user
        client = self.env["doorman.oauth.client"]._named(asked["client"]["client_id"])
        connection = self._connection_of(client, user)
        settings = self.env["doorman.settings"]._get().sudo()
        policy = connection or settings
        # Five rows. pylint: disable-next=no-search-all
        scopes = self.env["doorman.scope"].sudo().search([])
        wanted = scopes.filtered(lambda s: s.code in asked["scopes"])
        if not asked["scopes"]:
            wanted = policy.scope_ids
        own = scopes.filtered(lambda s: s.group_id in user.sudo().all_group_ids)
        granted = wanted & policy.scope_ids & own
        return {
            "refusal": self._why_not(asked, client, connection),
            "connection": connection,
            "client": client,
            "policy": policy,
            "granted": granted,
            "lacking": wanted - own,
            "withheld": (wanted & own) - granted,
        }

    @api.model
    def _connection_of(self, client, user):
        connections = self.env["doorman.connection"].sudo()
        if not client:
            return connections
        return connections.with_context(active_test=False).search(
            [("oauth_client_id", "=", client.id), ("user_id", "=", user.id)]
        )

    @api.model
    def _why_not(self, asked, client, connection):
        """:return: the reason, in words of ``_lt`` for the caller, or False"""
        user = self.env.user
        if not self.env["doorman.settings"]._oauth()["enabled"]:
            return _lt("Browser login for AI tools is switched off here.")
        if (
            not user._is_internal()
            or user._is_superuser()
            or not user.has_group("doorman.group_user")
        ):
            return _lt(
                "Your account, %s, is not allowed to connect AI tools. Once an "
                "administrator has made you an MCP User, start again in the AI tool.",
                user.login,
            )
        if client and not client.active:
            return _lt("An administrator has removed this application.")
        if client.user_id and client.user_id != user:
            return _lt(
                "This application was set up for somebody else. Log in as that user; "
                "an MCP administrator can set one up for you."
            )
        if not client and asked["client"]["kind"] != "document":
            return _lt("This application is no longer registered here.")
        if connection:
            return self._why_not_again(connection)
        return self._why_not_one_more()

    @api.model
    def _why_not_one_more(self):
        mine = [
            ("user_id", "=", self.env.uid),
            ("auth_type", "=", "oauth"),
            ("state", "in", (*LIVE_STATUSES, "inactive")),
        ]
        count = self.env["doorman.connection"].sudo().search_count(mine)
        return count >= MAX_CONNECTIONS and _lt(
            "You have already let %s applications in. Disconnect those that you no "
            "longer use, in Odoo under Doorman > Connected Applications.",
            count,
        )

    @api.model
    def _why_not_again(self, connection):
        over = connection.expires_at and connection.expires_at <= self.env.cr.now()
        ended = connection.state in ("revoked", "expired") or not connection.active
        if not over and not ended:
            return False
        reason = connection.with_env(self.env)._why_not_reactivate()
        return reason and _lt(
            "Your connection to this application has ended, and an MCP administrator "
            "has to reactivate it: %s",
            reason,
        )

    # ---- the decision ----

    @api.model
    def _allow(self, handle, ip=""):
        """Let the program in.

        :param str handle: of the request
        :return: where the browser goes next; None if there is no such request
        :raise UserError: if it cannot be allowed; the request is as before
        """
        asked = self._take(handle)
        if not asked:
            return None
        standing = self._standing(asked)
        if standing["refusal"]:
            raise UserError(in_language(standing["refusal"], self.env.lang or "en_US"))
        if not standing["granted"]:
            raise UserError(
                self.env._("You have no permissions that you could give it.")
            )
        client = self._client_of(asked, standing["client"])
        connection = self._connection(client)
        codes = standing["granted"].mapped("code")
        code = self.env["doorman.oauth.token"]._code(connection, client, asked, codes)
        self._leave_row(asked, "oauth/consent", connection, ip, " ".join(codes))
        return self._answer(asked, code=code)

    @api.model
    def _deny(self, handle, ip=""):
        """Send the program away.

        :return: as ``_allow``
        """
        asked = self._take(handle)
        if not asked:
            return None
        standing = self._standing(asked)
        nothing = not standing["refusal"] and not standing["granted"]
        error = "invalid_scope" if nothing else "access_denied"
        self._leave_row(asked, "oauth/deny", standing["connection"], ip, error)
        return self._answer(asked, error=error)

    @api.model
    def _client_of(self, asked, client):
        if asked["client"]["kind"] != "document":
            return client
        try:
            return client._of_document(asked["client"])
        except psycopg2.errors.UniqueViolation as exc:
            # Somebody else allowed it for the first time at this instant.
            raise ConcurrencyError("the same client") from exc

    @api.model
    def _connection(self, client):
        """The one connection of this client and the caller, fit to be used."""
        user = self.env.user
        # Of two tabs, one waits here, is thrown back, and finds what the other made.
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_oauth_consent (client_id, user_id, at)
                VALUES (%s, %s, now() at time zone 'utc')
                ON CONFLICT (client_id, user_id) DO UPDATE SET at = excluded.at
                """,
                client.id,
                user.id,
            ),
            log_exceptions=False,
        )
        connection = self._connection_of(client, user)
        if not connection:
            return self.env["doorman.connection"]._from_consent(client, user)
        if connection.state in ("revoked", "expired"):
            connection.with_env(self.env).action_reactivate()
        values = connection._client_values(client)
        values.pop("auth_type")
        changed = {n: v for n, v in values.items() if n not in ("oauth_client_id",)}
        changed = {n: v for n, v in changed.items() if connection[n] != v}
        if changed:
            connection._inside().write(changed)
        return connection

    @api.model
    def _answer(self, asked, **values):
        """The address that the browser is sent to (RFC 6749 section 4.1.2, RFC 9207).
        The issuer is what the program asked, as the service told."""
        return oauth_values.answer_url(
            asked["redirect_uri"],
            **values,
            state=asked["state"],
            iss=asked["resource"].removesuffix("/mcp"),
        )

    @api.model
    def _leave_row(self, asked, method, connection, ip, message):
        user = self.env.user
        row = {
            "user_id": user.id,
            "user_login": user.login,
            "company_id": user.company_id.id,
            "connection_name": asked["client"]["name"],
            "connection_type": "oauth",
            "method": method,
            "count": 1,
        }
        if connection:
            row = connection._audit_of(method)
        denied = method == "oauth/deny"
        self.env["doorman.audit"]._insert(
            row
            | {
                "ip": ip,
                "client": asked["client"]["name"],
                "outcome": "refused" if denied else "ok",
                "reason": message if denied else None,
                "message": None if denied else message,
            }
        )
