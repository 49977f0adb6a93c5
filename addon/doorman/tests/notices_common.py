from odoo.fields import Command

from .common import ApprovalCase


class NoticeCase(ApprovalCase):
    """What people are told. Everything before a test is told already."""

    def setUp(self):
        super().setUp()
        self.notices = self.env["doorman.notice"]
        # A test may add some.
        self.people = dict(self.people)
        self.admin = self.people["admin"]
        self.run_job("send_notices")

    def stranger(self):
        """An administrator of another company.

        :return: that company
        """
        other = self.env["res.company"].create({"name": "Other"})
        self.people["stranger"] = self._person(
            "stranger",
            ["doorman.group_admin"],
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        return other

    def told(self, run=None):
        """Run something, and what is told of it.

        :return: ``{role: [title, ...]}``, of those who were told anything
        """
        before = self.env["mail.message"].search([], order="id desc", limit=1).id or 0
        if run:
            run()
            self.env.flush_all()
        self.run_job("send_notices")
        self.messages = self.env["mail.message"].search(
            [("id", ">", before), ("message_type", "=", "user_notification")],
            order="id",
        )
        # What the test itself has set is none of what it looks at.
        own = f"Changed by {self.env.user.name}:"
        self.messages = self.messages.filtered(lambda m: own not in m.subject)
        found = {}
        for message in self.messages:
            for partner in message.notified_partner_ids:
                [role] = [
                    r for r, u in self.people.items() if u.partner_id == partner
                ] or [partner.name]
                found.setdefault(role, []).append(message.subject)
        return found

    def asked(self, **vals):
        """A request that waits, and is told of like one that a call has made."""
        approval = self.approval(**vals).sudo()
        approval._ask_people()
        return approval
