from odoo import models

from ...policy.refusal import _lt
from ...policy.shared import LIVE_STATUSES


class DoormanConnection(models.Model):
    """A connection for which a person lets something be done, without its credential:
    an approval, an undo. What the fence asks of a call is asked here."""

    _inherit = "doorman.connection"

    def _why_ended(self):
        """
        :return: why it may do nothing any more, in words of ``_lt``; or None
        """
        user = self.user_id
        if self.state not in LIVE_STATUSES:
            return _lt("The connection has ended.")
        if not self.active:
            return _lt("The connection was archived.")
        if self.expires_at and self.expires_at <= self.env.cr.now():
            return _lt("The connection has expired.")
        if not user.active or not user._is_internal():
            return _lt("Its user can no longer use it.")
        if self.auth_type == "bearer" and not self._has_key():
            return _lt("The connection's key was removed.")
        if self.auth_type == "oauth" and not self._has_tokens():
            return _lt("The AI tool is no longer logged in.")
        return None

    def _acting_row(self):
        """What the gateway knows of a connection behind its fence."""
        return {
            "id": self.id,
            "name": self.name,
            "auth_type": self.auth_type,
            "version": self.version,
            "user_id": self.user_id.id,
            "login": self.user_id.login,
            "company_id": self.user_id.company_id.id,
            "settings_version": self.env["doorman.settings"]._get().sudo().version,
            "read_only_by": self.env["doorman.settings"]._who_made_read_only(),
        }
