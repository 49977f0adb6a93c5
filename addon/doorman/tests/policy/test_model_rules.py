"""Rules per model: what a connection may do with which model, and which records there
are for it."""

import json
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...policy import in_force
from ..common import ApprovalCase, proof_of
from ..rules_common import RulesCase

NO = "not_allowed"
OFF = dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), False)


@tagged("post_install", "-at_install")
class TestModelRules(RulesCase):
    # ---- operations ----

    def operations(self, model="res.partner"):
        """How each operation ends, undone."""
        partner = self.env["res.partner"].create({"name": "P"})
        ends = {}
        for name, run in (
            ("read", lambda: self.call(model, "read", partner.ids, fields=["name"])),
            ("create", lambda: self.create({"name": "N"}, model=model)),
            ("write", lambda: self.write(partner, {"name": "W"})),
            ("method", lambda: self.method(partner, "action_archive")),
            (
                "message",
                lambda: self.call(model, "message_post", partner.ids, body="x"),
            ),
            ("copy", lambda: self.call(model, "copy", partner.ids)),
            ("delete", lambda: self.call(model, "unlink", partner.ids)),
        ):
            ends[name] = self.kind_of(run())
        return ends

    def test_every_switch(self):
        changes = ("create", "write", "method", "message", "copy", "delete")
        for given, passes in (
            ({}, {"read"}),
            ({"perm_create": True}, {"read", "create", "copy"}),
            ({"perm_write": True}, {"read", "write", "method", "message"}),
            ({"perm_unlink": True}, {"read", "delete"}),
            (dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), True),
             {"read", *changes}),
        ):  # fmt: skip
            off = dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), False)
            for model in ("res.partner", ""):
                self.connection.model_rule_ids.unlink()
                self.rule_for(model, **off | given)
                with self.subTest(given=given, model=model):
                    ends = self.operations()
                    self.assertEqual({n for n, e in ends.items() if e == "ok"}, passes)
                    refused = {e for n, e in ends.items() if n not in passes}
                    self.assertLessEqual(refused, {NO})

    def test_no_reading(self):
        self.rule_for("res.country", perm_read=False, **OFF)
        for domain in (
            [["country_id.code", "=", "BE"]],
            [["country_id", "ilike", "bel"]],
            [["country_id", "any", [["code", "=", "BE"]]]],
            [["country_code", "=", "BE"]],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain), NO)
        self.assertEqual(self.count([], "res.country"), NO)
        self.assertEqual(self.count([["country_id", "=", self.belgium.id]]), 2)
        self.assertEqual(self.reads(self.acme, "country_code"), NO)

    def test_every_other_model(self):
        self.rule_for("", perm_read=False, **OFF)
        self.rule_for("res.partner", **OFF)
        self.assertIsInstance(self.count([]), int)
        self.assertEqual(self.count([], "res.country"), NO)
        self.assertEqual(self.count([["country_id.code", "=", "BE"]]), NO)
        names = {row["model"] for row in self.call("", "models")["value"]}
        self.assertIn("res.partner", names)
        self.assertNotIn("res.country", names)

    def test_what_list_models_says(self):
        self.rule_for("res.partner", perm_create=False, perm_unlink=False)
        rows = self.call("", "models")["value"]
        [row] = [row for row in rows if row["model"] == "res.partner"]
        self.assertEqual(
            (row["create"], row["write"], row["unlink"]), (False, True, False)
        )

    def test_lines_follow_what_they_belong_to(self):
        """Lines may be changed along; what is only linked has a rule of its own."""
        self.rule_for("", **OFF)
        self.rule_for("res.partner")
        values = {"child_ids": [[0, 0, {"name": "Line"}]]}
        self.assertEqual(self.kind_of(self.write(self.acme, values)), "ok")
        values = {"category_id": [[0, 0, {"name": "Tag"}]]}
        self.assertEqual(self.kind_of(self.write(self.acme, values)), NO)

    def test_allowed_models_hold_as_well(self):
        self.rule_for("res.country")
        self.allow_models("res.partner")
        self.assertEqual(self.count([], "res.country"), NO)
        self.assertIsInstance(self.count([]), int)

    # ---- domains ----

    def test_only_some_records(self):
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        mine = self.acme | self.child
        user = self.env["res.partner"].with_user(self.people["user"])
        belgians = user.search_count([("country_id", "=", self.belgium.id)])
        self.assertEqual(self.count([]), belgians)
        self.assertEqual(self.count([["id", "in", self.other.ids]]), 0)
        self.assertEqual(len(self.reads(mine, "name")), 2)
        self.assertEqual(self.reads(self.other, "name"), NO)
        self.assertEqual(self.reads(mine | self.other, "name"), NO)
        for domain in (
            [["parent_id.name", "=", "Zeta"]],
            [["parent_id", "ilike", "Zeta"]],
            [["parent_id", "any", [["email", "ilike", "zeta"]]]],
            [["id", "any", [["name", "=", "Zeta"]]]],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain), 0)
        for domain in (
            [["parent_id", "child_of", self.other.ids]],
            [["id", "child_of", self.other.ids]],
            [["id", "parent_of", self.child.ids]],
            [["parent_name", "=", "Zeta"]],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain), NO)
        [row] = self.reads(self.child, "parent_id", "display_name")
        self.assertEqual(list(row["parent_id"]), [self.other.id, in_force.NOT_SHOWN])
        self.assertEqual(self.reads(self.child, "parent_name"), NO)

    def test_lists_of_records(self):
        self.rule_for("res.partner", domain="[('email', '!=', False)]")
        self.acme.child_ids = [
            Command.create({"name": "Seen", "email": "a@a.example"}),
            Command.create({"name": "Unseen"}),
        ]
        seen = self.acme.child_ids.filtered("email")
        [row] = self.reads(self.acme, "child_ids")
        self.assertEqual(row["child_ids"], seen.ids)
        answer = self.call(
            "res.partner", "read", self.acme.ids, fields=["child_ids"], names=5
        )
        self.assertNotIn("Unseen", json.dumps(answer, default=str))

    def test_groups_and_orders(self):
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        answer = self.call(
            "res.partner", "formatted_read_group", groupby=["parent_id"],
            aggregates=["__count"], domain=[["id", "in", (self.acme | self.child).ids]],
        )  # fmt: skip
        self.assertNotIn("Zeta", json.dumps(answer, default=str))
        self.assertIn(in_force.NOT_SHOWN, json.dumps(answer, default=str))
        for kwargs in (
            {"groupby": ["parent_id.name"]},
            {"aggregates": ["parent_id.name:max"]},
        ):
            kind = self.kind("res.partner", "formatted_read_group", **kwargs)
            self.assertEqual(kind, NO, kwargs)
        kind = self.kind("res.partner", "search_read", fields=["id"], order="parent_id")
        self.assertEqual(kind, NO)

    def test_names_are_searched_among_them(self):
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        answer = self.call(
            "", "search_everywhere", query="zeta@zeta", models=["res.partner"]
        )
        # Her name has that of the company in it; the company is not there.
        ids = {row["id"] for hit in answer["value"]["found"] for row in hit["records"]}
        self.assertEqual(ids, set(self.child.ids))
        answer = self.call(
            "", "search_everywhere", query="Acme", models=["res.partner"]
        )
        self.assertEqual(len(answer["value"]["found"]), 1)
        # A name in a value finds none of the others.
        answer = self.create({"name": "N", "parent_id": "Zeta"})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertEqual(made.parent_id, self.child)
        answer = self.create({"name": "N", "parent_id": "zeta@zeta.example"})
        self.assertEqual(self.kind_of(answer), "invalid_input")

    def test_nothing_is_changed_outside_of_it(self):
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        france = self.env.ref("base.fr").id
        for name, run in {
            "write": lambda: self.write(self.other, {"name": "x"}),
            "delete": lambda: self.call("res.partner", "unlink", self.other.ids),
            "method": lambda: self.method(self.other, "action_archive"),
            "message": lambda: self.call(
                "res.partner", "message_post", self.other.ids, body="x"
            ),
            "out of it": lambda: self.write(self.acme, {"country_id": france}),
            "made outside": lambda: self.create({"name": "x", "country_id": france}),
            "a line": lambda: self.write(
                self.acme, {"child_ids": [[1, self.other.id, {"name": "x"}]]}
            ),
            "linked": lambda: self.write(self.acme, {"parent_id": self.other.id}),
        }.items():
            with self.subTest(name=name):
                self.assertEqual(self.kind_of(run()), NO)
        self.assertEqual(self.other.name, "Zeta")
        self.assertTrue(self.other.active)
        self.assertEqual(self.acme.country_id, self.belgium)
        for name, run in {
            "write": lambda: self.write(self.acme, {"name": "Acme 2"}),
            "made": lambda: self.create({"name": "x", "country_id": self.belgium.id}),
        }.items():
            with self.subTest(name=name):
                self.assertEqual(self.kind_of(run()), "ok")

    def test_files_and_messages_of_others(self):
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        files = self.env["ir.attachment"]
        for record in (self.acme, self.other):
            files += files.create(
                {
                    "name": f"of {record.name}",
                    "raw": b"x",
                    "res_model": "res.partner",
                    "res_id": record.id,
                }
            )
        self.assertEqual(self.count([["id", "in", files.ids]], "ir.attachment"), 1)
        self.assertEqual(self.reads(files[1], "name"), NO)
        self.assertEqual(self.reads(files[0], "name")[0]["name"], "of Acme")
        self.assertEqual(self.kind("res.partner", "read_messages", self.other.ids), NO)
        self.assertEqual(self.kind("res.partner", "read_messages", self.acme.ids), "ok")

    def test_what_people_find_is_as_before(self):
        """What Odoo caches of its record rules for a user is not the connection's."""
        self.rule_for("res.partner", domain=f"[('country_id', '=', {self.belgium.id})]")
        mine = self.env["res.partner"].with_user(self.people["user"])
        before = mine.search_count([])
        self.env.registry.clear_cache()
        some = self.count([])
        self.assertLess(some, before)
        self.assertEqual(mine.search_count([]), before)
        self.assertEqual(self.count([]), some)
        users = self.env["res.users"].with_user(self.people["user"])
        everybody = users.search_count([])
        self.assertLess(self.count([], "res.users"), everybody)
        self.assertEqual(users.search_count([]), everybody)
        # Another connection of the same person has rules of its own.
        connection = self._connect("user")
        fence = self.fence(self._proof(connection))
        answer = self.call("res.partner", "search_count", domain=[], fence=fence)
        self.assertEqual(answer["value"], before)

    def _proof(self, connection):
        return proof_of(connection._issue_key())

    def test_a_change_of_the_rules_holds_at_once(self):
        rule = self.rule_for(
            "res.partner", domain=f"[('country_id', '=', {self.belgium.id})]"
        )
        before = self.connection.version
        some = self.count([])
        rule.domain = "[('id', '=', 0)]"
        self.assertGreater(self.connection.version, before)
        self.assertEqual(self.count([]), 0)
        rule.unlink()
        self.assertGreater(self.count([]), some)

    def test_the_names_in_a_domain(self):
        self.other.user_id = self.people["user"]
        self.rule_for("res.partner", domain="[('user_id', '=', uid)]")
        self.assertEqual(self.count([["id", "in", self.other.ids]]), 1)
        self.assertEqual(self.count([["id", "in", self.acme.ids]]), 0)

    # ---- what holds to no rule ----

    def test_reports_and_code_are_refused(self):
        report = self.env["ir.actions.report"].search(
            [("model", "=", "res.partner")], limit=1
        )
        calls = [
            ("res.partner", "get_report", {"report": report.report_name or "x"}),
            ("res.partner", "send_document", {}),
        ]
        self.rule_for("res.country", **OFF)
        for model, method, kwargs in calls:
            with self.subTest(method=method):
                answer = self.call(model, method, self.acme.ids, **kwargs)
                self.assertEqual(self.kind_of(answer), NO)
                self.assertIn("rules", answer["error"]["message"])
        for facts in ({"code": "query"}, {"beyond_rules": True}):
            with self.subTest(facts=facts), self.doing(lambda _call: 1, **facts):
                answer = self.call("res.partner", "trial", query="SELECT 1")
                self.assertEqual(self.kind_of(answer), NO)
        with self.doing(lambda _call: 1):
            self.assertEqual(self.kind("res.partner", "trial"), "ok")

    # ---- the lines themselves ----

    def test_what_a_line_may_say(self):
        floor = self.model("ir.rule").id
        partner = self.model("res.partner").id
        email = self.fields("res.partner", "email")
        country = self.fields("res.partner", "country_id")
        code = self.fields("res.country", "code")
        for vals in (
            {"perm_read": False, "perm_write": True},
            {"model_id": False, "domain": "[('id', '=', 1)]"},
            {"domain": "[('nope', '=', 1)]"},
            {"domain": "[('id', '=', user.id)]"},
            {"domain": "[('id', '=', __import__('os').getpid())]"},
            {"domain": "__import__('os').getpid()"},
            {"domain": "[x for x in ()]"},
            {"domain": "('id', '=', 1)"},
            {"domain": "[('id', '=', 1"},
            {"domain": "[('id', 'inselect', 1)]"},
            {"hidden_field_ids": code},
            {"masked_field_ids": code},
            {"masked_field_ids": country},
            {"hidden_field_ids": self.fields("res.partner", "display_name")},
            {"model_id": floor},
        ):
            with self.subTest(vals=vals), self.assertRaises(ValidationError):
                self.env["doorman.model.rule"].create(
                    {"connection_id": self.connection.id, "model_id": partner} | vals
                )
        self.rule_for("res.partner")
        with self.assertRaises(ValidationError):
            self.rule_for("res.partner")
        self.rule_for("")
        with self.assertRaises(ValidationError):
            self.rule_for("")
        for vals in (
            {"domain": "[]"},
            {"domain": "[('user_id', 'in', [uid, False])]"},
            {"domain": "['|', ('company_id', 'in', company_ids), "
                       "('company_id', '=', False)]"},
            {"masked_field_ids": email},
        ):  # fmt: skip
            with self.subTest(vals=vals):
                self.connection.model_rule_ids[0].write(vals)

    def test_one_line_belongs_to_one_policy(self):
        settings = self.settings
        for vals in (
            {},
            {"connection_id": self.connection.id, "settings_id": settings.id},
        ):
            with (
                self.subTest(vals=vals),
                self.assertRaises(Exception),  # noqa: B017 a constraint of the table
                self.env.cr.savepoint(),
            ):
                self.env["doorman.model.rule"].create(vals)
                self.env.flush_all()

    def test_it_says_what_may_be_done(self):
        rule = self.rule_for(
            "res.partner", hidden=["email"], masked=["phone"],
            domain="[('id', '>', 0)]", perm_unlink=False,
        )  # fmt: skip
        self.assertEqual(
            rule.display_name,
            "Contact: read, create, change; only records that match a domain; "
            "without Email; Phone masked",
        )
        rule = self.rule_for("", perm_read=False, **OFF)
        self.assertEqual(rule.display_name, "every other model: nothing")

    def test_who_may_touch_them(self):
        rule = self.rule_for("res.partner")
        for role, may in (("user", ()), ("user2", ()), ("admin", ("read", "write"))):
            mine = rule.with_user(self.people[role])
            for operation, run in (
                ("read", lambda r=mine: r.read(["domain"])),
                ("write", lambda r=mine: r.write({"perm_write": False})),
            ):
                with self.subTest(role=role, operation=operation):
                    wants = operation in may or (role, operation) == ("user", "read")
                    got = self.outcome(run, undo=True)
                    self.assertEqual(got, "allow" if wants else "deny")

    def test_a_policy_is_copied_with_its_rules(self):
        self.rule_for("res.partner", hidden=["email"], domain="[('id', '>', 0)]")
        values = self.connection._policy_values()["model_rule_ids"]
        [[_code, _id, vals]] = values
        self.assertEqual(vals["domain"], "[('id', '>', 0)]")
        copy = self._connect("user2", model_rule_ids=values)
        self.assertEqual(
            copy.model_rule_ids._wire(), self.connection.model_rule_ids._wire()
        )

    def test_what_they_cost(self):
        """In questions to the database: nothing without rules, and at most a fifth more
        with ten."""
        names = ["name", "country_id", "child_ids", "parent_id"]

        def ask():
            fence = self.fence()
            kwargs = {"fields": names, "domain": [], "fence": fence}
            before = self.env.cr.sql_log_count
            self.call("res.partner", "search_read", **kwargs)
            return self.env.cr.sql_log_count - before

        ask()  # what Odoo caches
        without = ask()
        self.assertIsNone(self.connection._rules(self.connection.version))
        with patch.object(type(self.connection), "_rules", lambda *_args: None):
            self.assertEqual(ask(), without)
        models = (
            "country",
            "country.state",
            "currency",
            "bank",
            "partner.bank",
            "lang",
        )
        for name in (*models, "company", "users", "partner.category"):
            self.rule_for(f"res.{name}", **OFF)
        self.rule_for(
            "res.partner", hidden=["email"], masked=["phone"], domain="[('id', '>', 0)]"
        )
        self.assertEqual(len(self.connection.model_rule_ids), 10)
        ask()
        self.assertLessEqual(ask(), without * 1.2 + 1)

    def test_a_person_cannot_forge(self):
        with self.assertRaises(AccessError):
            self.env["doorman.model.rule"].with_user(self.people["user"]).create(
                {"connection_id": self.connection.id, "perm_write": True}
            )


