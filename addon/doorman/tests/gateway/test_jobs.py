from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ...models.approval import ask
from ..common import DoormanCase, proof_of


@tagged("post_install", "-at_install")
class TestJobs(DoormanCase):
    """What the service's jobs start, each any number of times."""

    def setUp(self):
        super().setUp()
        # Rows of demo data or of other tests are none of ours.
        self.run_job("fold_use")
        # A test is one transaction, and all of its calls are of the same instant.
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        self.connection._inside().write({"state_since": hour_ago})

    def _row(self, connection=None, ago=None, **vals):
        vals = {
            "connection_id": (connection or self.connection).id,
            "method": "tools/call",
            "outcome": "ok",
            "reason": "",
            "count": 1,
        } | vals
        if ago is not None:
            vals["time"] = fields.Datetime.now() - ago
        self.env["doorman.audit"]._insert(vals)

    def _fold(self):
        self.env.flush_all()
        answer = self.run_job("fold_use")
        self.env.invalidate_all()
        return answer

    def test_a_first_call_makes_it_connected(self):
        self.assertEqual(self.connection.state, "awaiting")
        self.call("res.partner", "search_count", domain=[])
        self.env.cr.execute("UPDATE doorman_audit SET method = 'tools/call'")
        version = self.connection.version
        self.assertEqual(self._fold(), {"folded": 1})
        self.assertEqual(self.connection.state, "connected")
        self.assertEqual(self.connection.request_count, 1)
        self.assertTrue(self.connection.last_used)
        # Nothing that a decision rests on changed: nobody has to decide anew.
        self.assertEqual(self.connection.version, version)

    def test_folding_twice_counts_once(self):
        self._row()
        self._fold()
        self.assertEqual(self._fold()["folded"], 0)
        self.assertEqual(self.connection.request_count, 1)

    def test_what_counts(self):
        rows = [
            ("ok", "", "tools/call", True),
            ("error", "business_rule", "tools/call", True),
            ("ok", "", "resources/read", True),
            ("refused", "rate_limited", "resources/read", False),
            ("ok", "", "resources/list", False),
            ("error", "forbidden", "tools/call", True),
            ("refused", "not_allowed", "tools/call", True),
            ("refused", "unauthenticated", "tools/call", False),
            ("refused", "forbidden", "tools/call", False),
            ("refused", "rate_limited", "tools/call", False),
            ("ok", "", "tools/list", False),
            ("ok", "", "initialize", False),
        ]
        for outcome, reason, method, counts in rows:
            with self.subTest(outcome=outcome, reason=reason, method=method):
                before = self.connection.request_count
                used = self.env["doorman.audit"]._used_today(self.connection.id)
                self._row(outcome=outcome, reason=reason, method=method, count=3)
                self._fold()
                now = self.env["doorman.audit"]._used_today(self.connection.id)
                expected = 3 if counts else 0
                self.assertEqual(self.connection.request_count - before, expected)
                self.assertEqual(now - used, expected)

    def test_looking_around_makes_it_connected(self):
        self._row(method="initialize")
        self._fold()
        self.assertEqual(self.connection.state, "connected")
        self.assertEqual(self.connection.request_count, 0)

    def test_being_refused_at_the_door_is_no_use(self):
        for reason in ("unauthenticated", "forbidden", "rate_limited"):
            self._row(outcome="refused", reason=reason)
        self._fold()
        self.assertEqual(self.connection.state, "awaiting")
        self.assertFalse(self.connection.last_used)

    def test_use_from_before_a_reactivation_does_not_connect(self):
        self._row(ago=timedelta(minutes=5))
        self.connection.action_revoke()
        self.connection.with_user(self.people["user"]).action_reactivate()
        self._fold()
        self.assertEqual(self.connection.state, "awaiting")
        self.assertEqual(self.connection.request_count, 1)

    def test_silence_makes_it_idle_and_use_brings_it_back(self):
        self.connection._inside().write(
            {
                "state": "connected",
                "last_used": fields.Datetime.now() - timedelta(hours=76),
            }
        )
        self._fold()
        self.assertEqual(self.connection.state, "idle")
        self.assertEqual(self.connection.idle_text, "for 3 days, 4 hours")
        self._row()
        self._fold()
        self.assertEqual(self.connection.state, "connected")
        self.assertFalse(self.connection.idle_text)

    def test_the_threshold_is_a_setting(self):
        admin = self.people["admin"]
        self.connection._inside().write(
            {
                "state": "connected",
                "last_used": fields.Datetime.now() - timedelta(hours=50),
            }
        )
        for hours, state in ((72, "connected"), (48, "idle"), (51, "connected")):
            with self.subTest(hours=hours):
                self.settings.with_user(admin).idle_after_hours = hours
                self._fold()
                self.assertEqual(self.connection.state, state)

    def test_dead_connections_stay_dead(self):
        for state in ("revoked", "expired", "inactive"):
            with self.subTest(state=state):
                self.connection._inside().write({"state": state})
                self._row()
                self._fold()
                self.assertEqual(self.connection.state, state)

    def test_rows_without_a_connection_are_folded_too(self):
        """Else they would be looked at every minute, for ever."""
        self._row(connection_id=None)
        self.assertEqual(self._fold()["folded"], 1)
        self.assertEqual(self._fold()["folded"], 0)

    def test_expiry(self):
        self.connection.expires_at = fields.Datetime.now() - timedelta(hours=1)
        self.connection2.expires_at = fields.Datetime.now() + timedelta(days=1)
        self.env.flush_all()
        self.assertEqual(self.run_job("expire_connections"), {"expired": 1})
        self.assertEqual(self.run_job("expire_connections"), {"expired": 0})
        self.env.invalidate_all()
        self.assertEqual(self.connection.state, "expired")
        self.assertFalse(self.connection.api_key_id.exists())
        self.assertEqual(self.connection2.state, "awaiting")

    def test_a_revoked_connection_does_not_expire(self):
        self.connection.action_revoke()
        self.connection.expires_at = fields.Datetime.now() - timedelta(days=1)
        self.env.flush_all()
        self.assertEqual(self.run_job("expire_connections"), {"expired": 0})
        self.assertEqual(self.connection.state, "revoked")

    def test_reminder_once_for_the_user(self):
        self.connection.expires_at = fields.Datetime.now() + timedelta(days=13)
        self.connection2.expires_at = fields.Datetime.now() + timedelta(days=30)
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 1})
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 0})
        [activity] = self.connection.activity_ids
        self.assertEqual(activity.user_id, self.people["user"])
        self.assertFalse(self.connection2.activity_ids)

    def test_a_new_date_is_reminded_of_anew(self):
        self.connection.expires_at = fields.Datetime.now() + timedelta(days=3)
        self.env.flush_all()
        self.run_job("remind_expiry")
        self.connection.expires_at = fields.Datetime.now() + timedelta(days=5)
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 1})

    def test_the_reminder_of_a_plain_user_goes_to_who_made_it(self):
        self.people["user"].write(
            {"group_ids": [(3, self.env.ref("doorman.group_user").id)]}
        )
        connections = self.env["doorman.connection"].with_user(self.people["admin"])
        connection = connections.create(
            {
                "name": "x",
                "user_id": self.people["internal"].id,
                "expires_at": fields.Datetime.now() + timedelta(days=2),
            }
        )
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 1})
        self.assertEqual(connection.activity_ids.user_id, self.people["admin"])

    def test_who_may_not_see_it_is_not_reminded(self):
        connections = self.env["doorman.connection"].with_user(self.people["admin"])
        connection = connections.create(
            {
                "name": "x",
                "user_id": self.people["internal"].id,
                "expires_at": fields.Datetime.now() + timedelta(days=2),
            }
        )
        self.people["admin"].write(
            {"group_ids": [(3, self.env.ref("doorman.group_admin").id)]}
        )
        self.people["admin"].write(
            {"group_ids": [(4, self.env.ref("doorman.group_user").id)]}
        )
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 0})
        self.assertFalse(connection.sudo().activity_ids)

    def test_it_is_due_on_the_day_where_the_person_is(self):
        """What ends in the night of Greenwich ends on another day elsewhere."""
        day = fields.Datetime.now().replace(minute=0) + timedelta(days=5)
        # What runs the job lives somewhere else.
        self.env["res.users"].with_context(active_test=False).search(
            []
        ).tz = "Pacific/Kiritimati"
        for zone, hour, days in (
            ("America/Los_Angeles", 3, -1),
            ("America/Los_Angeles", 20, 0),
            ("Pacific/Auckland", 3, 0),
            ("Pacific/Auckland", 20, 1),
            ("Europe/Paris", 12, 0),
            (False, 3, 0),
            (False, 20, 0),
        ):
            with self.subTest(zone=zone, hour=hour):
                self.people["user"].tz = zone
                ends = day.replace(hour=hour)
                self.connection.expires_at = ends
                self.env.flush_all()
                self.assertEqual(self.run_job("remind_expiry"), {"reminded": 1})
                activity = self.connection.activity_ids.sorted("id")[-1]
                due = ends.date() + timedelta(days=days)
                self.assertEqual(activity.date_deadline, due)

    def test_an_archived_connection_is_not_reminded_of(self):
        """It is refused already. Once it is back, its user is told."""
        self.connection.write(
            {"expires_at": fields.Datetime.now() + timedelta(days=3), "active": False}
        )
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 0})
        self.assertFalse(self.connection.activity_ids)
        self.connection.active = True
        self.env.flush_all()
        self.assertEqual(self.run_job("remind_expiry"), {"reminded": 1})

    def test_what_is_due_is_done_a_part_at_a_time(self):
        """However many there are, no run is too long to be committed."""
        ended = fields.Datetime.now() - timedelta(hours=1)
        connections = self.connection | self.connection2 | self._connect("admin")
        invites = self.env["doorman.invite"].with_user(self.people["admin"])
        scope = [(4, self.env.ref("doorman.scope_search").id)]
        for _number in range(3):
            invites |= invites._make({"scope_ids": scope})[0]
        requests = [self.approval() for _number in range(3)]
        made = self.env["doorman.approval"].concat(*requests)
        jobs = (
            ("expire_invites", invites),
            ("expire_approvals", made),
            ("expire_connections", connections),
        )
        for job, records in jobs:
            with self.subTest(job=job), patch.object(type(self.gateway), "_at_once", 2):
                self.env.flush_all()
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET expires_at = %s WHERE id = ANY(%s)",
                        SQL.identifier(records._table),
                        ended,
                        records.ids,
                    )
                )
                self.env.invalidate_all()
                runs = [self.gateway.run_job(job) for _turn in range(2)]
                self.assertEqual([run["counts"]["expired"] for run in runs], [2, 1])
                self.assertEqual([run["more"] for run in runs], [True, False])

    def test_people_are_reminded_a_part_at_a_time(self):
        connections = self.connection | self.connection2 | self._connect("admin")
        invite = self.env["doorman.invite"].with_user(self.people["admin"])
        scope = [(4, self.env.ref("doorman.scope_search").id)]
        invite = invite._make({"scope_ids": scope})[0]
        soon = fields.Datetime.now() + timedelta(days=3)
        connections._inside().write({"expires_at": soon, "invite_id": invite.id})
        connections.flush_recordset()
        # The holder of a key that was to work for days is told hours before.
        self.env.cr.execute("UPDATE doorman_connection SET create_date = '2020-01-01'")
        for job in ("remind_expiry", "remind_invited"):
            with self.subTest(job=job), patch.object(type(self.gateway), "_at_once", 2):
                runs = [self.gateway.run_job(job) for _turn in range(2)]
                self.assertEqual([run["counts"]["reminded"] for run in runs], [2, 1])
                self.assertEqual([run["more"] for run in runs], [True, False])
        self.assertEqual(len(connections.activity_ids), 3)

    def test_a_clock_that_goes_ahead(self):
        self._row(ago=-timedelta(days=9000))
        self._fold()
        soon = fields.Datetime.now() + timedelta(minutes=1)
        self.assertLess(self.connection.last_used, soon)

    def test_retention(self):
        self.settings.audit_retention_days = 30
        # Rows of the demo data would hold it up: a younger one before an older one.
        self.env.cr.execute("UPDATE doorman_audit SET time = time - interval '1 year'")
        self.run_job("purge_audit")
        self._row(ago=timedelta(days=31))
        self._row(ago=timedelta(days=29))
        self.env.flush_all()
        # A row that is not counted yet is not thrown away.
        self.assertEqual(self.run_job("purge_audit")["deleted"], 0)
        self._fold()
        self.assertEqual(self.run_job("purge_audit"), {"deleted": 1})
        self.assertEqual(self.connection.request_count, 2)

    def test_old_requests_go_however_many_there_are(self):
        made = self.env["doorman.approval"].concat(
            *(self.approval() for _number in range(3))
        )
        years_ago = fields.Datetime.now() - timedelta(days=900)
        made._inside().write({"state": "rejected", "decided_at": years_ago})
        made.flush_recordset()
        old = [("id", "in", made.ids)]
        with patch.object(ask, "PURGE", 2):
            runs = [self.gateway.run_job("purge_audit") for _turn in range(2)]
            self.assertFalse(self.env["doorman.approval"].search(old))
        self.assertEqual([run["more"] for run in runs], [True, False])

    def test_the_fence_does_not_wait_for_the_job(self):
        self.connection.expires_at = fields.Datetime.now() - timedelta(hours=1)
        self.env.flush_all()
        self.assertEqual(self.connection.state, "awaiting")
        self.assertIn("error", self.gateway.resolve(self.proof))


