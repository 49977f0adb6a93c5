from odoo import fields, models
from odoo.exceptions import UserError

from ...policy import gate
from ...policy.refusal import _lt


class DoormanApproval(models.Model):
    """Requests that two people approve.

    pending ── the first one approves: nothing is done yet ── shown anew? both are asked
    anew ── another one approves: done
    """

    _inherit = "doorman.approval"

    first_approver_id = fields.Many2one(
        # Deleted, they have approved nothing: two others are needed.
        "res.users",
        string="First approved by",
        readonly=True,
        ondelete="set null",
    )
    first_approved_at = fields.Datetime("First approved on", readonly=True)
    needs_two = fields.Boolean(compute="_compute_needs_two")

    def _compute_needs_two(self):
        for request in self:
            request.needs_two = request._needs_two()

    def _needs_two(self):
        """Whether the policy, as it is now, wants two people for this one."""
        request = self.sudo()
        least = request.connection_id.two_approvers
        return bool(least) and gate.at_least(request.risk, least)

    def _is_first(self):
        """Whether who approves now is the first of two.

        :raise UserError: if they were that already
        """
        if not self._needs_two() or not (first := self.sudo().first_approver_id):
            return self._needs_two()
        if first == self.env.user:
            raise UserError(
                self.env._(
                    "You have already approved it. Somebody else has to approve it, "
                    "too."
                )
            )
        # Who may decide no more has not decided.
        return first not in self._deciders()

    def _approve_first(self):
        """:return: an action that tells that one more person is asked"""
        me = self.env.user
        self._inside().write(
            {"first_approver_id": me.id, "first_approved_at": fields.Datetime.now()}
        )
        mine = self._activities().filtered(lambda activity: activity.user_id == me)
        mine._doorman_inside().unlink()
        words = _lt("Approved by %s. One more person has to approve it.", me.name)
        self._note("approve_first", "ok", None, words)
        self._look_at_pace()
        return self._tell(
            self.env._("Approved by you"),
            self.env._("Nothing has been done yet: one more person has to approve it."),
            "warning",
        )

    def _asked_anew(self):
        """It is not what the first one has seen: both are asked anew."""
        if self.first_approver_id:
            self._inside().write(
                {"first_approver_id": False, "first_approved_at": False}
            )
            self._close_activities()
            self._ask_people()
