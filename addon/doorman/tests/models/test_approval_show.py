import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.doorman.models.approval.ask import MAX_ASKED
from odoo.addons.doorman.tools.preview import change_of
from odoo.addons.doorman.tools.words import words_for

from ..common import ApprovalCase

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"


@tagged("post_install", "-at_install")
class TestShown(ApprovalCase):
    def setUp(self):
        super().setUp()
        self.gate(*self.tools)

    def _summary(self, model, method, ids=None, /, **kwargs):
        request = self.request(model, method, ids)
        request["kwargs"] = kwargs
        answer = self.put_before(request)
        self.assertIn("pending", answer)
        ident = answer["pending"]["request_id"]
        return self.env["doorman.approval"].browse(ident)

    def test_counted(self):
        """Numbers of records as an English sentence has them, and as others do."""
        for label, said in (
            ("Contact", "2 contacts: A, B"),
            ("Sales Order", "2 sales orders: A, B"),
            ("Journal Entry", "2 journal entries: A, B"),
            ("Delay", "2 delays: A, B"),
            ("Tax", "2 taxes: A, B"),
            ("POS Order", "2 POS orders: A, B"),
            ("Time Off", "2 records of Time Off: A, B"),
            ("Equipment", "2 records of Equipment: A, B"),
            ("Products", "2 records of Products: A, B"),
            ("Kontakte für alle", "2 records of Kontakte für alle: A, B"),
        ):
            with self.subTest(label=label):
                self.assertEqual(words_for(self.env, label, ["A", "B"], 2).what, said)
        self.env["res.lang"]._activate_lang("de_DE")
        german = self.env(context={"lang": "de_DE"})
        self.assertEqual(words_for(german, "Kontakt", ["A"], 1).what, "Kontakt: A")

    def test_summaries(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{number}"} for number in range(5)]
        )
        ids, one = partners.ids, self.acme.ids
        rows = (
            ("Permanently delete contact Acme", "unlink", one, {}),
            (
                "Permanently delete 5 contacts: P0, P1, P2 and 2 more",
                *("unlink", ids, {}),
            ),
            (
                "Change reference on contact Acme",
                *("write", one, {"vals": {"ref": "1"}}),
            ),
            (
                "Create 2 contacts: A, B",
                *("create", None, {"vals_list": [{"name": "A"}, {"name": "B"}]}),
            ),
            (
                "“Archive” (action_archive): contact Acme",
                *("call_method", one, {"method": "action_archive", "kwargs": {}}),
            ),
            ("Note on contact Acme: “hi”", "message_post", one, {"body": "hi"}),
            (
                "Post and email to the followers of contact Acme: “hi”",
                *("message_post", one, {"body": "hi", "kind": "comment"}),
            ),
        )
        for expected, method, records, kwargs in rows:
            with self.subTest(method=method, expected=expected):
                approval = self._summary("res.partner", method, records, **kwargs)
                self.assertEqual(approval.summary, expected)

    def test_before_and_after(self):
        country = self.env.ref("base.be")
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"country_id": country.id, "ref": "7", "comment": "<b>bold</b>"},
        )
        rows = {
            r["label"]: (r["before"], r["after"])
            for r in approval.preview["changes"][0]["rows"]
        }
        self.assertEqual(rows["Country"], ("", "Belgium"))
        self.assertEqual(rows["Reference"], ("", "7"))
        self.assertEqual(rows["Notes"], ("", "*bold*"))

    def test_lines_are_readable(self):
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"child_ids": [[0, 0, {"name": "Ann", "function": "Boss"}]]},
        )
        (row,) = approval.preview["arguments"]
        self.assertEqual(row["rows"][0]["label"], "New")
        texts = {r["label"]: r["text"] for r in row["rows"][0]["rows"]}
        self.assertEqual(texts, {"Name": "Ann", "Job Position": "Boss"})
        self.assertIn("Boss", approval.arguments_html)

    def test_text_of_others_is_text(self):
        self.acme.name = self.connection.name = EVIL
        self.env.flush_all()
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"ref": EVIL, "child_ids": [[0, 0, {"name": EVIL}]]},
        )
        note = self.activities(approval).note
        for name in ("changes_html", "arguments_html", "summary"):
            with self.subTest(field=name):
                self.assertNotIn("\u202e", approval[name])
        for html in (approval.changes_html, approval.arguments_html, note):
            self.assertNotIn("<script", html)
            self.assertNotIn("<img", html)
            self.assertIn("&lt;script", html)
        self.assertLess(len(approval.summary), 400)

    def test_what_hangs_on_a_record(self):
        """Deleted by way of the record: shown by name, warned of, and looked at again
        if it has changed."""
        kid = self.env["res.partner"].create({"name": "Kid", "parent_id": self.acme.id})
        self.env.flush_all()
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"child_ids": [[2, kid.id, 0]]},
        )
        mine = self.by("approver", approval)
        self.assertEqual(approval.risk, "high")
        self.assertEqual(approval.record_count, 2)
        self.assertIn("also deletes", mine.warnings_html)
        self.assertIn("Kid", mine.arguments_html)
        kid.name = "Somebody else"
        self.env.flush_all()
        mine.action_approve()
        self.assertEqual(approval.state, "pending")
        self.assertTrue(kid.exists())
        mine.action_approve()
        self.assertFalse(kid.exists())

    def test_what_hangs_on_a_record_and_changes(self):
        kid = self.env["res.partner"].create({"name": "Kid", "parent_id": self.acme.id})
        self.env.flush_all()
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"child_ids": [[1, kid.id, {"ref": "9"}]]},
        )
        self.assertIn("Kid", approval.changes_html)
        self.assertIn("Kid", approval.arguments_html)

    def test_a_method_of_no_record_is_no_reading(self):
        approval = self._summary(
            *("res.partner.bank", "call_method"),
            method="retrieve_acc_type",
            kwargs={"acc_number": "1"},
        )
        self.assertNotIn("only reads", approval.changes_html)
        self.assertIn("only known after it has run", approval.changes_html)

    def test_nobody_speaks_in_a_chatter_for_another(self):
        approval = self._summary("res.partner", "unlink", self.acme.ids)
        boss = self.people["admin"].partner_id
        words = {"body": "All checked, approve", "subject": "s"}
        for role in ("internal", "user", "approver"):
            me = self.people[role]
            mine = self.by(role, approval)
            composer = self.env["mail.compose.message"].with_user(me)
            vals = {
                "model": "doorman.approval",
                "res_ids": str(approval.ids),
                "composition_mode": "mass_mail",
                "author_id": boss.id,
                "email_from": '"The Boss" <boss@example.com>',
                "auto_delete": False,
                "auto_delete_keep_log": True,
                "partner_ids": me.partner_id.ids,
            }
            sms = "sms.composer" in self.env and self.env["sms.composer"].with_user(me)
            for name, run in {
                "sms": lambda c=sms, i=approval.id: (
                    c
                    and c.create(
                        {
                            "res_model": "doorman.approval",
                            "res_ids": str([i]),
                            "composition_mode": "mass",
                            "mass_keep_log": True,
                            "body": "All checked, approve",
                        }
                    ).action_send_sms()
                ),
                "compose": lambda c=composer, v=vals: c.create(
                    v | words
                ).action_send_mail(),
                "post": lambda m=mine: m.message_post(author_id=boss.id, **words),
            }.items():
                with self.subTest(role=role, way=name):
                    self.outcome(run, UserError)
                    self.env.invalidate_all()
                    said = approval.message_ids.mapped("body")
                    self.assertNotIn("All checked", " ".join(map(str, said)))
            if role == "internal":
                notify = lambda m=mine, w=words: m.message_notify(  # noqa: E731
                    partner_ids=boss.ids, **w
                )
                self.assertEqual(self.outcome(notify), "deny")

    def test_names_and_forms_are_shown_as_what_they_stand_for(self):
        tag = self.env["res.partner.category"].create({"name": "Gold"})
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={
                "country_id": "belgium",
                "category_id": ["gold"],
                "type": "Delivery",
                "child_ids": [{"name": "Ann", "country_id": "Belgium"}],
            },
        )
        told = {row["label"]: row for row in approval.preview["arguments"]}
        self.assertEqual(told["Country"]["text"], "Belgium")
        self.assertEqual(told["Tags"]["rows"][0]["text"], tag.name)
        self.assertEqual(told["Address Type"]["text"], "Delivery")
        line = {row["label"]: row["text"] for row in told["Contact"]["rows"][0]["rows"]}
        self.assertEqual(line, {"Name": "Ann", "Country": "Belgium"})

    def test_what_is_malformed_is_refused_in_words(self):
        for vals in (
            {"no_such_field": 1},
            {"child_ids": [[9, 1, 0]]},
            {"child_ids": [["x"]]},
            {"child_ids": [[0, 0, 5]]},
            {"child_ids": 5},
            {"country_id": "Belgum"},
        ):
            with self.subTest(vals=vals):
                request = self.request("res.partner", "write", self.acme.ids)
                request["kwargs"] = {"vals": vals}
                answer = self.put_before(request)
                self.assertIn(
                    answer["error"]["kind"], ("invalid_input", "unknown_field")
                )
                self.assertNotIn("object", answer["error"]["message"].split(".")[0])

    def test_letters_that_are_not_seen_are_spelt_out(self):
        approval = self._summary(
            *("res.partner", "write", self.acme.ids), vals={"ref": "a\u202eb"}
        )
        self.assertIn("\\u202e", approval.payload_text)
        self.assertNotIn("\u202e", approval.payload_text)

    def test_an_approver_group_in_use_is_kept(self):
        group = self.env["res.groups"].create({"name": "Four eyes"})
        group.user_ids = [Command.set(self.people["internal"].ids)]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        self.env.flush_all()
        with self.assertRaisesRegex(UserError, "Four eyes decides"):
            group.unlink()
        # Nor is it by what does not ask.
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.env.cr.execute("DELETE FROM res_groups WHERE id = %s", [group.id])
        self.assertEqual(self.connection.approver_group_id, group)

    def test_all_that_was_asked_for_is_shown(self):
        """However many fields that is."""
        rows = change_of(1, "Acme", None, dict.fromkeys(range(60), "x"), range(50))
        self.assertEqual(len(rows["after"]), 50)
        self.assertEqual(rows["more_fields"], 10)

    def test_long_values_say_that_they_go_on(self):
        self.acme.comment = "x" * 2000 + "a"
        self.env.flush_all()
        approval = self._summary(
            *("res.partner", "write", self.acme.ids),
            vals={"comment": "x" * 2000 + "b"},
        )
        (row,) = approval.preview["changes"][0]["rows"]
        self.assertIn("(2001)", row["before"])
        self.assertTrue(row["before"].endswith("xxxa (2001)"), row["before"])
        self.assertTrue(row["after"].endswith("xxxb (2001)"), row["after"])
        self.assertIn("x" * 2000 + "b", approval.payload_text)

    def test_warnings(self):
        many = self.env["res.partner"].create([{"name": "p"} for _n in range(10)])
        approval = self._summary("res.partner", "unlink", many.ids)
        mine = self.by("approver", approval)
        self.assertIn("cannot be restored", mine.warnings_html)
        self.assertIn("This affects 10 records", mine.warnings_html)
        self.assertNotIn("have changed since", mine.warnings_html)
        many[0].ref = "x"
        self.env.flush_all()
        mine.invalidate_recordset()
        self.assertIn("have changed since", mine.warnings_html)
        self.connection.action_revoke()
        mine.invalidate_recordset()
        self.assertNotIn("have changed since", mine.warnings_html)

    def test_the_same_was_done_before(self):
        new = {"vals_list": [{"name": "Ann"}]}
        first = self._summary("res.partner", "create", **new)
        self.by("approver", first).action_approve()
        second = self._summary("res.partner", "create", **new)
        self.assertIn(
            "approved and carried out", self.by("approver", second).warnings_html
        )

    def test_in_the_words_of_the_approver(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.people["approver"].lang = "fr_FR"
        self.env.ref("base.model_res_partner").with_context(lang="fr_FR").name = "Ami"
        approval = self._summary("res.partner", "unlink", self.acme.ids)
        self.assertIn("Ami", approval.summary + (approval.model_label or ""))

    def test_who_sees_one(self):
        approval = self._summary("res.partner", "unlink", self.acme.ids)
        for role, seen in (
            ("user", True),
            ("approver", True),
            ("admin", True),
            ("user2", False),
            ("internal", False),
            ("portal", False),
        ):
            with self.subTest(role=role):
                run = lambda r=role: self.by(r, approval).read(["changes_html"])  # noqa: E731
                self.assertEqual(self.outcome(run), "allow" if seen else "deny")

    def test_waiting_for_me(self):
        approval = self._summary("res.partner", "unlink", self.acme.ids)
        for role, found in (("approver", approval), ("user", approval.browse())):
            with self.subTest(role=role):
                requests = self.env["doorman.approval"].with_user(self.people[role])
                mine = requests.search([("waits_for_me", "=", True)])
                self.assertEqual(mine, found)


@tagged("post_install", "-at_install")
class TestActivity(ApprovalCase):
    def test_for_whom(self):
        approval = self.waiting_delete()
        activity = self.activities(approval)
        self.assertEqual(activity.user_id, self.people["approver"])
        self.assertEqual(activity.activity_type_id.name, "MCP approval")
        self.assertIn("Acme", activity.summary)

    def test_none_named(self):
        self.connection.approver_id = False
        self.people["user"].group_ids = [
            (4, self.env.ref("doorman.group_admin").id),
        ]
        asked = self.activities(self.waiting_delete()).user_id
        self.assertIn(self.people["admin"], asked)
        self.assertNotIn(self.people["user"], asked)
        self.assertFalse(asked - self.env.ref("doorman.group_admin").all_user_ids)

    def test_it_is_told_by_mail(self):
        before = self.env["mail.message"].search([], limit=1)
        approval = self.waiting_delete()
        self.run_job("send_notices")
        told = self.env["mail.message"].search([("id", ">", before.id)])
        told = told.filtered(lambda m: m.model == "doorman.approval")
        self.assertIn(self.people["approver"].partner_id, told.partner_ids)
        self.assertEqual(approval.state, "pending")

    def test_without_an_address_of_anybody(self):
        """The request waits all the same, and the activity is there."""
        people = self.people["approver"] | self.people["user"] | self.service
        people.partner_id.email = False
        self.env["res.company"].search([]).partner_id.email = False
        approval = self.waiting_delete()
        self.assertEqual(self.activities(approval).user_id, self.people["approver"])
        self.run_job("send_notices")
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")

    def test_a_group_of_many(self):
        group = self.env["res.groups"].create({"name": "Many"})
        group.user_ids = [
            Command.link(self._person(f"many{n}", ["base.group_user"]).id)
            for n in range(MAX_ASKED + 2)
        ]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        approval = self.waiting_delete()
        self.assertEqual(len(self.activities(approval)), MAX_ASKED)
        asked = self.activities(approval).user_id
        last = (group.all_user_ids - asked)[0]
        approval.with_user(last).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertFalse(self.activities(approval))

    def test_done_is_not_decided(self):
        approval = self.waiting_delete()
        activity = self.activities(approval)
        ways = {
            "done": lambda a: a.action_done(),
            "feedback": lambda a: a.action_feedback("ok"),
            "next": lambda a: a.action_feedback_schedule_next("ok"),
            "drop": lambda a: a.unlink(),
            "give away": lambda a: a.write({"user_id": self.people["internal"].id}),
            "put off": lambda a: a.write({"date_deadline": "2100-01-01"}),
            "archive": lambda a: a.action_archive(),
            "unlink all": lambda a: self.by("approver", approval).activity_unlink(
                ["doorman.mail_activity_approval"]
            ),
            "feedback all": lambda a: self.by("approver", approval).activity_feedback(
                ["doorman.mail_activity_approval"]
            ),
        }
        for role in ("approver", "admin", "user"):
            for name, way in ways.items():
                with self.subTest(role=role, way=name):
                    run = lambda w=way, r=role: w(activity.with_user(self.people[r]))  # noqa: E731
                    found = self.outcome(run, UserError)
                    self.env.invalidate_all()
                    self.assertTrue(activity.exists())
                    self.assertTrue(activity.active)
                    self.assertEqual(activity.user_id, self.people["approver"])
                    if name in ("done", "drop", "give away", "put off"):
                        self.assertEqual(found, "deny")
        self.assertEqual(approval.state, "pending")

    def test_all_are_closed_at_the_decision(self):
        self.connection.approver_id = False
        second = self._person("admin2", ["doorman.group_admin"])
        approval = self.waiting_delete()
        self.assertIn(second, self.activities(approval).user_id)
        self.by("admin", approval).action_approve()
        self.assertFalse(self.activities(approval))

    def test_an_archived_approver(self):
        approval = self.waiting_delete()
        self.people["approver"].action_archive()
        self.assertFalse(self.activities(approval))
        self.assertEqual(approval.state, "pending")
        self.assertFalse(approval._deciders())

    def test_nobody_makes_one(self):
        approval = self.waiting_delete()
        kind = self.env.ref("doorman.mail_activity_approval")
        vals = {
            "activity_type_id": kind.id,
            "res_model_id": self.env["ir.model"]._get("doorman.approval").id,
            "res_id": approval.id,
            "user_id": self.people["internal"].id,
            "summary": "Approve this",
        }
        for role in ("internal", "user2", "portal"):
            with self.subTest(role=role):
                activities = self.env["mail.activity"].with_user(self.people[role])
                run = lambda a=activities: a.create(dict(vals))  # noqa: E731
                self.assertEqual(self.outcome(run, UserError), "deny")
        with self.assertRaises(AccessError):
            self.by("internal", approval).check_access("read")
