import secrets

from odoo import api, fields, models
from odoo.tools import SQL

from ...policy import oauth_values
from ...policy.credentials import hash_proof
from ...policy.oauth_values import OAuthRefusal
from ...policy.shared import MAX_REDIRECT_URI, MAX_REDIRECT_URIS, PREFIX_CLIENT

MAX_UNUSED = 1_000
# How many addresses together may register all that one may in an hour, as in the
# service.
UNUSED_OF_ALL = 10


class DoormanOauthClient(models.Model):
    """A program that asks people for access. Nobody writes one: programs register, by
    way of the service, and administrators make them in the wizard."""

    _name = "doorman.oauth.client"
    _inherit = ["doorman.protected.mixin", "doorman.thread.mixin"]
    _description = "OAuth client"
    _order = "id desc"

    _protected_fields = frozenset(
        {
            "name", "active", "client_id", "kind", "client_type", "redirect_uris",
            "client_uri", "user_id", "software", "connection_ids",
        }
    )  # fmt: skip

    name = fields.Char(required=True, readonly=True)
    active = fields.Boolean(default=True, readonly=True)
    client_id = fields.Char("Client ID", required=True, readonly=True, index=True)
    kind = fields.Selection(
        [
            ("dynamic", "Registered itself"),
            ("document", "Client document"),
            ("custom", "Made by an administrator"),
        ],
        required=True,
        readonly=True,
    )
    client_type = fields.Selection(
        [("confidential", "Confidential"), ("public", "Public")],
        "Client type",
        required=True,
        readonly=True,
        default="public",
    )
    redirect_uris = fields.Text("Allowed redirect URIs", required=True, readonly=True)
    client_uri = fields.Char("Website (self-reported)", readonly=True)
    software = fields.Char("Software (self-reported)", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        "Created for",
        readonly=True,
        index=True,
        ondelete="cascade",
        help="Nobody else can use it. Empty: everyone can, for themselves.",
    )
    connection_ids = fields.One2many(
        "doorman.connection", "oauth_client_id", readonly=True
    )
    connection_count = fields.Integer(
        "Connections", compute="_compute_connection_count"
    )

    _client_id_uniq = models.Constraint(
        "UNIQUE (client_id)", "A client with this ID already exists."
    )

    def init(self):
        """Secrets are not fields, and neither are the proofs of keys."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_oauth_secret (
                    stored varchar(64) PRIMARY KEY,
                    client_id integer NOT NULL
                        REFERENCES doorman_oauth_client(id) ON DELETE CASCADE,
                    until timestamp,
                    CHECK (char_length(stored) = 64)
                );
                CREATE INDEX IF NOT EXISTS doorman_oauth_secret_client_idx
                    ON doorman_oauth_secret (client_id)
                """
            )
        )

    def _compute_connection_count(self):
        counts = dict(
            self.env["doorman.connection"]._read_group(
                [("oauth_client_id", "in", self.ids)],
                ["oauth_client_id"],
                ["__count"],
            )
        )
        for client in self:
            client.connection_count = counts.get(client, 0)

    # ---- who it is ----

    @api.model
    def _named(self, client_id):
        """:return: the client with this ID, ended or not; empty if there is none"""
        if not oauth_values.is_text(client_id, MAX_REDIRECT_URI):
            return self.sudo().browse()
        clients = self.sudo().with_context(active_test=False)
        return clients.search([("client_id", "=", client_id)])

    @api.model
    def _authenticated(self, client_id, secret):
        """The client that sends a request.

        :param secret: SHA-256 of its secret; None: it sent none
        :raise OAuthRefusal: invalid_client (RFC 6749 section 5.2)
        """
        client = self._named(client_id)
        if not client.active:
            self._refuse("unknown or removed client")
        if client.client_type == "public":
            # A secret that nobody gave it is wrong.
            if secret is not None:
                self._refuse("a public client with a secret")
            return client
        if not isinstance(secret, str) or not oauth_values.PROOF.fullmatch(secret):
            self._refuse("no secret")
        self.env.cr.execute(
            SQL(
                """
                SELECT 1 FROM doorman_oauth_secret
                 WHERE stored = %s AND client_id = %s
                   AND (until IS NULL OR until > now() at time zone 'utc')
                """,
                hash_proof(secret),
                client.id,
            )
        )
        if not self.env.cr.fetchone():
            self._refuse("wrong secret")
        return client

    @staticmethod
    def _refuse(reason):
        raise OAuthRefusal("invalid_client", "Client authentication failed.", reason)

    def _redirects(self):
        return (self.redirect_uris or "").splitlines()

    # ---- how it comes to be ----

    @api.model
    def _take_in(self, said):
        """A program registers itself (RFC 7591). The service has looked at what it
        says; what would make a row too large is looked at again.

        :param dict said: client_name, client_uri, redirect_uris, software_id, ...
        """
        settings = self.env["doorman.settings"]._oauth()
        if not settings["enabled"] or not settings["registration"]:
            raise OAuthRefusal(
                "access_denied", "Registration is switched off.", "registration off"
            )
        uris = said.get("redirect_uris")
        if (
            not isinstance(uris, list)
            or not 0 < len(uris) <= MAX_REDIRECT_URIS
            or not all(self._may_return(u, settings) for u in uris)
        ):
            raise OAuthRefusal(
                "invalid_redirect_uri", "These redirect URIs are not allowed.", "uris"
            )
        self._make_room(settings["registrations_per_hour"])
        name = oauth_values.clean_name(said.get("client_name"))
        software = (said.get("software_id"), said.get("software_version"))
        return self._new(
            {
                "name": name or oauth_values.destination(uris[0]),
                "client_id": PREFIX_CLIENT + secrets.token_urlsafe(32),
                "kind": "dynamic",
                "redirect_uris": "\n".join(uris),
                "client_uri": self._site(said.get("client_uri")),
                "software": oauth_values.clean_name(
                    " ".join(str(part) for part in software if part)
                ),
            }
        )

    @staticmethod
    def _may_return(uri, settings, hosts=None):
        """Whether the settings let people be sent back to an address.

        :param dict settings: as ``doorman.settings._oauth``
        :param hosts: the only hosts, in place of those of the settings
        """
        return oauth_values.may_return(
            uri,
            settings["redirect_hosts"] if hosts is None else hosts,
            settings["custom_schemes"],
            settings["known_schemes"],
        )

    @api.model
    def _make_room(self, an_hour):
        """Registering costs nothing and proves nothing. Of those that nobody has
        allowed, so many are kept, give or take those that come at one instant.

        :param int an_hour: how many one address may register in an hour
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*) FROM doorman_oauth_client l WHERE l.kind = 'dynamic'
                   AND l.active AND NOT EXISTS (
                       SELECT FROM doorman_connection c WHERE c.oauth_client_id = l.id)
                """
            )
        )
        if self.env.cr.fetchone()[0] < max(MAX_UNUSED, UNUSED_OF_ALL * an_hour):
            return
        if not self._drop_unused(60, 20):
            raise OAuthRefusal(
                "temporarily_unavailable",
                "Too many registrations; try again later.",
                "too many unused registrations",
            )

    @api.model
    def _drop_unused(self, minutes, limit):
        """Remove the oldest programs that registered and that nobody has allowed.

        :param int minutes: how old they are at least
        :return: how many
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT l.id FROM doorman_oauth_client l
                 WHERE l.kind = 'dynamic' AND l.active
                   AND l.create_date <
                       now() at time zone 'utc' - make_interval(mins => %s)
                   AND NOT EXISTS (
                       SELECT FROM doorman_connection c WHERE c.oauth_client_id = l.id)
                   -- Somebody may be about to allow it.
                   AND NOT EXISTS (
                       SELECT FROM doorman_oauth_request r WHERE r.client_ref = l.id
                          AND r.expires_at > now() at time zone 'utc')
                 ORDER BY l.id LIMIT %s
                """,
                minutes,
                limit,
            )
        )
        unused = self.sudo().browse([row[0] for row in self.env.cr.fetchall()])
        unused.unlink()
        return len(unused)

    @api.model
    def _drop_left(self):
        """Remove clients of documents that have no connection left. Those that an
        administrator removed stay: forgotten, they would be let in again.

        :return: how many
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT l.id FROM doorman_oauth_client l
                 WHERE l.kind = 'document' AND l.active AND l.create_date <
                       now() at time zone 'utc' - interval '90 days'
                   AND NOT EXISTS (
                       SELECT FROM doorman_connection c WHERE c.oauth_client_id = l.id)
                """
            )
        )
        left = self.sudo().browse([row[0] for row in self.env.cr.fetchall()])
        left.unlink()
        return len(left)

    @api.model
    def _of_document(self, said):
        """The client of a document that somebody has just allowed: as the document
        says by now.

        :param dict said: client_id, name, client_uri, redirect_uris
        """
        vals = {
            "name": said["name"],
            "redirect_uris": "\n".join(said["redirect_uris"]),
            "client_uri": said["client_uri"],
        }
        client = self._named(said["client_id"])
        if not client:
            return self._new(
                {**vals, "client_id": said["client_id"], "kind": "document"}
            )
        changed = {n: v for n, v in vals.items() if (client[n] or "") != (v or "")}
        if changed:
            client._inside().write(changed)
        return client

    @api.model
    def _make_custom(self, vals):
        """A client made by an administrator, for one user.

        :param dict vals: name, client_type, redirect_uris, user_id
        :return: the client, and its secret in clear for the only time, or None
        """
        client_id = PREFIX_CLIENT + secrets.token_urlsafe(32)
        client = self._new({**vals, "client_id": client_id, "kind": "custom"})
        return client, client._new_secret()

    @api.model
    def _new(self, vals):
        client = self.sudo()._inside().create(vals)
        return client.with_context(doorman_inside=None)

    @staticmethod
    def _site(uri):
        return uri if oauth_values.is_https(uri) else False
