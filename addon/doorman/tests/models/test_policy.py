import ipaddress
import random

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy import ip_lists

from ...tools import operations
from ..common import DoormanCase

GOOD = {
    "": [],
    "  \n\n# only a comment": [],
    "192.0.2.7": ["192.0.2.7/32"],
    "192.168.1.0/24": ["192.168.1.0/24"],
    "192.168.1.77/24 # host bits": ["192.168.1.0/24"],
    "2001:db8::/32": ["2001:db8::/32"],
    " 2001:DB8::1\t": ["2001:db8::1/128"],
    "10.0.0.0/8\r\n\r\n# office\r\n::1": ["10.0.0.0/8", "::1/128"],
    "0.0.0.0/0": ["0.0.0.0/0"],
}
# What stands there, and the line that is wrong.
BAD = {
    "300.1.1.1": 1,
    "10.0.0.0/33": 1,
    "10.0.0.0/-1": 1,
    "10.0.0.0/": 1,
    "10.0.0.0/255.0.0.0": 1,
    "10.0.0.0/0.0.0.255": 1,
    "010.0.0.1": 1,
    "10.0.0.1, 10.0.0.2": 1,
    "10.0.0.1 10.0.0.2": 1,
    "example.com": 1,
    "10.1": 1,
    "167772161": 1,
    "\n# x\n10.0.0.1\n10.0.0.x": 4,
    "2001:db8::/129": 1,
    "fe80::1%eth0": 1,
    "::ffff:10.0.0.1": 1,
    "::ffff:10.0.0.0/90": 1,
    "10.0.0.0/\u0661": 1,
    "*": 1,
}


@tagged("post_install", "-at_install")
class TestAddresses(BaseCase):
    def test_good(self):
        for text, expected in GOOD.items():
            with self.subTest(text=text):
                self.assertIsNone(ip_lists.wrong_line(text))
                self.assertEqual(ip_lists.parse(text), expected)

    def test_bad(self):
        for text, line in BAD.items():
            with self.subTest(text=text):
                self.assertEqual(ip_lists.wrong_line(text)[0], line)
                with self.assertRaises(ValueError):
                    ip_lists.parse(text)

    def test_none_is_empty(self):
        self.assertEqual(ip_lists.parse(None), [])
        self.assertEqual(ip_lists.parse(False), [])

    def test_what_is_parsed_means_the_same(self):
        seed = random.randrange(2**32)
        dice = random.Random(seed)
        for _ in range(500):
            address = ipaddress.ip_address(
                dice.getrandbits(32)
                if dice.random() < 0.5
                else (0x2001 << 112) | dice.getrandbits(112)
            )
            bits = dice.randint(0, address.max_prefixlen)
            [parsed] = ip_lists.parse(f"{address}/{bits}")
            network = ipaddress.ip_network(parsed)
            self.assertIn(address, network, f"seed {seed}")
            self.assertEqual(network.prefixlen, bits, f"seed {seed}")


