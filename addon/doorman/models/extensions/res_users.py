import hashlib

from odoo import api, models, tools

from ...policy.change_scope import refuse_inside
from ...policy.refusal import _lt
from ...policy.scope_groups import DEFAULT_SCOPE_GROUPS, NO_DEFAULTS

# Who can log in as whom, and with which rights. A reset of the password goes to the
# email address.
LOCKS = {"login", "password", "new_password", "email", "active", "partner_id"}
LOCKS |= {"group_ids", "company_ids", "share", "totp_secret", "totp_enabled"}


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        refuse_inside(self.env)
        users = super().create(vals_list)
        users._doorman_grant_defaults(self.browse())
        return users

    def write(self, vals):
        if LOCKS & vals.keys():
            refuse_inside(self.env)
        if "group_ids" not in vals:
            res = super().write(vals)
        else:
            before = self._doorman_users()
            res = super().write(vals)
            self._doorman_grant_defaults(before)
            self._doorman_log_out(before)
        if "active" in vals:
            self._doorman_on_board(vals["active"])
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_doorman_approver(self):
        policies = self.env["doorman.policy.mixin"]
        policies._check_decides_nowhere("approver_id", self)

    def unlink(self):
        refuse_inside(self.env)
        # Here, and not by the database's cascade: keys go with them.
        connections = self.env["doorman.connection"].sudo()
        connections.with_context(active_test=False).search(
            [("user_id", "in", self.ids)]
        ).unlink()
        self.env["doorman.invite"].sudo()._creators_gone(self)
        return super().unlink()

    def _doorman_users(self):
        return self.filtered(lambda u: u.has_group("doorman.group_user"))

    # pylint: disable-next=missing-return
    def _doorman_grant_defaults(self, before):
        """Who becomes an MCP user gets the permissions for metadata, search and orm
        once. They are not implied by the group, so that each can be taken away."""
        gained = self._doorman_users() - before
        if gained and self.env.context.get("doorman_defaults") is not NO_DEFAULTS:
            groups = [(4, self.env.ref(xmlid).id) for xmlid in DEFAULT_SCOPE_GROUPS]
            # Past our own write, which has brought us here.
            # pylint: disable-next=super-method-mismatch
            super(ResUsers, gained.sudo()).write({"group_ids": groups})

    def _doorman_log_out(self, before):
        """Who stops being an MCP user: made one again, what they let in by logging in
        must not come back by itself."""
        lost = before - self._doorman_users()
        if lost:
            connections = self.env["doorman.connection"].sudo()
            connections = connections.with_context(active_test=False).search(
                [("user_id", "in", lost.ids), ("auth_type", "=", "oauth")]
            )
            self.env["doorman.oauth.token"]._end_of(connections, "no MCP user")
            connections._drop_requests(_lt("Its user is no longer an MCP user."))

    @tools.ormcache("self.id")
    def _doorman_fingerprint(self):
        """Names the set of groups of a user: field metadata, and the scopes that a
        person may lend, depend on it.

        :rtype: str
        """
        groups = ",".join(map(str, sorted(self.sudo()._get_group_ids())))
        return hashlib.sha256(groups.encode()).hexdigest()[:16]

    def _doorman_context(self):
        """The language and time zone of a user, as Odoo's own client works with them.

        :rtype: dict
        """
        own = self.with_user(self).context_get()
        return {key: own[key] for key in ("lang", "tz") if own.get(key)}