@tagged("post_install", "-at_install")
class TestRotation(DoormanCase):
    def _rotate(self, minutes, role="user"):
        dialog = self.connection.with_user(self.people[role]).action_rotate_key(minutes)
        self.env.flush_all()
        self.env.invalidate_all()
        return proof_of(dialog["context"]["default_key"])

    def _opens(self, proof):
        return "snapshot" in self.gateway.resolve(proof)

    def test_with_an_overlap_both_keys_work(self):
        fresh = self._rotate(30)
        self.assertTrue(self._opens(fresh))
        self.assertTrue(self._opens(self.proof))
        left = self.connection.old_key_until - fields.Datetime.now()
        self.assertLess(abs(left - timedelta(minutes=30)), timedelta(minutes=1))

    def test_without_one_the_old_key_is_dead(self):
        fresh = self._rotate(0)
        self.assertTrue(self._opens(fresh))
        self.assertFalse(self._opens(self.proof))
        self.assertFalse(self.connection.old_key_until)

    def test_the_overlap_ends(self):
        self._rotate(30)
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET expiration_date = now() at time zone 'utc' "
            "- interval '1 second' WHERE expiration_date IS NOT NULL"
        )
        self.assertFalse(self._opens(self.proof))

    def test_the_key_before_the_old_one_is_dead(self):
        second = self._rotate(30)
        third = self._rotate(30)
        self.assertFalse(self._opens(self.proof))
        self.assertTrue(self._opens(second))
        self.assertTrue(self._opens(third))

    def test_revoking_ends_both(self):
        fresh = self._rotate(30)
        self.connection.with_user(self.people["user"]).action_revoke()
        self.env.flush_all()
        self.assertFalse(self._opens(fresh))
        self.assertFalse(self._opens(self.proof))

    def test_an_overlap_does_not_outlive_the_connection(self):
        self.connection.expires_at = fields.Datetime.now() + timedelta(minutes=5)
        self.proof = proof_of(self.connection._issue_key())
        self._rotate(60)
        left = self.connection.old_key_until - fields.Datetime.now()
        self.assertLess(left, timedelta(minutes=6))

    def test_a_later_expiry_does_not_prolong_the_old_key(self):
        self._rotate(30)
        self.connection.expires_at = fields.Datetime.now() + timedelta(days=90)
        self.env.flush_all()
        self.env.invalidate_all()
        left = self.connection.old_key_until - fields.Datetime.now()
        self.assertLess(left, timedelta(minutes=31))

    def test_the_dialog_names_no_connection_of_others(self):
        """Odoo shows the name of a related record to who may not see it."""
        user = self.people["user"]
        dialogs = self.env["doorman.rotate.key"].with_user(user)
        own = dialogs.create({"connection_id": self.connection.id})
        other = self.connection2.id
        spec = {"connection_id": {"fields": {"display_name": {}}}}
        for run in (
            lambda: dialogs.create({"connection_id": other}),
            lambda: own.write({"connection_id": other}),
            lambda: dialogs.with_context(default_connection_id=other).create({}),
            lambda: dialogs.with_context(default_connection_id=other).onchange(
                {}, [], spec
            ),
            lambda: dialogs.onchange({"connection_id": other}, [], spec),
            lambda: dialogs.web_save({"connection_id": other}, spec),
        ):
            self.assertEqual(self.outcome(run), "deny")
        mine = dialogs.with_context(default_connection_id=self.connection.id)
        self.assertTrue(mine.onchange({}, [], spec)["value"]["connection_id"])
        self.assertEqual(own.connection_id, self.connection)

    def test_odd_overlaps(self):
        for minutes in (-1, 10_081, 1.5, "30", True, None, [30]):
            with self.subTest(minutes=minutes), self.assertRaises(UserError):
                self._rotate(minutes)
        self.assertTrue(self._opens(self.proof))

    def test_handing_over_can_be_forbidden(self):
        self.settings.allow_key_handover = False
        self.assertEqual(self.outcome(lambda: self._rotate(0, "admin")), "deny")
        self.assertTrue(self._opens(self.proof))
        self.assertTrue(self._opens(self._rotate(0, "user")))

    def test_handing_over_is_on_record(self):
        self._rotate(0, "admin")
        body = self.connection.message_ids[0].body
        self.assertIn(self.people["admin"].name, body)
        self.assertIn("hand it over", body)

    def test_only_administrators_activate(self):
        self.connection._inside().state = "inactive"
        mine = self.connection.with_user(self.people["user"])
        self.assertEqual(self.outcome(mine.action_activate), "deny")
        self.connection.with_user(self.people["admin"]).action_activate()
        self.assertEqual(self.connection.state, "awaiting")
        self.assertTrue(self._opens(self.proof))


