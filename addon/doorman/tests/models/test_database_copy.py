"""A copied database lets nobody in until an MCP administrator has said what it is."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...models.settings.database_copy import same_database
from ..common import DoormanCase, proof_of


@tagged("post_install", "-at_install")
class TestDatabaseCopy(DoormanCase):
    def copied(self, identity="1/2"):
        """Make this database a copy: another one's identity is noted in it."""
        self.env.cr.execute(
            "UPDATE doorman_settings SET database_identity = %s, "
            "database_name = 'prod', enabled = true",
            [identity],
        )
        self.env.invalidate_all()

    def review(self, purpose, keep=(), who="admin"):
        settings = self.settings.with_user(self.people[who])
        action = settings.action_review_copy()
        review = self.env[action["res_model"]].browse(action["res_id"])
        with Form(review.with_user(self.people[who])) as form:
            form.purpose = purpose
            for at, line in enumerate(review.line_ids if keep else ()):
                with form.line_ids.edit(at) as edited:
                    edited.keep = line.name in keep
        return review.with_user(self.people[who])

    def search_one(self):
        return self.request("res.partner", "search_count", domain=[])

    def test_identities(self):
        for kept, now, same in (
            ("7/5", "7/5", True),
            ("7/5", "7/6", False),
            ("7/5", "8/5", False),
            ("/5", "7/5", True),
            ("7/5", "/5", True),
            ("/5", "/6", False),
            ("5", "7/5", False),
            ("x", "7/5", False),
        ):
            with self.subTest(kept=kept, now=now):
                self.assertIs(same_database(kept, now), same)

    def test_identity_is_that_of_postgresql(self):
        self.env.cr.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid "
            "FROM pg_database WHERE datname = current_database()"
        )
        known = self.env.cr.fetchone()[0]
        self.assertEqual(self.env["doorman.settings"]._database_identity(), known)

    def test_it_is_noted_when_access_is_switched_on(self):
        settings = self.settings
        settings.action_disable()
        self.env.cr.execute("UPDATE doorman_settings SET database_identity = NULL")
        self.env.invalidate_all()
        self.gateway.hello()
        self.assertFalse(settings.database_identity)
        settings.action_enable()
        self.assertEqual(settings.database_identity, settings._database_identity())
        self.assertEqual(settings.database_name, self.env.cr.dbname)
        self.assertFalse(settings.is_copy)

    def test_hello_notes_it_where_access_was_on_before_the_update(self):
        self.env.cr.execute("UPDATE doorman_settings SET database_identity = NULL")
        self.env.invalidate_all()
        self.assertEqual(self.gateway.hello()["copy_of"], "")
        self.assertTrue(self.settings.database_identity)

    def test_a_copy_is_refused_before_anybody_has_looked(self):
        fence = self.fence()
        self.assertNotIn("error", self.gateway.call(fence, self.search_one()))
        for identity in ("1/2", "x", self.settings._database_identity() + "1"):
            self.copied(identity)
            answer = self.gateway.call(fence, self.search_one())
            self.assertEqual(answer["error"]["code"], "switched_off", identity)
        row = self.env["doorman.audit"].search([], order="id desc", limit=1)
        self.assertEqual(row.message, "the database is a copy")

    def test_what_looks_switches_access_off(self):
        for look in (
            lambda: self.gateway.hello(),
            lambda: self.settings._register_hook(),
        ):
            self.copied()
            look()
            self.env.invalidate_all()
            self.assertFalse(self.settings.enabled)
            self.assertTrue(self.settings.is_copy)
        hello = self.gateway.hello()
        self.assertEqual((hello["copy_of"], hello["enabled"]), ("prod", False))
        self.assertIn("copy of prod", self.settings.message_ids[0].body)

    def test_it_cannot_be_switched_on(self):
        self.copied()
        self.gateway.hello()
        with self.assertRaisesRegex(UserError, "copy of prod"):
            self.settings.with_user(self.people["admin"]).action_enable()
        self.assertFalse(self.settings.enabled)

    def test_the_noted_database_cannot_be_written(self):
        for name in ("database_identity", "database_name"):
            with self.assertRaises(AccessError):
                self.settings.with_user(self.people["admin"]).write({name: "1/2"})

    def test_beside_ends_all_that_came_along(self):
        key = self.settings._generate_service_key()
        held = self.fence()["proof"]
        self.copied()
        self.review("beside").action_apply()
        self.env.invalidate_all()
        self.assertFalse(self.settings.is_copy)
        self.assertFalse(self.settings.enabled)
        self.assertFalse(self.settings._service_uid(key))
        self.assertIn("error", self.gateway.resolve(held))
        self.settings.action_enable()
        self.assertIn("error", self.gateway.resolve(held))

    def test_instead_keeps_what_is_ticked_and_no_more(self):
        key = self.settings._generate_service_key()
        held = self.fence()["proof"]
        self.connection2._issue_key()
        admin = self.people["admin"]
        Invite = self.env["doorman.invite"].with_user(admin)
        _invite, _token = Invite._make({})
        pending = self.env["doorman.approval"].search_count([("state", "=", "pending")])
        self.copied()
        review = self.review("instead", keep=[self.connection.name])
        self.assertEqual(review.pending_count, pending)
        self.assertIn(("invite", _invite.id), [x._key() for x in review.line_ids])
        review.action_apply()
        self.env.invalidate_all()
        self.assertTrue(self.settings._service_uid(key))
        self.assertFalse(self.settings.is_copy)
        self.assertFalse(self.settings.enabled, "switching on is a step of its own")
        self.assertEqual(self.connection2.state, "revoked")
        self.assertNotEqual(self.connection.state, "revoked")
        self.assertEqual(_invite.state, "revoked")
        said = self.settings.message_ids[0].body
        self.assertIn(self.connection.name, said)
        self.settings.action_enable()
        self.assertNotIn("error", self.gateway.resolve(held))

    def test_what_is_archived_is_not_kept_either(self):
        """Unarchived one day, it would be let in by a key that nobody looked at."""
        held = proof_of(self.connection2._issue_key())
        self.connection2.active = False
        self.copied()
        self.review("instead", keep=[self.connection.name]).action_apply()
        self.env.invalidate_all()
        self.assertEqual(self.connection2.state, "revoked")
        self.connection2.active = True
        self.settings.action_enable()
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(held))

    def test_nothing_is_kept_unless_ticked(self):
        self.copied()
        review = self.env["doorman.review.copy"].with_user(self.people["admin"])
        forged = {"kind": "connection", "record": self.connection.id, "keep": True}
        review = review.create({"line_ids": [Command.create(forged)]})
        with self.assertRaises(AccessError):
            review.write({"line_ids": [Command.create(forged)]})
        for vals in ({"record": 1}, {"kind": "invite"}, {"name": "x", "keep": True}):
            with self.assertRaises(AccessError):
                review.line_ids[0].write(vals)
        self.assertIn(self.connection.id, review.line_ids.mapped("record"))
        self.assertFalse(any(review.line_ids.mapped("keep")))
        review.action_keep_all()
        self.assertEqual(review.kept_count, review.line_count)
        review.action_keep_none()
        self.assertEqual(review.kept_count, 0)

    def test_what_came_meanwhile_is_not_kept_unseen(self):
        self.copied()
        review = self.review("instead", keep=[self.connection.name])
        self._connect("user2")
        with self.assertRaisesRegex(UserError, "open it again"):
            review.action_apply()
        self.assertNotEqual(self.connection2.state, "revoked")
        self.assertTrue(self.settings._is_copy())

    def test_refused(self):
        self.copied()
        review = self.review("beside")
        for who in ("user", "employee", "approver", "portal"):
            if who not in self.people:
                continue
            with self.subTest(who), self.assertRaises(AccessError):
                self.env["doorman.review.copy"].with_user(self.people[who]).create({})
            with self.subTest(who), self.assertRaises(AccessError):
                review.with_user(self.people[who]).action_apply()
        empty = self.review("beside")
        empty.purpose = False
        with self.assertRaisesRegex(UserError, "what this database is for"):
            empty.action_apply()
        review.action_apply()
        with self.assertRaisesRegex(UserError, "not a copy"):
            self.review("beside").action_apply()

    def test_no_review_without_a_copy(self):
        key = self.settings._generate_service_key()
        with self.assertRaisesRegex(UserError, "not a copy"):
            self.review("beside").action_apply()
        self.assertTrue(self.settings._service_uid(key))
