from datetime import timedelta
from functools import partial

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from ..common import ROLES, DoormanCase, proof_of
from ..invite_common import InviteMixin

DAY = timedelta(days=1)


class KeyAgeCase(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.credential = cls.connection._issue_key()
        cls.proof = proof_of(cls.credential)

    def ends(self, connection=None):
        """:return: when the key of a connection ends, as Odoo's own table has it"""
        connection = self.connection if connection is None else connection
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT expiration_date FROM res_users_apikeys WHERE id = %s",
            [connection.api_key_id.id],
        )
        return self.env.cr.fetchone()[0]

    def assertDays(self, days, connection=None):
        end = self.ends(connection)
        if days is None:
            self.assertFalse(end)
        else:
            left = end - fields.Datetime.now()
            self.assertLess(abs(left - days * DAY), timedelta(minutes=5), left)

    def opens(self, proof):
        self.env.flush_all()
        self.env.invalidate_all()
        return "snapshot" in self.gateway.resolve(proof)

    def shown(self, role="admin", domain=()):
        """The report, as a person sees it."""
        self.env.flush_all()
        self.env.invalidate_all()
        report = self.env["doorman.key.report"].with_user(self.people[role])
        ours = self.connection | self.connection2
        return report.search([("connection_id", "in", ours.ids), *domain])

    def row(self):
        rows = self.shown(domain=[("connection_id", "=", self.connection.id)])
        return rows.filtered(lambda r: r.id == self.connection.api_key_id.id)

    def age(self, connection, days):
        """Move the end of a key, as time would."""
        self.env.flush_all()
        end = fields.Datetime.now() + days * DAY
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET expiration_date = %s WHERE id = %s",
            [end, connection.api_key_id.id],
        )
        self.env.cr.execute(
            "UPDATE doorman_connection_proof SET latest = %s WHERE api_key_id = %s",
            [end, connection.api_key_id.id],
        )
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestKeyAge(KeyAgeCase):
    """How long a key works, by every way in which one is made."""

    def rotate(self, role="user", **numbers):
        connection = self.connection.with_user(self.people[role])
        dialog = connection.action_rotate_key(**numbers)
        self.env.flush_all()
        self.env.invalidate_all()
        return proof_of(dialog["context"]["default_key"])

    def test_a_year_unless_said_otherwise(self):
        self.assertEqual(self.settings.key_max_days, 365)
        self.assertDays(365)
        self.assertEqual(self.connection.key_expires_at, self.ends())
        self.assertFalse(self.connection.expires_at)

    def test_what_ends_it(self):
        """The earliest of all that may end a key."""
        for most, connection, chosen, expected in (
            (365, None, 0, 365),
            (30, None, 0, 30),
            (365, 20, 0, 20),
            (365, 400, 0, 365),
            (365, None, 7, 7),
            (365, 5, 7, 5),
            (0, None, 7, 7),
            (0, 20, 0, 20),
            (0, None, 0, None),
        ):
            with self.subTest(most=most, connection=connection, chosen=chosen):
                self.settings.key_max_days = most
                at = connection and fields.Datetime.now() + connection * DAY
                self.connection.expires_at = at or False
                self.rotate(key_days=chosen)
                self.assertDays(expected)

    def test_what_odoo_limits_are_keys_that_people_make_there(self):
        self.env.ref("base.group_user").api_key_duration = 90
        self.rotate()
        self.assertDays(365)

    def test_no_longer_than_the_maximum(self):
        """Nobody gets more by asking for it."""
        self.settings.key_max_days = 30
        before = self.connection.api_key_id
        admin = self.connection.with_user(self.people["admin"])
        user = self.connection.with_user(self.people["user"])
        for name, run in (
            ("rotation", lambda days: user.action_rotate_key(key_days=days)),
            ("administrator", lambda days: admin.action_rotate_key(key_days=days)),
            ("pick-up link", lambda days: admin.action_pickup_link(key_days=days)),
            ("rotation wizard", self._by_rotation_wizard),
            ("connect wizard", self._by_wizard),
            ("connect wizard, link", lambda days: self._by_wizard(days, "link")),
        ):
            # Forms make a number of what they are given.
            odd = () if "wizard" in name else (True, 1.5, "7", None)
            for days in (31, 3651, -1, *odd):
                with self.subTest(way=name, days=days):
                    found = self.outcome(partial(run, days), UserError, undo=True)
                    self.assertEqual(found, "deny")
            with self.subTest(way=name):
                self.assertEqual(self.outcome(partial(run, 30), undo=True), "allow")
        self.assertEqual(self.connection.api_key_id, before)

    def _by_rotation_wizard(self, days):
        wizards = self.env["doorman.rotate.key"].with_user(self.people["user"])
        vals = {"connection_id": self.connection.id, "key_days": days}
        return wizards.create(vals).action_rotate()

    def _by_wizard(self, days, handover="self"):
        wizard = self.env["doorman.connect.wizard"].with_user(self.people["admin"])
        vals = {
            "step": "key",
            "name": "New",
            "user_id": self.people["user"].id,
            "handover": handover,
            "key_days": days,
        }
        return wizard.create(vals).action_connect()

    def test_forms_offer_what_there_is(self):
        for most in (365, 90, 0):
            with self.subTest(most=most):
                self.settings.key_max_days = most
                wizards = self.env["doorman.rotate.key"].with_user(self.people["user"])
                form = Form(
                    wizards.with_context(default_connection_id=self.connection.id)
                )
                self.assertEqual((form.key_days, form.key_days_max), (most, most))
                wizards = self.env["doorman.connect.wizard"]
                wizards = wizards.with_user(self.people["admin"])
                form = Form(wizards.with_context(default_step="key"))
                form.user_id = self.people["user"]
                self.assertEqual((form.key_days, form.key_days_max), (most, most))

    def test_a_shorter_one_by_every_form(self):
        self._by_rotation_wizard(7)
        self.assertDays(7)
        self._by_wizard(8)
        newest = self.env["doorman.connection"].search([], limit=1)
        self.assertDays(8, newest)

    def test_a_picked_up_key(self):
        pickups = self.env["doorman.pickup"]
        for chosen, later, expected in ((9, 365, 9), (0, 365, 365), (100, 40, 40)):
            with self.subTest(chosen=chosen, later=later):
                self.settings.key_max_days = 365
                token, _link = pickups._make(self.connection, chosen)
                # What Server Settings say when the key is made.
                self.settings.key_max_days = later
                pickups.with_user(self.people["user"])._pick_up(token)
                self.assertDays(expected)

    def test_reactivation(self):
        self.settings.key_max_days = 30
        self.connection.action_revoke()
        self.connection.with_user(self.people["user"]).action_reactivate()
        self.assertDays(30)

    def test_the_end_of_the_connection_does_not_prolong_it(self):
        """Not by a form, and not by XML-RPC, which ends in the same write."""
        admin = self.connection.with_user(self.people["admin"])
        for days, expected in ((20, 20), (400, 365), (3000, 365), (None, 365), (5, 5)):
            with self.subTest(days=days):
                at = days and fields.Datetime.now() + days * DAY
                admin.expires_at = at or False
                self.assertDays(expected)

    def test_a_key_of_before_stays_as_it_is(self):
        """One that was made when keys had no age follows its connection."""
        self.env.cr.execute("UPDATE doorman_connection_proof SET latest = NULL")
        self.env.cr.execute("UPDATE res_users_apikeys SET expiration_date = NULL")
        self.env.invalidate_all()
        self.settings.key_max_days = 10
        self.assertDays(None)
        self.assertTrue(self.opens(self.proof))
        self.connection.expires_at = fields.Datetime.now() + 400 * DAY
        self.assertDays(400)
        self.connection.expires_at = False
        self.assertDays(None)
        self.rotate()
        self.assertDays(10)

    def test_a_lower_maximum_is_for_new_keys(self):
        self.settings.key_max_days = 10
        self.assertDays(365)
        self.assertTrue(self.opens(self.proof))

    def test_an_old_key_beside_a_new_one_gets_no_more(self):
        self.age(self.connection, 2 / 1440)
        self.rotate(overlap_minutes=60)
        left = self.connection.old_key_until - fields.Datetime.now()
        self.assertLess(left, timedelta(minutes=3))

    def test_its_end_is_the_end(self):
        self.assertTrue(self.opens(self.proof))
        self.assertFalse(self.connection.key_ended)
        self.age(self.connection, -1)
        self.assertFalse(self.opens(self.proof))
        self.assertTrue(self.connection.key_ended)
        # Odoo removes such keys once a day.
        self.env["res.users.apikeys"]._gc_user_apikeys()
        self.env.invalidate_all()
        self.assertTrue(self.connection.key_ended)
        self.assertFalse(self.connection.key_expires_at)
        self.assertTrue(self.opens(self.rotate()))
        self.assertFalse(self.connection.key_ended)

    def test_nobody_writes_the_end_of_a_key(self):
        for role in (*ROLES, "service"):
            key = self.connection.api_key_id
            person = self.people.get(role, self.service)
            with self.subTest(role=role):
                later = {"expiration_date": "2200-01-01"}
                run = partial(key.with_user(person).write, later)
                self.assertEqual(self.outcome(run, undo=True), "deny")

    # ---- the setting ----

    def test_who_may_set_it(self):
        for role in (*ROLES, "service"):
            person = self.people.get(role, self.service)
            settings = self.settings.with_user(person)
            with self.subTest(role=role):
                found = self.outcome(
                    lambda s=settings: s.write({"key_max_days": 0}), undo=True
                )
                self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_what_it_may_be(self):
        for days in (0, 1, 365, 3650):
            self.settings.key_max_days = days
        for days in (-1, 3651, 10**6):
            with self.subTest(days=days), self.assertRaises(ValidationError):
                self.settings.key_max_days = days

    def test_no_second_way_to_it(self):
        """Neither the context nor a stored default is taken for it."""
        self.env["ir.default"].set("doorman.settings", "key_max_days", 0)
        mine = self.connection.with_user(self.people["user"])
        mine = mine.with_context(default_key_max_days=0, key_max_days=0)
        mine.action_rotate_key()
        self.assertDays(365)


