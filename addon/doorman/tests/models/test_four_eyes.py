from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ...policy import widening
from ..common import DoormanCase

# What widens, and what does not: field, before, after.
WIDER = (
    ("allow_self_approval", False, True),
    ("allow_sql", False, True),
    ("allow_shell", False, True),
    ("oauth_assertions", False, True),
    ("four_eyes", True, False),
    ("audit_retention_days", 90, 29),
    ("audit_retention_days", 29, 28),
    ("audit_retention_days", 30, 1),
    ("rate_limit_minute", 60, 10_000),
    ("rate_limit_day", 10_000, 1_000_000),
    ("rows_reply", 100, 0),
    ("rows_reply", 100, 50_000),
    ("rows_day", 1000, 0),
    ("rows_day", 1000, 100_000_000),
    ("key_max_days", 365, 0),
    ("key_max_days", 365, 3650),
    ("approve_outward", True, False),
    ("recipient_domains", "acme.example", False),
    ("recipient_domains", "acme.example", "# nothing but a comment"),
    ("recipient_domains", "acme.example", "acme.example\nother.example"),
    ("recipient_domains", "acme.example", "*.acme.example"),
)
NOT_WIDER = (
    ("allow_self_approval", True, False),
    ("allow_sql", True, True),
    ("allow_shell", True, False),
    ("oauth_assertions", True, False),
    ("four_eyes", False, True),
    ("audit_retention_days", 90, 30),
    ("audit_retention_days", 20, 25),
    ("audit_retention_days", 20, 20),
    ("rate_limit_minute", 60, 600),
    ("rate_limit_minute", 20_000, 10_000),
    ("rows_reply", 0, 100),
    ("rows_reply", 0, 50_000),
    ("rows_day", 1000, 2000),
    ("key_max_days", 90, 365),
    ("key_max_days", 0, 365),
    ("approve_outward", False, True),
    ("recipient_domains", False, "acme.example"),
    ("recipient_domains", "a.example\nb.example", "b.example"),
    ("recipient_domains", "a.example\nb.example", "b.example, a.example # both"),
)


