from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import email_normalize, format_datetime

from ..policy.invite_values import KEY_HOURS, LINK_HOURS
from ..policy.policy_fields import LINES, POLICY_FIELDS

MAX_ADDRESSES = 20
PRESETS = {
    "read": ("mcp:metadata", "mcp:search"),
    "write": ("mcp:metadata", "mcp:search", "mcp:orm"),
}
# What goes into the invite as it stands in the wizard.
COPIED = (
    "key_name_preset",
    "description",
    "max_uses",
    "accept_from",
    "accept_list",
    "new_accounts",
)


class DoormanInviteWizard(models.TransientModel):
    """Create an invite. The link goes into the dialog that shows it, and into no field
    of this model: its table keeps what it is given until it is vacuumed."""

    _name = "doorman.invite.wizard"
    _inherit = ["doorman.protected.mixin", "doorman.policy.mixin"]
    _description = "Create an invite"

    preset = fields.Selection(
        [
            ("read", "Read-only developer: find and read records, change nothing"),
            ("write", "Read and write: create and change records as well"),
            ("custom", "Custom: choose"),
        ],
        default="read",
        required=True,
    )
    key_name_preset = fields.Char(
        "Key name",
        default="External developer",
        help="The name of the connection of everyone who accepts.",
    )
    description = fields.Text()
    max_uses = fields.Integer("Max uses", default=1)
    link_days = fields.Integer("The link works for (days)", default=LINK_HOURS // 24)
    key_days = fields.Integer(
        "The key works for (days)",
        default=KEY_HOURS // 24,
        help="From acceptance. 0: until it is revoked.",
    )
    accept_from = fields.Selection(
        [("anyone", "Anyone with the link"), ("listed", "These people only")],
        "Who can accept",
        default="anyone",
        required=True,
    )
    accept_list = fields.Text("Logins or domains")
    email_to = fields.Char(
        "Send by email to",
        help="Addresses, separated by commas. Each gets an email of their own with "
        "the link. The email is kept nowhere in Odoo.",
    )
    new_accounts = fields.Boolean(
        "Allow new members",
        help="People without an account can create one. People with an account in "
        "another company are added to this one, unless they have a group that you "
        "lack.",
    )
    account_group_ids = fields.Many2many("res.groups", string="Groups for new accounts")
    approval_tool_ids = fields.Many2many(
        relation="doorman_invite_wizard_approval_tool_rel"
    )
    # A dialog that nobody finished keeps nobody from being deleted.
    approver_id = fields.Many2one(ondelete="cascade")
    approver_group_id = fields.Many2one(ondelete="cascade")
    rule_ids = fields.One2many("doorman.invite.wizard.rule", "wizard_id")
    model_rule_ids = fields.One2many("doorman.invite.wizard.model.rule", "wizard_id")
    own_scope_ids = fields.Many2many("doorman.scope", compute="_compute_own")
    own_group_ids = fields.Many2many("res.groups", compute="_compute_own")
    own_company_ids = fields.Many2many("res.company", compute="_compute_own")
    missing_scopes = fields.Char("Missing scopes", compute="_compute_missing_scopes")

    @api.model
    def _valid_field_parameter(self, field, name):
        # The policy says what chatters keep; a wizard has none.
        return name == "tracking" or super()._valid_field_parameter(field, name)

    @api.depends_context("uid")
    def _compute_own(self):
        user = self.env.user.sudo()
        self.own_scope_ids = self._own_scopes()
        self.own_group_ids = user.all_group_ids
        self.own_company_ids = user.company_ids

    @api.model
    def _own_scopes(self):
        groups = self.env.user.sudo().all_group_ids
        return self.env["doorman.scope"].search([("group_id", "in", groups.ids)])

    @api.depends("preset", "scope_ids")
    @api.depends_context("uid")
    def _compute_missing_scopes(self):
        for wizard in self:
            missing = wizard._scopes() - wizard._own_scopes()
            wizard.missing_scopes = ", ".join(missing.mapped("code"))

    def _scopes(self):
        if self.preset == "custom":
            return self.scope_ids._origin
        return self.env["doorman.scope"].search([("code", "in", PRESETS[self.preset])])

    def action_create_invite(self):
        """Make the invite.

        :return: the dialog that shows its link, once
        :raise AccessError: for anyone but MCP administrators, and for more than the
            caller has
        """
        self.ensure_one()
        # Before anything is read: of a wizard that is somebody else's.
        self.check_access("read")
        self.env["doorman.invite"]._check_admin()
        addresses = self._addresses()
        invite, token = self.env["doorman.invite"]._make(self._invite_values())
        link = invite._link(token)
        until = fields.Datetime.to_string(invite.expires_at)
        if addresses:
            invite._email_link(link, addresses)
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("Your invite"),
            "views": [
                (self.env.ref("doorman.doorman_key_show_view_form_invite").id, "form")
            ],
            "target": "new",
            "context": {
                "default_link": link,
                "default_link_until": until,
                "default_connection": invite.key_name_preset,
                "default_message": self._message(invite, link),
                "default_sent_to": ", ".join(addresses),
            },
        }

    def _addresses(self):
        """:raise UserError: if one is not an email address, or for more than 20"""
        typed = [part.strip() for part in (self.email_to or "").split(",")]
        typed = [part for part in typed if part]
        found = [email_normalize(part) for part in typed]
        for part, address in zip(typed, found, strict=True):
            if not address:
                raise UserError(self.env._("%s is not an email address.", repr(part)))
        if len(found) > MAX_ADDRESSES:
            raise UserError(
                self.env._("At most %s emails can be sent at once.", MAX_ADDRESSES)
            )
        return list(dict.fromkeys(found))

    def _invite_values(self):
        if not 0 < self.link_days <= 365 or not 0 <= self.key_days <= 3650:
            raise UserError(
                self.env._(
                    "The link can work for 1 to 365 days, the key for up to 3650."
                )
            )
        vals = {name: self[name] for name in COPIED}
        if self.accept_from == "anyone":
            vals["accept_list"] = False
        if self.new_accounts:
            vals["account_group_ids"] = [Command.set(self.account_group_ids.ids)]
        for name in POLICY_FIELDS - LINES - {"scope_ids", "read_only"}:
            field = self._fields[name]
            if field.type == "many2many":
                vals[name] = [Command.set(self[name].ids)]
            else:
                vals[name] = self[name].id if field.type == "many2one" else self[name]
        return vals | {
            "scope_ids": [Command.set(self._scopes().ids)],
            "read_only": self.preset == "read"
            or (self.preset == "custom" and self.read_only),
            "expires_at": fields.Datetime.now() + timedelta(days=self.link_days),
            "key_lifetime_hours": self.key_days * 24,
            "model_rule_ids": [
                Command.create(rule._copied()) for rule in self.model_rule_ids
            ],
            "approval_rule_ids": [
                Command.create(rule._copied()) for rule in self.rule_ids
            ],
        }

    def _message(self, invite, link):
        zone = self.env.user.tz or "UTC"
        until = format_datetime(self.env, invite.expires_at, zone, "medium")
        return self.env._(
            "Hello,\n\nthis link gives you a key that lets your AI tool into the Odoo "
            "database of %(company)s:\n\n%(link)s\n\nIt works until %(until)s "
            "(%(zone)s). Open it, log in, review what is granted, and accept. The key "
            "is shown only once: have the settings of your AI tool at hand."
            "\n\n%(name)s",
            company=invite.company_id.name,
            link=link,
            until=until,
            zone=zone,
            name=self.env.user.name,
        )
