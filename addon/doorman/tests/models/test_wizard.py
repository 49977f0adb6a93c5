from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..common import ROLES, DoormanCase, proof_of

ACTIONS = (
    "action_choose_browser",
    "action_choose_key",
    "action_choose_client",
    "action_back",
    "action_make_client",
    "action_connect",
    "action_choose",
    "first_call",
)
URL = "https://mcp.example.com"


@tagged("post_install", "-at_install")
class TestWizard(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings.public_url = URL
        cls.admin = cls.people["admin"]
        cls.boss = cls._person("boss", ["base.group_system", "doorman.group_admin"])
        # One who has every permission that there is.
        scopes = cls.env["doorman.scope"].search([])
        cls.boss.group_ids = [Command.link(g.id) for g in scopes.group_id]

    def _wizard(self, role="admin", **vals):
        wizards = self.env["doorman.connect.wizard"].with_user(self.people[role])
        wizard = wizards.create(vals)
        wizard.action_choose_key()
        return wizard

    def _connect_by(self, wizard):
        """:return: the connection that a wizard made, and the dialog after it"""
        before = self.env["doorman.connection"].search([])
        dialog = wizard.action_connect()
        made = self.env["doorman.connection"].search([]) - before
        self.assertEqual(len(made), 1)
        return made, dialog

    def _show(self, dialog):
        """What the dialog shows, filled as the web client fills it."""
        model = self.env[dialog["res_model"]].with_user(self.admin)
        model = model.with_context(**dialog["context"])
        view = dialog["views"][0][0]
        names = model.get_views([(view, "form")])["models"][model._name]["fields"]
        spec = dict.fromkeys(names, {})
        return model.onchange({}, [], spec)["value"]

    # ---- API key ----

    def test_a_key_of_ones_own(self):
        made, dialog = self._connect_by(self._wizard(name=" Mine "))
        self.assertEqual(made.name, "Mine")
        self.assertEqual(made.user_id, self.admin)
        self.assertEqual(made.auth_type, "bearer")
        self.assertEqual(made.state, "awaiting")
        key = dialog["context"]["default_key"]
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))

    def test_the_dialog_shows_the_key_and_the_snippets(self):
        _made, dialog = self._connect_by(self._wizard(name="Mine"))
        shown = self._show(dialog)
        key = dialog["context"]["default_key"]
        self.assertEqual(shown["key"], key)
        self.assertEqual(shown["url"], f"{URL}/mcp")
        self.assertTrue(shown["url_known"])
        self.assertEqual(len(shown["snippets"]), 12)
        for snippet in shown["snippets"]:
            self.assertIn(key, snippet["text"])
            self.assertIn(f"{URL}/mcp", snippet["text"])

    def test_the_dialog_without_a_known_address(self):
        self.settings.public_url = False
        _made, dialog = self._connect_by(self._wizard(name="Mine"))
        shown = self._show(dialog)
        self.assertFalse(shown["url_known"])
        for snippet in shown["snippets"]:
            self.assertIn("https://YOUR-DOORMAN/mcp", snippet["text"])

    def test_the_services_key_has_no_snippets(self):
        shown = self._show(self.settings.action_generate_service_key())
        self.assertTrue(shown["key"])
        self.assertFalse(shown["for_tool"])
        self.assertFalse(shown["snippets"])

    def test_what_is_lent(self):
        every = {"mcp:metadata", "mcp:search", "mcp:orm", "mcp:sql", "mcp:shell"}
        search = self.env.ref("doorman.scope_search")
        custom = {"access": "custom", "scope_ids": [Command.set(search.ids)]}
        cases = (
            # who it acts as, what is chosen -> scopes, read only
            ("user", {"access": "full"}, every - {"mcp:sql", "mcp:shell"}, False),
            ("boss", {"access": "full"}, every, False),
            ("user", {"access": "read"}, {"mcp:metadata", "mcp:search"}, True),
            ("user", {}, {"mcp:metadata", "mcp:search"}, True),
            ("user", custom, {"mcp:search"}, False),
            ("user", {**custom, "read_only": True}, {"mcp:search"}, True),
            # What was ticked before another kind of access was chosen.
            ("user", {**custom, "access": "full"}, every - {"mcp:sql", "mcp:shell"}, 0),
        )
        self.people["boss"] = self.boss
        for role, vals, scopes, read_only in cases:
            with self.subTest(role=role, vals=vals):
                user = self.people[role]
                wizard = self._wizard(name="x", user_id=user.id, **vals)
                made, _dialog = self._connect_by(wizard)
                self.assertEqual(set(made.scope_ids.mapped("code")), scopes)
                self.assertEqual(made.read_only, bool(read_only))

    def test_what_is_missing_is_said_before(self):
        wizard = self._wizard(name="x", user_id=self.people["internal"].id)
        self.assertEqual(wizard.missing_scopes, "mcp:metadata, mcp:search")
        wizard.user_id = self.people["user"]
        self.assertFalse(wizard.missing_scopes)
        wizard.access = "full"
        wizard.user_id = self.people["internal"]
        with self.assertRaises(UserError):
            wizard.action_connect()

    def test_an_expiry(self):
        soon = fields.Datetime.now() + timedelta(days=7)
        made, _dialog = self._connect_by(self._wizard(name="x", expires_at=soon))
        self.assertEqual(made.expires_at, soon)

    def test_what_does_not_make_a_connection(self):
        before = self.env["doorman.connection"].search_count([])
        past = fields.Datetime.now() - timedelta(minutes=1)
        cases = (
            {"name": False},
            {"name": "  "},
            {"user_id": False},
            {"expires_at": past},
            {"access": "custom", "scope_ids": [Command.clear()]},
            {"user_id": self.people["portal"].id},
            {"user_id": self.service.id},
        )
        for vals in cases:
            wizard = self._wizard(**{"name": "x", "handover": "link", **vals})
            with self.subTest(vals=vals):
                found = self.outcome(wizard.action_connect, UserError)
                self.assertEqual(found, "deny")
        after = self.env["doorman.connection"].search_count([])
        self.assertEqual(after, before)

    def test_the_form_as_a_person_fills_it(self):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        wizard = wizards.create({})
        wizard.action_choose_key()
        with Form(wizard) as form:
            form.name = "By hand"
            self.assertEqual(form.user_id, self.admin)
            self.assertFalse(form.for_other)
            form.user_id = self.people["user"]
            self.assertTrue(form.for_other)
            self.assertFalse(form.link_only)
            form.handover = "self"
        made, dialog = self._connect_by(wizard)
        self.assertEqual(made.user_id, self.people["user"])
        self.assertTrue(dialog["context"]["default_key"].startswith("dmk_"))

    def test_a_hidden_choice_does_not_stay(self):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        wizard = wizards.create({"step": "key", "name": "x"})
        with Form(wizard) as form:
            form.user_id = self.people["user"]
            form.handover = "self"
            form.user_id = self.boss
            self.assertTrue(form.link_only)
        _made, dialog = self._connect_by(wizard)
        self.assertIn("default_link", dialog["context"])

    # ---- for somebody else ----

    def test_handing_over_is_recorded(self):
        user = self.people["user"]
        wizard = self._wizard(name="x", user_id=user.id, handover="self")
        made, dialog = self._connect_by(wizard)
        self.assertIn("default_key", dialog["context"])
        said = " ".join(made.message_ids.mapped("body"))
        self.assertIn(user.name, said)
        self.assertIn(self.admin.name, said)
        self.assertNotIn(dialog["context"]["default_key"], said)

    def test_a_link_shows_no_key(self):
        user = self.people["user"]
        wizard = self._wizard(name="x", user_id=user.id, handover="link")
        made, dialog = self._connect_by(wizard)
        self.assertNotIn("default_key", dialog["context"])
        self.assertFalse(made.api_key_id)
        self.assertTrue(made.pickup_pending)
        shown = self._show(dialog)
        self.assertIn("/doorman/pickup#", shown["link"])
        self.assertEqual(shown["owner"], user.name)
        self.assertTrue(shown["link_until"])

    def test_the_settings_can_forbid_to_hand_over(self):
        self.settings.allow_key_handover = False
        user = self.people["user"]
        wizard = self._wizard(name="x", user_id=user.id, handover="self")
        self.assertTrue(wizard.link_only)
        self.assertEqual(self.outcome(wizard.action_connect), "deny")
        wizard.handover = "link"
        _made, dialog = self._connect_by(wizard)
        self.assertIn("default_link", dialog["context"])

    def test_ones_own_key_is_no_handing_over(self):
        self.settings.allow_key_handover = False
        wizard = self._wizard(name="x", handover="self")
        self.assertFalse(wizard.link_only)
        _made, dialog = self._connect_by(wizard)
        self.assertIn("default_key", dialog["context"])

    def test_no_key_of_an_odoo_administrator_for_who_is_none(self):
        wizard = self._wizard(name="x", user_id=self.boss.id, handover="self")
        self.assertTrue(wizard.link_only)
        self.assertEqual(self.outcome(wizard.action_connect), "deny")
        wizard.handover = "link"
        _made, dialog = self._connect_by(wizard)
        self.assertNotIn("default_key", dialog["context"])

    def test_no_key_of_who_manages_access_rights_either(self):
        """They can make anyone an Odoo administrator."""
        manager = self._person(
            "manager", ["doorman.group_user", "base.group_erp_manager"]
        )
        wizard = self._wizard(name="x", user_id=manager.id, handover="self")
        self.assertEqual(self.outcome(wizard.action_connect), "deny")
        self.people["admin"].group_ids += self.env.ref("base.group_erp_manager")
        _made, dialog = self._connect_by(wizard)
        self.assertIn("default_key", dialog["context"])

    def test_an_odoo_administrator_may_hand_over_anyones(self):
        self.people["boss"] = self.boss
        root = self.env.ref("base.user_admin")
        wizard = self._wizard("boss", name="x", user_id=root.id, handover="self")
        _made, dialog = self._connect_by(wizard)
        self.assertIn("default_key", dialog["context"])

    # ---- nothing is left ----

    def test_no_table_of_the_wizard_or_the_dialog_holds_a_key(self):
        wizard = self._wizard(name="x")
        _made, dialog = self._connect_by(wizard)
        key = dialog["context"]["default_key"]
        self._show(dialog)
        self.env.flush_all()
        self.env.cr.execute("SELECT w::text FROM doorman_connect_wizard w")
        rows = self.env.cr.fetchall()
        self.assertTrue(rows)
        for needle in (key, key[4:], proof_of(key)):
            self.assertNotIn(needle, str(rows))
        self.env.cr.execute("SELECT to_regclass('doorman_key_show')")
        self.assertIsNone(self.env.cr.fetchone()[0])

    def test_the_wizard_has_no_field_for_a_key(self):
        for name in self.env["doorman.connect.wizard"]._fields:
            # How long one works may be told.
            if name not in ("key_days", "key_days_max"):
                self.assertNotIn("key", name)
            self.assertNotIn("token", name)

    # ---- the OAuth ways ----

    def test_browser_login_makes_nothing(self):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        wizard = wizards.create({})
        before = self.env["doorman.connection"].search_count([])
        wizard.action_choose_browser()
        self.assertEqual(wizard.step, "browser")
        self.assertEqual(wizard.mcp_url, f"{URL}/mcp")
        after = self.env["doorman.connection"].search_count([])
        self.assertEqual(after, before)

    def _client_wizard(self, **vals):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        vals = {
            "step": "client",
            "client_name": " Our\u202e bot ",
            "user_id": self.people["user"].id,
            "redirect_uris": "https://a.example.com/cb",
        } | vals
        return wizards.create(vals)

    def test_an_oauth_client_is_made(self):
        for kind in ("public", "confidential"):
            wizard = self._client_wizard(
                client_type=kind,
                redirect_uris="https://a.example.com/cb\n\n https://a.example.com/cb\n"
                "http://127.0.0.1:8080/cb\nhttp://localhost/cb\nhttp://[::1]:7/cb?x=1",
            )
            context = wizard.action_make_client()["context"]
            client = self.env["doorman.oauth.client"]._named(
                context["default_client_id"]
            )
            connection = client.connection_ids
            with self.subTest(kind=kind):
                self.assertEqual(client.name, "Our bot")
                self.assertEqual(client.kind, "custom")
                self.assertEqual(client.user_id, self.people["user"])
                self.assertEqual(len(client._redirects()), 4)
                self.assertEqual(bool(context["default_key"]), kind != "public")
                self.assertEqual(connection.auth_type, "oauth")
                self.assertEqual(connection.user_id, self.people["user"])
                self.assertEqual(connection.client_id, client.client_id)
                self.assertTrue(connection.read_only)
                self.assertFalse(connection.api_key_id)
        # The secret is in no field.
        stored = wizard.read()[0] | client.read()[0] | connection.sudo().read()[0]
        self.assertNotIn(context["default_key"], str(stored))
        dialog = self.env["doorman.key.show"].with_context(**context).new({})
        self.assertFalse(dialog.for_tool)

    def test_an_oauth_client_for_a_company_one_does_not_see(self):
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_user"], company_id=other.id, company_ids=other.ids
        )
        before = self.env["doorman.oauth.client"].search_count([])
        wizard = self._client_wizard(user_id=far.id)
        found = self.outcome(wizard.action_make_client, AccessError)
        self.assertEqual(found, "deny")
        after = self.env["doorman.oauth.client"].search_count([])
        self.assertEqual(after, before)

    def test_an_oauth_client_acts_as_a_person(self):
        for person in (
            self.people["portal"],
            self.service,
            self.env.ref("base.user_root"),
        ):
            wizard = self._client_wizard(user_id=person.id)
            found = self.outcome(wizard.action_make_client, UserError)
            self.assertEqual(found, "deny")

    def test_redirect_uris_that_are_refused(self):
        bad = (
            "", "  \n ", "x", "/cb", "//a.example.com/cb", "a.example.com/cb",
            "http://a.example.com/cb", "http://127.0.0.1.evil.com/cb", "https://",
            "https:///cb", "https://a.example.com/cb#x", "https://*.example.com/cb",
            "https://u:p@a.example.com/cb", "https://a@b.example.com/", "javascript:1",
            "data:text/html,x", "myapp://x/cb", "file:///etc/passwd", "ftp://a/b",
            "https://a.example.com:x/cb", "https://a.example.com:99999/", "https://[x/",
            "https://a.example.com/a b", "https://a.example.com/\x01", "https://é.fr/",
            "https://a.example.com\\@b.example.com/", "HTTPS:/a", "http://localhost@b/",
        )  # fmt: skip
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        for uri in bad:
            for lines in (uri, f"https://good.example.com/cb\n{uri}"):
                if lines != uri and not uri.strip():
                    continue
                wizard = wizards.create(
                    {"client_name": "x", "redirect_uris": lines, "step": "client"}
                )
                with self.subTest(uri=lines), self.assertRaises(UserError):
                    wizard.action_make_client()
        many = "\n".join(f"https://a.example.com/{i}" for i in range(21))
        wizard = wizards.create({"client_name": "x", "redirect_uris": many})
        with self.assertRaises(UserError):
            wizard.action_make_client()
        wizard = wizards.create({"redirect_uris": "https://a.example.com/cb"})
        with self.assertRaises(UserError):
            wizard.action_make_client()

    def test_the_wrong_line_is_named(self):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        uris = "https://a.example.com/cb\n\nhttp://b.example.com/cb"
        wizard = wizards.create({"client_name": "x", "redirect_uris": uris})
        with self.assertRaisesRegex(UserError, "line 3.*b.example.com"):
            wizard.action_make_client()

    # ---- who ----

    def test_only_administrators(self):
        for role in ROLES:
            for method in ("create", *ACTIONS):
                person = self.people[role]
                wizards = self.env["doorman.connect.wizard"]
                run = getattr(wizards.with_user(person), method)
                if method == "create":
                    found = self.outcome(lambda run=run: run({}))
                else:
                    # Without a record an administrator's call fails too.
                    found = self.outcome(run) if role != "admin" else "allow"
                with self.subTest(role=role, method=method):
                    self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_the_wizard_of_an_administrator_is_nobody_elses(self):
        wizard = self._wizard(name="x")
        for role in ROLES:
            if role != "admin":
                for method in ACTIONS:
                    run = getattr(wizard.with_user(self.people[role]), method)
                    with self.subTest(role=role, method=method):
                        self.assertEqual(self.outcome(run), "deny")

    def test_the_action_is_hidden_from_others(self):
        action = self.env.ref("doorman.doorman_connect_wizard_action")
        self.assertEqual(action.group_ids, self.env.ref("doorman.group_admin"))

    def test_the_switch_is_said(self):
        wizard = self._wizard(name="x")
        self.assertTrue(wizard.enabled)
        self.settings._switch(False)
        wizard.invalidate_recordset()
        self.assertFalse(wizard.enabled)

    def test_a_connection_for_a_company_one_does_not_see(self):
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_user"], company_id=other.id, company_ids=other.ids
        )
        before = self.env["doorman.connection"].search_count([])
        for handover in ("self", "link"):
            wizard = self._wizard(name="x", user_id=far.id, handover=handover)
            with self.subTest(handover=handover):
                found = self.outcome(wizard.action_connect, AccessError)
                self.assertEqual(found, "deny")
        after = self.env["doorman.connection"].search_count([])
        self.assertEqual(after, before)
