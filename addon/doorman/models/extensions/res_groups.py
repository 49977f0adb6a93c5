from odoo import api, models

from ...policy.change_scope import refuse_inside

# Of a group: who is in it, and what it gives.
MEMBERS = {"user_ids", "all_user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        refuse_inside(self.env)
        return super().create(vals_list)

    def write(self, vals):
        refuse_inside(self.env)
        if not MEMBERS & vals.keys():
            return super().write(vals)
        users, before = self._doorman_logged_in()
        res = super().write(vals)
        users._doorman_log_out(before)
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_doorman_approver(self):
        policies = self.env["doorman.policy.mixin"]
        policies._check_decides_nowhere("approver_group_id", self)

    def unlink(self):
        refuse_inside(self.env)
        users, before = self._doorman_logged_in()
        res = super().unlink()
        users._doorman_log_out(before)
        return res

    @api.model
    def _doorman_logged_in(self):
        """Who has let AI tools in by logging in. A group loses people on its own form
        as well, which writes no user.

        :return: these people, and those of them who are MCP users now
        """
        connections = self.env["doorman.connection"].sudo()
        connections = connections.with_context(active_test=False).search(
            [("auth_type", "=", "oauth")]
        )
        return connections.user_id, connections.user_id._doorman_users()
