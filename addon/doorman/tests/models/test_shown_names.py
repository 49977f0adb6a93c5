from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.doorman.controllers.sign_up import SignUp, WrongInput
from odoo.addons.doorman.policy.plain_text import is_plain

from ..common import ApprovalCase, DoormanCase
from ..invite_common import InviteMixin
from ..policy.test_invisible import smuggled

HIDDEN = (
    smuggled("pay evil"),
    "\U000e0070\U000e0061",
    "\u3164\u2800",
    "\u200b\u202e",
    "\u034f\u0378",
)


@tagged("post_install", "-at_install")
class TestShownNames(InviteMixin, DoormanCase):
    """Names of connections and invites."""

    def test_connections(self):
        admin = self.connection.with_user(self.people["admin"])
        for hidden in HIDDEN:
            for name in ("name", "description"):
                with self.subTest(ascii(hidden), name=name):
                    admin.write({name: f"Bo{hidden}t ❤\ufe0f"})
                    self.assertEqual(admin[name], "Bot ❤\ufe0f")
            with self.subTest(ascii(hidden)):
                with self.assertRaises(ValidationError):
                    admin.write({"name": hidden})
                made = admin.create(
                    {"name": f"B{hidden}", "user_id": self.people["user"].id}
                )
                self.assertEqual(made.name, "B")
                with self.assertRaises(ValidationError):
                    admin.with_context(default_name=f"B{hidden}").create(
                        {"user_id": self.people["user"].id}
                    )
        admin.write({"description": "two\n\tlines"})
        self.assertEqual(admin.description, "two\n\tlines")

    def test_invites(self):
        for hidden in HIDDEN:
            with self.subTest(ascii(hidden)):
                invite, token = self.invite(
                    key_name_preset=f"K{hidden}ey", description=f"W{hidden}hy"
                )
                self.assertEqual(invite.key_name_preset, "Key")
                self.assertEqual(invite.description, "Why")
                with self.assertRaises(UserError):
                    self.invite(key_name_preset=hidden)
                # Made by a version that let it through.
                self.env.cr.execute(
                    "UPDATE doorman_invite SET key_name_preset = %s WHERE id = %s",
                    [f"K{hidden}ey", invite.id],
                )
                self.env.invalidate_all()
                self.accept(token)
                connection = self.env["doorman.connection"].search(
                    [("invite_id", "=", invite.id)]
                )
                self.assertEqual(connection.name, "Key")

    def test_invites_of_the_rest_api(self):
        api = self.env["doorman.invite"].with_user(self.people["admin"])
        for hidden in HIDDEN:
            asked = {"scopes": ["mcp:search"], "key_name_preset": f"K{hidden}ey"}
            self.assertEqual(api.api_create(asked)["invite"]["key_name_preset"], "Key")
            answer = api.api_create(asked | {"key_name_preset": hidden})
            self.assertEqual(answer["error"]["code"], "invalid_input")

    def test_new_accounts(self):
        invite, _token = self.invite(new_accounts=True)
        params = {"email": "new@example.com", "password": "correct-horse-1"}
        for name, fine in (
            *((f"Ann{hidden}", False) for hidden in HIDDEN),
            ("Ann\nBoss", False),
            ("Ann ❤\ufe0f", True),
            ("می\u200cخواهم", True),
            ("Ann Boss", True),
        ):
            with self.subTest(ascii(name)):
                form = SignUp(invite, params | {"name": name}, {})
                if fine:
                    form._check()
                else:
                    with self.assertRaises(WrongInput):
                        form._check()


@tagged("post_install", "-at_install")
class TestShownToApprovers(ApprovalCase):
    """What hides is spelt out to who decides, and in the audit."""

    def test_approvals(self):
        # All that writes is put before a person.
        self.gate(*self.tools)
        for hidden in HIDDEN:
            with self.subTest(ascii(hidden)):
                # What is kept from before.
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE doorman_connection SET name = %s WHERE id = %s",
                    [f"Bot{hidden}", self.connection.id],
                )
                self.env.cr.execute(
                    "UPDATE res_partner SET ref = %s WHERE id = %s",
                    [f"old{hidden}", self.acme.id],
                )
                self.env.invalidate_all()
                self.acme.name = f"Acme{hidden}"
                approval = self.waiting(
                    *("res.partner", "write", self.acme.ids),
                    vals={"ref": f"x{hidden}", "comment": f"<p>y{hidden}</p>"},
                    more={"audit": {"client": f"Claude{hidden}"}},
                )
                mark = f"{ord(hidden[0]):04x}"
                for name in (
                    *("summary", "connection_name", "client", "changes_html"),
                    *("arguments_html", "payload_text"),
                ):
                    text = str(approval[name])
                    self.assertTrue(is_plain(text), (name, ascii(text)))
                    self.assertIn(mark, text, name)
                self._cancel(approval)

    def _cancel(self, approval):
        approval.with_user(self.people["admin"]).action_cancel()

    def test_code_and_messages(self):
        hidden = HIDDEN[0]
        self.gate(*self.tools)
        approval = self.waiting(
            "res.partner", "message_post", self.acme.ids, body=f"Hello{hidden}"
        )
        text = str(approval.changes_html) + str(approval.arguments_html)
        self.assertTrue(is_plain(text), ascii(text))
        self.assertIn(f"Hello\\U{ord(hidden[0]):08x}", text)

    def test_audit(self):
        before = self.rows()
        for hidden in HIDDEN:
            with self.subTest(ascii(hidden)):
                self.call(
                    "res.partner",
                    "read",
                    self.acme.ids,
                    fields=["name"],
                    more={
                        "audit": {"client": f"Claude{hidden}", "method": "tools/call"}
                    },
                )
                [row, *_rest] = self.new_rows(before)
                self.assertTrue(is_plain(row["client"]), ascii(row["client"]))
                self.assertIn(f"{ord(hidden[0]):04x}", row["client"])
                self.gateway.record(
                    [
                        {
                            "reason": "unknown_tool",
                            "message": f"no{hidden}",
                            "audit": {
                                "client": f"Claude{hidden}",
                                "tool": f"t{hidden}",
                            },
                        }
                    ]
                )
                [row, *_rest] = self.new_rows(before)
                for name in ("client", "message", "tool"):
                    self.assertTrue(is_plain(row[name]), ascii(row[name]))
                    self.assertIn(f"{ord(hidden[0]):04x}", row[name])
