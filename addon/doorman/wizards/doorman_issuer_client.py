from odoo import fields, models
from odoo.exceptions import AccessError


class DoormanIssuerClient(models.TransientModel):
    """Asks for the name of a client that comes with what an issuer has signed."""

    _name = "doorman.issuer.client"
    _inherit = ["doorman.dialog.mixin"]
    _description = "New client of a trusted issuer"

    _about = "issuer_id"

    issuer_id = fields.Many2one(
        "doorman.oauth.issuer", required=True, readonly=True, ondelete="cascade"
    )
    name = fields.Char(
        required=True,
        help="The name of the AI tool. Its connections get this name.",
    )

    def action_make(self):
        """Make the client.

        :return: the dialog that shows its ID, and its secret, once
        :raise AccessError: for anyone but MCP administrators
        """
        self.ensure_one()
        if not self.env.user.has_group("doorman.group_admin"):
            raise AccessError(self.env._("Only an MCP administrator can do this."))
        client, secret = self.issuer_id._make_client(self.name)
        return client._secret_dialog(secret)
