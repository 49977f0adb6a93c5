"""One switch by which every connection only reads, beside the master switch."""

from odoo import api, fields, models
from odoo.tools import SQL


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    all_read_only = fields.Boolean(
        "Read only for all",
        readonly=True,
        tracking=True,
        help="On: no connection can change anything, regardless of its own policy.",
    )
    # Kept as text: AI tools and approvers are told, whatever becomes of the user.
    all_read_only_by = fields.Char("Made read-only by", readonly=True)

    def action_make_read_only(self):
        """Let no connection change anything, at once.

        :raise AccessError: for anyone but MCP administrators
        """
        return self._switch_read_only(True)

    def action_allow_changes(self):
        """Let connections change again what their policies say.

        :raise AccessError: for anyone but MCP administrators
        """
        return self._switch_read_only(False)

    def _switch_read_only(self, on):
        self._check_admin()
        settings = self._get().sudo()
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_settings SET all_read_only = %s, "
                "all_read_only_by = %s, version = version + 1 "
                "WHERE singleton AND COALESCE(all_read_only, false) != %s RETURNING id",
                on,
                self.env.user.name if on else None,
                on,
            )
        )
        changed = self.env.cr.fetchone()
        settings.invalidate_recordset(["all_read_only", "all_read_only_by", "version"])
        if changed:
            who = self.env.user.name
            settings.message_post(
                body=self.env._("%s made all connections read-only.", who)
                if on
                else self.env._("%s allowed changes again.", who)
            )
        return True

    @api.model
    def _who_made_read_only(self):
        """:return: who let no connection change anything, or None"""
        settings = self._get().sudo()
        return settings.all_read_only_by or "?" if settings.all_read_only else None

    @api.model
    def _snapshot(self):
        snapshot = super()._snapshot()
        if who := self._who_made_read_only():
            snapshot["read_only_by"] = who
        return snapshot
