"""Who shortens how long the audit stays is told to all who answer for it."""

from odoo import models


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    def write(self, vals):
        if "audit_retention_days" not in vals:
            return super().write(vals)
        before = {record: record.audit_retention_days for record in self}
        res = super().write(vals)
        for record, days in before.items():
            # It may wait for another administrator, and not have changed.
            if record.audit_retention_days < days:
                record._tell_of_retention(days)
        return res

    def _tell_of_retention(self, before):
        self.env["doorman.notice"]._tell_change(
            self,
            "retention",
            name="audit_retention_days",
            before=before,
            after=self.audit_retention_days,
            auditors=True,
        )