@tagged("post_install", "-at_install")
class TestPayloads(DoormanCase):
    def _last(self):
        return self.rows()[0]

    def test_off_by_default(self):
        self.call("res.partner", "search_count", domain=[["name", "=", "x"]])
        self.assertIsNone(self._last()["request_payload"])
        self.assertIsNone(self._last()["response_payload"])

    def test_on(self):
        self.settings.log_payloads = True
        self.call("res.partner", "search_count", domain=[["name", "=", "x"]])
        self.assertIn('"name"', self._last()["request_payload"])
        self.assertEqual(self._last()["response_payload"], "0")

    def test_credentials_are_withheld(self):
        self.settings.log_payloads = True
        secret = "hunter2-the-secret"
        for domain in (
            [["password", "=", secret]],
            ["&", ["user_ids.password", "=", secret], ["name", "=", "x"]],
            [["name", "=", "dmk_" + "a1" * 20]],
            [["name", "=", "a token dma_" + secret]],
        ):
            with self.subTest(domain=domain):
                self.call("res.partner", "search_count", domain=domain)
                payload = self._last()["request_payload"]
                self.assertNotIn(secret, payload)
                self.assertNotIn("a1" * 16, payload)
                self.assertIn("[withheld]", payload)
        self.call("res.partner", "search_count", domain=[], api_key=secret)
        self.assertNotIn(secret, self._last()["request_payload"])

    def test_long_payloads_are_cut(self):
        self.settings.log_payloads = True
        domain = [["name", "=", "x " * 20_000]]
        self.call("res.partner", "search_count", domain=domain)
        self.assertLessEqual(len(self._last()["request_payload"]), 10_000)
