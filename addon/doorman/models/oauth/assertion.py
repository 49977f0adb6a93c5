import hashlib
import secrets
import time
from datetime import UTC, datetime

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...policy import oauth_values
from ...policy.oauth_values import OAuthRefusal
from ...policy.refusal import _lt
from ...policy.shared import (
    MAX_ADDRESS,
    MAX_ASSERTION_AGE,
    MAX_ASSERTION_NAME,
    MAX_ISSUER,
    MAX_ISSUER_SUBJECT,
    MAX_REDIRECT_URI,
    PREFIX_ACCESS,
)

METHOD = "oauth/assert"
TEXTS = {
    "issuer": MAX_ISSUER,
    "subject": MAX_ISSUER_SUBJECT,
    "jti": MAX_ASSERTION_NAME,
    "resource": MAX_REDIRECT_URI,
}
# Of those who come at once with the same one, one gets a row; the others wait for it,
# are run again by Odoo, and find it.
ONCE = """
    INSERT INTO doorman_oauth_assertion (stored, expires_at) VALUES (%s, %s)
    ON CONFLICT DO NOTHING RETURNING 1
"""


def refuse(reason, error="invalid_grant"):
    """:param reason: what was wrong, of ``_lt``: for the logs and the audit
    :raise OAuthRefusal: always
    """
    words = {
        "invalid_grant": "The assertion is not accepted here.",
        "invalid_scope": "None of these scopes can be granted.",
        "unauthorized_client": "This client cannot use assertions here.",
    }
    raise OAuthRefusal(error, words[error], reason)


