import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, email_normalize

from ...policy import oauth_values
from ...policy.refusal import _lt
from ...policy.shared import MAX_ISSUER
from ..approval.execute import SHOWN

# What the service can reach: a public name, on port 443.
ISSUER = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?"
    r"(?:/[A-Za-z0-9._~%-]+)*/?"
)
# Whose change decides who gets in.
WATCHED = frozenset({"issuer", "active", "provider", "match_email", "client_ids"})


class DoormanOauthIssuer(models.Model):
    """An identity provider of the company's, whose word is taken for who somebody is
    (MCP's enterprise-managed authorization). It holds no secret: what the provider has
    signed is verified with its public keys."""

    _name = "doorman.oauth.issuer"
    _inherit = ["doorman.protected.mixin", "doorman.thread.mixin"]
    _description = "Trusted issuer"
    _order = "name, id"

    _protected_fields = frozenset({"changed_by_id"})

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    issuer = fields.Char(
        required=True,
        tracking=True,
        help="Exactly as in what it signs (iss), character by character, e.g. "
        "https://company.okta.com. With a slash at the end only if it has one there.",
    )
    provider = fields.Selection(
        "_select_provider",
        "OAuth provider",
        tracking=True,
        help="The provider that these people use to log in to Odoo. People who have "
        "logged in that way are known by the same ID here.",
    )
    has_providers = fields.Boolean(compute="_compute_has_providers")
    match_email = fields.Boolean(
        "Find people by email address",
        tracking=True,
        help="People who are not known by their ID are found by the email address "
        "that the issuer has verified, among active internal users. If two users have "
        "it, neither is found.",
    )
    client_ids = fields.Text(
        "Allowed client IDs",
        tracking=True,
        help="One per line. Empty: every client that an administrator has created.",
    )
    changed_by_id = fields.Many2one(
        "res.users",
        "Pending change by",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Another MCP administrator has to confirm it.",
    )
    waits = fields.Boolean(readonly=True, copy=False)
    # Raised by each change that waits: what is confirmed is what was seen.
    revision = fields.Integer(readonly=True, copy=False)
    can_confirm = fields.Boolean(compute="_compute_can_confirm")

    _protected_fields |= {"waits", "revision"}
    _issuer_uniq = models.Constraint("UNIQUE (issuer)", "This issuer already exists.")

    def init(self):
        """What was used once. Not the ORM's: one INSERT decides, at every replica."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_oauth_assertion (
                    stored varchar(64) PRIMARY KEY,
                    expires_at timestamp NOT NULL,
                    CHECK (char_length(stored) = 64)
                );
                CREATE INDEX IF NOT EXISTS doorman_oauth_assertion_expires_idx
                    ON doorman_oauth_assertion (expires_at)
                """
            )
        )

    @api.model
    def _select_provider(self):
        if "auth.oauth.provider" not in self.env:
            return []
        # A handful. pylint: disable-next=no-search-all
        providers = self.env["auth.oauth.provider"].sudo().search([])
        return [(str(provider.id), provider.name) for provider in providers]

    def _compute_has_providers(self):
        self.has_providers = bool(self._select_provider())

    @api.depends("changed_by_id", "waits")
    @api.depends_context("uid")
    def _compute_can_confirm(self):
        admin = self.env.user.has_group("doorman.group_admin")
        for issuer in self:
            mine = issuer.changed_by_id == self.env.user
            issuer.can_confirm = issuer.waits and admin and not mine

    @api.constrains("issuer")
    def _check_issuer(self):
        for issuer in self:
            if len(issuer.issuer) > MAX_ISSUER or not ISSUER.fullmatch(issuer.issuer):
                raise ValidationError(
                    self.env._(
                        "%s is not a valid issuer: it must be an https address with a "
                        "public host name, without port or query.",
                        repr(issuer.issuer),
                    )
                )

    @api.constrains("client_ids")
    def _check_client_ids(self):
        for issuer in self:
            for client_id in issuer._clients():
                if not client_id.isascii() or " " in client_id:
                    raise ValidationError(
                        self.env._("%s is not a client ID.", repr(client_id))
                    )

    @staticmethod
    def _normal(vals):
        """Scheme and host in small letters, and no default port. The path stays as it
        is: issuers are compared letter by letter."""
        if vals.get("issuer"):
            scheme, mark, rest = vals["issuer"].strip().partition("://")
            host, slash, path = rest.partition("/")
            host = host.lower().removesuffix(":443")
            vals = vals | {"issuer": scheme.lower() + mark + host + slash + path}
        return vals

    # ---- who may decide on it ----

    @api.model_create_multi
    def create(self, vals_list):
        issuers = super().create([self._normal(vals) for vals in vals_list])
        issuers._changed(new=True)
        return issuers

    def write(self, vals):
        vals = self._normal(vals)
        before = {issuer: issuer.active and issuer.issuer for issuer in self}
        res = super().write(vals)
        # What came by its word under that name ends with it.
        over = self.filtered(lambda i: before[i] not in (False, i.active and i.issuer))
        over._end_tokens("issuer changed or archived")
        if WATCHED & vals.keys() and vals.get("active", True):
            self._changed()
        return res

    def unlink(self):
        self._end_tokens("issuer removed")
        return super().unlink()

    def _end_tokens(self, reason):
        tokens = self.env["doorman.oauth.token"]
        tokens._kill(tokens._families_of(self), reason)

    def _changed(self, new=False):
        """One administrator alone does not decide on who gets in, where the settings
        say so; elsewhere, all of them are told."""
        if self.env.su:
            return
        two = self.env["doorman.settings"]._get().sudo().four_eyes
        what = "issuer added" if new else "issuer changed"
        for issuer in self:
            if two:
                vals = {
                    "waits": True,
                    "changed_by_id": self.env.uid,
                    "revision": issuer.revision + 1,
                }
                issuer.sudo()._inside().write(vals)
            self.env["doorman.notice"]._tell_change(
                issuer, what, issuer=issuer.issuer, waits=two
            )

    def action_confirm(self):
        """Let it in force what another administrator has changed.

        :raise AccessError: for anyone but MCP administrators
        :raise UserError: for the person who changed it, and if it was changed since
            the page was opened that the context tells of
        """
        self.check_access("write")
        shown = self.env.context.get(SHOWN)
        for issuer in self.filtered("waits"):
            if not self.env.user.has_group("doorman.group_admin"):
                raise AccessError(self.env._("Only an MCP administrator can do this."))
            if issuer.changed_by_id == self.env.user:
                raise UserError(
                    self.env._(
                        "You changed it yourself: another MCP administrator has to "
                        "confirm it."
                    )
                )
            if shown is not None and shown != issuer.revision:
                raise UserError(
                    self.env._("It has changed since you opened it: review it again.")
                )
            issuer.sudo()._inside().write({"waits": False, "changed_by_id": False})
            issuer.message_post(body=self.env._("Confirmed by %s.", self.env.user.name))
        return True

    # ---- what it says ----

    @api.model
    def _trusted(self):
        """The issuers in force.

        :rtype: recordset
        """
        if not self.env["doorman.settings"]._get().sudo().oauth_assertions:
            return self.sudo().browse()
        return self.sudo().search([("active", "=", True), ("waits", "=", False)])

    def _clients(self):
        lines = (line.strip() for line in (self.client_ids or "").splitlines())
        return [line for line in lines if line]

    def _person(self, subject, email):
        """The user that an assertion is about.

        :param str subject: what the issuer calls them
        :param email: as the issuer has verified it, or None
        :return: a user; empty, and why, in words of ``_lt``, if it is nobody
        """
        users = self.env["res.users"].sudo()
        if self.provider and "oauth_uid" in users._fields:
            known = users.with_context(active_test=False).search(
                [
                    ("oauth_provider_id", "=", int(self.provider)),
                    ("oauth_uid", "=", subject),
                ]
            )
            if known:
                return known, None
        address = email and self.match_email and email_normalize(email)
        if not address:
            return users, _lt("Nobody in Odoo is known by this ID.")
        found = users.search(
            [
                ("share", "=", False),
                "|",
                ("login", "=ilike", address),
                ("email_normalized", "=", address),
            ]
        )
        # An underscore is a letter here.
        found = found.filtered(
            lambda u: address in (u.login.lower(), u.email_normalized)
        )
        if len(found) == 1:
            return found, None
        if found:
            return users, _lt("Two users have this email address.")
        return users, _lt("Nobody has this email address.")

    # ---- its clients ----

    def action_new_client(self):
        """Ask for the name of a client that may show what this issuer has signed."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.issuer.client",
            "name": self.env._("New client"),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_issuer_id": self.id},
        }

    def _make_client(self, name):
        """:return: a confidential client for everybody, and its secret, in clear for
        the only time"""
        name = oauth_values.clean_name(name)
        if not name:
            raise UserError(self.env._("Give the OAuth client a name."))
        client, secret = self.env["doorman.oauth.client"]._make_custom(
            # Nobody's browser is sent back to it: it logs people in elsewhere.
            {"name": name, "client_type": "confidential", "redirect_uris": ""}
        )
        client.message_post(
            body=self.env._(
                "Created by %(who)s, for assertions from %(issuer)s.",
                who=self.env.user.name,
                issuer=self.name,
            )
        )
        clients = self._clients()
        if clients:
            ids = "\n".join([*clients, client.client_id])
            self.write({"client_ids": ids})
        return client, secret
