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
        connections = self.env["doorman.connection"]
        people = connections._administrators() | connections._members(
            self.env.ref("doorman.group_auditor")
        )
        self.env["doorman.policy.change"]._note(
            self,
            self.env._(
                "%(who)s shortened %(field)s: %(before)s to %(after)s. Older rows are "
                "removed within a day: export them before that.",
                who=self.env.user.name,
                field=self.env["doorman.policy.change"]._label(
                    self, "audit_retention_days"
                ),
                before=before,
                after=self.audit_retention_days,
            ),
            partner_ids=people.sudo().partner_id.ids,
        )
