"""A request for approval, as each of its readers gets it: in their language."""

from odoo.tests import tagged

from ..common import ApprovalCase


@tagged("post_install", "-at_install")
class TestApprovalLanguage(ApprovalCase):
    """Two approvers and a requester with a language each. What Odoo itself and this
    addon call things in these languages is what they have to read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in ("de_DE", "fr_FR"):
            cls.env["res.lang"]._activate_lang(lang)
        modules = cls.env["ir.module.module"].search(
            [("name", "in", ("base", "doorman"))]
        )
        modules._update_translations(["de_DE", "fr_FR"])
        cls.second = cls._person("second", ["base.group_user"], lang="fr_FR")
        cls.people["approver"].lang = "de_DE"
        group = cls.env["res.groups"].create({"name": "Deciders"})
        group.user_ids = cls.people["approver"] | cls.second
        cls.connection.write({"approver_id": False, "approver_group_id": group.id})
        cls.readers = {
            "de_DE": cls.people["approver"],
            "fr_FR": cls.second,
            "en_US": cls.people["user"],
        }

    def setUp(self):
        super().setUp()
        self.gate("update_records", "delete_records")
        self.waits = self.waiting(
            "res.partner",
            "write",
            self.acme.ids,
            vals={"country_id": self.env.ref("base.de").id, "type": "delivery"},
        )

    def read(self, lang):
        request = self.waits.with_user(self.readers[lang]).with_context(lang=lang)
        request.invalidate_recordset()
        return request

    def odoos(self, lang):
        """:return: what Odoo calls, in a language, what the request is about"""
        partner = self.env["res.partner"].with_context(lang=lang)
        fields_ = partner.fields_get(["country_id", "type"])
        return {
            self.env["ir.model"].with_context(lang=lang)._get("res.partner").name,
            fields_["country_id"]["string"],
            dict(fields_["type"]["selection"])["delivery"],
            self.env.ref("base.de").with_context(lang=lang).name,
        }

    def test_they_differ(self):
        called = [self.odoos(lang) for lang in self.readers]
        self.assertGreater(len(set.union(*called)), 10)

    def test_each_reads_their_own(self):
        for lang in self.readers:
            request = self.read(lang)
            said = f"{request.summary_shown} {request.model_shown}"
            said += f" {request.changes_html} {request.arguments_html}"
            for text in self.odoos(lang):
                with self.subTest(lang=lang, text=text):
                    self.assertIn(text, said)
            for other in self.readers.keys() - {lang}:
                for text in self.odoos(other) - self.odoos(lang):
                    with self.subTest(lang=lang, not_in=other, text=text):
                        self.assertNotIn(f"{text}<", said)
            self.assertEqual(request.display_name, request.summary_shown)

    def test_activities(self):
        for person in (self.people["approver"], self.second):
            activity = self.activities(self.waits).filtered(
                lambda activity, person=person: activity.user_id == person
            )
            self.assertEqual(activity.summary, self.read(person.lang).summary_shown)

    def test_the_tool_is_told_in_english(self):
        self.assertEqual(self.status(self.waits)["summary"], self.waits.summary_told)
        self.assertEqual(self.read("en_US").summary_shown, self.waits.summary_told)

    def test_somebody_else_reads_the_first_ones(self):
        self.env["res.lang"]._activate_lang("it_IT")
        request = self.waits.with_context(lang="it_IT")
        self.assertEqual(request.summary_shown, self.waits.summary)

    def test_shown_anew(self):
        """What is found once more is found for each."""
        self.acme.city = "Elsewhere"
        self.waits.with_user(self.second).action_approve()
        self.assertEqual((self.waits.state, self.waits.revision), ("pending", 2))
        self.test_each_reads_their_own()
        self.test_activities()

    def test_what_is_gone_still_has_its_name(self):
        """Of a deleted record, the names are those from before."""
        self.acme.country_id = self.env.ref("base.de")
        self.waits = self.waiting_delete()
        self.waits.with_user(self.second).action_approve()
        self.assertEqual(self.waits.state, "executed")
        for lang in self.readers:
            name = self.env.ref("base.de").with_context(lang=lang).name
            self.assertIn(name, self.read(lang).changes_html)

    def test_one_language(self):
        """Nothing is kept twice where everybody has the same."""
        for person in (self.people["approver"], self.second):
            person.lang = "en_US"
        waits = self.waiting("res.partner", "write", self.acme.ids, vals={"city": "X"})
        self.assertFalse(waits.in_languages)
        self.assertIn("City", waits.changes_html)
