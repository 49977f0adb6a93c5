from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tells the web client whether this person is an approver without being
        an MCP user: they have no menu of Doorman's, and get an entry in their own."""
        info = super().session_info()
        user = self.env.user
        info["doorman_decides"] = bool(
            user._is_internal()
            and not user.has_group("doorman.group_user")
            and self.env["doorman.approval"].search_count([], limit=1)
        )
        return info
