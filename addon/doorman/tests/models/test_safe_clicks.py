from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import ApprovalCase


@tagged("post_install", "-at_install")
class TestSafeClicks(ApprovalCase):
    """What one click does from a list, a card or an activity, and what asks first."""

    def setUp(self):
        super().setUp()
        self.partners = self.env["res.partner"].create(
            [{"name": f"Contact {n}"} for n in range(3)]
        )
        self.mine = self.env(user=self.people["approver"])

    def ask_for(self, partner, risk="low", delete=False, **values):
        """A request that waits, as its approver has it; its risk is set afterwards."""
        if delete:
            request = self.waiting("res.partner", "unlink", partner.ids)
        else:
            request = self.waiting("res.partner", "write", partner.ids, vals=values)
        request._inside().write({"risk": risk})
        return request.with_env(self.mine)

    def test_one_click(self):
        """From a list, low and medium risk are done; high risk is opened, and so are
        requests that carry a warning."""
        for risk, delete, opened in (
            ("low", False, False),
            ("medium", False, False),
            ("high", False, True),
            (False, False, True),
            ("low", True, True),
        ):
            with self.subTest(risk=risk, delete=delete):
                partner = self.env["res.partner"].create({"name": "Old"})
                request = self.ask_for(partner, risk, delete, ref="new")
                action = request.action_approve_or_open()
                self.assertEqual(action.get("res_id") == request.id, opened, action)
                self.assertEqual(request.state, "pending" if opened else "executed")
                if opened:
                    self.assertEqual(action["views"], [(False, "form")])
                    self.connection._drop_requests("over")

    def test_changed_since_is_opened(self):
        request = self.ask_for(self.partners[0], ref="new")
        self.partners[0].with_user(self.people["admin"]).sudo().write({"city": "Rome"})
        self.env.flush_all()
        action = request.action_approve_or_open()
        self.assertEqual(action.get("res_id"), request.id)
        self.assertEqual(request.state, "pending")

    def test_who_may_click(self):
        request = self.ask_for(self.partners[0], ref="new")
        for role in ("user", "user2", "internal", "admin", "portal"):
            with self.subTest(role), self.assertRaises(AccessError):
                request.with_user(self.people[role]).action_approve_or_open()
        self.assertEqual(request.state, "pending")

    def test_only_forms_execute(self):
        """No view but the form of one request calls what carries it out."""
        views = self.env["ir.ui.view"].search([("model", "=", "doorman.approval")])
        calling = views.filtered(
            lambda v: etree.fromstring(v.arch).xpath("//button[@name='action_approve']")
        )
        self.assertEqual(set(calling.mapped("type")), {"form"})
        asking = views.filtered(
            lambda v: etree.fromstring(v.arch).xpath(
                "//button[@name='action_approve_or_open']"
            )
        )
        self.assertEqual(set(asking.mapped("type")), {"list", "kanban"})

    def test_every_secret_asks_before_it_is_gone(self):
        views = self.env["ir.ui.view"].search([("model", "=", "doorman.key.show")])
        self.assertGreaterEqual(len(views), 4)
        for view in views:
            footer = etree.fromstring(view.arch).find(".//footer")
            with self.subTest(view.name):
                self.assertEqual(
                    [node.get("name") for node in footer], ["doorman_shown_once"]
                )

    # ---- many at once ----

    def many(self, requests):
        action = requests.action_approve_many()
        self.assertEqual(action["target"], "new")
        return self.mine[action["res_model"]].browse(action["res_id"])

    def test_many(self):
        easy = self.ask_for(self.partners[0], ref="a")
        easy |= self.ask_for(self.partners[1], ref="b")
        hard = self.ask_for(self.partners[2], risk="medium", ref="c")
        dialog = self.many(easy | hard)
        self.assertEqual((dialog.count, dialog.left), (2, 1))
        self.assertIn("Contact 0", dialog.summaries)
        self.assertNotIn("Contact 2", dialog.summaries)
        self.assertEqual(set(easy.mapped("state")), {"pending"}, "asked, not done")
        told = dialog.action_approve()["params"]
        self.assertEqual(told["title"], "Approved and carried out: 2")
        self.assertEqual(set(easy.mapped("state")), {"executed"})
        self.assertEqual(hard.state, "pending")
        self.assertEqual(self.partners[:2].mapped("ref"), ["a", "b"])

    def test_many_of_none(self):
        hard = self.ask_for(self.partners[0], risk="high", ref="a")
        other = self.ask_for(self.partners[1], ref="b")
        for role, requests in (("approver", hard), ("user", other), ("admin", other)):
            with self.subTest(role), self.assertRaises(UserError):
                requests.with_user(self.people[role]).action_approve_many()
        with self.assertRaises(UserError):
            (other.browse(list(range(1, 22)))).action_approve_many()

    def test_many_is_checked_again(self):
        """What is put into the dialog by hand, or has changed since, is not done."""
        first = self.ask_for(self.partners[0], ref="a")
        dialog = self.many(first)
        first.sudo()._inside().write({"revision": 2})
        self.assertIn("Not done: 1", dialog.action_approve()["params"]["message"])
        first.sudo()._inside().write({"revision": 1, "risk": "high"})
        self.assertIn("Not done: 1", dialog.action_approve()["params"]["message"])
        forged = self.mine["doorman.approve.many"].create(
            {"approval_ids": [(6, 0, first.ids)], "revisions": {str(first.id): 1}}
        )
        forged.action_approve()
        self.assertEqual(first.state, "pending")
        first.sudo()._inside().write({"risk": "low"})
        stranger = self.env["doorman.approve.many"].with_user(self.people["internal"])
        with self.assertRaises(AccessError):
            stranger.create({"approval_ids": [(6, 0, first.ids)]})
        self.assertEqual(first.state, "pending")

    # ---- revoking ----

    def shown(self, action, person):
        """A dialog as the web client reads it: every field of its view."""
        dialog = self.env[action["res_model"]].with_user(person)
        view = dialog.get_views(action["views"])["views"]["form"]
        names = view["arch"].split('<field name="')[1:]
        asked = {}
        for name in (text.split('"')[0] for text in names):
            linked = dialog._fields[name].relational
            asked[name] = {"fields": {"display_name": {}}} if linked else {}
        self.env.flush_all()
        self.env.invalidate_all()
        return dialog.browse(action["res_id"]).web_read(asked)[0]

    def test_revoke_says_what_ends(self):
        self.ask_for(self.partners[0], ref="a")
        both = (self.connection | self.connection2).with_user(self.people["admin"])
        action = both.action_ask_revoke()
        dialog = both.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((dialog.count, dialog.waiting), (2, 1))
        self.assertTrue(dialog.with_key)
        self.assertFalse(dialog.with_login)
        self.assertIn("Tool of user2", dialog.names)
        self.assertNotIn("revoked", both.mapped("state"))
        dialog.action_revoke()
        self.assertEqual(set(both.mapped("state")), {"revoked"})
        with self.assertRaises(UserError):
            both.action_ask_revoke()

    def test_who_may_revoke(self):
        """A user their own; what somebody puts in by hand is neither told nor ended."""
        own, other = self.connection, self.connection2
        user = self.people["user"]
        shown = self.shown(own.with_user(user).action_ask_revoke(), user)
        self.assertEqual((shown["count"], shown["of_invites"]), (1, False))
        for role in ("user", "internal", "approver"):
            with self.subTest(role), self.assertRaises(AccessError):
                other.with_user(self.people[role]).action_ask_revoke()
        with self.assertRaises(AccessError):
            self.env["doorman.revoke.many"].with_user(user).create(
                {"connection_ids": [(6, 0, other.ids)]}
            )
        self.assertNotEqual(other.state, "revoked")

    def test_revoking_invites_says_how_many(self):
        invites = self.env["doorman.invite"].with_user(self.people["admin"])
        values = {"scope_ids": [(6, 0, self.env.ref("doorman.scope_search").ids)]}
        for _number in range(3):
            invites |= invites._make(values)[0]
        invites[0].action_revoke()
        action = invites.action_ask_revoke()
        self.assertEqual(set(invites.mapped("state")), {"revoked", "active"})
        dialog = self.env[action["res_model"]].browse(action["res_id"])
        dialog = dialog.with_user(self.people["admin"])
        self.assertEqual(dialog.count, 2)
        self.assertIn(invites[1].key_name_preset, dialog.names)
        for role in ("user", "internal", "approver", "auditor"):
            with self.subTest(role), self.assertRaises(AccessError):
                invites.with_user(self.people[role]).action_ask_revoke()
        with self.assertRaises(AccessError):
            self.env["doorman.revoke.many"].with_user(self.people["user"]).create(
                {"invite_ids": [(6, 0, invites.ids)]}
            )
        dialog.action_revoke()
        self.assertEqual(set(invites.mapped("state")), {"revoked"})
        with self.assertRaises(UserError):
            invites.action_ask_revoke()

    def test_rotating_says_what_is_cancelled(self):
        self.ask_for(self.partners[0], ref="a")
        wizard = self.env["doorman.rotate.key"].with_user(self.people["user"])
        wizard = wizard.create({"connection_id": self.connection.id})
        self.assertEqual(wizard.waiting, 1)
        wizard.action_rotate()
        self.assertEqual(self.connection._waiting_count(), 0)
