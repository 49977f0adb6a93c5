import re
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from ...policy import widening
from ...policy.credentials import token_digest
from ...policy.invite_values import KEY_HOURS, LINK_HOURS, InviteRefused
from ...policy.policy_fields import POLICY_FIELDS
from ...policy.shared import (
    MAX_INVITE_KEY_HOURS,
    MAX_INVITE_LINK_SECONDS,
    MAX_INVITE_NAME,
    MAX_INVITE_USES,
    PREFIX_KEY,
)

# A login, or all of a domain.
LISTED = re.compile(r"[^\s@]*@[^\s@]+|[^\s@]+")
STATES = [
    ("active", "Active"),
    ("used_up", "Used up"),
    ("expired", "Expired"),
    ("revoked", "Revoked"),
    ("suspended", "Suspended"),
]
# A link opens no door to these: who has them makes others what they like.
NEVER_GRANTED = (
    "base.group_system",
    "base.group_erp_manager",
    "doorman.group_admin",
    "doorman.group_service",
    # Whose permissions an invite may name, and only an administrator of Odoo gives.
    "doorman.group_scope_sql",
    "doorman.group_scope_shell",
)


class DoormanInvite(models.Model):
    """A link by which others get a connection of their own: the policy is the template
    of each, and all of it is fixed when the invite is made.

    Nobody has the right to create, write or delete one: ``_make`` and the actions do.
    """

    _name = "doorman.invite"
    _inherit = [
        "doorman.protected.mixin",
        "doorman.shown.mixin",
        "doorman.policy.mixin",
        "doorman.thread.mixin",
    ]
    _description = "MCP invite"
    _order = "id desc"
    _rec_name = "key_name_preset"
    _mail_post_access = "read"

    _protected_fields = frozenset(
        {
            "state",
            "current_uses",
            "creator_id",
            "company_id",
            "tools_restricted",
            "models_restricted",
            "companies_restricted",
            "account_group_all",
        }
    )
    _shown_fields = frozenset({"key_name_preset", "description"})
    _frozen_fields = POLICY_FIELDS | {
        "max_uses",
        "expires_at",
        "key_name_preset",
        "key_lifetime_hours",
        "accept_from",
        "accept_list",
        "new_accounts",
        "account_group_ids",
        "description",
    }

    key_name_preset = fields.Char("Key name", required=True, default="MCP key")
    description = fields.Text()
    state = fields.Selection(
        STATES,
        "Status",
        default="active",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    creator_id = fields.Many2one(
        "res.users", readonly=True, index=True, ondelete="set null"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    max_uses = fields.Integer("Max uses", required=True, default=1)
    current_uses = fields.Integer("Current uses", readonly=True, default=0)
    expires_at = fields.Datetime("Expires at", required=True, index=True)
    key_lifetime_hours = fields.Integer(
        "Key lifetime (hours)",
        default=KEY_HOURS,
        help="How long each connection lasts after it is accepted. 0: until revoked.",
    )
    accept_from = fields.Selection(
        [("anyone", "Anyone with the link"), ("listed", "These people only")],
        "Who can accept",
        default="anyone",
        required=True,
    )
    accept_list = fields.Text(
        "Logins or domains",
        help="One per line: a login (usually an email address), or @example.com for a "
        "whole domain.",
    )
    new_accounts = fields.Boolean(
        "New members",
        help="People without an account can create one: an internal user with the "
        "permissions of this invite, and only the groups selected here. People with "
        "an account in another company are added to this one, with the groups that "
        "they have there, if you have all of these yourself.",
    )
    account_group_ids = fields.Many2many(
        "res.groups",
        string="Groups for new accounts",
        help="What people who create an account can do in Odoo. You can only give "
        "what you have yourself, and no administrator rights.",
    )
    # With what they implied when the invite was made: ids.
    account_group_all = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    approval_tool_ids = fields.Many2many(relation="doorman_invite_approval_tool_rel")
    approval_rule_ids = fields.One2many(
        "doorman.approval.rule", "invite_id", string="Approval rules"
    )
    model_rule_ids = fields.One2many(
        "doorman.model.rule", "invite_id", string="Rules per model"
    )

    _uses = models.Constraint(
        "CHECK (current_uses BETWEEN 0 AND GREATEST(max_uses, 0))",
        "An invite cannot be accepted more often than allowed.",
    )

    def init(self):
        """As for connections: what is kept of a link is not a field. The gate is what
        acceptances queue at (models/invite/accept.py)."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_invite_token (
                    invite_id integer PRIMARY KEY
                        REFERENCES doorman_invite(id) ON DELETE CASCADE,
                    digest varchar(64) NOT NULL UNIQUE,
                    CHECK (char_length(digest) = 64)
                )
                """
            )
        )
        self.env.cr.execute(
            SQL("CREATE TABLE IF NOT EXISTS doorman_invite_gate (id integer)")
        )

    # ---- making one ----

    @api.model
    def _check_admin(self):
        if not self.env.user.has_group("doorman.group_admin"):
            raise AccessError(self.env._("Only an MCP administrator can do this."))

    @api.model
    def _make(self, vals):
        """Make an invite of the caller's, for the company they work in.

        :param dict vals: of the template; ``expires_at`` is 72 h from now if missing
        :return: the invite, and its token in clear for the only time
        :raise InviteRefused: if it would grant more than the caller has
        """
        self._check_admin()
        vals = {
            "expires_at": fields.Datetime.now() + timedelta(hours=LINK_HOURS),
            **vals,
            "creator_id": self.env.uid,
            "company_id": self.env.company.id,
        }
        self._check_not_wider(vals)
        # sudo: nobody may create one in any other way. Who may have it is checked
        # above, what it grants in create.
        made = self._inside().sudo().create(vals)
        token = secrets.token_urlsafe(32)
        made.flush_recordset()
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_invite_token (invite_id, digest) VALUES (%s, %s)",
                made.id,
                token_digest(token),
            )
        )
        return self.browse(made.id), token

    @api.model
    def _check_not_wider(self, vals):
        """An invite is taken as soon as it is made: it does not wait for a second
        administrator, so none is made that would have to.

        :raise ValidationError: if it widens, where that takes two administrators
        """
        settings = self.env["doorman.settings"]._get().sudo()
        for name in widening.FIELDS & vals.keys() if settings.four_eyes else ():
            before, after = widening.of_new(name), vals[name]
            if name in widening.OFF_FROM:
                before, after = settings[name], after or settings[name]
            if widening.widens(name, before, after):
                raise ValidationError(
                    self.env._(
                        "%(field)s: widening access takes two MCP administrators. "
                        "Create the invite without it, and change it on the "
                        "connections that are created from the invite.",
                        field=self._fields[name]._description_string(self.env),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        invites = super().create(vals_list)
        for invite in invites:
            invite._check_grants()
            granted = invite.account_group_ids.sudo().all_implied_ids
            invite.sudo()._inside().account_group_all = granted.ids
        return invites

    def _check_grants(self):
        """The one place where an invite is held against what its creator has: the API,
        the backend and whatever else makes one pass here.

        :raise InviteRefused: if it would grant more
        """
        self.ensure_one()
        creator = self.creator_id.sudo()
        if not creator or creator != self.env.user.sudo():
            raise InviteRefused(
                "forbidden",
                self.env._("You can only create an invite in your own name."),
            )
        own = creator.all_group_ids
        if self.scope_ids.sudo().group_id - own:
            raise InviteRefused(
                "scopes_exceeded",
                self.env._("requested scopes exceed admin's own permissions"),
            )
        granted = self.account_group_ids.sudo().all_implied_ids
        if granted - own:
            raise InviteRefused(
                "groups_exceeded",
                self.env._("requested groups exceed admin's own groups"),
            )
        if granted & self._never_granted():
            raise InviteRefused(
                "groups_exceeded",
                self.env._(
                    "An invite cannot make anyone an administrator, or let anyone "
                    "query the database or run code."
                ),
            )
        # Archived ones count: they may come back.
        companies = self.with_context(active_test=False).company_ids
        if (self.company_id | companies) - creator.company_ids:
            raise InviteRefused(
                "companies_exceeded",
                self.env._("requested companies exceed admin's own companies"),
            )

    @api.model
    def _never_granted(self):
        return self.env["res.groups"].browse(
            self.env["ir.model.data"]._xmlid_to_res_id(xmlid) for xmlid in NEVER_GRANTED
        )

    def _link(self, token):
        """Where the token goes: to the service, whose answer takes it out of the path
        before Odoo's log could see it; to Odoo's page itself where the service's
        address is not known."""
        url = self.env["doorman.settings"]._mcp_url()
        if url:
            return f"{url.removesuffix('/mcp')}/oauth/invite/{token}"
        return f"{self.get_base_url()}/doorman/invite#{token}"

    # ---- checks ----

    @api.constrains("scope_ids")
    def _check_scopes(self):
        for invite in self:
            if not invite.scope_ids:
                raise ValidationError(self.env._("Choose at least one scope."))

    @api.constrains("max_uses", "key_lifetime_hours")
    def _check_counts(self):
        self._check_range(
            {
                "max_uses": (1, MAX_INVITE_USES),
                "key_lifetime_hours": (0, MAX_INVITE_KEY_HOURS),
            }
        )

    @api.constrains("expires_at")
    def _check_expiry(self):
        now = fields.Datetime.now()
        for invite in self:
            if (
                not 0
                <= (invite.expires_at - now).total_seconds()
                <= MAX_INVITE_LINK_SECONDS
            ):
                raise ValidationError(
                    self.env._("The link must expire in the future, within one year.")
                )

    @api.constrains("key_name_preset")
    def _check_name(self):
        for invite in self:
            name = invite.key_name_preset.strip()
            if not name or len(name) > MAX_INVITE_NAME or PREFIX_KEY in name:
                raise ValidationError(
                    self.env._(
                        "The key name must have 1 to %s characters, and must not be "
                        "a key itself.",
                        MAX_INVITE_NAME,
                    )
                )

    @api.constrains("accept_from", "accept_list")
    def _check_accept_list(self):
        for invite in self:
            listed = invite._listed()
            if bool(listed) != (invite.accept_from == "listed"):
                raise ValidationError(
                    self.env._("Enter who can accept, one per line, or choose anyone.")
                )
            for entry in listed:
                if not LISTED.fullmatch(entry):
                    raise ValidationError(
                        self.env._(
                            "%s is neither a login nor a domain like @example.com.",
                            repr(entry),
                        )
                    )

    @api.constrains("new_accounts", "account_group_ids")
    def _check_account_groups(self):
        for invite in self:
            if invite.account_group_ids and not invite.new_accounts:
                raise ValidationError(
                    self.env._("Groups only apply to new accounts: allow those first.")
                )

    def _listed(self):
        """Who may accept: logins and domains, in lower case."""
        lines = (self.accept_list or "").lower().splitlines()
        return [line.strip() for line in lines if line.strip()]

    def _may_accept(self, login):
        """Whether an account counts, by its login. Not by its email address: that one
        people change themselves."""
        if self.accept_from == "anyone":
            return True
        login = login.lower()
        domain = "@" + login.rpartition("@")[2]
        return login in self._listed() or ("@" in login and domain in self._listed())
