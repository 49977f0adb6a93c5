from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError

from ...policy.approval_states import PENDING

# How many are approved at once: each is carried out while the person waits.
MANY_AT_ONCE = 20


class DoormanApproval(models.Model):
    """Approving from where the request is not seen: a list, a card, an activity.

    What is high risk or carries a warning is opened instead, so that who approves has
    had it before their eyes. Of low risk, several are approved at once.
    """

    _inherit = "doorman.approval"

    def _risk_and_warned(self):
        """:return: its risk, and whether there is something to know before deciding"""
        return self.risk, bool(self._warnings(self.preview or {}))

    def _has_to_be_opened(self):
        risk, warned = self._risk_and_warned()
        return risk not in ("low", "medium") or warned

    def _is_harmless(self):
        risk, warned = self._risk_and_warned()
        return risk == "low" and not warned

    def action_approve_or_open(self):
        """Approve from a list, a card or an activity: what is high risk or carries a
        warning is opened, and nothing is done.

        :raise AccessError: for anyone who is not asked
        :raise UserError: as ``action_approve``
        :return: an action that opens the request, or tells how it went
        """
        self.ensure_one()
        self._check_may_decide()
        if self.state == PENDING and self._has_to_be_opened():
            return self._open()
        return self.action_approve()

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def action_approve_many(self):
        """Ask whether to approve those of these requests that are of low risk, carry no
        warning and wait for the caller.

        :raise AccessError: for an AI tool
        :raise UserError: if none is, or for more than 20
        :return: the dialog that says how many these are
        """
        self._check_inside()
        self.check_access("read")
        if len(self) > MANY_AT_ONCE:
            raise UserError(
                self.env._("At most %s requests can be approved at once.", MANY_AT_ONCE)
            )
        harmless = self.filtered(lambda r: r.can_decide and r._is_harmless())
        if not harmless:
            raise UserError(
                self.env._(
                    "None of these can be approved without being opened. That is only "
                    "possible for low-risk requests that are waiting for you and have "
                    "no warnings."
                )
            )
        dialog = self.env["doorman.approve.many"].create(
            {
                "approval_ids": [(6, 0, harmless.ids)],
                "revisions": {str(r.id): r.revision for r in harmless},
                "left": len(self - harmless),
            }
        )
        return dialog._open(self.env._("Approve low-risk requests"))

    def _summaries(self):
        """What these would do, and for whom, one a line."""
        rows = Markup("").join(
            Markup("<li>%s <span class='text-muted'>%s · %s</span></li>")
            % (
                request.summary_shown,
                request.requester_id.name or "",
                request.connection_name or "",
            )
            for request in self
        )
        return Markup("<ul class='mb-2 ps-3 text-break'>%s</ul>") % rows
