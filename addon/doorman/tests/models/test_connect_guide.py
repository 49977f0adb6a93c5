import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...client_snippets import OF_CLIENT, snippets
from ...wizards.client_guides import CLIENTS, browser_steps, install_link
from ..common import ROLES, DoormanCase

URL = "https://mcp.example.com"
HOSTILE = "https://x.example.com/a?b=\"c\"&d='e'+f %20<g>#é"


@tagged("post_install", "-at_install")
class TestConnectGuide(DoormanCase):
    """The wizard from the choice of an AI tool to its first call."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings.public_url = URL
        cls.settings.oauth_enabled = True
        cls.admin = cls.people["admin"]

    def _choose(self, code, **vals):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        wizard = wizards.create(vals)
        wizard.with_context(doorman_client=code).action_choose()
        return wizard

    def _since(self):
        moment = fields.Datetime.now() - timedelta(seconds=1)
        return fields.Datetime.to_string(moment)

    def _call(self, connection, outcome="ok", **vals):
        user = connection.user_id
        row = {
            "time": fields.Datetime.now(),
            "connection_id": connection.id,
            "connection_name": connection.name,
            "user_id": user.id,
            "company_id": user.company_id.id,
            "method": "tools/call",
            "tool": "get_context",
            "client": "claude-code 2.1.0",
            "ip": "10.0.0.5",
            "outcome": outcome,
            "count": 1,
        }
        self.env["doorman.audit"]._insert(row | vals)
        self.env.invalidate_all()

    # ---- guides ----

    def test_every_tool_has_what_its_ways_take(self):
        known = {snippet["code"] for snippet in snippets(URL, "dmk_x")}
        for code, guided in CLIENTS.items():
            with self.subTest(client=code):
                self.assertLessEqual(set(guided.ways), {"browser", "key"})
                self.assertEqual("key" in guided.ways, bool(OF_CLIENT[code]))
                self.assertLessEqual(set(OF_CLIENT[code]), known)
                steps = browser_steps(code, HOSTILE)
                self.assertTrue(any(step["copy"] for step in steps))
                for step in steps:
                    self.assertNotIn("YOUR", step["copy"])

    def test_install_links_hold_the_address_and_nothing_else(self):
        link = urlsplit(install_link("cursor", HOSTILE))
        self.assertEqual(
            link.scheme + "://" + link.netloc + link.path,
            "cursor://anysphere.cursor-deeplink/mcp/install",
        )
        query = parse_qs(link.query, strict_parsing=True)
        self.assertEqual(query["name"], ["odoo"])
        config = json.loads(base64.b64decode(query["config"][0]))
        self.assertEqual(config, {"url": HOSTILE})

        link = install_link("vscode", HOSTILE)
        start, _, text = link.partition("?")
        self.assertEqual(start, "vscode:mcp/install")
        server = {"name": "odoo", "type": "http", "url": HOSTILE}
        self.assertEqual(json.loads(unquote(text)), server)
        for code in {*CLIENTS, "other", None} - {"cursor", "vscode"}:
            self.assertEqual(install_link(code, HOSTILE), "")

    def test_the_choice_leads_to_the_usual_way(self):
        for code, guided in CLIENTS.items():
            wizard = self._choose(code)
            with self.subTest(client=code):
                self.assertEqual(wizard.step, guided.ways[0])
                self.assertEqual(wizard.client, code)
                self.assertEqual(wizard.offers_browser, "browser" in guided.ways)
                self.assertEqual(wizard.offers_bearer, "key" in guided.ways)
                texts = json.dumps(wizard.guide)
                self.assertIn(f"{URL}/mcp", texts)
        self.settings.oauth_enabled = False
        for code, guided in CLIENTS.items():
            expected = "key" if "key" in guided.ways else "browser"
            self.assertEqual(self._choose(code).step, expected)

    def test_a_silent_service_is_said_before(self):
        wizard = self._choose("claude")
        self.assertTrue(wizard.service_silent)
        self.env["doorman.replica"]._note("1.0", f"{URL}/mcp")
        self.env.invalidate_all()
        self.assertFalse(wizard.service_silent)

    def test_what_is_no_tool_is_refused(self):
        for code in (None, "", "own", "x", 1, ["claude"], "__class__"):
            with self.subTest(code=code), self.assertRaises(UserError):
                self._choose(code)

    def test_there_is_nothing_left_to_fill_in(self):
        wizard = self._choose("codex")
        self.assertEqual(wizard.name, f"Codex, {self.admin.name}")
        dialog = wizard.action_connect()
        shown = self.env["doorman.key.show"].with_user(self.admin)
        shown = shown.with_context(**dialog["context"]).new({})
        key = dialog["context"]["default_key"]
        self.assertEqual([s["code"] for s in shown.snippets], ["codex"])
        self.assertIn(key, shown.snippets[0]["text"])
        # Back, and another one: the name is of that.
        wizard = self._choose("codex")
        wizard.action_back()
        self.assertFalse(wizard.client or wizard.name)
        wizard.name = "Mine"
        wizard.with_context(doorman_client="n8n").action_choose()
        self.assertEqual(wizard.name, "Mine")

    # ---- no key that is refused at every call ----

    def test_no_dead_keys(self):
        person = self.people["internal"]
        search = self.env.ref("doorman.scope_search")
        custom = {"access": "custom", "scope_ids": [Command.set(search.ids)]}
        before = self.env["doorman.connection"].search_count([])
        for vals in ({}, {"access": "full"}, {"access": "read"}, custom):
            wizard = self._choose("codex", user_id=person.id, **vals)
            with self.subTest(vals=vals):
                self.assertTrue(wizard.no_mcp_user)
                with self.assertRaises(UserError):
                    wizard.action_connect()
        wizard = self._choose("codex", user_id=person.id)
        # Giving rights here takes the right to give them in Odoo.
        self.assertEqual(self.outcome(wizard.action_give_permissions), "deny")
        self.admin.group_ids += self.env.ref("base.group_erp_manager")
        wizard.action_give_permissions()
        self.env.invalidate_all()
        self.assertFalse(wizard.no_mcp_user or wizard.missing_scopes)
        wizard.action_connect()
        after = self.env["doorman.connection"].search_count([])
        self.assertEqual(after, before + 1)

    def test_no_dead_clients(self):
        person = self.people["internal"]
        person.group_ids += self.env.ref("doorman.group_scope_search")
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        vals = {
            "step": "client",
            "client_name": "Bot",
            "user_id": person.id,
            "redirect_uris": "https://a.example.com/cb",
        }
        wizard = wizards.create(vals)
        with self.assertRaises(UserError):
            wizard.action_make_client()
        person.group_ids += self.env.ref("doorman.group_user")
        self.env.invalidate_all()
        self.assertTrue(wizard.action_make_client())

    # ---- the first call ----

    def test_the_first_call(self):
        connection = self.connection.with_user(self.admin)
        since = self._since()
        self.assertEqual(connection.first_call(since), {"state": "waiting"})
        # What a person decides, and what was before, is not a call.
        self._call(connection, method="approval/approve")
        before = fields.Datetime.now() - timedelta(days=1)
        self._call(connection, time=before)
        self.assertEqual(connection.first_call(since), {"state": "waiting"})
        self._call(connection, "refused", message="Not from there.")
        found = connection.first_call(since)
        self.assertEqual(found["state"], "refused")
        self.assertEqual(found["message"], "Not from there.")
        self._call(connection)
        self._call(connection, "refused")
        found = connection.first_call(since)
        self.assertEqual(
            (found["state"], found["client"], found["ip"], found["message"]),
            ("connected", "claude-code 2.1.0", "10.0.0.5", ""),
        )

    def test_who_is_told(self):
        since = self._since()
        self._call(self.connection)
        for role in ROLES:
            connection = self.connection.with_user(self.people[role])
            tests = "allow" if role in ("user", "admin") else "deny"
            # It is in the audit, too.
            sees = "allow" if role == "auditor" else tests
            with self.subTest(role=role):
                run = lambda c=connection: c.first_call(since)  # noqa: E731
                self.assertEqual(self.outcome(run), sees)
                self.assertEqual(self.outcome(connection.test_connection), tests)

    def test_since_is_a_moment(self):
        connection = self.connection.with_user(self.admin)
        for since in (None, "", "x", 1, True, [], {}, "2026-13-01 00:00:00"):
            with self.subTest(since=since), self.assertRaises(UserError):
                connection.first_call(since)

    def test_a_browser_login(self):
        wizard = self._choose("claude")
        self.assertEqual(wizard.first_call(), {"state": "waiting"})
        # Nobody else's wizard.
        for role in ROLES:
            if role != "admin":
                run = wizard.with_user(self.people[role]).first_call
                self.assertEqual(self.outcome(run), "deny")
        made = self.env["doorman.connection"].create(
            {
                "name": "Claude of user",
                "auth_type": "oauth",
                "user_id": self.people["user"].id,
            }
        )
        made._inside().state = "inactive"
        self.assertEqual(wizard.first_call()["state"], "inactive")
        made._inside().state = "awaiting"
        found = wizard.first_call()
        self.assertEqual((found["state"], found["name"]), ("logged_in", made.name))
        self._call(made)
        self.assertEqual(wizard.first_call()["state"], "connected")

    # ---- the test button ----

    def test_what_odoo_knows(self):
        connection = self.connection.with_user(self.admin)
        connection.sudo()._issue_key()
        self.settings._switch(True)
        self.env["doorman.replica"]._note("1.0", f"{URL}/mcp")

        def failing():
            self.env.invalidate_all()
            checks = connection.test_connection()
            self.assertEqual(len(checks), 4)
            return [n for n, check in enumerate(checks) if not check["ok"]]

        self.assertEqual(failing(), [])
        self.env.cr.execute("DELETE FROM doorman_replica")
        self.assertEqual(failing(), [0])
        self.settings._switch(False)
        self.assertEqual(failing(), [0, 1])
        user = self.people["user"]
        scopes = self.env["doorman.scope"].search([])
        user.group_ids -= scopes.group_id
        self.assertEqual(failing(), [0, 1, 3])
        connection.action_revoke()
        self.assertEqual(failing(), [0, 1, 2, 3])
