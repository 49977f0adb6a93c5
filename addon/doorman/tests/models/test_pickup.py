import re
from datetime import timedelta
from urllib.parse import urlsplit

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy.credentials import token_digest
from ..common import (
    PATIENCE,
    ROLES,
    DoormanCase,
    DoormanMixin,
    PatientHttpCase,
    proof_of,
)

ROUTE = "/doorman/pickup"
DETAILS = f"{ROUTE}/details"


class PickupMixin(DoormanMixin):
    def _link(self, connection=None, role="admin"):
        """:return: the token of a new link, made by this role"""
        connection = (connection or self.connection).with_user(self.people[role])
        dialog = connection.action_pickup_link()
        link, _hash, token = dialog["context"]["default_link"].partition("#")
        self.assertTrue(link.endswith(ROUTE), link)
        return token

    def _pick(self, token, role="user"):
        """:return: the key that a link gives to this role, or None"""
        pickups = self.env["doorman.pickup"].with_user(self.people[role])
        found = pickups._pick_up(token)
        return found and found[1]

    def _tokens(self):
        self.env.cr.execute("SELECT * FROM doorman_pickup_token")
        return self.env.cr.fetchall()


@tagged("post_install", "-at_install")
class TestPickup(PickupMixin, DoormanCase):
    def setUp(self):
        super().setUp()
        self.person = self.people["user"]

    def test_the_right_person_once(self):
        token = self._link()
        key = self._pick(token)
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))
        self.assertIsNone(self._pick(token))
        [pickup] = self.connection.pickup_ids
        self.assertEqual(pickup.state, "used")
        self.assertEqual(pickup.create_uid, self.people["admin"])
        self.assertFalse(self._tokens())

    def test_the_old_key_works_until_then(self):
        token = self._link()
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(self.proof))
        self._pick(token)
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(self.proof))

    def test_a_person_without_any_mcp_group(self):
        connection = self._connect("internal")
        token = self._link(connection)
        self.assertTrue(self._pick(token, "internal"))

    def test_it_is_on_record(self):
        key = self._pick(self._link())
        said = " ".join(self.connection.message_ids.mapped("body"))
        self.assertIn("picked up by", said)
        self.assertIn(self.people["admin"].name, said)
        self.assertNotIn(key, said)

    def test_everybody_else_gets_nothing(self):
        token = self._link()
        for role in ROLES:
            if role != "user":
                with self.subTest(role=role):
                    self.assertIsNone(self._pick(token, role))
                    pickups = self.env["doorman.pickup"]
                    pickups = pickups.with_user(self.people[role])
                    self.assertFalse(pickups._find(token))
        self.assertTrue(self._pick(token))

    def test_looking_uses_nothing_up(self):
        token = self._link()
        pickups = self.env["doorman.pickup"].with_user(self.person)
        for _time in range(3):
            self.assertEqual(pickups._find(token).connection_id, self.connection)
        self.assertTrue(self.connection.pickup_pending)
        self.assertTrue(self._pick(token))

    # Each takes something away that a link needs.
    def _expired(self):
        past = fields.Datetime.now() - timedelta(hours=1)
        self.connection.pickup_ids.expires_at = past

    def _revoked(self):
        self.connection.with_user(self.person).action_revoke()

    def _revoked_and_back(self):
        mine = self.connection.with_user(self.person)
        mine.action_revoke()
        mine.action_reactivate()

    def _inactive(self):
        self.connection._inside().state = "inactive"

    def _expired_connection(self):
        past = fields.Datetime.now() - timedelta(minutes=1)
        self.connection.expires_at = past

    def _archived_connection(self):
        self.connection.active = False

    def _archived_user(self):
        self.person.active = False

    def _portal_user(self):
        groups = self.env.ref("base.group_portal")
        self.person.group_ids = [(6, 0, groups.ids)]

    def _newer_link(self):
        self._link()

    def _used(self):
        self.env.cr.execute("UPDATE doorman_pickup SET used_at = now()")

    def _deleted(self):
        self.connection.unlink()

    def test_links_that_no_longer_work(self):
        for spoil in (
            self._expired,
            self._revoked,
            self._revoked_and_back,
            self._inactive,
            self._expired_connection,
            self._archived_connection,
            self._archived_user,
            self._portal_user,
            self._newer_link,
            self._used,
            self._deleted,
        ):
            with self.subTest(spoil.__name__), self.env.cr.savepoint() as savepoint:
                token = self._link()
                spoil()
                pickups = self.env["doorman.pickup"].with_user(self.person)
                self.assertFalse(pickups._find(token))
                self.assertIsNone(self._pick(token))
                savepoint.rollback()

    def test_tokens_that_are_none(self):
        token = self._link()
        bad = (
            "", "x", token[:-1], token + "x", token + "\n", f" {token}", "%" * 43,
            token_digest(token), "é" * 43, "' OR '1'='1", "\x00" * 43, "x" * 100_000,
        )  # fmt: skip
        for value in bad:
            with self.subTest(value=value[:50]):
                self.assertIsNone(token_digest(value) and self._pick(value))
                self.assertIsNone(self._pick(value))
        self.assertIsNone(self._pick("x" * 43))
        self.assertTrue(self._pick(token))

    def test_one_link_a_connection(self):
        first, second = self._link(), self._link()
        self.assertEqual(len(self._tokens()), 1)
        states = self.connection.pickup_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["ended", "waiting"])
        self.assertIsNone(self._pick(first))
        self.assertTrue(self._pick(second))

    def test_links_of_others_stay(self):
        other = self._link(self.connection2)
        self._link()
        self._revoked()
        self.assertTrue(self._pick(other, "user2"))

    def test_only_the_hash_is_kept(self):
        token = self._link()
        self.env.flush_all()
        self.assertIn(token_digest(token), str(self._tokens()))
        self.env.cr.execute("SELECT p::text FROM doorman_pickup p")
        rows = str(self.env.cr.fetchall()) + str(self._tokens())
        self.assertNotIn(token, rows)
        for name in self.env["doorman.pickup"]._fields:
            self.assertNotIn("token", name)
            self.assertNotIn("digest", name)

    def test_pending_ends_with_the_link(self):
        self.assertFalse(self.connection.pickup_pending)
        self._link()
        self.assertTrue(self.connection.pickup_pending)
        self._revoked()
        self.assertFalse(self.connection.pickup_pending)

    # ---- who makes links, and when ----

    def test_administrators_make_links(self):
        for role in ROLES:
            connection = self.connection.with_user(self.people[role])
            with self.subTest(role=role):
                found = self.outcome(connection.action_pickup_link)
                self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_a_link_to_the_key_of_an_odoo_administrator(self):
        """Who makes it never sees the key: so it is no way to become one."""
        self.people["boss"] = self._person("boss", ["base.group_system"])
        connection = self._connect("boss")
        token = self._link(connection)
        self.assertIsNone(self._pick(token, "admin"))
        self.assertTrue(self._pick(token, "boss"))

    def test_links_are_for_live_api_key_connections(self):
        mine = self.connection.with_user(self.people["admin"])
        for state in ("inactive", "revoked", "expired"):
            self.connection._inside().state = state
            with self.subTest(state=state), self.assertRaises(UserError):
                mine.action_pickup_link()
        oauth = self._connect("user", auth_type="oauth")
        with self.assertRaises(UserError):
            oauth.with_user(self.people["admin"]).action_pickup_link()

    def test_administrators_see_the_links_of_their_companies(self):
        self._link()
        pickups = self.env["doorman.pickup"].with_user(self.people["admin"])
        self.assertEqual(len(pickups.search([])), 1)
        other = self.env["res.company"].create({"name": "Other"})
        self.person.write({"company_ids": [(4, other.id)], "company_id": other.id})
        self.assertFalse(pickups.search([]))

    def test_nobody_writes_links(self):
        self._link()
        later = fields.Datetime.now() + timedelta(days=99)
        pickup = self.connection.pickup_ids
        for role in ROLES:
            mine = pickup.with_user(self.people[role])
            vals = {"connection_id": self.connection.id, "expires_at": later}
            for name, run in (
                ("write", lambda mine=mine: mine.write({"expires_at": later})),
                ("use", lambda mine=mine: mine.write({"used_at": False})),
                ("create", lambda mine=mine, vals=vals: mine.create(vals)),
                ("unlink", mine.unlink),
            ):
                with self.subTest(role=role, operation=name):
                    self.assertEqual(self.outcome(run), "deny")