@tagged("post_install", "-at_install")
class TestInviteKeyAge(InviteMixin, DoormanCase):
    """A key that comes of an invite."""

    def test_no_longer_than_the_maximum(self):
        settings = self.env["doorman.settings"]._get()
        for hours, most, expected in (
            (24 * 10, 365, 10),
            (24 * 400, 365, 365),
            (0, 365, 365),
            (24 * 10, 5, 5),
            (0, 0, None),
        ):
            with self.subTest(hours=hours, most=most):
                settings.key_max_days = most
                invite, token = self.invite(key_lifetime_hours=hours)
                self.assertEqual(invite._key_hours(), (expected or 0) * 24)
                acceptance, _key = self.accept(token, "internal")
                end = acceptance.connection_id.key_expires_at
                if expected is None:
                    self.assertFalse(end)
                    continue
                left = end - fields.Datetime.now()
                self.assertLess(abs(left - expected * DAY), timedelta(minutes=5))


@tagged("post_install", "-at_install")
class TestKeyReport(KeyAgeCase):
    """The report of keys."""

    def test_who_sees_it(self):
        for role in ("portal", "internal", "user", "user2", "approver", "impostor"):
            with self.subTest(role=role):
                self.assertEqual(
                    self.outcome(lambda role=role: self.shown(role)), "deny"
                )
        self.assertEqual(len(self.shown("admin")), 1)

    def test_of_their_companies_only(self):
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        self.people["far"] = far
        theirs = self._connect("far")
        theirs._issue_key()
        self.env.flush_all()
        report = self.env["doorman.key.report"]
        mine = report.with_user(self.people["admin"]).search([])
        self.assertNotIn(theirs, mine.sudo().connection_id)
        self.assertIn(self.connection, mine.connection_id)
        of_far = report.with_user(far)
        self.assertEqual(of_far.search([]).connection_id, theirs)
        self.assertEqual(of_far._read_group([], [], ["__count"]), [(1,)])
        row = report.with_user(self.people["admin"]).browse(theirs.api_key_id.id)
        self.assertEqual(self.outcome(lambda: row.read(["made_at"])), "deny")
        self.assertEqual(self.outcome(row.action_open_connection), "deny")

    def test_nothing_of_the_key_itself(self):
        self.assertTrue(self.row())
        for row in self.shown().read():
            text = str(row)
            for secret in (self.credential, self.credential[4:12], self.proof):
                self.assertNotIn(secret, text)

    def test_who_made_and_saw_it(self):
        admin, user = self.people["admin"], self.people["user"]
        self.connection.with_user(user).action_rotate_key()
        self.assertMade(user, user, "screen")
        self.connection.with_user(admin).action_rotate_key()
        self.assertMade(admin, admin, "screen")
        pickups = self.env["doorman.pickup"]
        token, _link = pickups.with_user(admin).sudo()._make(self.connection)
        pickups.with_user(user)._pick_up(token)
        self.assertMade(admin, user, "pickup")
        # One that no person was shown, and one of before it was noted.
        self.connection.with_user(user).sudo()._issue_key()
        self.assertMade(user, self.env["res.users"], False)
        self.env.cr.execute(
            "UPDATE doorman_connection_proof SET made_by = NULL, made_at = NULL"
        )
        self.assertMade(self.env["res.users"], self.env["res.users"], False)

    def assertMade(self, made_by, seen_by, how):
        row = self.row()
        self.assertEqual(row.made_by_id.sudo(), made_by)
        self.assertEqual(row.seen_by_id.sudo(), seen_by)
        self.assertEqual(row.seen_how, how)
        self.assertLess(abs(row.made_at - fields.Datetime.now()), timedelta(minutes=5))

    def test_status_and_filters(self):
        for days, state, shown in (
            (100, "valid", set()),
            (31, "valid", set()),
            (29, "ending", {"expires_soon"}),
            (-1, "expired", {"expired"}),
        ):
            with self.subTest(days=days):
                self.age(self.connection, days)
                row = self.row()
                self.assertEqual(row.state, state)
                self.assertIn(row.days_left, (days, days - 1))
                for name in ("expires_soon", "expired", "without_expiry"):
                    found = self.filtered_by(name)
                    self.assertEqual(bool(found), name in shown, name)
        self.env.cr.execute("UPDATE res_users_apikeys SET expiration_date = NULL")
        self.env.cr.execute("UPDATE doorman_connection_proof SET latest = NULL")
        self.assertEqual(self.row().state, "valid")
        self.assertTrue(self.filtered_by("without_expiry"))
        self.assertFalse(self.filtered_by("expires_soon"))

    def filtered_by(self, name):
        """What a filter of the search view shows, as the web client asks for it."""
        report = self.env["doorman.key.report"]
        arch = etree.fromstring(report.get_view(view_type="search")["arch"])
        [node] = arch.xpath(f"//filter[@name='{name}']")
        return self.shown(domain=safe_eval(node.get("domain")))

    def test_the_last_use(self):
        now = fields.Datetime.now()
        self.assertTrue(self.filtered_by("never_used"))
        self.connection._inside().last_used = now - 3 * DAY
        # Of the key before it.
        self.assertFalse(self.row().last_used)
        self.connection._inside().last_used = now + DAY
        self.assertEqual(self.row().last_used, now + DAY)
        self.assertFalse(self.filtered_by("never_used"))

    def test_a_key_beside_a_new_one(self):
        self.connection._inside().last_used = fields.Datetime.now() + DAY
        old = self.connection.api_key_id.id
        self.connection.with_user(self.people["user"]).action_rotate_key(60)
        rows = self.shown()
        self.assertEqual(len(rows), 2)
        replaced = rows.filtered(lambda r: r.id == old)
        self.assertEqual(replaced.state, "replaced")
        self.assertTrue(replaced.last_used)
        self.assertEqual((rows - replaced).state, "valid")
        self.connection.with_user(self.people["user"]).action_rotate_key()
        self.assertEqual(len(self.shown()), 1)

    def test_one_that_has_ended_stays_until_there_is_another(self):
        self.age(self.connection, -1)
        self.env["res.users.apikeys"]._gc_user_apikeys()
        self.run_job("expire_connections")
        row = self.row()
        self.assertEqual(row.state, "expired")
        self.assertIn(row.days_left, (-1, -2))
        self.connection.with_user(self.people["user"]).action_rotate_key()
        self.assertEqual(self.shown().state, "valid")

    def test_one_that_was_removed_goes(self):
        for run in (
            lambda: self.connection.api_key_id.sudo().unlink(),
            lambda: self.connection.action_revoke(),
        ):
            self.connection._inside().state = "awaiting"
            self.connection._issue_key()
            self.assertEqual(len(self.shown()), 1)
            run()
            self.run_job("expire_connections")
            self.assertFalse(self.shown())

    def test_groups_and_export(self):
        report = self.env["doorman.key.report"].with_user(self.people["admin"])
        domain = [("connection_id", "=", self.connection.id)]
        self.env.flush_all()
        groups = report.formatted_read_group(
            domain, ["user_id", "state", "expires_at:month"], ["__count"]
        )
        self.assertEqual([g["__count"] for g in groups], [1])
        may_export = self.env.ref("base.group_allow_export")
        self.people["admin"].write({"group_ids": [Command.link(may_export.id)]})
        names = ["connection_id", "made_by_id", "seen_how", "expires_at", "days_left"]
        [data] = report.search(domain).export_data(names)["datas"]
        self.assertEqual(data[0], self.connection.name)
        self.assertIn(int(data[4]), (364, 365))

    def test_the_menu_is_for_administrators(self):
        menu = self.env.ref("doorman.menu_keys")
        for role, shown in (("user", False), ("approver", False), ("admin", True)):
            with self.subTest(role=role):
                menus = self.env["ir.ui.menu"].with_user(self.people[role])
                self.assertEqual(menu.id in menus._visible_menu_ids(), shown)


