from odoo.tests import tagged
from odoo.tools import mute_logger

from ...gateway import files
from ..common import ApprovalCase, WriteCase
from .test_files import ACLS, FileMixin


class CardMixin(FileMixin):
    """A report of contacts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        view = cls.env["ir.ui.view"].create(
            {
                "name": "Card",
                "type": "qweb",
                "key": "doorman.test_card",
                "arch": "<t t-name='doorman.test_card'>"
                "<t t-foreach='docs' t-as='d'>Card of <t t-esc='d.name'/></t></t>",
            }
        )
        cls.env["ir.model.data"].create(
            {
                "module": "doorman",
                "name": "test_card",
                "model": "ir.ui.view",
                "res_id": view.id,
            }
        )
        cls.env["ir.actions.report"].search([("model", "=", "res.partner")]).unlink()
        cls.report = cls.env["ir.actions.report"].create(
            {
                "name": "Card",
                "model": "res.partner",
                "report_type": "qweb-text",
                "report_name": "doorman.test_card",
            }
        )

    def print(self, **kwargs):
        return self.call("res.partner", "get_report", self.acme.ids, **kwargs)


@tagged("post_install", "-at_install")
class TestReportsWait(CardMixin, ApprovalCase):
    def test_a_report_can_show_what_is_not_read_without_approval(self):
        self.rule(reads=True, model_id=self.env["ir.model"]._get_id("res.country"))
        answer = self.print()
        self.assertIn("pending", answer)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)

    def test_a_rule_for_changes_is_none_for_reports(self):
        self.rule(model_id=self.env["ir.model"]._get_id("res.country"))
        self.assertIn("value", self.print())


@tagged("post_install", "-at_install")
class TestReports(CardMixin, WriteCase):
    """get_report: what Odoo prints."""

    def test_print(self):
        names = ({}, {"report": "card"}, {"report": "doorman.test_card"})
        for kwargs in (*names, {"report": self.report.id}, {"report": ""}):
            with self.subTest(kwargs=kwargs):
                value = self.print(**kwargs)["value"]
                self.assertEqual(value["file"]["name"], "Card Acme.txt")
                self.assertNotIn("content", value)
                self.assertIn(b"Card of Acme", self.taken(self.link({"value": value})))

    def test_it_shows_what_was_printed(self):
        token = self.link(self.print())
        self.acme.name = "Later"
        self.assertIn(b"Card of Acme", self.taken(token))

    def test_printing_writes_nothing(self):
        def render(_self, _report, ids):
            self.acme.with_user(self.people["user"]).comment = "written"
            return b"x", "text"

        self.patch(type(self.env["ir.actions.report"]), "_render", render)
        self.assertEqual(self.print()["value"]["file"]["size"], 1)
        self.env.invalidate_all()
        self.assertFalse(self.acme.comment)

    def test_which_one(self):
        self.report.copy({"name": "Badge"})
        said = self.print()["error"]
        self.assertEqual(said["kind"], "invalid_input")
        self.assertIn("Badge", said["hint"])
        said = self.print(report="Crad")["error"]
        self.assertIn("Card", said["hint"])

    @mute_logger(*ACLS)
    def test_refused(self):
        group = self.env["res.groups"].create({"name": "Printers"})
        other = self.env["ir.actions.report"].search(
            [("model", "!=", "res.partner")], limit=1
        )
        for kwargs in (
            {"report": other.report_name},
            {"report": other.id},
            {"report": True},
            {"report": ["Card"]},
            {"report": "x" * 300},
            {"other": 1},
        ):
            with self.subTest(kwargs=kwargs):
                self.assertEqual(self.print(**kwargs)["error"]["kind"], "invalid_input")
        self.report.group_ids = group
        self.assertEqual(self.print()["error"]["kind"], "invalid_input")
        self.report.group_ids = False
        for ids in ([], [self.acme.id] * 2, list(range(1, 60)), [2**31 - 1]):
            with self.subTest(ids=ids):
                self.assertIn(
                    self.kind("res.partner", "get_report", ids),
                    ("invalid_input", "not_found"),
                )
        # A printed report can contain any field of other models.
        self.allow_models("res.partner")
        self.assertEqual(self.print()["error"]["kind"], "not_allowed")
        self.allow_models("res.partner", "ir.actions.report")
        self.assertIn("value", self.print())

    def test_without_the_program_that_makes_pdf(self):
        self.report.report_type = "qweb-pdf"
        reports = type(self.env["ir.actions.report"])
        self.patch(reports, "get_wkhtmltopdf_state", lambda *_a: "install")
        said = self.print()["error"]
        self.assertEqual(said["kind"], "needs_module")
        self.assertIn("wkhtmltopdf", said["hint"])

    @mute_logger(*ACLS)
    def test_rights_that_went_after_it_was_printed(self):
        def hide():
            self.env["ir.rule"].create(
                {
                    "name": "none",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "domain_force": "[(0, '=', 1)]",
                }
            )

        def limit():
            self.report.group_ids = self.env["res.groups"].create({"name": "Printers"})

        ends = {
            "forbidden": hide,
            "invalid_input": limit,
            "not_found": lambda: self.acme.unlink(),
        }
        for kind, end in ends.items():
            with self.subTest(kind=kind), self.env.cr.savepoint() as savepoint:
                token = self.link(self.print())
                end()
                self.env.flush_all()
                self.assertEqual(self.taken(token), kind)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()

    def test_too_much_is_kept(self):
        self.patch(files, "MAX_KEPT_BYTES", 10)
        token = self.link(self.print())
        self.assertEqual(self.print()["error"]["kind"], "rate_limited")
        self.taken(token)
        self.assertEqual(self.print()["value"]["file"]["name"], "Card Acme.txt")