@tagged("post_install", "-at_install")
class TestPickupPage(PickupMixin, PatientHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()
        cls.settings.public_url = "https://mcp.example.com"
        for person in cls.people.values():
            person.sudo().password = person.login

    def _log_in(self, role):
        login = self.people[role].login
        self.env.flush_all()
        if role:
            self.authenticate(login, login)

    def _open(self, token, role="user"):
        """What somebody sees who opens a link, by way of the page with the script."""
        self._log_in(role)
        self.url_open(ROUTE)
        data = {"csrf_token": http.Request.csrf_token(self), "token": token}
        return self.url_open(f"{ROUTE}/open", data=data)

    def _take(self, token, role="user", csrf=True):
        self._open(token, role)
        data = {"csrf_token": http.Request.csrf_token(self)} if csrf else {"x": "y"}
        return self.url_open(DETAILS, data=data)

    def _check_headers(self, response):
        headers = response.headers
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        policy = headers["Content-Security-Policy"]
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def _used(self):
        self.env.invalidate_all()
        return bool(self.connection.pickup_ids.filtered("used_at"))

    def test_look_then_take(self):
        token = self._link()
        page = self._open(token)
        self.assertEqual(page.status_code, 200)
        self._check_headers(page)
        for text in (
            self.connection.name,
            self.people["admin"].name,
            "Search and read",
        ):
            self.assertIn(text, page.text)
        self.assertNotIn("dmk_", page.text)
        self.assertFalse(self._used())

        taken = self._take(token)
        self.assertEqual(taken.status_code, 200)
        self._check_headers(taken)
        [key] = set(re.findall(r"dmk_[0-9a-f]{40}", taken.text))
        self.assertIn("https://mcp.example.com/mcp", taken.text)
        self.assertEqual(taken.text.count("<details"), 12)
        self.assertTrue(self._used())
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))

        again = self._take(token)
        self.assertEqual(again.status_code, 404)
        self.assertNotIn("dmk_", again.text)

    def test_a_stranger_has_to_log_in_first(self):
        token = self._link()
        self.authenticate(None, None)
        self.env.flush_all()
        page = self.url_open(ROUTE)
        self.assertEqual(page.status_code, 200)
        self._check_headers(page)
        data = {"csrf_token": http.Request.csrf_token(self), "token": token}
        sent = self.url_open(f"{ROUTE}/open", data=data, allow_redirects=False)
        self.assertEqual(sent.status_code, 303)
        self.assertEqual(urlsplit(sent.headers["Location"]).path, DETAILS)
        response = self.url_open(DETAILS, allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])
        self.assertNotIn(token, response.headers["Location"])
        self.assertFalse(self._used())
        # What the visitor opened outlasts Odoo's own login.
        login = self.people["user"].login
        form = {
            "csrf_token": http.Request.csrf_token(self),
            "login": login,
            "password": login,
            "redirect": DETAILS,
        }
        page = self.url_open("/web/login", data=form)
        self.assertIn(self.connection.name, page.text)
        self.assertEqual(urlsplit(page.url).path, DETAILS)

    def test_the_token_is_in_no_address(self):
        token = self._link()
        for response in (self._open(token), self._take(token)):
            self.assertEqual(response.status_code, 200)
            self.assertNotIn(token, response.text)
            for one in (*response.history, response):
                self.assertNotIn(token, one.url)

    def test_where_the_link_leads(self):
        page = self.url_open(ROUTE)
        self._check_headers(page)
        self.assertIn('name="token" value=""', page.text)
        self.assertIn('action="/doorman/pickup/open"', page.text)
        self.assertIn("/doorman/static/src/invite/invite.js", page.text)
        self.assertEqual(len(re.findall(r"<script[^>]*>", page.text)), 2)

    def test_what_somebody_else_opened_is_not_theirs(self):
        """The session holds a hash; whose the link is, Odoo looks up each time."""
        token = self._link()
        self._open(token)
        self._log_in("user2")
        self.assertEqual(self.url_open(DETAILS).status_code, 404)
        self.assertEqual(self._open(token, "user2").status_code, 404)
        self.assertEqual(self._take(token, "user2").status_code, 404)
        self.assertFalse(self._used())

    def test_details_without_a_link(self):
        self._log_in("user")
        self.assertEqual(self.url_open(DETAILS).status_code, 404)
        data = {"csrf_token": http.Request.csrf_token(self)}
        self.assertEqual(self.url_open(DETAILS, data=data).status_code, 404)

    def test_links_of_before_go_on(self):
        """They have the token in their path, and were sent when Odoo was updated."""
        token = self._link()
        self._log_in("user2")
        self.assertEqual(self.url_open(f"{ROUTE}/{token}").status_code, 404)
        self._log_in("user")
        page = self.url_open(f"{ROUTE}/{token}")
        self.assertEqual(page.status_code, 200)
        self._check_headers(page)
        self.assertIn(self.connection.name, page.text)
        self.assertFalse(self._used())
        data = {"csrf_token": http.Request.csrf_token(self)}
        taken = self.url_open(f"{ROUTE}/{token}", data=data)
        self.assertRegex(taken.text, r"dmk_[0-9a-f]{40}")
        again = self.url_open(f"{ROUTE}/{token}", data=data)
        self.assertEqual(again.status_code, 404)
        for odd in ("x", "x" * 43, "open", "%00%27"):
            self.assertEqual(self.url_open(f"{ROUTE}/{odd}").status_code, 404)

    def test_every_link_that_does_not_work_looks_alike(self):
        token = self._link()
        unknown = self._open("x" * 43)
        self.assertEqual(unknown.status_code, 404)
        self._check_headers(unknown)
        answers = {
            "garbage": self._open("x"),
            "oversize": self._open("x" * 3000),
            "odd": self._open("\x00' OR 1=1"),
        }
        for role in ("user2", "admin", "internal", "portal"):
            answers[role] = self._open(token, role)
            answers[f"{role} posts"] = self._take(token, role)
        self.assertFalse(self._used())
        past = fields.Datetime.now() - timedelta(hours=1)
        self.connection.pickup_ids.expires_at = past
        answers["expired"] = self._open(token)
        answers["expired, posted"] = self._take(token)
        token = self._link()
        self.connection.with_user(self.people["user"]).action_revoke()
        answers["revoked"] = self._open(token)
        answers["revoked, posted"] = self._take(token)
        for name, answer in answers.items():
            with self.subTest(name):
                self.assertEqual(answer.status_code, 404)
                self.assertEqual(answer.text, unknown.text)
                self._check_headers(answer)

    def test_opening_changes_nothing(self):
        token = self._link()
        for _time in range(3):
            self.assertEqual(self._open(token).status_code, 200)
        self.env.flush_all()
        for path in (ROUTE, DETAILS, f"{ROUTE}/{token}"):
            head = self.opener.head(f"{self.base_url()}{path}", timeout=PATIENCE)
            self.assertEqual(head.status_code, 200)
        self.assertFalse(self._used())
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(self.proof))

    @mute_logger("odoo.http")
    def test_a_page_of_somebody_elses_cannot_press_the_button(self):
        token = self._link()
        response = self._take(token, csrf=False)
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self._used())
        self.authenticate("dm-user", "dm-user")
        for path in (f"{ROUTE}/open", DETAILS, f"{ROUTE}/{token}"):
            wrong = self.url_open(path, data={"csrf_token": "x" * 50, "token": token})
            self.assertEqual(wrong.status_code, 400)
        self.assertFalse(self._used())

    def test_what_the_key_can_do_is_said(self):
        self.connection.read_only = True
        self.connection.expires_at = fields.Datetime.now() + timedelta(days=30)
        page = self._open(self._link())
        self.assertIn("Read only", page.text)
        self.assertIn("It stops working on", page.text)
        self.assertIn("already has a key", page.text)
        connection = self._connect("internal", name="<b>Bold & co</b>")
        page = self._open(self._link(connection), "internal")
        # It has an end of its own.
        self.assertIn("It stops working on", page.text)
        self.assertIn("Nothing yet", page.text)
        self.assertNotIn("already has a key", page.text)
        self.assertIn("&lt;b&gt;Bold &amp; co", page.text)
        # Where nothing ends it: Odoo does not limit its administrators.
        self.settings.key_max_days = 0
        system = self.env.ref("base.group_system")
        self.people["internal"].group_ids = [Command.link(system.id)]
        page = self._open(self._link(connection), "internal")
        self.assertIn("It works until it is revoked", page.text)

    def test_the_page_runs_no_script_but_its_own(self):
        page = self._open(self._link())
        scripts = re.findall(r"<script[^>]*>", page.text)
        self.assertEqual(len(scripts), 1, scripts)
        self.assertIn("/doorman/static/src/pickup/pickup.js", scripts[0])
        self.assertNotIn("style=", page.text)
        self.assertNotIn("onclick", page.text)
        for asset in ("pickup.js", "pickup.css"):
            found = self.url_open(f"/doorman/static/src/pickup/{asset}")
            self.assertEqual(found.status_code, 200)
