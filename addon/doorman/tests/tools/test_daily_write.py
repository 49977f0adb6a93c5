import json

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ApprovalCase, WriteCase


@tagged("post_install", "-at_install")
class TestActivities(WriteCase):
    """schedule_activity: for whom, by when, and what it refuses."""

    def schedule(self, more=None, model="res.partner", ids=None, **kwargs):
        request = self.request(
            model, "activity_schedule", ids or self.acme.ids, more=more, **kwargs
        )
        return self.gateway.call(self.fence(), request)

    def test_done(self):
        other = self.people["user2"]
        value = self.schedule(
            activity_type="call", summary="Ring", note="<b>now</b>\nplease",
            date_deadline="2031-02-03", user=other.login,
        )["value"]  # fmt: skip
        activity = self.env["mail.activity"].browse(value["activity_id"])
        self.assertEqual(activity.res_id, self.acme.id)
        self.assertEqual(activity.activity_type_id.name, "Call")
        self.assertEqual((activity.user_id, activity.summary), (other, "Ring"))
        self.assertEqual(str(activity.date_deadline), "2031-02-03")
        self.assertIn("&lt;b&gt;now&lt;/b&gt;", activity.note)
        self.assertEqual(activity.create_uid, self.people["user"])
        self.assertFalse(activity.automated)
        for user in (other.name, str(other.id), other.id):
            value = self.schedule(user=user)["value"]
            activity = self.env["mail.activity"].browse(value["activity_id"])
            self.assertEqual(activity.user_id, other)
        value = self.schedule()["value"]
        activity = self.env["mail.activity"].browse(value["activity_id"])
        self.assertEqual(activity.user_id, self.people["user"])

    def test_for_a_colleague_of_one_of_the_companies(self):
        """The call works in two companies, the colleague in one of them."""
        other, second = (
            self.people["user2"],
            self.env["res.company"].create({"name": "Second"}),
        )
        self.people["user"].company_ids = [Command.link(second.id)]
        self.connection.company_ids = [Command.set((self.company | second).ids)]
        for company, code in (
            (self.company, None),
            (self.env["res.company"], None),
            (second, "user_may_not_read"),
        ):
            with self.subTest(company=company.name):
                self.acme.company_id = company
                answer = self.schedule(user=other.login)
                self.assertEqual(answer.get("error", {}).get("code"), code)

    def test_tried_out(self):
        before = self.env["mail.activity"].search_count([])
        value = self.schedule({"dry_run": True}, summary="x")["value"]
        [change] = value["changes"]
        self.assertEqual(change["after"]["summary"], "x")
        self.assertEqual(self.env["mail.activity"].search_count([]), before)

    def test_once(self):
        before = self.env["mail.activity"].search_count([])
        first = self.schedule({"idempotency_key": "k"})["value"]
        again = self.schedule({"idempotency_key": "k"})["value"]
        self.assertTrue(again["replayed"])
        self.assertEqual(again["activity_id"], first["activity_id"])
        self.assertEqual(self.env["mail.activity"].search_count([]), before + 1)

    def test_refused(self):
        twins = [
            self._person(f"twin{n}", ["base.group_user"], name="Twin") for n in "ab"
        ]
        portal = self.people["portal"]
        approvals = self.env.ref("doorman.mail_activity_approval")
        for ids, kwargs, kind, says in (
            (None, {"activity_type": "Cal"}, "invalid_input", "Call"),
            (None, {"activity_type": approvals.name}, "invalid_input", "no activity"),
            (None, {"activity_type": 7}, "invalid_input", "text"),
            (None, {"user": "nobody-here"}, "invalid_input", "no user"),
            (None, {"user": "%"}, "invalid_input", "no user"),
            (None, {"user": "_win"}, "invalid_input", "no user"),
            (None, {"user": "Twin"}, "invalid_input", twins[0].login),
            (None, {"user": portal.login}, "invalid_input", "no user"),
            (None, {"user": portal.id}, "invalid_input", "no user"),
            (None, {"user": 2**40}, "invalid_input", "no user"),
            (None, {"user": [1]}, "invalid_input", "text"),
            (None, {"date_deadline": "tomorrow"}, "invalid_input", "date"),
            (None, {"date_deadline": "2026-13-40"}, "invalid_input", "date"),
            (None, {"summary": "x" * 201}, "invalid_input", "summary"),
            (None, {"note": 7}, "invalid_input", "note"),
            (None, {"res_model": "res.users"}, "invalid_input", "res_model"),
            ([1, self.acme.id], {}, "invalid_input", "one record"),
            ([2**30], {}, "not_found", "no res.partner"),
        ):
            with self.subTest(kwargs=kwargs, ids=ids):
                error = self.schedule(ids=ids, **kwargs)["error"]
                self.assertEqual(error["kind"], kind)
                self.assertIn(says, error["message"] + error["hint"])

    def test_models_that_are_refused(self):
        for model, ids, kind in (
            ("res.users", [2], "not_allowed"),
            ("doorman.approval", [1], "not_allowed"),
            ("res.country", [1], "invalid_input"),
            ("ir.cron", [1], "not_allowed"),
        ):
            with self.subTest(model=model):
                error = self.schedule(model=model, ids=ids)["error"]
                self.assertEqual(error["kind"], kind)

    def test_a_limited_connection_does_not_search_people(self):
        self.allow_models("res.partner")
        other = self.people["user2"]
        self.assertEqual(
            self.schedule(user=other.login)["error"]["kind"], "not_allowed"
        )
        self.assertIn("value", self.schedule(user=other.id))
        self.assertIn("value", self.schedule(user=self.people["user"].login))

    def test_somebody_who_may_not_read_the_record(self):
        other = self.people["user2"]
        self.env["ir.rule"].create(
            {"name": "t", "model_id": self.env["ir.model"]._get_id("res.partner"),
             "domain_force": f"[(1, '=', 1)] if user.id != {other.id} else "
             f"[('id', '!=', {self.acme.id})]"}
        )  # fmt: skip
        with mute_logger("odoo.addons.base.models.ir_rule"):
            error = self.schedule(user=other.login)["error"]
        self.assertEqual(error["kind"], "invalid_input")

    def test_who_only_reads(self):
        self.connection.read_only = True
        self.assertEqual(self.schedule()["error"]["kind"], "read_only")
        self.connection.read_only = False
        tool = self.env["doorman.tool"].search([("name", "=", "create_records")])
        tool = tool or self.tool("create_records")
        self.connection.allowed_tool_ids = [Command.set(tool.ids)]
        self.assertEqual(self.schedule()["error"]["kind"], "not_allowed")