@tagged("post_install", "-at_install")
class TestModelRulesForm(RulesCase):
    """What an administrator sees and fills in."""

    def test_an_administrator_makes_rules(self):
        admin = self.people["admin"]
        self.connection.read_only = True
        email = self.fields("res.partner", "email")[0][2]
        with Form(self.connection.with_user(admin)) as form:
            with form.model_rule_ids.new() as line:
                line.model_id = self.model("res.partner")
                line.perm_write = True
                line.hidden_field_ids.add(self.env["ir.model.fields"].browse(email))
            with form.model_rule_ids.new() as line:
                line.perm_read = False
        [one, other] = self.connection.model_rule_ids
        self.assertEqual(one.model_id.model, "res.partner")
        self.assertEqual(one.hidden_field_ids.mapped("name"), ["email"])
        self.assertFalse(other.model_id or other.perm_read)
        text = self.connection.with_user(admin).may_text
        self.assertIn("It can read Contact, create nothing, change nothing", text)
        self.assertIn("Hidden in Contact: Email.", text)
        self.connection.read_only = False
        self.assertIn("change Contact", self.connection.with_user(admin).may_text)

    def test_what_the_sentence_says(self):
        mine = self.connection
        everything = "everything that its user can"
        self.assertIn(f"It can read {everything}, create {everything}", mine.may_text)
        mine.read_only = True
        self.assertIn(
            "create nothing, change nothing and delete nothing", mine.may_text
        )
        mine.read_only = False
        self.rule_for("res.partner", perm_unlink=False)
        self.assertIn(f"delete {everything}, except Contact", mine.may_text)
        self.allow_models("res.country")
        self.assertIn("It can read Country, create Country", mine.may_text)

    def test_everybody_sees_what_theirs_may_do(self):
        self.rule_for("res.partner", hidden=["email"])
        mine = self.connection.with_user(self.people["user"])
        self.assertIn("Hidden in Contact", mine.may_text)
        mine.model_rule_ids.read()

    def test_an_invite_keeps_what_it_granted(self):
        rule = {
            "model_id": self.model("res.partner").id,
            "hidden_field_ids": self.fields("res.partner", "email"),
        }
        admin = self.people["admin"]
        admin.group_ids += self.env.ref("doorman.group_user")
        wizard = self.env["doorman.invite.wizard"].with_user(admin)
        made = wizard.create({"model_rule_ids": [Command.create(rule)]})
        made.action_create_invite()
        invite = self.env["doorman.invite"].search([], limit=1)
        [line] = invite.model_rule_ids
        self.assertEqual(line.hidden_field_ids.mapped("name"), ["email"])
        for run in (
            lambda: line.with_user(admin).write({"perm_write": True}),
            line.with_user(admin).unlink,
            lambda: (
                self.env["doorman.model.rule"]
                .with_user(admin)
                .create({"invite_id": invite.id})
            ),
            lambda: invite.with_user(admin).write({"model_rule_ids": []}),
        ):
            self.assertEqual(self.outcome(run, undo=True), "deny")
        wire = invite._policy_values()["model_rule_ids"]
        copy = self._connect("user2", model_rule_ids=wire)
        self.assertEqual(copy.model_rule_ids._wire(), invite.model_rule_ids._wire())


@tagged("post_install", "-at_install")
class TestModelRulesApprovals(ApprovalCase):
    def test_names_are_not_told_by_a_request(self):
        """Who decides reads names; the tool that asked does not."""
        waiting = self.waiting_delete()
        self.assertIn("Acme", self.status(waiting)["summary"])
        partner = self.env["ir.model"]._get("res.partner")
        name = self.env["ir.model.fields"]._get("res.partner", "name")
        self.connection.model_rule_ids = [
            Command.create(
                {
                    "model_id": partner.id,
                    "perm_unlink": True,
                    "hidden_field_ids": [Command.set(name.ids)],
                }
            )
        ]
        waiting = self.waiting("res.partner", "unlink", self.acme.ids)
        self.assertIn("Acme", waiting.summary)
        told = self.status(waiting)
        self.assertNotIn("Acme", str(told))
        self.assertEqual(told["summary"], "delete_records: Contact, records: 1")
