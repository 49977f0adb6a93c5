from odoo import api, fields, models

from ...client_snippets import snippets
from ...policy.shared import PREFIX_KEY

# Stands in the snippets until the service has told where it can be reached.
UNKNOWN_URL = "https://YOUR-DOORMAN/mcp"


class DoormanKeyShow(models.AbstractModel):
    """Shows a key, or the link to one, once. Nothing is stored: it lives in the
    dialog only, as in Odoo's own ``res.users.apikeys.show``."""

    _name = "doorman.key.show"
    _description = "Show a new key"

    # 'id' is needed by the onchange that fills the dialog.
    id = fields.Id()
    key = fields.Char(readonly=True)
    connection = fields.Char(readonly=True)
    connection_id = fields.Integer(readonly=True)
    # When the key was made: the dialog waits for a call after that.
    since = fields.Char(readonly=True)
    # The AI tool that it is for, if that was chosen (wizards/client_guides.py).
    client = fields.Char(readonly=True)
    # Whose key it is, where it is somebody else's.
    owner = fields.Char(readonly=True)
    link = fields.Char(readonly=True)
    link_until = fields.Datetime(readonly=True)
    # To send the link of an invite with.
    message = fields.Text(readonly=True)
    # To whom it was sent by email.
    sent_to = fields.Char(readonly=True)
    # Of an OAuth client, whose secret the key is then.
    client_id = fields.Char("Client ID", readonly=True)
    # It is for everybody, and comes with what an issuer has signed.
    for_all = fields.Boolean(readonly=True)
    for_tool = fields.Boolean(compute="_compute_tool")
    url = fields.Char("Endpoint URL", compute="_compute_tool")
    url_known = fields.Boolean(compute="_compute_tool")
    snippets = fields.Json(compute="_compute_tool")

    # No @api.depends: a model without a table has no triggers, and the onchange that
    # fills the dialog would leave these empty.
    def _compute_tool(self):
        url = self.env["doorman.settings"]._mcp_url()
        for dialog in self:
            key = dialog.key or ""
            # The service's own key is for the service: no AI tool takes it.
            dialog.for_tool = key.startswith(PREFIX_KEY)
            dialog.url = url or UNKNOWN_URL
            dialog.url_known = bool(url)
            dialog.snippets = dialog.for_tool and self._snippets(key, dialog.client)

    @api.model
    def _snippets(self, key, client=None):
        """:return: the snippets with this key filled in: those of an AI tool, or of all
        where none was chosen"""
        url = self.env["doorman.settings"]._mcp_url()
        return snippets(url or UNKNOWN_URL, key, env=self.env, client=client)