@tagged("post_install", "-at_install")
class TestActivitiesGated(ApprovalCase):
    def test_it_waits(self):
        tool = self.env["doorman.tool"].search([("name", "=", "schedule_activity")])
        self.tools["schedule_activity"] = tool or self.tool("schedule_activity")
        self.gate("schedule_activity")
        kwargs = {"summary": "Ring them"}
        kind = self.kind("res.partner", "activity_schedule", self.acme.ids, **kwargs)
        self.assertEqual(kind, "pending_approval")
        before = self.env["mail.activity"].search_count([("res_id", "=", self.acme.id)])
        approval = self.waiting(
            "res.partner", "activity_schedule", self.acme.ids, **kwargs
        )
        self.assertIn("Ring them", approval.summary)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        after = self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.acme.id)]
        )
        self.assertEqual(len(after), before + 1)
        self.assertEqual(after.create_uid, self.people["user"])

    def test_a_rule_for_activities_holds(self):
        model = self.env["ir.model"]._get_id("mail.activity")
        self.rule(model_id=model, risk=False)
        kind = self.kind("res.partner", "activity_schedule", self.acme.ids)
        self.assertEqual(kind, "pending_approval")

    def test_different_values_for_each_wait(self):
        self.gate("update_records")
        other = self.env["res.partner"].create({"name": "Other"})
        approval = self.waiting(
            "res.partner", "write", [self.acme.id, other.id],
            vals_each=[{"ref": "A"}, {"ref": "B"}],
        )  # fmt: skip
        self.assertEqual(approval.record_count, 2)
        self.by("approver", approval).action_approve()
        self.assertEqual((self.acme.ref, other.ref), ("A", "B"))

    def test_lines_of_each_are_counted(self):
        self.gate("delete_records")
        kid = self.env["res.partner"].create({"name": "Kid", "parent_id": self.acme.id})
        kind = self.kind(
            "res.partner", "write", self.acme.ids,
            vals_each=[{"child_ids": [[2, kid.id, 0]]}],
        )  # fmt: skip
        self.assertEqual(kind, "pending_approval")
        self.assertTrue(kid.exists())


@tagged("post_install", "-at_install")
class TestEach(WriteCase):
    """update_records with values of its own for each record."""

    def setUp(self):
        super().setUp()
        self.other = self.env["res.partner"].create({"name": "Other"})
        self.both = self.acme + self.other

    def each(self, *rows, **kwargs):
        return self.call("res.partner", "write", self.both.ids, vals_each=list(rows),
                         **kwargs)  # fmt: skip

    def test_each_gets_its_own(self):
        before = self.rows()
        value = self.each({"ref": "A"}, {"ref": "B", "comment": "x"})["value"]
        self.assertEqual(value["ids"], self.both.ids)
        self.assertEqual(self.both.mapped("ref"), ["A", "B"])
        self.assertEqual(len(self.new_rows(before)), 1)
        changes = self.each(
            {"ref": "C"}, {"city": "D"}, more={"dry_run": True}
        )["value"]["changes"]  # fmt: skip
        self.assertEqual(changes[0]["after"]["ref"], "C")
        self.assertEqual(changes[1]["after"]["city"], "D")
        self.assertEqual(self.both.mapped("ref"), ["A", "B"])

    def test_all_or_none(self):
        found = self.each({"ref": "A"}, {"parent_id": self.other.id})
        self.assertEqual(found["error"]["kind"], "business_rule")
        self.assertFalse(self.acme.ref)

    def test_refused(self):
        good = {"ref": "A"}
        for rows, kind in (
            ([good], "invalid_input"),
            ([good, good, good], "invalid_input"),
            ([good, {}], "invalid_input"),
            ([good, None], "invalid_input"),
            ([good, [1]], "invalid_input"),
            ([good, {"no_such": 1}], "unknown_field"),
            ([good, {"image_1920": "eA=="}], "not_allowed"),
            ([good, {"user_ids": [[0, 0, {"login": "x"}]]}], "not_allowed"),
            ([good, {"create_uid": 1}], "not_allowed"),
            ([good, {"bank_ids": [1]}], "invalid_input"),
            ([good, {"type": "kontact"}], "invalid_input"),
        ):
            with self.subTest(rows=rows):
                kind_ = self.kind("res.partner", "write", self.both.ids, vals_each=rows)
                self.assertEqual(kind_, kind)
                self.assertFalse(self.acme.ref)
        kind = self.kind("res.partner", "write", self.both.ids, vals=good,
                         vals_each=[good, good])  # fmt: skip
        self.assertEqual(kind, "invalid_input")

    def test_choices_are_told(self):
        error = self.each({"type": "invioce"}, {"ref": "A"})["error"]
        self.assertIn("Did you mean invoice", error["hint"])


