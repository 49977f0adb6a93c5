from odoo import api, fields, models


class DoormanInvite(models.Model):
    """What the backend shows of an invite."""

    _inherit = "doorman.invite"

    connection_count = fields.Integer("Connections", compute="_compute_counts")
    live_connection_count = fields.Integer(
        "Live connections", compute="_compute_counts"
    )
    groups_grown = fields.Boolean(compute="_compute_groups_grown")
    # What its creator has lost since. The invite stays what it was.
    creator_lacks = fields.Char(compute="_compute_creator_lacks")

    @api.depends("acceptance_ids.connection_id")
    def _compute_counts(self):
        connections = self.env["doorman.connection"].with_context(active_test=False)
        totals = connections._read_group(
            [("invite_id", "in", self.ids)], ["invite_id", "state"], ["__count"]
        )
        for invite in self:
            mine = [(state, n) for i, state, n in totals if i == invite]
            invite.connection_count = sum(n for _state, n in mine)
            invite.live_connection_count = sum(
                n for state, n in mine if state not in ("revoked", "expired")
            )

    @api.depends("account_group_ids")
    def _compute_groups_grown(self):
        for invite in self:
            invite.groups_grown = invite._groups_have_grown()

    @api.depends("creator_id")
    @api.depends_context("lang")
    def _compute_creator_lacks(self):
        admin = self.env.ref("doorman.group_admin")
        for invite in self.sudo():
            creator = invite.creator_id
            own = creator.all_group_ids
            lost = invite.scope_ids.filtered(
                lambda s, own=own: s.group_id not in own
            ).mapped("code")
            lost += (invite.account_group_ids - own).mapped("display_name")
            if creator and invite.company_id not in creator.company_ids:
                lost.append(invite.company_id.name)
            if creator and admin not in own:
                lost.append(admin.display_name)
            invite.creator_lacks = ", ".join(lost)

    def action_open_connections(self):
        """The connections made from this invite."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_connection_action"
        )
        action["domain"] = [("invite_id", "=", self.id)]
        action["context"] = {}
        return action
