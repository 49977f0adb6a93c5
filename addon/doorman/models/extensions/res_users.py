import hashlib

from odoo import api, models, tools
from odoo.exceptions import AccessError

from ...policy.change_scope import state

DEFAULT_SCOPE_GROUPS = (
    "doorman.group_scope_metadata",
    "doorman.group_scope_search",
    "doorman.group_scope_orm",
)


# In a context, this very object: who becomes an MCP user gets what an invite says.
NO_DEFAULTS = object()

# Who can log in as whom, and with which rights. A reset of the password goes to the
# e-mail address.
LOCKS = {"login", "password", "new_password", "email", "active", "partner_id"}
LOCKS |= {"group_ids", "company_ids", "share", "totp_secret", "totp_enabled"}

# Of a group: who is in it, and what it gives.
MEMBERS = {"user_ids", "all_user_ids", "implied_ids", "implied_by_ids"}


def refuse_inside(env):
    """Refuse what an AI tool must not bring about, by whatever code behind its call,
    also where that code has more rights than its user."""
    if state(env.cr):
        raise AccessError(env._("AI tools do not change who may log in, or as whom."))


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

    def unlink(self):
        refuse_inside(self.env)
        # Here, and not by the database's cascade: keys and audit rows go with them.
        connections = self.env["doorman.connection"].sudo()
        connections.with_context(active_test=False).search(
            [("user_id", "in", self.ids)]
        ).unlink()
        self.env["doorman.invite"].sudo()._creators_gone(self)
        self.env["doorman.audit"].sudo()._forget_users(self.ids)
        return super().unlink()

    def _doorman_users(self):
        return self.filtered(lambda u: u.has_group("doorman.group_user"))

    def _doorman_grant_defaults(self, before):
        """Who becomes an MCP user gets the permissions for metadata, search and orm
        once. They are not implied by the group, so that each can be taken away."""
        gained = self._doorman_users() - before
        if gained and self.env.context.get("doorman_defaults") is not NO_DEFAULTS:
            groups = [(4, self.env.ref(xmlid).id) for xmlid in DEFAULT_SCOPE_GROUPS]
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
            connections._drop_requests(self.env._("Its user is no MCP user any more."))

    @tools.ormcache("self.id")
    def _doorman_fingerprint(self):
        """Names the set of groups of a user: field metadata, and the scopes that a
        person may lend, depend on it.

        :rtype: str
        """
        groups = ",".join(map(str, sorted(self.sudo()._get_group_ids())))
        return hashlib.sha256(groups.encode()).hexdigest()[:16]


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


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        if "email" in vals and state(self.env.cr):
            # Theirs too: an AI tool that moves its own user's address could take the
            # account over.
            users = self.env["res.users"].sudo().with_context(active_test=False)
            found = users.search([("partner_id", "in", self.ids)]).partner_id
            if any((p.email or "") != (vals["email"] or "") for p in found):
                refuse_inside(self.env)
        return super().write(vals)


class ResUsersApikeys(models.Model):
    _inherit = "res.users.apikeys"

    def unlink(self):
        # The service's own key is kept in a cache (doorman.settings): a removed key
        # must end at once.
        self.env.registry.clear_cache()
        return super().unlink()