@tagged("post_install", "-at_install")
class TestNearNames(WriteCase):
    def test_models_fields_methods(self):
        error = self.call("res.parnter", "search_count", domain=[])["error"]
        self.assertEqual(error["kind"], "unknown_model")
        self.assertIn("res.partner", error["hint"])
        error = self.call("doorman.conection", "search_count", domain=[])["error"]
        self.assertNotIn("Did you mean doorman", error["hint"])
        error = self.method(self.acme, "action_archiv")["error"]
        self.assertIn("action_archive", error["hint"])
        error = self.method(self.acme, "message_posst")["error"]
        self.assertNotIn("message_post?", error["hint"])
        error = self.call("res.partner", "read", [1], fields=["signup_tokn"])["error"]
        self.assertNotIn("signup_token", error["hint"])

    def test_a_language_that_is_none(self):
        found = self.call("res.partner", "search_count", domain=[],
                          context={"lang": "xx_YY"})  # fmt: skip
        self.assertEqual(found["error"]["kind"], "invalid_input")
        self.assertIn("en_US", found["error"]["hint"])


@tagged("post_install", "-at_install")
class TestRelated(WriteCase):
    """What a read tells of linked records and of files."""

    def test_names_of_linked_records(self):
        child = self.env["res.partner"].create(
            {"name": "Ann", "parent_id": self.acme.id}
        )
        fields = ["name", "child_ids", "category_id"]
        found = self.call("res.partner", "read", self.acme.ids, names=3, fields=fields)
        value = found["value"]
        self.assertEqual(value["rows"][0]["child_ids"], child.ids)
        self.assertIn("Ann", value["names"]["child_ids"][str(child.id)])
        rows = self.call("res.partner", "read", self.acme.ids, fields=["child_ids"])
        self.assertIsInstance(rows["value"], list)

    def test_names_that_are_not_told(self):
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "BE-hidden", "partner_id": self.acme.id}
        )
        self.allow_models("res.partner")
        value = self.call("res.partner", "read", self.acme.ids, names=3,
                          fields=["bank_ids"])["value"]  # fmt: skip
        self.assertEqual(value["rows"][0]["bank_ids"], bank.ids)
        self.assertEqual(value["names"], {})
        kind = self.kind("res.partner", "read", self.acme.ids, names=6,
                         fields=["bank_ids"])  # fmt: skip
        self.assertEqual(kind, "invalid_input")

    def test_names_of_hidden_records(self):
        child = self.env["res.partner"].create(
            {"name": "Hidden", "parent_id": self.acme.id}
        )
        self.env["ir.rule"].create(
            {"name": "t", "model_id": self.env["ir.model"]._get_id("res.partner"),
             "domain_force": f"[('id', '!=', {child.id})]"}
        )  # fmt: skip
        found = self.call("res.partner", "read", self.acme.ids, names=3,
                          fields=["child_ids"])  # fmt: skip
        self.assertNotIn("Hidden", json.dumps(found))

    def test_files_are_sizes(self):
        self.acme.image_1920 = (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
            "awAAAABJRU5ErkJggg=="
        )
        value = self.call(
            "res.partner", "read", self.acme.ids, fields=["image_1920", "avatar_128"]
        )["value"][0]
        for name in ("image_1920", "avatar_128"):
            self.assertLess(len(str(value[name])), 25, name)

    def test_models_tell_what_may_be_changed(self):
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]
        request = self.request(None, "models")
        rows = self.gateway.call(self.fence(), request)["value"]
        rows = {row["model"]: row for row in rows}
        self.assertTrue(rows["res.partner"]["write"])
        for name in ("res.users", "ir.ui.view", "ir.cron", "mail.message"):
            if name in rows:
                self.assertFalse(rows[name]["write"], name)
        self.assertFalse(rows["ir.attachment"]["create"])
        self.assertTrue(rows["ir.attachment"]["write"])
