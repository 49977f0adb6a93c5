from odoo import models

from ...policy.as_person import as_person
from ..approval.ask import MAX_ASKED
from .doorman_notice import ASKING


class DoormanNotice(models.Model):
    """Telling people: Odoo puts it into their inbox, or sends an email, as each of
    them prefers."""

    _inherit = "doorman.notice"

    def _people(self):
        """The people to tell, as of now: of a request, those who can decide on it; of
        a change, the MCP administrators; of everything else, those who share a company
        with the connection's user. Only people who can open it."""
        if self.kind in ASKING:
            if not self._still_holds():
                return self.env["res.users"]
            request = self.approval_id
            people = request._deciders()[:MAX_ASKED] - request.first_approver_id
        else:
            people = self.env["doorman.connection"]._administrators()
            if self.kind != "changed":
                companies = self._connection().user_id.company_ids
                people = people.filtered(lambda u: companies & u.sudo().company_ids)
            elif self.data.get("auditors"):
                auditors = self.env.ref("doorman.group_auditor")
                people |= self.env["doorman.connection"]._members(auditors)
            # The person who did it knows.
            people -= people.browse((self.data or {}).get("who_id") or ())
        return people.filtered(self._may_be_told)

    def _connection(self):
        return self.connection_id or self.approval_id.connection_id

    def _may_be_told(self, person):
        return as_person(self._record(), person).has_access("read")

    def _tell_people(self):
        for person in self._people():
            self._apart(lambda person=person: self._tell(person))

    def _tell(self, person):
        person = person.sudo()
        text = self.with_context(lang=person.lang, tz=person.tz or "UTC")
        words = text._words()
        # Inside: OdooBot speaks, not the person who runs the job or tries it out.
        text._record()._inside().message_notify(
            partner_ids=person.partner_id.ids,
            author_id=self.env.ref("base.partner_root").id,
            subject=words["title"],
            body=text._html(words, values=text._shows_values()),
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _shows_values(self):
        return self.env["doorman.settings"]._get().sudo().notice_values

    def _html(self, words, values=False):
        return self.env["ir.qweb"]._render(
            "doorman.notice_body",
            words | {"values": self._values() if values else []},
            minimal_qcontext=True,
        )
