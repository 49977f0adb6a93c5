import json
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, LockError, MissingError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import DoormanCase, proof_of

GATEWAY = "odoo.addons.doorman.gateway.errors"


@tagged("post_install", "-at_install")
class TestGateway(DoormanCase):
    """What one call does, whose rights it has, and what it leaves behind."""

    def _with_method(self, run, reads=True):
        """Run ``run(call)`` in the place of an ORM call."""
        with self.doing(run, reads=reads):
            return self.call("res.partner", "trial")

    def test_two_people_see_what_each_may_see(self):
        """The very same request, under the record rules of two users."""
        alone = self.env["res.partner"].create({"name": "Only for user2"})
        self.env["ir.rule"].create(
            {
                "name": "test",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {alone.id})] if user.id != "
                f"{self.people['user2'].id} else [(1, '=', 1)]",
            }
        )
        other = proof_of(self.connection2._issue_key())
        for proof, count, kind in ((self.proof, 0, "forbidden"), (other, 1, "ok")):
            fence = self.fence(proof)
            domain = [["id", "=", alone.id]]
            found = self.call("res.partner", "search_count", fence=fence, domain=domain)
            self.assertEqual(found["value"], count)
            kind_ = self.kind(
                "res.partner", "read", alone.ids, fence=fence, fields=["name"]
            )
            self.assertEqual(kind_, kind)

    def test_calls_run_as_the_user_and_never_as_more(self):
        seen = {}
        self.people["user"].tz = "Europe/Paris"

        def run(call):
            env = call.model.env
            seen.update(uid=env.uid, su=env.su, ctx=dict(env.context))

        self._with_method(run)
        self.assertEqual(seen["uid"], self.people["user"].id)
        self.assertFalse(seen["su"])
        own = {"lang": "en_US", "tz": "Europe/Paris"}
        self.assertEqual(seen["ctx"], {"bin_size": True, **own})

    def test_models_without_access_right(self):
        for model in ("ir.cron", "ir.actions.server", "ir.module.module"):
            with self.subTest(model=model):
                kind = self.kind(model, "search_read", domain=[], fields=["name"])
                if self.env[model].with_user(self.people["user"]).has_access("read"):
                    self.assertEqual(kind, "ok")
                else:
                    self.assertEqual(kind, "forbidden")

    # ---- audit ----

    def test_one_row_a_call(self):
        partner = self.people["user"].partner_id
        before = self.rows()
        self.call("res.partner", "read", partner.ids, fields=["name"])
        [row] = self.new_rows(before)
        expected = {
            "connection_id": self.connection.id,
            "connection_name": self.connection.name,
            "connection_type": "bearer",
            "user_id": self.people["user"].id,
            "user_login": "dm-user",
            "company_id": self.company.id,
            "ip": "192.0.2.1",
            # What it does says which it is of, not the service, which says "test".
            "tool": "read_records",
            "request_id": "r1",
            "model": "res.partner",
            "orm_method": "read",
            "record_ids": str(partner.id),
            "outcome": "ok",
            "count": 1,
        }
        self.assertEqual({name: row[name] for name in expected}, expected)

    def test_reading_leaves_the_row_and_no_other_write(self):
        self.env.flush_all()
        fence = self.fence()
        self.call("res.partner", "search_count", fence=fence, domain=[])
        self.writes = []
        self.original = type(self.env.cr).execute
        with patch.object(
            type(self.env.cr), "execute", autospec=True, side_effect=self._writes
        ):
            self.call("res.partner", "search_read", fence=fence, domain=[],
                      fields=["name", "email"], limit=5)  # fmt: skip
        self.assertEqual(len(self.writes), 1, self.writes)
        self.assertIn("doorman_audit", self.writes[0])

    def _writes(self, cr, query, *args, **kwargs):
        text = str(getattr(query, "code", query)).rpartition("; ")[2].strip()
        if text.upper().startswith(("INSERT", "UPDATE", "DELETE", "CREATE")):
            self.writes.append(text)
        return self.original(cr, query, *args, **kwargs)

    def test_errors_keep_their_row_and_undo_the_rest(self):
        cases = (
            (AccessError("no"), "forbidden"),
            (MissingError("gone"), "not_found"),
            (LockError("busy"), "conflict"),
            (UserError("Odoo says no"), "business_rule"),
            (ValueError("bad"), "invalid_input"),
            (TypeError("bad"), "invalid_input"),
            (RuntimeError("/usr/lib/secret/path"), "internal"),
        )
        self.allow_writes()
        for exc, kind in cases:

            def run(call, exc=exc):
                call.model.sudo().create({"name": "half done"})
                raise exc

            before = self.rows()
            with self.subTest(kind=kind), mute_logger(GATEWAY):
                answer = self._with_method(run, reads=False)
                self.assertEqual(answer["error"]["kind"], kind)
                self.assertNotIn("/usr/lib", json.dumps(answer))
                found = self.env["res.partner"].search([("name", "=", "half done")])
                self.assertFalse(found)
                [row] = self.new_rows(before)
                self.assertEqual((row["outcome"], row["reason"]), ("error", kind))

    def test_sql_errors_keep_their_row_and_show_no_sql(self):
        for query, kind in (
            ("SELECT nonsense FROM res_partner", "internal"),
            ("SELECT 1/0", "invalid_input"),
            ("INSERT INTO res_partner (id) SELECT min(id) FROM res_partner", None),
        ):
            before = self.rows()

            def run(call, query=query):
                call.model.env.cr.execute(query)

            with self.subTest(query=query), mute_logger(GATEWAY, "odoo.sql_db"):
                answer = self._with_method(run)
                self.assertEqual(answer["error"]["kind"], kind or "business_rule")
                self.assertNotIn("SELECT", answer["error"]["message"])
                self.assertEqual(len(self.new_rows(before)), 1)

    def test_conflicts_go_up_and_leave_no_row(self):
        for cls in (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
            psycopg2.errors.LockNotAvailable,
        ):
            before = self.rows()

            def run(call, cls=cls):
                raise cls()

            with self.subTest(error=cls.__name__), self.assertRaises(cls):
                self._with_method(run)
            self.assertFalse(self.new_rows(before))

    def test_statement_timeout(self):
        def run(call):
            call.model.env.cr.execute("SELECT pg_sleep(5)")

        before = self.rows()
        request = self.request("res.partner", "trial") | {"timeout_ms": 50}
        with (
            self.doing(run),
            mute_logger("odoo.sql_db"),
        ):
            answer = self.gateway.call(self.fence(), request)
        self.assertEqual(answer["error"]["kind"], "odoo_timeout")
        [row] = self.new_rows(before)
        self.assertEqual(row["reason"], "odoo_timeout")

    def test_rows_never_hold_the_proof_or_the_key(self):
        secrets = (self.proof, self.credential, self.credential[4:])
        fence = self.fence()
        self.call("res.partner", "search_count", fence=fence, domain=[])
        self.call("res.partner", "search_count", fence=fence | {"version": 0})
        self.gateway.call(fence | {"proof": self.credential}, self.request("x", "y"))
        for secret in secrets:
            self.call("res.partner", "search_count", domain=[["name", "=", secret]])
            self.call("res.partner", "search_count", domain=[["id", "=", secret]])
            self.call("res.partner", "search_count", domain=[[secret, "=", 1]])
            self.call("res.partner", "read", [1], fields=[secret])
        text = json.dumps(self.rows(), default=str)
        for secret in secrets:
            self.assertNotIn(secret, text)

    def test_served_requests_are_recorded_and_calls_are_not_made_up(self):
        """The service's key alone must not put calls on record that never were."""
        event = {"connection": self.connection.id, "outcome": "ok"}
        self.gateway.record([event | {"audit": {"method": "tools/list"}}])
        row = self.rows()[0]
        self.assertEqual((row["outcome"], row["method"]), ("ok", "tools/list"))
        self.assertEqual(row["user_id"], self.people["user"].id)
        before = len(self.rows())
        for method in ("tools/call", "resources/read"):
            with self.assertRaises(ValueError):
                self.gateway.record([event | {"audit": {"method": method}}])
        self.assertEqual(len(self.rows()), before)

    def test_text_that_postgresql_refuses_is_recorded_all_the_same(self):
        """Else who sends it probes without leaving a trace."""
        fence = self.fence()
        for text in ("res.partner\x00", "res.\ud800", "\x00", "x" * 10_000):
            before = self.rows()
            with self.subTest(text=text[:20]):
                self.gateway.call(fence, self.request(text, "read"))
                self.assertEqual(len(self.new_rows(before)), 1)
            before = self.rows()
            with self.subTest(audit=text[:20]):
                request = self.request("res.partner", "search_count", domain=[])
                request["audit"] = dict.fromkeys(request["audit"], text)
                answer = self.gateway.call(fence, request)
                self.assertIn("value", answer)
                self.assertEqual(len(self.new_rows(before)), 1)

    def test_requests_of_the_wrong_shape_are_refused_and_recorded(self):
        fence = self.fence()
        good = self.request("res.partner", "search_count", domain=[])
        changes = [
            {"method": ["search_count"]}, {"method": {}}, {"method": None},
            {"model": ["res.partner"]}, {"model": {"a": 1}}, {"model": 5},
            {"kwargs": [1]}, {"kwargs": "x"}, {"context": [1]}, {"context": "x"},
            {"audit": "x"}, {"audit": [1]}, {"kwargs": {"domain": "x"}},
        ]  # fmt: skip
        for change in changes:
            before = self.rows()
            with self.subTest(change=change):
                answer = self.gateway.call(fence, good | change)
                kind = answer.get("error", {}).get("kind", "ok")
                self.assertIn(kind, ("invalid_input", "not_allowed", "ok"))
                self.assertEqual(len(self.new_rows(before)), 1)

    # ---- companies ----

    def test_companies(self):
        far = self.env["res.company"].create({"name": "Far"})
        stranger = self.env["res.company"].create({"name": "Stranger"})
        user = self.people["user"]
        user.company_ids = [Command.link(far.id)]
        main = self.company.id
        free = (
            (None, "ok"), ([main], "ok"), ([far.id, main], "ok"),
            ([stranger.id], "not_allowed"), ([main, stranger.id], "not_allowed"),
            ([], "not_allowed"), ("1", "not_allowed"), ({"a": 1}, "not_allowed"),
            (0, "not_allowed"), ([0], "not_allowed"), ([None], "not_allowed"),
            ([-main], "not_allowed"), ([str(main)], "not_allowed"),
        )  # fmt: skip
        limited = (
            (None, "ok"), ([far.id], "ok"), ([main], "not_allowed"),
            ([far.id, main], "not_allowed"), ([stranger.id], "not_allowed"),
        )  # fmt: skip
        none = ((None, "not_allowed"), ([main], "not_allowed"))
        for policy, rows in ((None, free), (far, limited), (stranger, none)):
            self.connection.company_ids = [Command.set(policy.ids if policy else [])]
            for asked, expected in rows:
                context = {} if asked is None else {"allowed_company_ids": asked}
                with self.subTest(policy=policy, asked=asked):
                    found = self.kind(
                        "res.partner", "search_count", context=context, domain=[]
                    )
                    self.assertEqual(found, expected)

    def test_a_limited_connection_works_in_its_companies(self):
        far = self.env["res.company"].create({"name": "Far"})
        self.people["user"].company_ids = [Command.link(far.id)]
        self.connection.company_ids = [Command.set(far.ids)]
        value = self.call("", "context")["value"]
        self.assertEqual([c["id"] for c in value["companies"]], far.ids)
        self.assertEqual(value["company"]["id"], far.id)

    # ---- context ----

    def test_context_keys_that_are_not_allowed_are_dropped(self):
        seen = {}

        def run(call):
            seen.clear()
            seen.update(call.model.env.context)

        context = {
            "lang": "en_US", "tz": "UTC", "active_test": False, "default_name": "x",
            "active_id": 1, "active_ids": [1], "active_model": "x", "uid": 1,
            "tracking_disable": True, "mail_create_nolog": True, "bin_size": False,
            "su": True, "force_company": 1, "install_mode": True, "sudo": True,
            "doorman_inside": True, "search_default_x": 1, "no_reset_password": True,
            "prefetch_fields": False, "bin_size_raw": False, "": 1,
        }  # fmt: skip
        with self.doing(run):
            self.assertEqual(self.kind("res.partner", "trial", context=context), "ok")
        self.assertEqual(
            seen,
            {"lang": "en_US", "tz": "UTC", "active_test": False, "bin_size": True},
        )

    def test_a_language_that_is_not_installed(self):
        for lang in ("xx_XX", "' OR 1=1", "en_US\x00"):
            with self.subTest(lang=lang):
                answer = self.call(
                    "res.partner", "search_count", context={"lang": lang}, domain=[]
                )
                error = answer["error"]
                self.assertIn(error["kind"], ("business_rule", "invalid_input"))
                self.assertIn("language", error["message"].lower())

    def test_bytes_never_travel(self):
        attachment = self.env["ir.attachment"].create(
            {"name": "x", "raw": b"top secret bytes", "res_model": "res.partner",
             "res_id": self.people["user"].partner_id.id}
        )  # fmt: skip
        answer = self.call(
            "ir.attachment", "read", attachment.ids, fields=["datas", "name"],
            context={"bin_size": False},
        )  # fmt: skip
        self.assertNotIn("dG9wIHNlY3JldCBieXRlcw", self.gateway._dump(answer))
        for name in ("raw", "db_datas"):
            kind = self.kind("ir.attachment", "read", attachment.ids, fields=[name])
            self.assertEqual(kind, "not_allowed")