@tagged("post_install", "-at_install")
class TestPolicy(DoormanCase):
    """The fields of a policy: checked as they are saved, tracked, and sent on."""

    def _policy(self):
        self.env.flush_all()
        return self.gateway.resolve(self.proof)["snapshot"]["policy"]

    def test_a_wrong_address_is_named_with_its_line(self):
        mine = self.connection.with_user(self.people["admin"])
        for name, label in (("allowed_ips", "Allowed"), ("blocked_ips", "Blocked")):
            with self.subTest(field=name):
                with self.assertRaises(ValidationError) as raised:
                    mine.write({name: "10.0.0.0/8\n# home\n10.0.0.300"})
                text = str(raised.exception)
                for word in (label, "line 3", "10.0.0.300", "192.168.1.0/24"):
                    self.assertIn(word, text)

    def test_addresses_are_sent_cleaned(self):
        self.connection.allowed_ips = "# office\n192.168.1.9/24\n\n2001:db8::/32"
        policy = self._policy()
        self.assertEqual(policy["allowed_ips"], ["192.168.1.0/24", "2001:db8::/32"])
        self.assertNotIn("blocked_ips", policy)

    def test_a_list_of_comments_is_no_list(self):
        self.connection.allowed_ips = "# nobody yet"
        self.assertNotIn("allowed_ips", self._policy())

    def test_numbers_out_of_range(self):
        rows = [
            (self.connection, "rate_limit_minute", -1),
            (self.connection, "rate_limit_minute", 1_000_001),
            (self.connection, "rate_limit_day", -1),
            (self.connection, "approval_expiry_hours", 0),
            (self.connection, "approval_expiry_hours", 24 * 90 + 1),
            (self.settings, "rate_limit_minute", 0),
            (self.settings, "rate_limit_day", 0),
            (self.settings, "idle_after_hours", 0),
            (self.settings, "audit_retention_days", 0),
            (self.settings, "undo_days", -1),
            (self.settings, "undo_days", 366),
            (self.settings, "oauth_access_minutes", 0),
            (self.settings, "oauth_refresh_days", 366),
            (self.settings, "oauth_grace_seconds", -1),
            (self.settings, "oauth_registrations_per_hour", 0),
            (self.settings, "oauth_registrations_per_hour", 10_001),
        ]
        for record, name, value in rows:
            with self.subTest(field=name, value=value):
                with self.assertRaises(ValidationError):
                    record.with_user(self.people["admin"]).write({name: value})

    def test_rates_fall_back_to_the_settings(self):
        admin = self.people["admin"]
        self.settings.with_user(admin).write(
            {"rate_limit_minute": 7, "rate_limit_day": 70}
        )
        policy = self._policy()
        self.assertEqual(
            (policy["rate_limit_minute"], policy["rate_limit_day"]), (7, 70)
        )
        self.connection.with_user(admin).rate_limit_minute = 3
        policy = self._policy()
        self.assertEqual(
            (policy["rate_limit_minute"], policy["rate_limit_day"]), (3, 70)
        )

    def test_oauth_connections_are_limited_too(self):
        connection = self._connect("user", auth_type="oauth", rate_limit_minute=5)
        policy = connection._snapshot()["policy"]
        self.assertEqual(policy["rate_limit_minute"], 5)

    def test_approval_names_tools_and_who_decides(self):
        tool, off = self.tool("t1"), self.tool("t2")
        self.connection.approval_tool_ids = [Command.set((tool | off).ids)]
        off.active = False
        self.assertIs(self._policy()["approval"], True)
        approval = self.connection._policy()["approval"]
        # Switched off and on again, it must not have lost its gate.
        self.assertEqual(sorted(approval["tools"]), ["t1", "t2"])
        self.assertEqual(approval["approver"], self.people["approver"].display_name)

    def test_without_gated_tools_there_is_no_approval(self):
        self.assertIs(self._policy()["approval"], False)

    def test_nobody_approves_their_own_requests(self):
        with self.assertRaises(ValidationError):
            self.connection.approver_id = self.people["user"]

    def test_every_change_is_in_the_chatter_whatever_the_context(self):
        """An administrator must not change a policy and leave no trace."""
        tool = self.tool("t1")
        partner = self.env["ir.model"]._get("res.partner")
        changes = {
            "name": "Other",
            "scope_ids": [Command.clear()],
            "read_only": True,
            "allowed_tool_ids": [Command.set(tool.ids)],
            "allowed_model_ids": [Command.set(partner.ids)],
            "company_ids": [Command.set(self.company.ids)],
            "approval_tool_ids": [Command.set(tool.ids)],
            "approver_id": self.people["user2"].id,
            "approver_group_id": self.env.ref("doorman.group_admin").id,
            "approval_expiry_hours": 5,
            "allowed_ips": "10.0.0.0/8",
            "blocked_ips": "10.0.0.1",
            "rate_limit_minute": 5,
            "rate_limit_day": 500,
            "expires_at": fields.Datetime.now().replace(year=2099),
            "description": "for the auditors",
            "active": False,
        }
        for context in ({}, {"tracking_disable": True}, {"mail_notrack": True}):
            connection = self._connect("user2")
            mine = connection.with_user(self.people["admin"]).with_context(**context)
            for name, value in changes.items():
                self.flush_tracking()
                before = connection.message_ids
                mine.write({name: value if name != "approver_id" else False})
                if name == "approver_id":
                    mine.write({name: self.people["approver"].id})
                self.flush_tracking()
                new = connection.message_ids - before
                tracked = new.sudo().tracking_value_ids.field_id.mapped("name")
                with self.subTest(field=name, context=context):
                    self.assertIn(name, tracked)

    def test_what_the_chatter_noted_stays(self):
        """Odoo lets who may write a record delete its messages, too."""
        admin = self.people["admin"]
        mine = self.connection.with_user(admin)
        mine.write({"allowed_ips": "10.0.0.1"})
        self.flush_tracking()
        tracked = self.connection.message_ids[0]
        self.connection.with_user(self.people["user"]).action_revoke()
        revoked = self.connection.message_ids[0]
        self.settings.with_user(admin).action_disable()
        switched = self.settings.message_ids[0]
        for message in (tracked, revoked, switched):
            found = message.with_user(admin)
            for name, run in {
                "unlink": found.unlink,
                "body": lambda f=found: f.write({"body": "nothing happened"}),
                "type": lambda f=found: f.write({"message_type": "comment"}),
                "values": lambda f=found: f.write({"tracking_value_ids": [(5,)]}),
            }.items():
                with self.subTest(message=message.body, change=name):
                    self.assertEqual(self.outcome(run), "deny")
        self.assertTrue((tracked | revoked | switched).exists())

    def test_what_a_person_wrote_stays_theirs(self):
        mine = self.connection.with_user(self.people["admin"])
        note = mine.message_post(body="call Ann", message_type="comment")
        note.write({"body": "call Bert"})
        note.unlink()
        self.assertFalse(note.exists())

    def test_messages_of_other_models_are_not_our_affair(self):
        system = self._person("system", ["base.group_system"])
        partner = system.partner_id.with_user(system)
        message = partner.message_post(body="x", message_type="notification")
        message.write({"body": "y"})

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_switching_a_tool_is_on_record(self):
        tool = self.tool("t1")
        before = self.settings.message_ids
        tool.with_user(self.people["admin"]).write({"active": False})
        [message] = self.settings.message_ids - before
        self.assertIn("t1", message.body)
        self.assertIn(self.people["admin"].name, message.body)

    def test_missing_modules_and_floor_are_in_the_snapshot(self):
        tools = self.env["doorman.tool"]._inside()
        tools.create({"name": "a", "needs_module": "no_such_module"})
        tools.create({"name": "b", "needs_module": "mail"})
        self.env.flush_all()
        settings = self.gateway.resolve(self.proof)["snapshot"]["settings"]
        self.assertEqual(settings["missing_modules"], ["no_such_module"])
        self.assertIn("doorman.", settings["floor"])
        self.assertIn("ir.rule", settings["floor"])

    def test_a_tool_that_is_not_installed_is_not_switched_off(self):
        """It would be the lesser half of the truth, and the switch would not help."""
        tools = self.env["doorman.tool"]
        tool = tools.search([("name", "=", "run_sql")]) or self.tool("run_sql")

        def told():
            self.env.flush_all()
            settings = self.gateway.resolve(self.proof)["snapshot"]["settings"]
            return "run_sql" in settings["disabled_tools"]

        for module, switch, active, off in (
            ("mail", False, True, True),
            ("mail", True, True, False),
            ("mail", True, False, True),
            ("", False, True, True),
            ("", True, True, False),
            ("no_such_module", False, True, False),
            ("no_such_module", True, True, False),
            # By hand, in the catalog: that is said all the same.
            ("no_such_module", True, False, True),
        ):
            with self.subTest(module=module, switch=switch, active=active):
                tool._inside().write({"needs_module": module})
                tool.active = active
                self.settings.allow_sql = switch
                self.assertEqual(told(), off)

    def test_the_settings_say_what_is_not_installed(self):
        tools = self.env["doorman.tool"]
        operation = operations.Operation(
            name="run_python",
            run=print,
            module="doorman",
            tool="run_python",
            needs_model=False,
            reads=False,
        )
        known = dict(operations.OPERATIONS, run_python=operation)
        known.pop("run_sql", None)
        self.patch(operations, "OPERATIONS", known)
        tool = tools.search([("name", "=", "run_sql")]) or self.tool("run_sql")
        for module, says in ((False, "the addon"), ("some_module", "some_module")):
            tool._inside().write({"needs_module": module})
            self.settings.invalidate_recordset()
            self.assertIn("Not installed: run_sql.", self.settings.not_installed)
            self.assertIn(says, self.settings.not_installed)
        known["run_sql"] = operation
        self.settings.invalidate_recordset()
        self.assertFalse(self.settings.not_installed)
        view = self.settings.get_view(view_type="form")["arch"]
        self.assertIn('invisible="not not_installed"', view)

    def test_public_url(self):
        admin = self.people["admin"]
        settings = self.settings.with_user(admin)
        for url, expected in {
            "https://mcp.example.com": "https://mcp.example.com/mcp",
            "https://mcp.example.com/": "https://mcp.example.com/mcp",
            " https://mcp.example.com/mcp ": "https://mcp.example.com/mcp",
            "http://127.0.0.1:8090": "http://127.0.0.1:8090/mcp",
            "HTTPS://MCP.Example.com:443//": "https://mcp.example.com/mcp",
            "https://mcp.example.com:8443/mcp/": "https://mcp.example.com:8443/mcp",
        }.items():
            with self.subTest(url=url):
                settings.public_url = url
                self.assertEqual(self.settings._mcp_url(), expected)
        for url in (
            "mcp.example.com",
            "ftp://mcp.example.com",
            "https://",
            "https://user@mcp.example.com",
            "https://:x@mcp.example.com",
            "https://@mcp.example.com",
            "https://mcp.example.com/a",
            "https://mcp.example.com/?x=1",
            "javascript:alert(1)",
            "http://[::1",
            "https://mcp.example.com:x",
            "https://mcp.example.com$(id)",
            "https://mcp.example.com'",
            "https://mcp.exämple.com",
        ):
            with self.subTest(url=url), self.assertRaises(ValidationError):
                settings.public_url = url

    def test_a_stolen_service_key_redirects_nobody(self):
        """Snippets hold a key and the address it is sent to."""
        self.settings.public_url = False
        for url in (
            "https://attacker.example/mcp",
            "http://127.0.0.1@attacker.example/mcp",
            "http://127.0.0.1.attacker.example/mcp",
            "https://attacker.example/127.0.0.1",
            "//attacker.example/mcp",
            "http://[attacker",
            "attacker",
        ):
            self.env.cr.execute("DELETE FROM doorman_replica")
            self.gateway.hello("1.0", url)
            self.settings.invalidate_recordset()
            with self.subTest(url=url):
                self.assertEqual(self.settings.gateway_url, url)
                self.assertFalse(self.settings._mcp_url())

    def test_an_administrator_takes_the_address_over(self):
        self.env.cr.execute("DELETE FROM doorman_replica")
        self.gateway.hello("1.0", "https://mcp.example.com/mcp")
        self.settings.invalidate_recordset()
        self.settings.with_user(self.people["admin"]).action_use_gateway_url()
        self.assertEqual(self.settings.public_url, "https://mcp.example.com")
        self.assertEqual(self.settings._mcp_url(), "https://mcp.example.com/mcp")

    def test_who_only_asks_is_not_the_service(self):
        self.env.cr.execute("DELETE FROM doorman_replica")
        self.assertTrue(self.gateway.hello()["addon_version"])
        self.gateway.hello("", "https://mcp.example.com/mcp")
        self.settings.invalidate_recordset()
        self.assertFalse(self.settings.gateway_last_seen)
        self.assertNotEqual(self.settings.gateway_url, "https://mcp.example.com/mcp")

    def test_the_services_own_url_is_used_until_one_is_set(self):
        self.gateway.hello("1.0", "http://127.0.0.1:8090/mcp")
        self.settings.invalidate_recordset()
        self.assertEqual(self.settings._mcp_url(), "http://127.0.0.1:8090/mcp")
