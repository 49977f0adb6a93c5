from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command

# Key name, scopes, max uses, hours the link still works, state, everything else.
INVITES = (
    (
        "Audit firm, read only",
        ("mcp:metadata", "mcp:search"),
        5,
        61,
        "active",
        {"read_only": True, "description": "For the audit of the year's accounts."},
    ),
    (
        "Web shop agency",
        ("mcp:metadata", "mcp:search", "mcp:orm"),
        3,
        20,
        "active",
        {
            "accept_from": "listed",
            "accept_list": "@agency.example",
            "new_accounts": True,
            "key_lifetime_hours": 30 * 24,
        },
    ),
    ("Hackathon", ("mcp:search",), 20, -400, "expired", {"read_only": True}),
    ("Sent to the wrong person", ("mcp:search",), 1, 10, "revoked", {}),
)


class DoormanInvite(models.Model):
    """Demo data. Nobody has the links to these."""

    _inherit = "doorman.invite"

    @api.model
    def _demo_fill(self):
        now = fields.Datetime.now()
        for name, codes, uses, hours, state, extra in INVITES:
            scopes = self.env["doorman.scope"].search([("code", "in", codes)])
            vals = {
                "key_name_preset": name,
                "scope_ids": [Command.set(scopes.ids)],
                "max_uses": uses,
                "expires_at": now + timedelta(hours=abs(hours)),
            }
            invite, _token = self._make(vals | extra)
            if state != "active":
                invite.sudo()._end(state, ("active",))
            if hours < 0:
                self.env.cr.execute(
                    "UPDATE doorman_invite SET expires_at = %s WHERE id = %s",
                    [now + timedelta(hours=hours), invite.id],
                )
        self.invalidate_model()