@tagged("post_install", "-at_install")
class TestKeyReminder(KeyAgeCase):
    def remind(self):
        self.env.flush_all()
        found = self.run_job("remind_expiry")["reminded"]
        self.env.invalidate_all()
        return found

    def told(self, connection=None):
        activities = (connection or self.connection).activity_ids
        return activities.user_id

    def setUp(self):
        super().setUp()
        # Without those of the demo data.
        self.remind()
        self.admin = self.people["admin"]
        self.env.cr.execute(
            "UPDATE doorman_connection SET create_uid = %s WHERE id = %s",
            [self.admin.id, self.connection.id],
        )
        self.env.invalidate_all()

    def test_once_for_its_user_and_their_administrator(self):
        self.age(self.connection, 13)
        self.assertEqual(self.remind(), 1)
        self.assertEqual(self.told(), self.people["user"] | self.admin)
        self.assertEqual(self.remind(), 0)
        self.assertEqual(len(self.connection.activity_ids), 2)
        summary = self.connection.activity_ids[0].summary
        self.assertEqual(summary, f"The key of {self.connection.name} expires")

    def test_not_reminded_of(self):
        """What does not end soon, has ended, or is not the key's own end."""
        for days, change in (
            (15, {}),
            (-1, {}),
            (13, {"state": "revoked"}),
            (13, {"active": False}),
            (13, {"state": "inactive"}),
        ):
            with self.subTest(days=days, change=change):
                self.connection._inside().write({"state": "awaiting", "active": True})
                self.age(self.connection, days)
                self.connection._inside().write(change)
                self.assertEqual(self.remind(), 0)
                self.assertFalse(self.connection.activity_ids)

    def test_the_end_of_the_connection_is_told_as_such(self):
        self.connection.expires_at = fields.Datetime.now() + 13 * DAY
        self.assertEqual(self.remind(), 1)
        [activity] = self.connection.activity_ids
        self.assertIn("The connection", activity.summary)
        self.assertEqual(activity.user_id, self.people["user"])

    def test_cleared_by_a_new_key(self):
        for numbers in ({}, {"overlap_minutes": 60}):
            with self.subTest(**numbers):
                self.age(self.connection, 13)
                self.assertEqual(self.remind(), 1)
                note = self.connection.activity_schedule(
                    "mail.mail_activity_data_todo", user_id=self.admin.id
                )
                mine = self.connection.with_user(self.people["user"])
                mine.action_rotate_key(**numbers)
                # What people note for themselves stays.
                self.assertEqual(self.connection.activity_ids, note)
                note.unlink()
                # The old one is meant to end, the new one does not soon.
                self.assertEqual(self.remind(), 0)

    def test_cleared_by_a_revocation(self):
        self.age(self.connection, 13)
        self.remind()
        self.connection.with_user(self.people["user"]).action_revoke()
        self.assertFalse(self.connection.activity_ids)

    def test_the_next_key_is_reminded_of_anew(self):
        for _key in range(2):
            self.age(self.connection, 13)
            self.assertEqual(self.remind(), 1)
            self.connection._issue_key()

    def test_who_may_not_know_is_not_told(self):
        """A user who is not an MCP user, and administrators of other companies."""
        self.people["plain"] = self._person("plain", ["base.group_user"])
        connection = self._connect("plain")
        connection._issue_key()
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        self.env.cr.execute(
            "UPDATE doorman_connection SET create_uid = %s WHERE id = %s",
            [far.id, connection.id],
        )
        self.age(connection, 13)
        self.assertEqual(self.remind(), 1)
        told = self.told(connection)
        self.assertNotIn(self.people["plain"], told)
        self.assertNotIn(far, told)
        # Another administrator, who sees it.
        self.assertEqual(len(told), 1)
        self.assertTrue(connection.with_user(told).has_access("read"))
