from datetime import timedelta
from functools import partial

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...policy.credentials import token_digest
from ..common import ROLES, DoormanCase, proof_of
from ..invite_common import InviteMixin, account

URL = "https://mcp.example.com"


@tagged("post_install", "-at_install")
class TestInviteWizard(InviteMixin, DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings.public_url = URL

    def _wizard(self, role="admin", **vals):
        wizards = self.env["doorman.invite.wizard"].with_user(self.people[role])
        return wizards.create(vals)

    def _make(self, **vals):
        dialog = self._wizard(**vals).action_create_invite()
        return self.env["doorman.invite"].search([], limit=1), dialog

    def test_the_presets(self):
        search = self.scopes("mcp:search")
        for preset, vals, codes, read_only in (
            ("read", {}, {"mcp:metadata", "mcp:search"}, True),
            ("write", {}, {"mcp:metadata", "mcp:search", "mcp:orm"}, False),
            ("custom", {"scope_ids": [Command.set(search.ids)]}, {"mcp:search"}, False),
        ):
            with self.subTest(preset=preset):
                invite, _dialog = self._make(preset=preset, **vals)
                self.assertEqual(set(invite.scope_ids.mapped("code")), codes)
                self.assertEqual(invite.read_only, read_only)

    def test_defaults(self):
        invite, _dialog = self._make()
        days = (invite.expires_at - fields.Datetime.now()).total_seconds() / 86400
        self.assertAlmostEqual(days, 3, delta=0.01)
        self.assertEqual(invite.max_uses, 1)
        self.assertEqual(invite.key_lifetime_hours, 2160)
        self.assertEqual(invite.accept_from, "anyone")

    def test_the_link_is_shown_once(self):
        invite, dialog = self._make(key_name_preset="Dev")
        context = dialog["context"]
        link = context["default_link"]
        self.assertRegex(link, rf"^{URL}/oauth/invite/[\w-]{{43}}$")
        self.assertIn(link, context["default_message"])
        self.assertIn(self.company.name, context["default_message"])
        token = link.rpartition("/")[2]
        self.assertEqual(invite._by_digest(token_digest(token)), invite)
        self.env.flush_all()
        self.env.cr.execute("SELECT w::text FROM doorman_invite_wizard w")
        self.assertNotIn(token, str(self.env.cr.fetchall()))
        for name in self.env["doorman.invite.wizard"]._fields:
            self.assertNotIn("token", name)
        model = self.env["doorman.key.show"].with_user(self.people["admin"])
        model = model.with_context(**context)
        view = dialog["views"][0][0]
        views = model.get_views([(view, "form")])["models"]["doorman.key.show"]
        shown = model.onchange({}, [], dict.fromkeys(views["fields"], {}))["value"]
        self.assertEqual(shown["link"], link)
        self.assertIn(link, shown["message"])

    def test_the_whole_template(self):
        tool = self.tool("t1")
        models = self.env["ir.model"].search([("model", "=", "res.partner")])
        vals = {
            "max_uses": 4,
            "link_days": 1,
            "key_days": 0,
            "allowed_tool_ids": [Command.set(tool.ids)],
            "allowed_model_ids": [Command.set(models.ids)],
            "company_ids": [Command.set(self.company.ids)],
            "approval_tool_ids": [Command.set(tool.ids)],
            "approver_id": self.people["approver"].id,
            "approval_expiry_hours": 3,
            "allowed_ips": "192.0.2.1",
            "blocked_ips": "192.0.2.2",
            "rate_limit_minute": 5,
            "rate_limit_day": 50,
            "accept_from": "listed",
            "accept_list": "@b.example",
            "new_accounts": True,
            "account_group_ids": [Command.set(self.env.ref("base.group_user").ids)],
            "rule_ids": [Command.create({"risk": "high", "more_than": 2})],
            "description": "Why",
        }
        invite, _dialog = self._make(**vals)
        wire = invite._wire()
        expected = {
            "max_uses": 4,
            "key_lifetime_hours": 0,
            "allowed_tools": ["t1"],
            "allowed_models": ["res.partner"],
            "approval_tools": ["t1"],
            "approver": "dm-approver",
            "approval_expiry_hours": 3,
            "allowed_ips": ["192.0.2.1"],
            "blocked_ips": ["192.0.2.2"],
            "rate_limit_minute": 5,
            "rate_limit_day": 50,
            "accept_list": ["@b.example"],
            "new_accounts": True,
            "account_groups": ["base.group_user"],
            "description": "Why",
        }
        self.assertEqual({name: wire[name] for name in expected}, expected)
        self.assertEqual(wire["approval_rules"][0]["more_than"], 2)
        self.assertTrue(invite.tools_restricted and invite.models_restricted)

    def test_the_form_as_a_person_fills_it(self):
        wizard = self._wizard()
        with Form(wizard) as form:
            form.preset = "write"
            self.assertFalse(form.missing_scopes)
            form.max_uses = 2
        self.people["admin"].group_ids -= self.env.ref("doorman.group_scope_orm")
        wizard.invalidate_recordset()
        self.assertEqual(wizard.missing_scopes, "mcp:orm")
        self.assertEqual(self.outcome(wizard.action_create_invite), "deny")

    def test_what_does_not_make_an_invite(self):
        sql = self.scopes("mcp:sql")
        custom = {"preset": "custom"}
        for vals in (
            {"max_uses": 0},
            {"link_days": 0},
            {"link_days": 366},
            {"key_days": -1},
            {"key_name_preset": ""},
            {"accept_from": "listed"},
            custom | {"scope_ids": [Command.clear()]},
            custom | {"scope_ids": [Command.set(sql.ids)]},
        ):
            with self.subTest(vals=vals):
                run = partial(self._make, **vals)
                self.assertEqual(self.outcome(run, UserError), "deny")
        self.assertFalse(self.env["doorman.invite"].search([]))

    def test_only_administrators_and_each_their_own(self):
        wizard = self._wizard()
        for role in ROLES:
            with self.subTest(role=role):
                found = self.outcome(partial(self._wizard, role))
                self.assertEqual(found, "allow" if role == "admin" else "deny")
                if role != "admin":
                    run = wizard.with_user(self.people[role]).action_create_invite
                    self.assertEqual(self.outcome(run), "deny")
        other = self._person("admin2", ["doorman.group_admin"])
        run = wizard.with_user(other).action_create_invite
        self.assertEqual(self.outcome(run), "deny")

    def test_the_menu_is_hidden_from_others(self):
        admins = self.env.ref("doorman.group_admin")
        auditors = self.env.ref("doorman.group_auditor")
        menu = self.env.ref("doorman.menu_invites")
        self.assertEqual(menu.group_ids, admins + auditors)
        action = self.env.ref("doorman.doorman_invite_wizard_action")
        self.assertEqual(action.group_ids, admins)


@tagged("post_install", "-at_install")
class TestInviteJobs(InviteMixin, DoormanCase):
    def test_expire(self):
        late, token = self.invite()
        live, _token = self.invite()
        gone, _token = self.invite()
        gone.with_user(self.people["admin"]).action_revoke()
        for invite in (late, gone):
            self.late(invite)
        self.assertEqual(self.run_job("expire_invites"), {"expired": 1})
        self.assertEqual(self.run_job("expire_invites"), {"expired": 0})
        states = [self.state(i)[0] for i in (late, live, gone)]
        self.assertEqual(states, ["expired", "active", "revoked"])
        self.assertIsNone(self.accept(token))

    def test_expiring_forgets_guesses(self):
        self.env["doorman.invite"]._note_guess("192.0.2.1")
        self.env.cr.execute(
            "INSERT INTO doorman_invite_guess VALUES ('x', now() - interval '1 day')"
        )
        self.run_job("expire_invites")
        self.env.cr.execute("SELECT source FROM doorman_invite_guess")
        self.assertEqual(self.env.cr.fetchall(), [("192.0.2.1",)])

    def _connection(self, hours, age=0, **vals):
        _invite, token = self.invite(max_uses=9, **vals)
        connection = self.accept(token)[0].connection_id
        self.env.flush_all()
        now = fields.Datetime.now()
        self.env.cr.execute(
            "UPDATE doorman_connection SET create_date = %s, expires_at = %s "
            "WHERE id = %s",
            [
                now - timedelta(hours=age),
                hours and now + timedelta(hours=hours),
                connection.id,
            ],
        )
        self.env.invalidate_all()
        return connection

    def _told(self, connection):
        messages = self.env["mail.message"].search(
            [
                ("model", "=", "doorman.connection"),
                ("res_id", "=", connection.id),
                ("message_type", "=", "user_notification"),
            ]
        )
        return messages.notified_partner_ids

    def test_a_mail_before_the_key_ends(self):
        rows = (
            # hours left, hours old -> told
            (24 * 6, 24 * 84, True),
            (24 * 8, 24 * 82, False),
            (1, 1, False),
            (1, 5, True),
            (None, 24 * 84, False),
            (-1, 24 * 90, False),
        )
        people = (self.people["admin"] | self.people["internal"]).partner_id
        for hours, age, told in rows:
            connection = self._connection(hours, age)
            with self.subTest(hours=hours, age=age):
                self.assertEqual(self.run_job("remind_invited")["reminded"], int(told))
                self.assertEqual(self.run_job("remind_invited")["reminded"], 0)
                expected = people if told else people.browse()
                self.assertEqual(self._told(connection), expected)

    def test_once_more_after_a_new_date(self):
        connection = self._connection(24, 24 * 89)
        self.assertEqual(self.run_job("remind_invited")["reminded"], 1)
        connection.expires_at = fields.Datetime.now() + timedelta(hours=20)
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_invited")["reminded"], 1)

    def test_nobody_is_told_of_what_is_over_or_came_another_way(self):
        connection = self._connection(24, 24 * 89)
        connection.action_revoke()
        self.connection.expires_at = fields.Datetime.now() + timedelta(hours=1)
        self.assertEqual(self.run_job("remind_invited")["reminded"], 0)


@tagged("post_install", "-at_install")
class TestInviteOffBoarding(InviteMixin, DoormanCase):
    """The page of a person: what they have, and its end."""

    def _ended(self):
        self.env.flush_all()
        return "error" in self.gateway.resolve(self.proof)

    def test_archiving_ends_connections(self):
        self.people["user"].active = False
        self.assertEqual(self.connection.state, "revoked")
        self.people["user"].active = True
        self.assertTrue(self._ended())
        self.assertEqual(self.connection.state, "revoked")
        self.assertEqual(self.connection2.state, "awaiting")

    def test_archived_connections_end_too(self):
        self.connection.active = False
        self.people["user"].active = False
        self.assertEqual(self.connection.state, "revoked")

    def test_who_came_by_an_invite(self):
        _invite, token = self.invite(new_accounts=True)
        accepted, key = self.accept(token, "public", account())
        self.env["res.users"].browse(accepted.user_id.id).active = False
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(proof_of(key)))
        self.assertEqual(accepted.connection_id.state, "revoked")

    def test_revoke_all(self):
        admin = self.people["admin"]
        mine, _token = self.invite()
        own = self._connect("admin")
        admin2 = self._person("admin2", ["doorman.group_admin"])
        admin.with_user(admin2).action_doorman_revoke_all()
        self.assertEqual(self.state(mine)[0], "revoked")
        self.assertEqual(own.state, "revoked")
        self.assertEqual(self.connection.state, "awaiting")
        self.assertTrue(admin.active)
        user = self.people["user"]
        user.with_user(admin).action_doorman_revoke_all()
        with self.assertRaises(UserError):
            self.connection.with_user(user).action_reactivate()

    def test_who_may(self):
        for role in ROLES:
            connection = self._connect("user2")
            person = self.people["user2"].with_user(self.people[role])
            with self.subTest(role=role):
                found = self.outcome(person.action_doorman_revoke_all)
                expected = "allow" if role == "admin" else "deny"
                self.assertEqual(found, expected)
                self.assertEqual(connection.state == "revoked", role == "admin")

    def test_not_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.people["far"] = self._person(
            "far", ["doorman.group_user"], company_id=other.id, company_ids=other.ids
        )
        far = self._connect("far")
        person = self.people["far"].with_user(self.people["admin"])
        self.outcome(person.action_doorman_revoke_all)
        self.assertEqual(far.state, "awaiting")

    def test_what_the_page_shows(self):
        self.connection.name = "<b>Tool</b>"
        now = fields.Datetime.now()
        self.connection._inside().last_used = now
        # First: one page is worked out with those of all who were made together.
        self.invite(key_name_preset="Dev")
        person = self.people["user"].with_user(self.people["admin"])
        self.assertEqual(person.doorman_connection_count, 1)
        self.assertEqual(person.doorman_last_used, now)
        self.assertIn("&lt;b&gt;Tool", person.doorman_access)
        self.assertIn(
            f"/odoo/doorman.connection/{self.connection.id}", person.doorman_access
        )
        admin = self.people["admin"].with_user(self.people["admin"])
        self.assertEqual(admin.doorman_invite_count, 1)
        self.assertIn("Dev", admin.doorman_access)
        for role in ("internal", "user", "portal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.people["user"].with_user(self.people[role]).read(
                    ["doorman_access"]
                )

    def test_the_lists(self):
        person = self.people["user"].with_user(self.people["admin"])
        action = person.action_doorman_connections()
        self.assertEqual(action["domain"], [("user_id", "in", person.ids)])
        action = person.action_doorman_invites()
        self.assertEqual(action["domain"], [("creator_id", "in", person.ids)])

    def test_permissions_as_check_boxes(self):
        boss = self._person("boss", ["base.group_erp_manager"])
        person = self.people["user"].with_user(boss)
        search = self.env.ref("doorman.group_scope_search")
        self.assertTrue(person.doorman_search)
        self.assertFalse(person.doorman_sql)
        person.write({"doorman_search": False})
        self.assertNotIn(search, person.group_ids)
        self.assertTrue(person.doorman_orm)
        person.write({"doorman_search": True, "doorman_orm": False})
        self.assertIn(search, person.group_ids)
        self.assertFalse(person.doorman_orm)
        for role in ("user", "admin", "internal"):
            mine = self.people["user"].with_user(self.people[role])
            run = partial(mine.write, {"doorman_sql": True})
            with self.subTest(role=role):
                self.assertEqual(self.outcome(run), "deny")
