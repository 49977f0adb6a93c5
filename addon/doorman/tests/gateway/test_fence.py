import json
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..common import DoormanCase, proof_of

NOT_VALID = "This key or token is invalid or no longer works."


@tagged("post_install", "-at_install")
class TestFence(DoormanCase):
    """What has to hold at the moment of the call, past every cache."""

    def _count(self, fence=None):
        return self.call("res.partner", "search_count", fence=fence, domain=[])

    def _refused(self, reason, fence, kind="unauthenticated"):
        """The call is refused in the same words as any other, and the audit says
        why."""
        before = self.rows()
        self.env.flush_all()
        answer = self._count(fence)
        self.assertEqual(answer["error"]["kind"], kind)
        if kind == "unauthenticated":
            self.assertEqual(answer["error"]["message"], NOT_VALID)
        self.assertNotIn("value", answer)
        [row] = self.new_rows(before)
        self.assertEqual(row["outcome"], "refused")
        self.assertEqual(row["reason"], kind)
        reasons = [reason] if isinstance(reason, str) else reason
        self.assertIn(row["message"], reasons)
        return answer, row

    # ---- proofs ----

    def test_a_fence_that_holds(self):
        self.assertIsInstance(self._count()["value"], int)

    def test_it_brings_the_time(self):
        """Odoo asks for it before it writes, in a statement that is spared."""
        cr = self.env.cr
        self.addCleanup(setattr, cr, "_now", cr._now)
        cr._now = None
        self._count()
        found = cr._now
        cr.execute("SELECT now() AT TIME ZONE 'UTC'")
        self.assertEqual([found], list(cr.fetchone()))

    def test_proofs_that_are_none(self):
        proof = self.proof
        stored = self._stored()
        bad = [
            None, 0, 1, True, 1.5, [], {}, [proof], {"proof": proof}, "", "x",
            "0" * 64, proof[:63], proof + "0", proof + "\n", proof + " ", " " + proof,
            "\t" + proof[:63], proof.upper(), proof[:32], proof[::-1], proof * 2,
            proof[:62] + "'-", "' OR '1'='1", "%", "_" * 64, proof[:63] + "%",
            "\x00" * 64, "０" * 64, self.credential, self.credential[4:], stored,
            proof_of(proof), "0x" + proof[:62], "\\x" + proof[:62],
        ]  # fmt: skip
        fence = self.fence()
        for value in bad:
            with self.subTest(proof=value):
                self._refused("unknown credential", fence | {"proof": value})
                answer = self.gateway.resolve(value)
                self.assertEqual(answer["error"]["message"], NOT_VALID)

    def _stored(self):
        self.env.cr.execute(
            "SELECT proof FROM doorman_connection_proof WHERE connection_id = %s",
            [self.connection.id],
        )
        return self.env.cr.fetchone()[0]

    def test_a_stranger_learns_nothing_from_the_audit_row(self):
        fence = self.fence() | {"proof": "0" * 64}
        _answer, row = self._refused("unknown credential", fence)
        for name in ("connection_id", "connection_name", "user_id", "user_login"):
            self.assertIsNone(row[name])

    # ---- stale ----

    def _stale(self, fence):
        before = self.rows()
        partner = self.people["user"].partner_id
        answer = self.call("res.partner", "read", partner.ids, fence, fields=["name"])
        self.assertEqual(set(answer), {"stale"})
        self.assertFalse(self.new_rows(before))
        return answer["stale"]

    def test_another_version_of_anything_is_stale(self):
        good = self.fence()
        changes = [
            {"version": good["version"] - 1},
            {"version": good["version"] + 1},
            {"version": str(good["version"])},
            {"version": None},
            {"version": [good["version"]]},
            {"settings_version": good["settings_version"] - 1},
            {"settings_version": None},
            {"groups": "0" * 16},
            {"groups": None},
            {"groups": ""},
            {"connection": self.connection2.id},
            {"connection": str(good["connection"])},
            {"connection": None},
            {"connection": 0},
        ]
        for change in changes:
            with self.subTest(change=change):
                self._stale(good | change)
        for name in ("version", "settings_version", "groups", "connection"):
            with self.subTest(missing=name):
                self._stale({k: v for k, v in good.items() if k != name})

    def test_a_stale_answer_is_about_the_proofs_own_connection(self):
        snapshot = self._stale(self.fence(connection=self.connection2.id))
        self.assertEqual(snapshot["connection"]["id"], self.connection.id)

    def test_changes_of_the_policy_the_settings_and_the_groups(self):
        tool = self.tool("t1")
        group = self.env.ref("base.group_partner_manager")
        changes = {
            "policy": lambda: self.connection.write({"read_only": True}),
            "settings": lambda: self.settings.write({"public_url": "https://x"}),
            "tool": lambda: tool.write({"active": False}),
            "groups": lambda: self.people["user"].write(
                {"group_ids": [Command.link(group.id)]}
            ),
        }
        for name, change in changes.items():
            with self.subTest(change=name):
                fence = self.fence()
                change()
                self.env.flush_all()
                self._stale(fence)
                self.assertIn("value", self._count())

    # ---- revocation has no lag ----

    def test_user_archived(self):
        fence = self.fence()
        # Behind the ORM's back: by the ORM, the connection is revoked with its user.
        self.env.cr.execute(
            "UPDATE res_users SET active = false WHERE id = %s",
            [self.people["user"].id],
        )
        self._refused("user archived", fence)

    def test_user_is_the_superuser(self):
        fence = self.fence()
        self.env.cr.execute(
            "UPDATE doorman_connection SET user_id = 1 WHERE id = %s",
            [self.connection.id],
        )
        self.env.cr.execute("UPDATE res_users SET active = true WHERE id = 1")
        self._refused("user archived", fence)

    def test_user_is_an_internal_user_no_more(self):
        """A connection acts as a person of the house, at every call."""
        fence = self.fence()
        portal = self.env.ref("base.group_portal")
        self.people["user"].group_ids = [Command.set(portal.ids)]
        self.env.flush_all()
        answer = self._count(fence | {"groups": self._groups()})
        self.assertEqual(answer.get("error", {}).get("kind"), "unauthenticated")

    def _groups(self):
        return self.people["user"]._doorman_fingerprint()

    def test_key_removed_by_its_user(self):
        fence = self.fence()
        mine = self.connection.api_key_id.with_user(self.people["user"])
        mine._remove()  # what ``remove`` does after it has asked for the password
        self._refused("key removed or expired", fence)

    def test_key_changed_by_sql(self):
        fence = self.fence()
        other = self.people["user2"].id
        for change, value in (
            ("expiration_date = %s", fields.Datetime.now() - timedelta(hours=1)),
            ("user_id = %s", other),
            ("scope = %s", "rpc"),
            ("scope = %s", None),
            ("scope = %s", "MCP"),
        ):
            with self.subTest(change=change, value=value):
                with self.env.cr.savepoint() as savepoint:
                    self.env.cr.execute(
                        f"UPDATE res_users_apikeys SET {change} WHERE id = %s",
                        [value, self.connection.api_key_id.id],
                    )
                    self._refused("key removed or expired", fence)
                    savepoint.rollback()

    def test_connection_not_alive(self):
        fence = self.fence()
        for state in ("inactive", "revoked", "expired"):
            with self.subTest(state=state):
                self.connection._inside().state = state
                self._refused(f"connection {state}", fence)
        for state in ("awaiting", "connected", "idle"):
            with self.subTest(state=state):
                self.connection._inside().state = state
                self.assertIn("value", self._count())

    def test_connection_archived(self):
        fence = self.fence()
        self.connection.active = False
        self._refused("connection archived", fence)

    def test_connection_past_its_expiry(self):
        fence = self.fence()
        self.connection.expires_at = fields.Datetime.now() - timedelta(hours=1)
        # Its key has the same last day, so either may be seen first.
        self._refused(("connection expired", "key removed or expired"), fence)

    def test_connection_revoked(self):
        fence = self.fence()
        self.connection.with_user(self.people["user"]).action_revoke()
        self._refused("unknown credential", fence)

    def test_connection_and_user_deleted(self):
        fence = self.fence()
        self.people["user"].unlink()
        self._refused("unknown credential", fence)

    def test_switched_off(self):
        fence = self.fence()
        self.settings._switch(False)
        answer, _row = self._refused("server switched off", fence, "forbidden")
        self.assertIn("switched off", answer["error"]["message"])
        # The service decides itself, and has the words for it.
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        self.assertFalse(snapshot["settings"]["enabled"])

    def test_strangers_do_not_see_that_it_is_switched_off(self):
        self.settings._switch(False)
        fence = {"proof": "0" * 64}
        self._refused("unknown credential", fence)

    # ---- the service's key alone ----

    def test_the_service_alone_acts_as_nobody(self):
        """Everything that a dump of the database holds, in every argument."""
        good = self.fence()
        stored = self._stored()
        self.env.cr.execute(
            "SELECT key, index FROM res_users_apikeys WHERE id = %s",
            [self.connection.api_key_id.id],
        )
        known = [
            stored, *self.env.cr.fetchone(), self.connection.id,
            self.people["user"].id, self.people["user"].login, self.service.login,
            good["groups"], good["version"], None,
        ]  # fmt: skip
        for value in known:
            for name in ("proof", "connection", "version", "groups"):
                fence = {k: v for k, v in good.items() if k != "proof"} | {name: value}
                if name != "proof":
                    fence["proof"] = stored
                with self.subTest(name=name, value=value):
                    answer = self._count(fence)
                    self.assertEqual(answer["error"]["kind"], "unauthenticated")
                    fields_ = self.gateway.fields(fence, "res.partner")
                    self.assertEqual(fields_["error"]["kind"], "unauthenticated")

    def test_no_gateway_answer_holds_a_secret(self):
        secrets = {self.proof, self._stored(), self.credential[4:]}
        answers = [
            self.gateway.hello("1"),
            self.gateway.resolve(self.proof),
            self._count(),
            self._count(self.fence(version=0)),
            self.gateway.fields(self.fence(), "res.users"),
        ]
        for answer in answers:
            text = json.dumps(answer, default=str)
            for secret in secrets:
                self.assertNotIn(secret, text)

    def test_another_persons_proof_does_not_open_this_connection(self):
        other = proof_of(self.connection2._issue_key())
        self.env.flush_all()
        fence = self.fence() | {"proof": other}
        self.assertIn("stale", self._count(fence))