class FourEyesCase(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._person("admin2", ["doorman.group_admin"])
        cls.first = cls.people["admin"]
        # Those that the database has already are none of this test's.
        cls.env["doorman.notice"].search([]).unlink()
        cls.changes = cls.env["doorman.policy.change"]
        cls.settings.write({"rows_reply": 100, "rows_day": 1000, "four_eyes": True})

    def by_first(self, record=None):
        return (self.settings if record is None else record).with_user(self.first)

    def pending(self, record=None):
        domain = [("state", "=", "pending")]
        domain += (self.settings if record is None else record)._changes_domain()
        return self.changes.search(domain)

    def told(self):
        """The people who are told of the last change."""
        domain = [("kind", "=", "changed")]
        notice = self.env["doorman.notice"].search(domain)[-1:]
        return notice and notice._people()

    def confirm(self, change, user=None):
        return change.with_user(user or self.second).action_confirm()


@tagged("post_install", "-at_install")
class TestFourEyes(FourEyesCase):
    """What widens the policy takes two administrators, where the settings say so."""

    # ---- the list ----

    def test_what_widens(self):
        for name, before, after in WIDER:
            with self.subTest(name=name, before=before, after=after):
                self.assertTrue(widening.widens(name, before, after))
        for name, before, after in NOT_WIDER:
            with self.subTest(name=name, before=before, after=after):
                self.assertFalse(widening.widens(name, before, after))
        self.assertEqual({row[0] for row in WIDER}, widening.FIELDS)
        self.assertLessEqual(widening.FIELDS, self.settings._fields.keys())

    # ---- asking ----

    def test_each_waits_and_is_done_once_confirmed(self):
        for name, before, after in WIDER:
            with self.subTest(name=name, after=after):
                self.settings.write({"four_eyes": True, name: before})
                self.by_first().write({name: after})
                self.assertEqual(self.settings[name], before)
                change = self.pending()
                self.assertEqual(change.field_name, name)
                self.assertEqual(change.asked_by_id, self.first)
                self.assertEqual((change.before, change.after), (before, after))
                self.confirm(change)
                self.assertEqual(self.settings[name], after)
                self.assertEqual(change.state, "confirmed")
                self.assertEqual(change.decided_by_id, self.second)
                self.assertFalse(self.pending())

    def test_what_does_not_widen_is_done_at_once(self):
        for name, before, after in NOT_WIDER:
            with self.subTest(name=name, after=after):
                self.settings.write({"four_eyes": True, name: before})
                self.by_first().write({name: after})
                self.assertEqual(self.settings[name], after)
                self.assertFalse(self.pending())

    def test_the_rest_of_a_form_is_saved(self):
        self.by_first().write({"allow_sql": True, "idle_after_hours": 5})
        self.assertEqual(self.settings.idle_after_hours, 5)
        self.assertFalse(self.settings.allow_sql)
        self.assertEqual(len(self.pending()), 1)

    def test_all_at_once_with_the_switch_itself(self):
        """The switch that goes off in the same breath is on."""
        self.by_first().write({"four_eyes": False, "allow_sql": True})
        self.assertTrue(self.settings.four_eyes)
        self.assertFalse(self.settings.allow_sql)
        self.assertEqual(len(self.pending()), 2)
        self.by_first().write({"allow_sql": True})
        self.assertFalse(self.settings.allow_sql)
        self.assertEqual(len(self.pending()), 2)

    def test_the_others_are_asked(self):
        self.by_first().write({"allow_sql": True})
        change = self.pending()
        people = change.activity_ids.user_id
        self.assertIn(self.second, people)
        self.assertNotIn(self.first, people)
        with self.assertRaises(UserError):
            change.activity_ids.filtered(lambda a: a.user_id == self.second).with_user(
                self.second
            ).action_done()
        said = " ".join(self.settings.message_ids.mapped("body"))
        self.assertIn(f"{self.first.name} requested", said)
        self.assertEqual(self.settings.pending_change_count, 1)
        self.confirm(change)
        self.assertFalse(change.activity_ids)
        body = self.settings.message_ids[0].body
        self.assertIn(self.first.name, body)
        self.assertIn(self.second.name, body)

    def test_what_could_not_be_done_is_not_asked_for(self):
        with self.assertRaises(ValidationError):
            self.by_first().write({"audit_retention_days": 0})
        self.assertFalse(self.pending())

    def test_asked_again(self):
        self.by_first().write({"audit_retention_days": 20})
        first = self.pending()
        self.by_first().write({"audit_retention_days": 10})
        self.assertEqual(first.state, "cancelled")
        self.assertEqual(self.pending().after, 10)
        with self.assertRaises(UserError):
            self.confirm(first)

    # ---- deciding ----

    def test_who_may_confirm(self):
        self.by_first().write({"allow_sql": True})
        change = self.pending()
        for role in ("public", "portal", "internal", "user", "approver", "impostor"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.confirm(change, self.people[role])
            with self.subTest(role), self.assertRaises(AccessError):
                change.with_user(self.people[role]).action_reject()
        with self.assertRaises(UserError):
            self.confirm(change, self.first)
        self.assertFalse(self.settings.allow_sql)
        self.assertFalse(change.with_user(self.first).can_confirm)
        self.assertTrue(change.with_user(self.second).can_confirm)
        self.confirm(change)
        with self.assertRaises(UserError):
            self.confirm(change)

    def test_rejected(self):
        for who in (self.second, self.first):
            self.by_first().write({"allow_sql": True})
            change = self.pending()
            change.with_user(who).action_reject()
            self.assertEqual((change.state, change.decided_by_id), ("rejected", who))
            self.assertFalse(self.settings.allow_sql)
            with self.assertRaises(UserError):
                self.confirm(change)

    def test_expired(self):
        self.by_first().write({"allow_sql": True})
        change = self.pending()
        hours = self.settings.approval_expiry_hours
        self.assertEqual(change.expires_at, change.asked_at + timedelta(hours=hours))
        over = fields.Datetime.now() - timedelta(seconds=1)
        change._inside().write({"expires_at": over})
        with self.assertRaises(UserError):
            self.confirm(change)
        self.assertEqual(change.state, "pending")
        self.run_job("expire_approvals")
        self.assertEqual(change.state, "expired")
        self.assertFalse(change.decided_by_id)
        self.assertFalse(self.settings.allow_sql)

    def test_changed_meanwhile(self):
        self.by_first().write({"audit_retention_days": 20})
        change = self.pending()
        self.settings.audit_retention_days = 40
        self.confirm(change)
        self.assertEqual(change.state, "cancelled")
        self.assertEqual(self.settings.audit_retention_days, 40)

    def test_who_asked_is_deleted(self):
        """What was decided stays. What waits is done for nobody: one administrator
        would decide alone."""
        self.by_first().write({"allow_sql": True})
        decided = self.pending()
        self.confirm(decided)
        self.by_first().write({"allow_shell": True})
        waiting = self.pending()
        self.env.flush_all()
        self.first.unlink()
        self.env.invalidate_all()
        self.assertEqual(decided.state, "confirmed")
        self.confirm(waiting)
        self.assertEqual(waiting.state, "cancelled")
        self.assertFalse(self.settings.allow_shell)

    def test_nobody_writes_a_change(self):
        self.by_first().write({"allow_sql": True})
        change = self.pending().with_user(self.second)
        vals = {"after": 1, "state": "confirmed", "asked_by_id": self.second.id}
        for name, value in vals.items():
            with self.subTest(name), self.assertRaises(AccessError):
                change.write({name: value})
        with self.assertRaises(AccessError):
            change.unlink()
        with self.assertRaises(AccessError):
            self.changes.with_user(self.second).create(
                {
                    "field_name": "allow_sql",
                    "after": True,
                    "asked_by_id": self.first.id,
                    "asked_at": fields.Datetime.now(),
                    "expires_at": "2100-01-01 00:00:00",
                }
            )
        with self.assertRaises(AccessError):
            change.sudo().write({"asked_by_id": self.second.id})

    # ---- connections ----

    def test_a_connection(self):
        connection = self.connection
        connection.write({"rows_day": 500, "rows_reply": 50})
        # 0 is the default, and that is a limit.
        self.by_first(connection).write({"rows_day": 0})
        self.assertEqual(connection.rows_day, 0)
        self.by_first(connection).write({"rows_day": 5_000_000, "description": "x"})
        self.assertEqual((connection.rows_day, connection.description), (0, "x"))
        change = self.pending(connection)
        self.assertEqual(change.connection_id, connection)
        self.assertFalse(self.pending())
        self.assertEqual(connection.pending_change_count, 1)
        self.confirm(change)
        self.assertEqual(connection.rows_day, 5_000_000)
        # Where the default is none, 0 is none as well.
        self.settings.rows_reply = 0
        self.by_first(connection).write({"rows_reply": 0})
        self.assertEqual(connection.rows_reply, 50)
        self.assertEqual(self.pending(connection).after or 0, 0)
        self.confirm(self.pending(connection))
        self.assertEqual(connection.rows_reply, 0)

    def _elsewhere(self):
        """An administrator of another company, and that company: the user of the
        connection belongs to it as well, but mainly to the first one."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.people["user"].write({"company_ids": [(4, company.id)]})
        companies = {"company_id": company.id, "company_ids": [(6, 0, company.ids)]}
        groups = ["doorman.group_admin"]
        return self._person("elsewhere", groups, **companies), company

    def test_who_cannot_open_it_is_not_asked(self):
        elsewhere, company = self._elsewhere()
        self.by_first(self.connection).write({"rate_limit_minute": 20_000})
        change = self.pending(self.connection)
        self.assertIn(self.second, change.activity_ids.user_id)
        self.assertNotIn(elsewhere, change.activity_ids.user_id)
        self.assertFalse(change.with_user(elsewhere).has_access("read"))
        # Where it came of an invite of that company, its administrators see to it, too.
        invite = self.env["doorman.invite"].with_user(elsewhere).with_company(company)
        scope = [(4, self.env.ref("doorman.scope_search").id)]
        invite = invite._make({"scope_ids": scope})[0]
        self.connection2.user_id.write({"company_ids": [(4, company.id)]})
        self.connection2._inside().write({"invite_id": invite.id})
        self.by_first(self.connection2).write({"rate_limit_minute": 20_000})
        change = self.pending(self.connection2)
        self.assertIn(elsewhere, change.activity_ids.user_id)
        self.confirm(change, elsewhere)
        self.assertEqual(self.connection2.rate_limit_minute, 20_000)

    def test_who_cannot_open_it_is_not_told(self):
        elsewhere, _company = self._elsewhere()
        self.settings.four_eyes = False
        self.by_first(self.connection).write({"rate_limit_minute": 20_000})
        told = self.told()
        self.assertIn(self.second, told)
        self.assertNotIn(elsewhere, told)
        # The settings are everybody's.
        self.by_first().write({"allow_sql": True})
        self.assertIn(elsewhere, self.told())

    def test_several_connections(self):
        both = self.connection | self.connection2
        self.connection2.rate_limit_minute = 20_000
        self.by_first(both).write({"rate_limit_minute": 30_000})
        self.assertEqual(self.connection.rate_limit_minute, 0)
        self.assertEqual(self.connection2.rate_limit_minute, 30_000)
        self.assertEqual(len(self.pending(self.connection)), 1)
        self.assertFalse(self.pending(self.connection2))

    def made(self, make):
        """:return: the connection that ``make`` gives; it may have no limit lifted"""
        connection = make()
        self.env.flush_all()
        self.assertEqual(connection.rate_limit_minute, 0)
        [change] = self.pending(connection)
        self.assertEqual((change.before or 0, change.after), (0, 50_000))
        return connection

    def test_ways_around(self):
        connections = self.env["doorman.connection"].with_user(self.first)
        vals = {"name": "x", "user_id": self.people["user"].id}
        wide = {"rate_limit_minute": 50_000}
        with self.subTest("created so"):
            self.made(lambda: connections.create(vals | wide))
        with self.subTest("the default of a context"):
            context = {"default_rate_limit_minute": 50_000}
            self.made(lambda: connections.with_context(**context).create(dict(vals)))
        with self.subTest("a default of their own"):
            self.env["ir.default"].set(
                "doorman.connection", "rate_limit_minute", 50_000, self.first.id
            )
            self.made(lambda: connections.create(dict(vals)))
            self.env["ir.default"].discard_values(
                "doorman.connection", "rate_limit_minute", [50_000]
            )
        with self.subTest("a copy"):
            old = connections.create(dict(vals)).sudo()
            old.rate_limit_minute = 50_000
            self.made(lambda: old.with_user(self.first).copy())
        with self.subTest("a form"):
            saved = connections.web_save(vals | wide, {"name": {}})
            self.made(lambda: connections.browse(saved[0]["id"]))
        with self.subTest("a file"):
            done = connections.load(
                ["name", "user_id/.id", "rate_limit_minute"],
                [["x", str(self.people["user"].id), "50000"]],
            )
            self.made(lambda: connections.browse(done["ids"]))
        with self.subTest("a file for one that is there"):
            connection = self.connection
            done = connections.load(
                [".id", "rate_limit_minute"], [[str(connection.id), "50000"]]
            )
            self.assertTrue(done["ids"], done)
            self.made(lambda: connection)
        with self.subTest("what leaves the company waits"):
            connection = connections.create(vals | {"approve_outward": False})
            self.assertTrue(connection.approve_outward)
            self.assertEqual(self.pending(connection).field_name, "approve_outward")
        with self.subTest("a context from outside"):
            context = {"doorman_inside": True, "su": True, "doorman_agreed": True}
            self.by_first().with_context(**context).write({"allow_sql": True})
            self.assertFalse(self.settings.allow_sql)

    def test_invites(self):
        invites = self.env["doorman.invite"].with_user(self.first)
        with self.assertRaises(ValidationError):
            invites._make({"rate_limit_minute": 50_000})
        with self.assertRaises(ValidationError):
            invites._make({"rows_day": 50_000_000})
        with self.assertRaises(ValidationError):
            invites._make({"approve_outward": False})
        invites._make({"recipient_domains": False, "approve_outward": True})
        invite, _token = invites._make({"rate_limit_minute": 600, "rows_day": 0})
        self.assertEqual(invite.rate_limit_minute, 600)
        answer = invites.api_create({"rate_limit_minute": 50_000})
        self.assertNotEqual(answer.get("code"), "ok")
        self.settings.four_eyes = False
        invite, _token = invites._make({"rate_limit_minute": 50_000})
        self.assertEqual(invite.rate_limit_minute, 50_000)

    # ---- without the setting ----

    def test_without_it_all_are_told(self):
        self.settings.four_eyes = False
        for record, vals in (
            (self.settings, {"allow_sql": True}),
            (self.settings, {"audit_retention_days": 5}),
            (self.connection, {"rate_limit_minute": 50_000}),
        ):
            with self.subTest(vals=vals):
                self.by_first(record).write(vals)
                ((name, value),) = vals.items()
                self.assertEqual(record[name], value)
                message = record.message_ids[0]
                self.assertIn(self.first.name, message.body)
                label = record._fields[name]._description_string(self.env)
                self.assertIn(label, message.body)
                told = self.told()
                self.assertIn(self.second, told)
                self.assertNotIn(self.first, told)
        self.assertFalse(self.changes.search([("state", "=", "pending")]))

    def test_what_does_not_widen_is_told_to_nobody(self):
        self.settings.four_eyes = False
        self.by_first().write({"audit_retention_days": 400})
        self.assertFalse(self.told())

    # ---- the switch ----

    def test_one_administrator_cannot_switch_it_on(self):
        self.settings.four_eyes = False
        connections = type(self.env["doorman.connection"])
        for people, allowed in ((self.first, False), (self.first | self.second, True)):
            with (
                self.subTest(people=len(people)),
                patch.object(
                    connections, "_administrators", lambda _self, found=people: found
                ),
            ):
                if allowed:
                    self.by_first().write({"four_eyes": True})
                    continue
                with self.assertRaisesRegex(ValidationError, "one MCP administrator"):
                    self.by_first().write({"four_eyes": True})
        self.assertTrue(self.settings.four_eyes)

    def test_our_own_code_is_not_asked(self):
        """What comes of an invite or a browser login comes of a policy that was looked
        at when it was made."""
        self.connection.sudo().rate_limit_minute = 50_000
        self.assertEqual(self.connection.rate_limit_minute, 50_000)
        self.assertFalse(self.pending(self.connection))
