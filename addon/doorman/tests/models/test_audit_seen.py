import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ...tools import seen_records
from ..common import ROLES, DoormanCase


@tagged("post_install", "-at_install")
class TestAuditSeen(DoormanCase):
    """Which records a call saw or changed, and who may find or erase that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.audit = cls.env["doorman.audit"]
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Seen {n}", "phone": f"+1 555 010{n}"} for n in range(3)]
        )
        cls.reader = cls.audit.with_user(cls.people["auditor"])

    def _last(self):
        return self.audit.search([], limit=1, order="id desc")

    def _found(self, record, audit=None):
        domain = [("seen_text", "=", f"{record._name},{record.id}")]
        return (self.reader if audit is None else audit).search(domain)

    def test_a_search_leaves_what_it_gave(self):
        first, second, third = self.partners
        domain = [("id", "in", (first | second).ids)]
        self.call("res.partner", "search_read", domain=domain, fields=["name"])
        row = self._last()
        names = [f"res.partner,{one.id}" for one in first | second]
        self.assertEqual(sorted(row.seen_text.split("  ")), sorted(names))
        self.assertFalse(row.seen_cut)
        self.assertIn(row.id, self._found(first).ids)
        self.assertFalse(self._found(third))

    def test_what_a_change_named(self):
        self.allow_writes()
        # The mixin's call with ids of its own.
        request = {
            "model": "res.partner",
            "method": "write",
            "ids": self.partners[0].ids,
            "kwargs": {"vals": {"phone": "1"}},
        }
        seen, cut = seen_records.of(request, {"ids": self.partners[0].ids})
        self.assertEqual(seen, [f"res.partner,{self.partners[0].id}"])
        self.assertFalse(cut)

    def test_each_form_of_an_answer(self):
        of = seen_records.of
        search = {"model": "a.b", "method": "search_read"}
        everywhere = {"method": "search_everywhere"}
        many = [{"id": n} for n in range(1, 1_200)]
        for request, answer, seen, cut in (
            (search, [{"id": 1}, {"id": 2}, {"id": 1}], ["a.b,1", "a.b,2"], True),
            (search, {"rows": [{"id": 1}]}, ["a.b,1"], False),
            (search, {"rows": []}, [], False),
            (search, many, [f"a.b,{n}" for n in range(1, 1_001)], True),
            (
                search,
                {"rows": [], "nearest": [{"model": "c", "records": [{"id": 3}]}]},
                ["c,3"],
                False,
            ),
            (
                everywhere,
                {"found": [{"model": "x", "records": [{"id": 1}, {"id": 2}]}]},
                ["x,1", "x,2"],
                False,
            ),
            (
                {"method": "write", "model": "a.b", "ids": [4]},
                {"ids": [4], "changed": [{"model": "c", "ids": [5]}]},
                ["a.b,4", "c,5"],
                False,
            ),
            (
                {"method": "formatted_read_group", "model": "a.b"},
                [{"x": 1}],
                [],
                True,
            ),
        ):
            with self.subTest(answer=str(answer)[:60]):
                self.assertEqual(of(request, answer), (seen, cut))

    def test_a_file_tells_what_it_holds(self):
        answer = {"file": {"rows": 2}, "content": b"", "file_of": [7, 8]}
        request = {"model": "a.b", "method": "export_records"}
        self.assertEqual(seen_records.of(request, answer), (["a.b,7", "a.b,8"], False))
        self.assertNotIn("file_of", answer)

    def test_odd_texts_find_nothing(self):
        for text in ("", "res.partner", "7", "res.partner,0", "res.partner,x", "'; --"):
            with self.subTest(text=text):
                found = self.reader.search([("seen_text", "=", text)])
                self.assertFalse(found)

    def test_other_companies_rows_are_not_found(self):
        other = self.env["res.company"].create({"name": "Other"})
        for company in (self.company, other):
            self.audit._insert(
                {
                    "outcome": "ok",
                    "count": 1,
                    "company_id": company.id,
                    "seen": ["res.partner,1"],
                }
            )
        found = self._found(self.env["res.partner"].browse(1))
        self.assertEqual(found.company_id, self.company)

    def test_who_may_find(self):
        model = self.env["ir.model"]._get_id("res.partner")
        for role in (*ROLES, "service"):
            person = self.people.get(role, self.service)
            with self.subTest(role=role):
                wizard = self.env["doorman.record.history"].with_user(person)

                def show(wizard=wizard):
                    made = wizard.create({"model_id": model, "res_id": 1})
                    return made.action_show()

                expected = "allow" if role in ("auditor", "admin") else "deny"
                self.assertEqual(self.outcome(show), expected)

    def test_who_may_erase(self):
        for role in (*ROLES, "service"):
            person = self.people.get(role, self.service)
            with self.subTest(role=role):
                audit = self.audit.with_user(person)
                found = self.outcome(lambda a=audit: a.api_erase("res.partner", 1))
                self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_erasing(self):
        partner = self.partners[0]
        approval = self.approval(
            state="executed", summary="Call Anna", preview={"x": "Anna"}, result="Anna"
        )
        waits = self.approval(summary="Call Bert")
        for number, (record, request) in enumerate(
            ((partner, approval), (partner, waits), (self.partners[1], None))
        ):
            self.audit._insert(
                {
                    "outcome": "ok",
                    "count": 1,
                    "company_id": self.company.id,
                    "tool": "update_records",
                    "request_id": f"erase-{number}",
                    "message": "Anna",
                    "words": {"a": "Anna"},
                    "request_payload": "Anna",
                    "response_payload": "Anna",
                    "approval_id": request and request.id,
                    "seen": [f"res.partner,{record.id}"],
                }
            )
        self.audit._extend_chain(100_000)
        before = self.reader.api_export(0, 5_000)
        admin = self.audit.with_user(self.people["admin"])
        found = admin.api_erase("res.partner", partner.id)
        self.assertEqual(found, {"rows": 2, "approvals": 1, "changes": 0})
        self.env.invalidate_all()
        kept = self.audit.search([("request_id", "=like", "erase-%")], order="id")
        self.assertEqual(kept.mapped("message"), [False, False, "Anna"])
        self.assertEqual(kept.mapped("request_payload"), [False, False, "Anna"])
        self.assertEqual(kept.mapped("response_payload"), [False, False, "Anna"])
        self.assertEqual(kept.mapped("tool"), ["update_records"] * 3)
        self.assertEqual((approval.summary, waits.summary), ("(erased)", "Call Bert"))
        self.assertNotIn("Anna", json.dumps(approval.read(), default=str))
        # All that was chained is still what was exported.
        after = self.reader.api_export(0, 5_000)
        self.assertEqual(after["lines"], before["lines"])
        self.assertIsNone(self.reader.api_verify()["problem"])
        self.assertEqual(self._last().method, "audit/erase")
        self.assertEqual(self._last().user_id, self.people["admin"])

    def test_erasing_a_user(self):
        self.call("res.partner", "search_count", domain=[])
        self.audit._extend_chain(100_000)
        admin = self.audit.with_user(self.people["admin"])
        found = admin.api_erase("res.users", self.people["user"].id)
        self.assertGreaterEqual(found["rows"], 1)
        for arguments in (("no.model", 1), ("res.partner", 0), ("res.partner", "1")):
            with self.subTest(arguments), self.assertRaises(ValidationError):
                admin.api_erase(*arguments)

    def test_who_shortens_retention_is_told_to_all(self):
        settings = self.settings.with_user(self.people["admin"])
        for days, told in ((400, False), (60, True), (60, False), (90, False)):
            with self.subTest(days=days):
                before = self.settings.message_ids
                settings.audit_retention_days = days
                self.env.flush_all()
                new = (self.settings.message_ids - before).filtered(
                    lambda m: "shortened" in (m.body or "")
                )
                self.assertEqual(bool(new), told)
                if told:
                    notice = self.env["doorman.notice"].search([])[-1:]
                    self.assertEqual(notice.kind, "changed")
                    self.assertIn(self.people["auditor"], notice._people())
                    self.assertNotIn(self.people["admin"], notice._people())
