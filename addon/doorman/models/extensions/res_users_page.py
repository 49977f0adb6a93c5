from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command

from ...policy.scope_groups import NO_DEFAULTS

SCOPE_FIELDS = {
    "doorman_metadata": "doorman.group_scope_metadata",
    "doorman_search": "doorman.group_scope_search",
    "doorman_orm": "doorman.group_scope_orm",
    "doorman_sql": "doorman.group_scope_sql",
    "doorman_shell": "doorman.group_scope_shell",
}
ADMIN = "doorman.group_admin"
MANAGERS = "base.group_erp_manager"
SHOWN = 50


def _scope_field(label):
    return fields.Boolean(
        label,
        compute="_compute_doorman_scopes",
        readonly=False,
        groups=MANAGERS,
    )


class ResUsers(models.Model):
    """A person's page: what they may lend to AI tools, what they have lent, and the
    button that ends all of it."""

    _inherit = "res.users"

    doorman_metadata = _scope_field("View the structure (mcp:metadata)")
    doorman_search = _scope_field("Search and read (mcp:search)")
    doorman_orm = _scope_field("Create and change (mcp:orm)")
    doorman_sql = _scope_field("Query the database (mcp:sql)")
    doorman_shell = _scope_field("Run code (mcp:shell)")
    doorman_connection_count = fields.Integer(
        "Connections", compute="_compute_doorman_access", groups=ADMIN
    )
    doorman_invite_count = fields.Integer(
        "Invites", compute="_compute_doorman_access", groups=ADMIN
    )
    doorman_last_used = fields.Datetime(
        "Last use", compute="_compute_doorman_access", groups=ADMIN
    )
    doorman_own_tools = fields.Html(
        "AI tools", compute="_compute_doorman_own_tools", sanitize=False
    )
    doorman_is_user = fields.Boolean(compute="_compute_doorman_own_tools")
    # Text and not a list of records: through one, who may write users could write
    # connections.
    doorman_access = fields.Html(
        "MCP access", compute="_compute_doorman_access", sanitize=False, groups=ADMIN
    )

    @property
    def SELF_READABLE_FIELDS(self):
        """Of their own page, people see their own AI tools."""
        own = ["doorman_own_tools", "doorman_is_user"]
        return [*super().SELF_READABLE_FIELDS, *own]

    # ---- permissions ----

    @api.depends("group_ids")
    def _compute_doorman_scopes(self):
        for user in self:
            groups = user.sudo().all_group_ids
            for name, xmlid in SCOPE_FIELDS.items():
                user[name] = self.env.ref(xmlid) in groups

    @api.model_create_multi
    def create(self, vals_list):
        # A new form sends all of them, ticked or not: without any that is, somebody who
        # becomes an MCP user gets the usual ones.
        ticked = [any(vals.get(n) for n in SCOPE_FIELDS) for vals in vals_list]
        rows = [self._doorman_groups(vals) for vals in vals_list]
        if not any(ticked):
            return super().create(rows)
        made = self.browse()
        for row, chosen in zip(rows, ticked, strict=True):
            users = self._doorman_chosen() if chosen else self
            made |= super(ResUsers, users).create([row]).with_env(self.env)
        return made

    def write(self, vals):
        users = self._doorman_chosen() if SCOPE_FIELDS.keys() & vals.keys() else self
        return super(ResUsers, users).write(self._doorman_groups(vals))

    def _doorman_chosen(self):
        """These, where nobody is given the usual permissions besides."""
        return self.with_context(doorman_defaults=NO_DEFAULTS)

    def _doorman_groups(self, vals):
        """The check boxes of some values as what they stand for: groups. What was not
        sent stays as it is, and it takes the caller's own right to write groups."""
        sent = SCOPE_FIELDS.keys() & vals.keys()
        if not sent:
            return vals
        commands = [
            (Command.link if vals[name] else Command.unlink)(
                self.env.ref(SCOPE_FIELDS[name]).id
            )
            for name in sorted(sent)
        ]
        rest = {name: value for name, value in vals.items() if name not in sent}
        return rest | {"group_ids": [*(vals.get("group_ids") or []), *commands]}

    def _doorman_give(self, scopes):
        """Give a person what their connection needs, with the caller's own right to
        write groups.

        :param scopes: records of ``doorman.scope``
        """
        groups = scopes.group_id | self.env.ref("doorman.group_user")
        users = self._doorman_chosen()
        users.write({"group_ids": [Command.link(group.id) for group in groups]})

    # ---- what they have ----

    def _doorman_connections(self):
        """All of theirs that the caller may see."""
        connections = self.env["doorman.connection"].with_context(active_test=False)
        return connections.search([("user_id", "in", self.ids)])

    def _doorman_invites(self):
        return self.env["doorman.invite"].search([("creator_id", "in", self.ids)])

    @api.depends_context("uid", "lang")
    def _compute_doorman_own_tools(self):
        """Of others, nothing: an administrator has their own page of them."""
        # Odoo computes fields of one's own page with all rights.
        me = self.env.user.with_user(self.env.user)
        mine = me.has_group("doorman.group_user")
        for user in self:
            own = mine and user._origin == me
            user.doorman_is_user = own
            user.doorman_own_tools = (
                me._doorman_table(me._doorman_alive(), []) if own else False
            )

    def _doorman_alive(self):
        """Their connections that are not over."""
        connections = self._doorman_connections()
        return connections.filtered(
            lambda c: c.active and c.state not in ("revoked", "expired")
        )

    @api.depends_context("uid", "lang", "allowed_company_ids")
    def _compute_doorman_access(self):
        connections, invites = self._doorman_connections(), self._doorman_invites()
        for user in self:
            mine = connections.filtered(lambda c, u=user: c.user_id == u)
            made = invites.filtered(lambda i, u=user: i.creator_id == u)
            user.doorman_connection_count = len(mine)
            user.doorman_invite_count = len(made)
            used = [c.last_used for c in mine if c.last_used]
            user.doorman_last_used = max(used) if used else False
            user.doorman_access = self._doorman_table(mine, made)

    def _doorman_table(self, connections, invites):
        rows = [
            (
                c,
                self.env._("Connection"),
                c.name,
                c._fields["state"].convert_to_export(c.state, c),
                fields.Datetime.to_string(c.last_used) or "",
            )
            for c in connections[:SHOWN]
        ] + [
            (
                i,
                self.env._("Invite"),
                i.key_name_preset,
                i._fields["state"].convert_to_export(i.state, i),
                f"{i.current_uses}/{i.max_uses}",
            )
            for i in invites[:SHOWN]
        ]
        if not rows:
            return Markup("<p class='text-muted'>%s</p>") % self.env._("None.")
        row = Markup(
            "<tr><td>%s</td><td><a href='/odoo/%s/%s'>%s</a></td><td>%s</td>"
            "<td>%s</td></tr>"
        )
        head = Markup("<tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr>") % (
            self.env._("What"),
            self.env._("Name"),
            self.env._("Status"),
            self.env._("Last use (UTC), or uses"),
        )
        body = Markup("").join(
            row % (kind, record._name, record.id, name, state, used)
            for record, kind, name, state, used in rows
        )
        table = Markup("<table class='table table-sm'>%s%s</table>")
        return table % (head, body)

    # ---- the end of it ----

    def action_doorman_revoke_all(self):
        """End all that these people have: their connections, and the links they made.

        :raise AccessError: for anyone but MCP administrators of their company
        """
        if not (self.env.su or self.env.user.has_group(ADMIN)):
            raise AccessError(self.env._("Only an MCP administrator can do this."))
        self._doorman_connections()._revoke_for_good()
        self._doorman_invites().action_revoke()
        return True

    def action_doorman_connections(self):
        """Their connections, as a list."""
        return self._doorman_open("doorman.doorman_connection_action", "user_id")

    def action_doorman_invites(self):
        """The invites they made, as a list."""
        return self._doorman_open("doorman.doorman_invite_action", "creator_id")

    def _doorman_open(self, xmlid, field):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        action["domain"] = [(field, "in", self.ids)]
        action["context"] = {}
        return action

    def _doorman_on_board(self, active):
        """Who is archived takes their connections along: unarchived, they would else
        be let in again by keys that nobody remembers."""
        invites = self.env["doorman.invite"]
        if active:
            invites._creators_back(self)
            return
        connections = self.env["doorman.connection"].sudo()
        connections.with_context(active_test=False).search(
            [("user_id", "in", self.ids)]
        )._revoke_for_good()
        invites._creators_gone(self)
