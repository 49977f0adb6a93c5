from odoo import api, fields, models
from odoo.exceptions import UserError

from .client_guides import CLIENTS, browser_steps, install_link

OWN = "own"
# How many logins since the wizard was opened are looked at.
LOGINS = 5


class DoormanConnectWizard(models.TransientModel):
    """The AI tool is chosen first: then there are its steps only, with everything
    filled in, and at the end the wizard waits for its first call."""

    _inherit = "doorman.connect.wizard"

    client = fields.Selection(
        selection=lambda self: [
            *((code, guided.title) for code, guided in CLIENTS.items()),
            (OWN, self.env._("Your own")),
        ],
        string="AI tool",
        readonly=True,
    )
    offers_browser = fields.Boolean(compute="_compute_offers")
    offers_bearer = fields.Boolean(compute="_compute_offers")
    guide = fields.Json(compute="_compute_guide")
    # The name that was suggested last: until somebody changes it, it follows the user.
    suggested = fields.Char()

    @api.depends("client")
    def _compute_offers(self):
        for wizard in self:
            ways = wizard._ways()
            wizard.offers_browser = "browser" in ways
            wizard.offers_bearer = "key" in ways

    def _ways(self):
        guided = CLIENTS.get(self.client)
        return guided.ways if guided else ("key", "browser", "client")

    @api.depends("client", "step")
    @api.depends_context("lang")
    def _compute_guide(self):
        for wizard in self:
            url = wizard.mcp_url
            wizard.guide = url and {
                "steps": browser_steps(wizard.client, url, self.env),
                "link": install_link(wizard.client, url),
                "link_label": self.env._(
                    "Add to %s",
                    CLIENTS[wizard.client].title if wizard.client in CLIENTS else "",
                ),
            }

    def action_choose(self):
        """Go to the steps of the AI tool that the context names
        (``doorman_client``), by the way that it usually logs in.

        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if there is no such AI tool
        """
        self._check_admin()
        self.ensure_one()
        code = self.env.context.get("doorman_client")
        if not isinstance(code, str) or code not in CLIENTS:
            raise UserError(self.env._("Choose an AI tool."))
        self.client = code
        ways = self._ways()
        # A key works also while browser login is switched off.
        if not self.oauth_enabled and "key" in ways:
            return self.action_choose_key()
        return self._go(ways[0])

    def _go(self, step):
        self._check_admin()
        if step == "key" and not self.name:
            self.name = self.suggested = self._suggested_name()
        return super()._go(step)

    @api.onchange("user_id")
    def _onchange_user(self):
        res = super()._onchange_user()
        if self.user_id and self.suggested and self.name == self.suggested:
            self.name = self.suggested = self._suggested_name()
        return res

    def _suggested_name(self):
        """:return: a name that no other connection of the user has, or False"""
        if self.client not in CLIENTS:
            return False
        first = name = f"{CLIENTS[self.client].title}, {self.user_id.name}"
        number = 1
        while self.env["doorman.connection"]._alike(name, self.user_id):
            number += 1
            name = f"{first} ({number})"
        return name

    def action_back(self):
        """Back to the choice of the AI tool."""
        self._check_admin()
        self.ensure_one()
        if self.name == self.suggested:
            self.name = False
        self.client = False
        return super().action_back()

    def action_connect(self):
        """The dialog shows what the chosen AI tool needs, and nothing else."""
        dialog = super().action_connect()
        if self.client in CLIENTS and dialog.get("context"):
            dialog["context"]["default_client"] = self.client
        return dialog

    def first_call(self):
        """Whether somebody has logged in since the wizard was opened, and whether
        their AI tool has called. The wizard asks every few seconds.

        :return: as ``doorman.connection.first_call``, and the states ``inactive`` and
            ``logged_in``, with the connection's name
        :raise AccessError: for anyone but the administrator whose wizard it is
        """
        self._check_admin()
        self.ensure_one()
        self.check_access("read")
        opened = self.create_date
        connections = self.env["doorman.connection"].search(
            [
                ("auth_type", "=", "oauth"),
                "|",
                ("create_date", ">=", opened),
                ("state_since", ">=", opened),
                ("state", "in", ("inactive", "awaiting", "connected")),
            ],
            limit=LOGINS,
        )
        answer = {"state": "waiting"}
        for connection in connections:
            found = connection.first_call(fields.Datetime.to_string(opened))
            if found["state"] == "waiting":
                waits = connection.state == "inactive"
                found["state"] = "inactive" if waits else "logged_in"
            found["name"] = connection.name
            if found["state"] == "connected":
                return found
            if answer["state"] == "waiting":
                answer = found
        return answer
