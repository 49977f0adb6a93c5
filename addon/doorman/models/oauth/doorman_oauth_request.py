import json
import secrets

from odoo import api, models
from odoo.tools import SQL

from ...policy import oauth_values
from ...policy.credentials import token_digest
from ...policy.guesses import guess_source
from ...policy.oauth_values import OAuthRefusal
from ...policy.shared import MAX_STATE

MINUTES = 10
MAX_OPEN = 10_000
# Of one address: who fills the table keeps others out.
MAX_OPEN_SOURCE = 500
KINDS = ("dynamic", "custom", "document")


class DoormanOauthRequest(models.AbstractModel):
    """Authorization requests that wait for a person, in a table that the ORM cannot
    read. What the service has verified stands here, behind a random handle: who
    carries the handle through a browser cannot alter it."""

    _name = "doorman.oauth.request"
    _description = "OAuth authorization requests"

    def init(self):
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_oauth_request (
                    id serial PRIMARY KEY,
                    digest varchar(64) NOT NULL UNIQUE,
                    client_ref integer
                        REFERENCES doorman_oauth_client(id) ON DELETE CASCADE,
                    client text NOT NULL,
                    redirect_uri text NOT NULL,
                    scopes text NOT NULL,
                    state text,
                    challenge varchar NOT NULL,
                    resource varchar NOT NULL,
                    source varchar NOT NULL,
                    created_at timestamp NOT NULL DEFAULT (now() at time zone 'utc'),
                    expires_at timestamp NOT NULL,
                    used_at timestamp,
                    used_by integer,
                    CHECK (char_length(digest) = 64)
                );
                CREATE INDEX IF NOT EXISTS doorman_oauth_request_expires_idx
                    ON doorman_oauth_request (expires_at);
                CREATE INDEX IF NOT EXISTS doorman_oauth_request_client_idx
                    ON doorman_oauth_request (client_ref);
                CREATE TABLE IF NOT EXISTS doorman_oauth_consent (
                    client_id integer NOT NULL
                        REFERENCES doorman_oauth_client(id) ON DELETE CASCADE,
                    user_id integer NOT NULL
                        REFERENCES res_users(id) ON DELETE CASCADE,
                    at timestamp NOT NULL,
                    PRIMARY KEY (client_id, user_id)
                )
                """
            )
        )

    # ---- from the service ----

    @api.model
    def _begin(self, asked):
        """Keep a request.

        :param dict asked: as ``doorman.gateway.oauth_begin`` takes it
        :return: ``{consent_url}``
        :raise OAuthRefusal: RFC 6749 section 4.1.2.1
        """
        settings = self.env["doorman.settings"]._oauth()
        if not settings["enabled"]:
            self._refuse("temporarily_unavailable", "oauth off")
        client, said = self._client(asked.get("client"), settings)
        self._check(asked, client, said, settings)
        source = guess_source(asked.get("ip"))
        self._check_room(source)
        handle = secrets.token_urlsafe(32)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_oauth_request (digest, client_ref, client,
                    redirect_uri, scopes, state, challenge, resource, source,
                    expires_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s,
                    now() at time zone 'utc' + make_interval(mins => %s))
                """,
                token_digest(handle),
                client.id or None,
                oauth_values.dump(said),
                asked["redirect_uri"],
                " ".join(dict.fromkeys(asked["scopes"])),
                asked.get("state"),
                asked["challenge"],
                asked["resource"],
                source,
                MINUTES,
            )
        )
        base = self.env["doorman.settings"]._get().sudo().get_base_url()
        return {"consent_url": f"{base}/doorman/consent?request={handle}"}

    @staticmethod
    def _refuse(error, reason):
        words = {
            "temporarily_unavailable": "Login is not possible now; try again later.",
            "invalid_client": "Unknown client.",
            "invalid_scope": "The scope is malformed or unknown.",
        }
        text = words.get(error, "The request is not allowed.")
        raise OAuthRefusal(error, text, reason)

    @api.model
    def _client(self, said, settings):
        """:return: the client that is kept here, empty for a document's, and what is
        said of it"""
        if not isinstance(said, dict) or said.get("kind") not in KINDS:
            self._refuse("invalid_request", "client is malformed")
        client = self.env["doorman.oauth.client"]._named(said.get("client_id"))
        if client and (not client.active or client.kind != said["kind"]):
            self._refuse("invalid_client", "removed client, or another kind")
        if said["kind"] != "document":
            if not client:
                self._refuse("invalid_client", "unknown client")
            # Not what the service says: who stole its key must not rename them.
            return client, {
                "client_id": client.client_id,
                "kind": client.kind,
                "name": client.name,
                "client_uri": client.client_uri or None,
                "redirect_uris": client._redirects(),
            }
        return self._document(said, settings)

    @api.model
    def _document(self, said, settings):
        ident, uris = said.get("client_id"), said.get("redirect_uris")
        hosts = settings["document_hosts"]
        if not oauth_values.is_https(ident):
            self._refuse("invalid_client", "no address of a document")
        host = oauth_values.parts_of(ident)[1]
        if not settings["documents"] or (hosts and host not in hosts):
            self._refuse("unauthorized_client", "document not allowed")
        if not isinstance(uris, list) or not 0 < len(uris) <= 50:
            self._refuse("invalid_request", "client is malformed")
        if not all(map(oauth_values.is_plain, uris)):
            self._refuse("invalid_request", "client is malformed")
        site = said.get("client_uri")
        return self.env["doorman.oauth.client"].sudo().browse(), {
            "client_id": ident,
            "kind": "document",
            "name": oauth_values.clean_name(said.get("name")) or host,
            "client_uri": site if oauth_values.is_https(site) else None,
            "redirect_uris": uris,
        }

    @api.model
    def _check(self, asked, client, said, settings):
        uri, state = asked.get("redirect_uri"), asked.get("state")
        # An administrator has written them down one by one.
        hosts = [] if client.kind == "custom" else None
        if not client._may_return(uri, settings, hosts) or not oauth_values.matches(
            uri, said["redirect_uris"]
        ):
            self._refuse("invalid_request", "redirect URI not allowed")
        challenge, resource = asked.get("challenge"), asked.get("resource")
        if not isinstance(challenge, str) or not oauth_values.CHALLENGE.fullmatch(
            challenge
        ):
            self._refuse("invalid_request", "challenge is malformed")
        if not oauth_values.is_plain(resource):
            self._refuse("invalid_target", "resource is malformed")
        if state is not None and not oauth_values.is_text(state, MAX_STATE):
            self._refuse("invalid_request", "state is malformed")
        known = set(self.env["doorman.scope"]._codes_by_group().values())
        scopes = asked.get("scopes")
        if not isinstance(scopes, list) or any(
            not isinstance(s, str) or s not in known for s in scopes
        ):
            self._refuse("invalid_scope", "unknown scope")

    @api.model
    def _check_room(self, source):
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*), count(*) FILTER (WHERE source = %s)
                  FROM doorman_oauth_request
                 WHERE used_at IS NULL AND expires_at > now() at time zone 'utc'
                """,
                source,
            )
        )
        everybody, theirs = self.env.cr.fetchone()
        if everybody >= MAX_OPEN or theirs >= MAX_OPEN_SOURCE:
            self._refuse("temporarily_unavailable", "too many open requests")

    # ---- for the page ----

    @api.model
    def _found(self):
        """:return: the row that was just read, as the consent page takes it, or None"""
        row = self.env.cr.dictfetchone()
        if not row:
            return None
        row["client"] = json.loads(row["client"])
        row["scopes"] = row["scopes"].split()
        return row

    @api.model
    def _open(self, handle):
        """The request behind a handle. Changes nothing.

        :return: a dict, or None if there is none, or it was decided on, or is over
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT * FROM doorman_oauth_request
                 WHERE digest = %s AND used_at IS NULL
                   AND expires_at > now() at time zone 'utc'
                """,
                token_digest(handle) or "",
            )
        )
        return self._found()

    @api.model
    def _take(self, handle):
        """Decide on a request: of two who do, one gets it.

        :return: as ``_open``
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_oauth_request
                   SET used_at = now() at time zone 'utc', used_by = %s
                 WHERE digest = %s AND used_at IS NULL
                   AND expires_at > now() at time zone 'utc'
             RETURNING *
                """,
                self.env.uid,
                token_digest(handle) or "",
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        return self._found()
