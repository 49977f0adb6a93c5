from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

READ_SCOPES = ("mcp:metadata", "mcp:search")


class DoormanConnectWizard(models.TransientModel):
    """Connect a new tool: how it logs in, as whom, how far it may go.

    A key that is made here goes into the dialog that shows it, and into no field of
    this model: its table keeps what it is given until it is vacuumed.
    """

    _name = "doorman.connect.wizard"
    _description = "Connect a new tool"

    step = fields.Selection(
        [
            ("way", "How to connect"),
            ("browser", "Browser login"),
            ("key", "API key"),
            ("client", "OAuth client"),
        ],
        default="way",
        required=True,
        readonly=True,
    )
    enabled = fields.Boolean(compute="_compute_server")
    oauth_enabled = fields.Boolean(compute="_compute_server")
    mcp_url = fields.Char("Endpoint URL", compute="_compute_server")
    service_silent = fields.Boolean(compute="_compute_server")

    name = fields.Char("Connection name")
    user_id = fields.Many2one(
        "res.users",
        "Odoo user",
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        help="The AI tool can see and do what this user can, never more.",
    )
    same_name = fields.Boolean(compute="_compute_same_name")
    for_other = fields.Boolean(compute="_compute_for_other")
    access = fields.Selection(
        [
            ("full", "Full access: everything that the user has permission for"),
            ("read", "Read only: find and read records, change nothing"),
            ("custom", "Custom: choose"),
        ],
        default="read",
        required=True,
    )
    scope_ids = fields.Many2many(
        "doorman.scope",
        string="Scopes",
        default=lambda self: self._read_scopes(),
    )
    read_only = fields.Boolean(
        help="Tools that change something are hidden and refused."
    )
    missing_scopes = fields.Char("Missing scopes", compute="_compute_missing_scopes")
    no_mcp_user = fields.Boolean(compute="_compute_missing_scopes")
    expires_at = fields.Datetime("Expires on")
    key_days = fields.Integer(
        "Key works for (days)",
        compute="_compute_key_days",
        store=True,
        readonly=False,
        help="After that, it has to be rotated. The connection itself stays.",
    )
    key_days_max = fields.Integer(compute="_compute_key_days_max")
    handover = fields.Selection(
        [("link", "Personal pick-up link"), ("self", "I hand the key over myself")],
        "How they get the key",
        default="link",
        required=True,
    )
    link_only = fields.Char(compute="_compute_link_only")
    email_link = fields.Boolean("Send the link by email")

    client_name = fields.Char("OAuth client name")
    client_type = fields.Selection(
        string="Client type",
        selection=[
            ("confidential", "Confidential: a server that keeps a client secret"),
            ("public", "Public: an app on a person's device, PKCE and no secret"),
        ],
        default="confidential",
        required=True,
    )
    redirect_uris = fields.Text("Allowed redirect URIs")

    # ---- what the form shows ----

    @api.depends("step")
    def _compute_server(self):
        settings = self.env["doorman.settings"]._get()
        for wizard in self:
            wizard.enabled = settings.enabled
            wizard.oauth_enabled = settings.oauth_enabled
            wizard.mcp_url = settings.mcp_url
            wizard.service_silent = settings.gateway_silent

    @api.depends("name", "client_name", "step", "user_id")
    def _compute_same_name(self):
        connections = self.env["doorman.connection"]
        for wizard in self:
            name = wizard._connection_name()
            wizard.same_name = bool(connections._alike(name, wizard.user_id))

    def _connection_name(self):
        """What the connection will be called, "" if that was not said."""
        name = self.client_name if self.step == "client" else self.name
        return (name or "").strip()

    @api.depends("user_id")
    def _compute_for_other(self):
        for wizard in self:
            wizard.for_other = wizard.user_id and wizard.user_id != self.env.user

    @api.depends("user_id", "access", "scope_ids")
    def _compute_missing_scopes(self):
        for wizard in self:
            missing = wizard._scopes() - wizard._own_scopes()
            wizard.missing_scopes = ", ".join(missing.mapped("code"))
            wizard.no_mcp_user = not wizard._is_mcp_user()

    def _compute_key_days_max(self):
        self.key_days_max = self.env["doorman.settings"]._key_days()

    @api.depends("user_id")
    def _compute_key_days(self):
        for wizard in self:
            wizard.key_days = wizard.key_days_max

    @api.depends("user_id")
    def _compute_link_only(self):
        for wizard in self:
            connection = self.env["doorman.connection"].new(
                {"user_id": wizard.user_id.id}
            )
            wizard.link_only = wizard.for_other and connection._why_not_see_key()

    @api.onchange("user_id")
    def _onchange_user(self):
        # The choice is hidden then: what was chosen for another user must not stay.
        if self.link_only:
            self.handover = "link"

    # ---- steps ----

    def _check_admin(self):
        if not self.env.user.has_group("doorman.group_admin"):
            raise AccessError(self.env._("Only an MCP administrator can do this."))

    def action_choose_browser(self):
        """Go to what browser login needs: a URL to paste."""
        return self._go("browser")

    def action_choose_key(self):
        """Go to the form of an API key connection."""
        return self._go("key")

    def action_choose_client(self):
        """Go to the form of a custom OAuth client."""
        return self._go("client")

    def action_back(self):
        """Back to the choice; what was typed stays."""
        return self._go("way")

    def _go(self, step):
        self._check_admin()
        self.ensure_one()
        self.step = step
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "name": self.env._("Connect a New Tool"),
            "views": [(False, "form")],
            "target": "new",
        }

    # ---- the connection ----

    def _own_scopes(self):
        """The scopes that the user has the permission for."""
        groups = self.user_id.sudo().all_group_ids
        return self.env["doorman.scope"].search([("group_id", "in", groups.ids)])

    def _is_mcp_user(self):
        groups = self.user_id.sudo().all_group_ids
        return self.env.ref("doorman.group_user") in groups

    def _scopes(self):
        if self.access == "custom":
            return self.scope_ids._origin
        if self.access == "full":
            return self._own_scopes()
        return self._read_scopes()

    def action_give_permissions(self):
        """Give the user the permissions that are missing.

        :return: the wizard, at the step where it was
        :raise AccessError: for anyone but MCP administrators who may also change
            people's access rights in Odoo
        """
        self._check_admin()
        self.user_id._doorman_give(self._scopes() - self._own_scopes())
        return self._go(self.step)

    @api.model
    def _read_scopes(self):
        return self.env["doorman.scope"].search([("code", "in", READ_SCOPES)])

    def action_connect(self):
        """Make the API key connection, on record.

        :return: the dialog that shows the key once, or the pick-up link to it; or an
            action that tells where the link was sent
        :raise AccessError: for anyone but MCP administrators, and where they may not
            see this user's key
        :raise UserError: if the link cannot be sent: then there is no connection either
        """
        self._check_admin()
        self.ensure_one()
        connection = self.env["doorman.connection"].create(self._connection_values())
        if self.for_other and self.handover == "link":
            if self.email_link:
                connection._email_pickup_link(self.key_days)
                return connection._pickup_link_sent(
                    {"type": "ir.actions.act_window_close"}
                )
            return connection.action_pickup_link(self.key_days)
        return connection._new_key_dialog(key_days=self.key_days)

    def _connection_values(self):
        if not (
            (self.step == "client" and self.client_name) or self.name or ""
        ).strip():
            raise UserError(self.env._("Give the connection a name."))
        if not self.user_id:
            raise UserError(self.env._("Choose the Odoo user that the tool acts as."))
        if self.expires_at and self.expires_at <= fields.Datetime.now():
            raise UserError(self.env._("The expiry date has to be in the future."))
        scopes = self._scopes()
        if not scopes and self.access == "full":
            raise UserError(
                self.env._(
                    "%s has no MCP permission to lend. Give them some on their user "
                    "form, or choose the scopes yourself.",
                    self.user_id.name,
                )
            )
        if not scopes:
            raise UserError(self.env._("Choose at least one scope."))
        self._check_usable(scopes)
        return {
            "name": (self.name or self.client_name).strip(),
            "auth_type": "bearer",
            "user_id": self.user_id.id,
            "scope_ids": [Command.set(scopes.ids)],
            "read_only": self.access == "read"
            or (self.access == "custom" and self.read_only),
            "expires_at": self.expires_at,
        }

    def _check_usable(self, scopes):
        """A key or client with which every call is refused helps nobody."""
        # Who logs in by browser has to be an MCP user besides.
        lets_in = self.step != "client" or self._is_mcp_user()
        if lets_in and scopes & self._own_scopes():
            return
        if not self.user_id.sudo()._is_internal():
            return  # what the connection itself refuses, and says why
        raise UserError(
            self.env._(
                "%s lacks the permissions for this: every call would be refused. An "
                "Odoo administrator has to press Give the User These Permissions "
                "first.",
                self.user_id.name,
            )
        )
