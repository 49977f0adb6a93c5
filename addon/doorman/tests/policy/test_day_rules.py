from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.policy import gate

from ..common import ApprovalCase
from .test_approval_pure import approval, changes

DAY = {"more_than": 4, "per_day": True}
OF_TOOL = {"tool": "b", "model": "m"}


@tagged("post_install", "-at_install")
class TestDayRules(ApprovalCase):
    """More than so many records a day: to split a job does not get past it."""

    def setUp(self):
        super().setUp()
        self.gate()
        names = [{"name": f"Day {n}"} for n in range(12)]
        self.many = self.env["res.partner"].create(names)
        self.day_rule()

    def day_rule(self, **vals):
        model = self.env["ir.model"]._get("res.partner")
        vals = {"model_id": model.id, "more_than": 4, "per_day": True} | vals
        self.connection.approval_rule_ids = [Command.clear(), Command.create(vals)]

    def change(self, records, **vals):
        return self.kind_of(self.write(records, vals or {"ref": "x"}))

    def hours_pass(self, hours):
        self.env.cr.execute(
            "UPDATE doorman_day_record SET at = at - make_interval(hours => %s)",
            [hours],
        )

    # ---- what waits ----

    def test_a_job_in_parts(self):
        for some in (self.many[:2], self.many[2:4]):
            self.assertEqual(self.change(some), "ok")
        self.assertEqual(self.change(self.many[4]), "pending_approval")
        self.assertFalse(self.many[4].ref)
        # And every one after it.
        self.assertEqual(self.change(self.many[5]), "pending_approval")

    def test_at_once(self):
        self.assertEqual(self.change(self.many[:5]), "pending_approval")
        self.assertEqual(self.change(self.many[:4]), "ok")

    def test_by_several_tools(self):
        self.assertEqual(self.change(self.many[:2]), "ok")
        self.assertEqual(self.kind_of(self.create({"name": "New"})), "ok")
        self.assertEqual(
            self.kind_of(self.call("res.partner", "unlink", self.many[5].ids)), "ok"
        )
        self.assertEqual(self.change(self.many[6]), "pending_approval")

    def test_lines_of_another_record(self):
        self.assertEqual(self.change(self.many[:3]), "ok")
        lines = [[0, 0, {"name": f"Child {n}"}] for n in range(2)]
        answer = self.write(self.many[0], {"child_ids": lines})
        self.assertEqual(self.kind_of(answer), "pending_approval")

    def test_until_the_day_is_over(self):
        self.assertEqual(self.change(self.many[:4]), "ok")
        self.hours_pass(23)
        self.assertEqual(self.change(self.many[4]), "pending_approval")
        self.hours_pass(1)
        self.assertEqual(self.change(self.many[4:8]), "ok")

    def test_midnight_is_none_of_its_business(self):
        self.assertEqual(self.change(self.many[:4]), "ok")
        self.hours_pass(12)
        self.assertEqual(self.change(self.many[4]), "pending_approval")

    # ---- what passes ----

    def test_the_same_records_again(self):
        for ref in "abc":
            self.assertEqual(self.change(self.many[:4], ref=ref), "ok")

    def test_what_is_undone_is_not_counted(self):
        answer = self.write(self.many[:4], {"ref": "x"}, more={"dry_run": True})
        self.assertEqual(self.kind_of(answer), "ok")
        self.assertEqual(self.change(self.many[:5]), "pending_approval")
        self.assertEqual(
            self.kind_of(self.write(self.many[:4], {"no": 1})), "unknown_field"
        )
        self.assertEqual(self.change(self.many[4:8]), "ok")

    def test_what_a_person_approved_is_not_counted(self):
        waiting = self.waiting(
            "res.partner", "write", self.many[:6].ids, vals={"ref": "x"}
        )
        self.by("approver", waiting).action_approve()
        self.assertEqual(waiting.state, "executed")
        self.assertEqual(self.change(self.many[6:10]), "ok")

    def test_another_model(self):
        tags = [{"name": f"T{n}"} for n in range(6)]
        answer = self.create(*tags, model="res.partner.category")
        self.assertEqual(self.kind_of(answer), "ok")
        self.assertEqual(self.change(self.many[:4]), "ok")

    def test_another_tool(self):
        self.day_rule(tool_id=self.tools["delete_records"].id, model_id=False)
        self.assertEqual(self.change(self.many[:6]), "ok")
        gone = self.call("res.partner", "unlink", self.many[:4].ids)
        self.assertEqual(self.kind_of(gone), "ok")
        gone = self.call("res.partner", "unlink", self.many[4].ids)
        self.assertEqual(self.kind_of(gone), "pending_approval")

    def test_another_connection(self):
        self.assertEqual(self.change(self.many[:4]), "ok")
        self.env.cr.execute("UPDATE doorman_day_record SET connection_id = 0")
        self.assertEqual(self.change(self.many[4:8]), "ok")

    # ---- the rule ----

    def test_a_connection_without_such_a_rule_keeps_nothing(self):
        self.day_rule(per_day=False, more_than=9)
        self.assertEqual(self.change(self.many[:4]), "ok")
        self.env.cr.execute("SELECT count(*) FROM doorman_day_record")
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_what_is_over_is_thrown_away(self):
        self.change(self.many[:4])
        self.hours_pass(24)
        self.assertEqual(self.env["doorman.day"]._purge(), 4)

    def test_deny_rules(self):
        for vals in ({"more_than": 0}, {"reads": True}, {"more_than": -1}):
            with self.subTest(vals=vals), self.assertRaises(ValidationError):
                self.day_rule(**vals)

    def test_what_it_is_called(self):
        rule = self.connection.approval_rule_ids
        self.assertEqual(rule.display_name, "Contact, records a day: more than 4")
        copied = rule.create(rule._copied() | {"connection_id": self.connection.id})
        self.assertEqual(copied.display_name, rule.display_name)

    def test_the_rule_itself(self):
        for rule, earlier, count, waits in (
            (DAY, 0, 4, False),
            (DAY, 0, 5, True),
            (DAY, 4, 0, False),
            (DAY, 4, 1, True),
            (DAY, 3, 1, False),
            (DAY | {"model": "n"}, 9, 3, False),
            (DAY | {"model": "m"}, 4, 1, True),
            (DAY | {"tool": "b"}, 9, 9, False),
            (DAY | {"tool": "a"}, 4, 1, True),
            (DAY | {"risk": "high"}, 9, 9, False),
            (OF_TOOL, 0, 3, False),
            (OF_TOOL | {"tool": "a"}, 0, 3, True),
        ):
            with self.subTest(rule=rule, earlier=earlier, count=count):
                found = gate.change_waits(
                    approval(rule),
                    {"a": "low"},
                    changes(m=count),
                    earlier=lambda _rule, _touched, n=earlier: n,
                )
                self.assertIs(found, waits)
        self.assertTrue(gate.always_waits(approval({"tool": "a"}), "a", "low"))
        self.assertFalse(gate.always_waits(approval({"tool": "b"}), "a", "high"))
        reads = approval({"tool": "b", "reads": True})
        self.assertFalse(gate.read_waits(reads, "a", "low", {""}, 1))
        self.assertTrue(gate.read_waits(reads, "b", "low", {""}, 1))
