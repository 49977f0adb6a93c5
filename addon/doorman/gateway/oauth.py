from datetime import UTC

from odoo import api, models

from ..policy import shared
from ..policy.oauth_values import OAuthRefusal
from ..policy.refusal import Refusal, _lt


class DoormanGateway(models.AbstractModel):
    """OAuth, as the service asks for it, and what a token means at the fence.

    A refusal is ``{"oauth_error": {error, error_description, reason}}``: the first two
    are for the client, in the words of RFC 6749, the last for the logs.
    """

    _inherit = "doorman.gateway"

    def _asked(self, work, asked):
        self._check_caller()
        if not isinstance(asked, dict):
            raise TypeError("an OAuth request is an object")
        try:
            return work(asked)
        except OAuthRefusal as refusal:
            return refusal.wire()

    @api.model
    def oauth_register(self, registration):
        """Keep a client that registers itself (RFC 7591).

        :param dict registration: client_name, client_uri, redirect_uris, ip,
            software_id, software_version; what else there is does not count
        :return: ``{client_id, issued_at}``, the latter in Unix seconds
        """
        return self._asked(self._oauth_register, registration)

    def _oauth_register(self, said):
        client = self.env["doorman.oauth.client"]._take_in(said)
        return {
            "client_id": client.client_id,
            "issued_at": int(client.create_date.replace(tzinfo=UTC).timestamp()),
        }

    @api.model
    def oauth_client(self, client_id):
        """A client that registered itself, or was made by hand. Ended ones are unknown.

        :param str client_id: as it was handed out
        """
        return self._asked(self._oauth_client, {"client_id": client_id})

    def _oauth_client(self, asked):
        client = self.env["doorman.oauth.client"]._named(asked["client_id"])
        if not client.active or client.kind == "document":
            raise OAuthRefusal("invalid_client", "Unknown client.", "unknown client")
        public = client.client_type == "public"
        return {
            "client_id": client.client_id,
            "name": client.name,
            "kind": client.kind,
            "auth_method": "none" if public else "client_secret",
            "redirect_uris": client._redirects(),
            "user_id": client.user_id.id or None,
        }

    @api.model
    def oauth_begin(self, request):
        """Keep an authorization request until a person decides on it.

        :param dict request: client, redirect_uri, scopes, state, challenge, resource,
            ip
        :return: ``{consent_url}``, good for ten minutes
        """
        return self._asked(self.env["doorman.oauth.request"]._begin, request)

    @api.model
    def oauth_redeem(self, grant):
        """A code for tokens. It works once; a second time ends what came of the first.

        :param dict grant: code, client_id, secret, redirect_uri, challenge, resource,
            ip; code and secret as their SHA-256
        :return: ``{access_token, expires_in, refresh_token, scopes}``, seconds
        """
        return self._asked(self.env["doorman.oauth.token"]._redeem, grant)

    @api.model
    def oauth_refresh(self, grant):
        """A refresh token for its successor.

        :param dict grant: refresh, client_id, secret, scopes, resource, ip
        :return: as ``oauth_redeem``
        """
        return self._asked(self.env["doorman.oauth.token"]._refresh, grant)

    @api.model
    def oauth_revoke(self, grant):
        """End a login, by one of its tokens (RFC 7009).

        :param dict grant: token, client_id, secret
        :return: ``{revoked}``: false if there is no such token of this client
        """

        def revoke(asked):
            return {"revoked": self.env["doorman.oauth.token"]._revoke(asked)}

        return self._asked(revoke, grant)

    # ---- the fence ----

    def _snapshot(self, row):
        """What the service decides by: of a token, no more than it was given."""
        snapshot = self._connection(row).sudo()._snapshot()
        if row["token_scopes"] is None:
            return snapshot
        policy = snapshot["policy"]
        grantable = policy["scopes"]
        policy["scopes"] = [s for s in grantable if s in row["token_scopes"].split()]
        return snapshot | {
            "auth": "oauth",
            "client_id": row["client_id"],
            # Another service of this Odoo has other tokens: each refuses the others'.
            "resource": row["resource"],
            "token_expires_at": row["token_expires_at"].isoformat() + "Z",
            "grantable_scopes": grantable,
        }

    @staticmethod
    def _within_token(row, scopes):
        """The scopes of a connection, less those that this token was not given. Who
        stole the service's key would not stop at its own decision."""
        given = row.get("token_scopes")
        return scopes if given is None else scopes & frozenset(given.split())

    def _left_out(self, row):
        """Whether somebody is no longer allowed to connect by logging in."""
        if row["token_scopes"] is None:
            return False
        user = self.env["res.users"].browse(row["user_id"])
        return not user._has_group("doorman.group_user")

    @staticmethod
    def _login_waits(row):
        """The refusal of a login that an administrator has to let in. Not the one for
        tokens that are over: the program would log in again, for nothing."""
        if row["token_scopes"] is None or row["state"] != "inactive":
            return None
        if not row["active"] or row["expired"]:
            return None
        refused = Refusal(
            "connection_inactive",
            _lt(shared.SAY_INACTIVE),
            _lt(shared.SAY_INACTIVE_HINT),
        )
        return refused, _lt("connection inactive")