class DoormanOauthToken(models.AbstractModel):
    """How what a trusted issuer says of a person becomes an access token (RFC 7523,
    draft-ietf-oauth-identity-assertion-authz-grant section 4.4).

    The service has verified the signature and the claims; here is decided whether the
    issuer is trusted, whom it speaks of, and what of it may be granted. There is no
    refresh token: the client comes with a new assertion.
    """

    _inherit = "doorman.oauth.token"

    @api.model
    def _assert(self, asked):
        """An assertion for an access token.

        :param dict asked: client_id, secret, issuer, subject, jti, expires_at, email,
            scopes, resource, ip; ``refused``: what the service has found wrong, as
            ``OAuthRefusal.wire`` has it
        :return: ``{access_token, expires_in, scopes}``
        :raise OAuthRefusal: RFC 6749 section 5.2
        """
        client = self._client(asked)
        try:
            return self._admit(asked, client)
        except OAuthRefusal as refusal:
            # It is kept, and so is that the assertion was used.
            self._leave_refusal(asked, client, refusal)
            raise

    @api.model
    def _admit(self, asked, client):
        if refused := asked.get("refused"):
            said = refused["error_description"]
            detail = refused["reason"] or said
            words = _lt("The assertion was refused: %(detail)s", detail=detail)
            raise OAuthRefusal(refused["error"], said, words)
        self._check_form(asked)
        issuer = self.env["doorman.oauth.issuer"]._trusted()
        issuer = issuer.filtered(lambda i: i.issuer == asked["issuer"])
        if not issuer:
            refuse(_lt("The issuer is not trusted here."))
        allowed = issuer._clients()
        if client.client_type != "confidential" or (
            allowed and client.client_id not in allowed
        ):
            refuse(_lt("The issuer does not allow this client."), "unauthorized_client")
        self._use_once(asked)
        user, why_not = issuer._person(asked["subject"], asked.get("email"))
        if not user:
            refuse(why_not)
        connection, granted = self._admitted(client, user, asked, issuer)
        return self._access(connection, client, asked, granted, issuer)

    @staticmethod
    def _check_form(asked):
        scopes, expires = asked.get("scopes"), asked.get("expires_at")
        if (
            any(
                not asked.get(name) or not oauth_values.is_text(asked[name], limit)
                for name, limit in TEXTS.items()
            )
            or type(expires) is not int
            or not 0 < expires < time.time() + 2 * MAX_ASSERTION_AGE
            or not (scopes is None or isinstance(scopes, list))
            or not oauth_values.is_text(asked.get("email") or "", MAX_ADDRESS)
        ):
            refuse(_lt("The assertion is malformed."))
        if scopes == []:  # none, which is not the same as all
            refuse(_lt("None of the scopes can be granted."), "invalid_scope")

    @api.model
    def _use_once(self, asked):
        name = f"{asked['issuer']}\0{asked['jti']}"
        # A minute more than the service takes it for: clocks differ.
        until = datetime.fromtimestamp(asked["expires_at"] + 600, UTC)
        self.env.cr.execute(
            ONCE,
            [hashlib.sha256(name.encode()).hexdigest(), until.replace(tzinfo=None)],
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        if not self.env.cr.fetchone():
            refuse(_lt("The assertion was used before."))

    @api.model
    def _admitted(self, client, user, asked, issuer):
        """:return: the connection of this client and user, made if there is none, and
        the codes of the scopes that are granted"""
        if not user.active or user.share:
            refuse(_lt("The user is archived, or is not an internal user."))
        requests = self.env["doorman.oauth.request"].with_user(user)
        said = {
            "client": {"client_id": client.client_id, "kind": client.kind},
            "scopes": asked.get("scopes") or [],
        }
        connection = requests._connection_of(client, user)
        # Who ended it, or a person whose it is, lets it in again; an issuer does not.
        over = connection.expires_at and connection.expires_at <= self.env.cr.now()
        ended = connection.state in ("revoked", "expired") or not connection.active
        if connection and (over or ended):
            refuse(_lt("The connection has ended. Reactivate it in Odoo."))
        standing = requests._standing(said)
        if standing["refusal"]:
            refuse(standing["refusal"])
        if not standing["granted"]:
            refuse(_lt("None of the scopes can be granted."), "invalid_scope")
        requests = requests.with_context(doorman_issuer_name=issuer.name)
        try:
            with self.env.cr.savepoint():
                connection = connection or requests._connection(client)
        except UserError as exc:  # as the default policy has it, there can be none
            refuse(_lt("No connection can be created: %(why)s", why=str(exc)))
        return connection, standing["granted"].mapped("code")

    @api.model
    def _access(self, connection, client, asked, scopes, issuer):
        """A family with one access token, and no way to another."""
        connection.flush_recordset()
        self._make_room(connection)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_oauth_family (connection_id, client_id, pepper,
                    redirect_uri, challenge, resource, scopes, generation, issuer_id)
                VALUES (%s, %s, %s, '', '', %s, %s, 1, %s) RETURNING id
                """,
                connection.id,
                client.id,
                secrets.token_bytes(32),
                asked["resource"],
                " ".join(scopes),
                issuer.id,
            )
        )
        family = self.env.cr.fetchone()[0]
        token = PREFIX_ACCESS + secrets.token_urlsafe(32)
        seconds = self.env["doorman.settings"]._oauth()["access_seconds"]
        until = connection.expires_at or None
        self._keep(family, "access", 1, token, " ".join(scopes), seconds, until)
        if until:
            left = int((until - self.env.cr.now()).total_seconds())
            seconds = max(0, min(seconds, left))
        self.env["doorman.audit"]._insert(
            connection._audit_of(METHOD)
            | {
                "ip": self._ip(asked),
                "client": client.name,
                "outcome": "ok",
                "message": " ".join(scopes),
            }
        )
        return {"access_token": token, "expires_in": seconds, "scopes": scopes}

    @api.model
    def _leave_refusal(self, asked, client, refusal):
        self.env["doorman.audit"]._insert(
            {
                "connection_name": client.name,
                "connection_type": "oauth",
                "client": client.name,
                "method": METHOD,
                "count": 1,
                "ip": self._ip(asked),
                "outcome": "refused",
                "reason": refusal.error,
                "message": refusal.reason,
            }
        )

    @api.model
    def _families_of(self, issuers):
        """:return: the ids of what has come of these issuers' word and has not ended"""
        self.env.cr.execute(
            SQL(
                "SELECT id FROM doorman_oauth_family "
                "WHERE issuer_id = ANY(%s) AND dead_at IS NULL",
                issuers.ids,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]
