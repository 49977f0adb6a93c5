from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ...policy import shared
from ..common import ROLES, ApprovalCase


@tagged("post_install", "-at_install")
class TestAllReadOnly(ApprovalCase):
    """One switch: no connection changes anything, whatever its policy."""

    def setUp(self):
        super().setUp()
        self.admin = self.settings.with_user(self.people["admin"])
        self.who = self.people["admin"].name

    def on(self):
        self.admin.action_make_read_only()
        self.env.flush_all()

    def off(self):
        self.admin.action_allow_changes()
        self.env.flush_all()

    def changes(self):
        """Calls that change something, by name; the last one waits for a person."""
        ids = self.acme.ids
        return {
            "create": ("res.partner", "create", None, {"vals_list": [{"name": "x"}]}),
            "write": ("res.partner", "write", ids, {"vals": {"ref": "x"}}),
            "method": ("res.partner", "call_method", ids, {"method": "action_archive"}),
            "message": ("res.partner", "message_post", ids, {"body": "x"}),
            "unlink": ("res.partner", "unlink", ids, {}),
        }

    def test_what_changes_is_refused(self):
        self.on()
        before = self.env["doorman.approval"].search_count([])
        for name, (model, method, ids, kwargs) in self.changes().items():
            for more in ({}, {"dry_run": True}):
                with self.subTest(name, more=more):
                    request = self.request(model, method, ids, more=more, **kwargs)
                    error = self.gateway.call(self.fence(), request)["error"]
                    told = (error["kind"], error["code"], error["hint"])
                    hint = shared.SAY_ALL_READ_ONLY_HINT
                    self.assertEqual(told, ("read_only", "all_read_only", str(hint)))
                    self.assertIn(self.who, error["message"])
        self.assertTrue(self.acme.exists() and self.acme.active)
        self.assertFalse(self.acme.ref)
        # Nobody is asked about what is refused anyway.
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "read_only"
        )
        self.assertEqual(self.env["doorman.approval"].search_count([]), before)

    def test_reading_goes_on(self):
        self.on()
        for method, ids, kwargs in (
            ("read", self.acme.ids, {"fields": ["name"]}),
            ("search_read", None, {"domain": [], "fields": ["name"]}),
            ("search_count", None, {"domain": []}),
            ("export_records", None, {"domain": [], "fields": ["name"]}),
        ):
            with self.subTest(method):
                answer = self.call("res.partner", method, ids, **kwargs)
                self.assertNotEqual(self.kind_of(answer), "read_only", answer)
        self.assertEqual(
            self.kind("res.partner", "read", self.acme.ids, fields=["name"]), "ok"
        )

    def test_at_once_and_back(self):
        """A decision of before the switch counts no more, either way."""
        request = self.request("res.partner", "write", self.acme.ids, vals={"ref": "1"})
        fence = self.fence()
        self.on()
        answer = self.gateway.call(fence, request)
        self.assertEqual(answer["stale"]["settings"]["read_only_by"], self.who)
        self.assertEqual(
            self.kind_of(self.gateway.call(self.fence(), request)), "read_only"
        )
        fence = self.fence()
        self.off()
        answer = self.gateway.call(fence, request)
        self.assertNotIn("read_only_by", answer["stale"]["settings"])
        self.assertEqual(self.kind_of(self.gateway.call(self.fence(), request)), "ok")
        self.assertEqual(self.acme.ref, "1")

    def test_its_own_policy_comes_first(self):
        self.connection.read_only = True
        self.on()
        error = self.write(self.acme, {"ref": "x"})["error"]
        self.assertEqual(error["code"], "read_only_connection")
        self.off()
        self.assertEqual(self.kind_of(self.write(self.acme, {"ref": "x"})), "read_only")

    def test_what_waits_stays(self):
        approval = self.waiting_delete()
        self.on()
        with self.assertRaisesRegex(UserError, self.who):
            self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "pending")
        self.assertTrue(self.acme.exists())
        self.off()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertFalse(self.acme.exists())

    def test_what_waits_can_be_rejected(self):
        approval = self.waiting_delete()
        self.on()
        self.by("approver", approval).action_reject("not now")
        self.assertEqual(approval.state, "rejected")

    def test_a_read_that_waits_is_approved(self):
        self.gate("search_records")
        approval = self.waiting("res.partner", "read", self.acme.ids, fields=["name"])
        self.on()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)

    def test_past_the_form(self):
        """The gateway itself carries out no approved change."""
        approval = self.waiting_delete()
        self.on()
        _value, error = approval.sudo()._attempt(approval.sudo()._execute)
        self.assertEqual(error["code"], "all_read_only")
        self.assertTrue(self.acme.exists())

    def test_who_may_switch(self):
        for role in ROLES:
            expected = "allow" if role == "admin" else "deny"
            settings = self.settings.with_user(self.people[role])
            for run in (settings.action_make_read_only, settings.action_allow_changes):
                with self.subTest(role, run=run.__name__):
                    self.assertEqual(self.outcome(run), expected)
        for vals in ({"all_read_only": True}, {"all_read_only_by": "x"}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.admin.write(vals)

    def test_who_did_it_is_noted(self):
        before = self.settings.message_ids
        version = self.settings.version
        self.on()
        self.on()  # a second time says nothing new
        new = self.settings.message_ids - before
        self.assertEqual(len(new), 1)
        self.assertIn(self.who, new.body)
        self.assertEqual(self.settings.version, version + 1)
        self.assertEqual(self.settings.all_read_only_by, self.who)
        self.assertTrue(self.connection.all_read_only)
        self.off()
        self.env.invalidate_all()
        self.assertEqual(len(self.settings.message_ids - before), 2)
        self.assertFalse(self.settings.all_read_only_by)
        self.assertFalse(self.connection.all_read_only)
