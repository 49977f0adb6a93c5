import re
from unittest.mock import patch

from odoo import http
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...controllers import invite as controller
from ...models.invite.sign_up import CODES
from ...policy.guesses import GUESSES, guess_source
from ..common import PATIENCE, PatientHttpCase, proof_of
from ..invite_common import InviteMixin

OPEN = "/doorman/invite"
PASSWORD = "correct-horse-1"


@tagged("post_install", "-at_install")
class TestInvitePage(InviteMixin, PatientHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()
        cls.settings.public_url = "https://mcp.example.com"
        for person in cls.people.values():
            if person != cls.people["public"]:
                person.sudo().password = person.login

    def _as(self, role):
        login = role and self.people[role].login
        self.env.flush_all()
        self.authenticate(login, login)

    def _post(self, path, csrf=True, **data):
        if csrf:
            data["csrf_token"] = http.Request.csrf_token(self)
        self.env.flush_all()
        return self.url_open(f"{OPEN}/{path}", data=data or {"x": "y"})

    def _open(self, token, role="internal"):
        self._as(role)
        return self._post("open", token=token)

    def _sign_up(self, **data):
        data = {
            "name": "New Person",
            "email": "new@example.com",
            "password": PASSWORD,
        } | data
        return self._post("signup", **data)

    def _key(self, response):
        found = set(re.findall(r"dmk_[0-9a-f]{40}", response.text))
        return found.pop() if len(found) == 1 else None

    def _check_headers(self, response):
        headers = response.headers
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        self.assertEqual(headers["X-Robots-Tag"], "noindex")
        policy = headers["Content-Security-Policy"]
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def _plain(self, response):
        """The page, less what differs between any two of them."""
        return re.sub(r'name="csrf_token" value="\w+"', "", response.text)

    # ---- the way through ----

    def test_where_the_link_leads(self):
        page = self.url_open(OPEN)
        self.assertEqual(page.status_code, 200)
        self._check_headers(page)
        scripts = re.findall(r"<script[^>]*>", page.text)
        self.assertEqual(len(scripts), 2, scripts)
        self.assertIn('name="token" value=""', page.text)
        script = self.url_open("/doorman/static/src/invite/invite.js")
        self.assertIn("replaceState", script.text)

    def test_look_then_accept(self):
        invite, token = self.invite(scopes=("mcp:search",), read_only=True)
        page = self._open(token)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn(token, page.url)
        self._check_headers(page)
        for text in (
            self.company.name,
            self.people["admin"].name,
            "mcp:search",
            "Read only",
            "dm-internal",
            "The link works until",
            "The key works for 90 days.",
        ):
            self.assertIn(text, page.text)
        self.assertNotIn("dmk_", page.text)
        self.assertEqual(self.state(invite), ("active", 0))

        taken = self._post("accept")
        self.assertEqual(taken.status_code, 200)
        self._check_headers(taken)
        key = self._key(taken)
        self.assertIn("https://mcp.example.com/mcp", taken.text)
        self.assertEqual(taken.text.count("<details"), 12)
        self.assertIn("What to do next", taken.text)
        self.assertEqual(self.state(invite), ("used_up", 1))
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))

        again = self._post("accept")
        self.assertEqual(again.status_code, 200)
        self.assertIn("You have accepted this invite", again.text)
        self.assertNotIn("dmk_", again.text)
        reopened = self._open(token)
        self.assertIn("You have accepted this invite", reopened.text)
        self.assertEqual(self.state(invite), ("used_up", 1))

    def test_log_in_on_the_way(self):
        _invite, token = self.invite()
        page = self._open(token, None)
        self.assertEqual(page.status_code, 200)
        self.assertIn("/web/login?redirect=/doorman/invite/details", page.text)
        self.assertNotIn('id="accept"', page.text)
        form = {
            "login": "dm-internal",
            "password": "dm-internal",
            "redirect": "/doorman/invite/details",
            "csrf_token": http.Request.csrf_token(self),
        }
        back = self.url_open("/web/login", data=form)
        self.assertTrue(back.url.endswith("/doorman/invite/details"), back.url)
        self.assertIn('id="accept"', back.text)
        token = re.search(r'name="csrf_token" value="(\w+)"', back.text)[1]
        taken = self.url_open(f"{OPEN}/accept", data={"csrf_token": token})
        self.assertTrue(self._key(taken))

    def test_sign_up(self):
        invite, token = self.invite(new_accounts=True)
        page = self._open(token, None)
        self.assertIn('action="/doorman/invite/signup"', page.text)
        taken = self._sign_up()
        self.assertEqual(taken.status_code, 200)
        self._check_headers(taken)
        self.assertIn("snapshot", self.gateway.resolve(proof_of(self._key(taken))))
        self.assertNotIn(PASSWORD, taken.text)
        self.assertEqual(self.state(invite), ("used_up", 1))
        self.authenticate("new@example.com", PASSWORD)
        again = self._post("open", token=token)
        self.assertIn("You have accepted this invite", again.text)

    def test_the_code_has_a_sender(self):
        self.env.company.email = "office@example.com"
        invite, token = self.invite(
            new_accounts=True, accept_from="listed", accept_list="@example.com"
        )
        self._open(token, None)
        self._sign_up()
        mail = self.env["mail.mail"].search([("email_to", "=", "new@example.com")])
        self.assertIn("office@example.com", mail.email_from)
        self.assertEqual(mail.state, "outgoing")
        self.assertRegex(mail.body_html, r"[0-9]{8}")

    def test_one_that_hangs_does_not_hold_the_others(self):
        invite, token = self.invite()
        self._open(token)
        self.startPatcher(patch(f"{controller.__name__}.QUEUE_MS", 50))
        with controller.TURN:
            response = self._post("accept")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.headers["Retry-After"], "0")
        self._check_headers(response)
        self.assertIn("Nothing has been done yet", response.text)
        self.assertEqual(self.state(invite), ("active", 0))
        self.assertTrue(self._key(self._post("accept")))

    def test_nobody_waits_for_who_opened_nothing(self):
        self._as("internal")
        with controller.TURN:
            self.assertEqual(self._post("accept").status_code, 404)

    def test_sign_up_with_a_proven_address(self):
        invite, token = self.invite(
            new_accounts=True, accept_from="listed", accept_list="@example.com"
        )
        self._open(token, None)
        codes = []
        cls = type(self.env["doorman.invite"])
        self.patch(cls, "_mail_code", lambda _s, email, code: codes.append(code))
        asked = self._sign_up()
        self.assertEqual(asked.status_code, 200)
        self.assertIn('name="code"', asked.text)
        self.assertEqual(len(codes), 1)
        stranger = self._sign_up(email="new@other.example")
        self.assertEqual(
            self._plain(stranger).replace("other.example", ""),
            self._plain(asked).replace("example.com", ""),
        )
        self.assertEqual(len(codes), 1)
        self._sign_up()
        for wrong in ("00000000", codes[0], "x"):
            with self.subTest(code=wrong):
                self.assertIsNone(self._key(self._sign_up(code=wrong)))
        # It is for the address that it went to.
        other = self._sign_up(email="other@example.com", code=codes[1])
        self.assertIsNone(self._key(other))
        self.assertEqual(self.state(invite), ("active", 0))
        taken = self._sign_up(code=codes[1])
        self.assertTrue(self._key(taken))

    def test_a_few_codes_for_one_address(self):
        invite, token = self.invite(
            new_accounts=True, accept_from="listed", accept_list="@example.com"
        )
        codes = []
        cls = type(self.env["doorman.invite"])
        self.patch(cls, "_mail_code", lambda _s, email, code: codes.append(code))
        for number in range(CODES + 2):
            # Whoever asks: nobody's mailbox is filled from many browsers.
            self._open(token, None)
            answer = self._sign_up()
            good = number < CODES
            self.assertEqual(answer.status_code, 200 if good else 422)
        self.assertEqual(len(codes), CODES)
        self.assertEqual(self._sign_up(email="b@example.com").status_code, 200)
        self.assertEqual(self.state(invite), ("active", 0))

    def test_a_code_is_tried_a_few_times_only(self):
        _invite, token = self.invite(
            new_accounts=True, accept_from="listed", accept_list="@example.com"
        )
        self._open(token, None)
        codes = []
        cls = type(self.env["doorman.invite"])
        self.patch(cls, "_mail_code", lambda _s, email, code: codes.append(code))
        self._sign_up()
        for _try in range(5):
            self._sign_up(code="x")
        self.assertIsNone(self._key(self._sign_up(code=codes[0])))

    def test_sign_up_is_refused(self):
        invite, token = self.invite(new_accounts=True)
        self._open(token, None)
        users = self.env["res.users"].with_context(active_test=False)
        before = users.search_count([])
        for data in (
            {"name": ""},
            {"name": "x" * 101},
            {"name": "a\nb"},
            {"email": ""},
            {"email": "nobody"},
            {"email": "a@b.example, c@d.example"},
            # Odoo would send the code to another than the list is asked about.
            {"email": '"evil@evil.example"@corp.example'},
            {"email": '"evil@evil.example,"@corp.example'},
            {"email": '"a<evil@evil.example>"@corp.example'},
            {"email": "a\0@corp.example"},
            {"email": "a@corp"},
            {"password": "short"},
            {"password": ""},
            {"email": "dm-user@example.com", "password": "x" * 201},
        ):
            with self.subTest(data=data):
                answer = self._sign_up(**data)
                self.assertEqual(answer.status_code, 422)
                self.assertIsNone(self._key(answer))
        self.people["user"].login = "Taken@Example.com"
        # An address to log in with, or to ask for a new password with.
        self.people["user2"].email = "Office <Other@Example.com>"
        for active in (True, False):
            self.people["user"].active = self.people["user2"].active = active
            for email in ("taken@example.com", "other@example.com"):
                with self.subTest(active=active, email=email):
                    answer = self._sign_up(email=email)
                    self.assertEqual(answer.status_code, 422)
                    self.assertIn("This address already has an account", answer.text)
        self.assertEqual(users.search_count([]), before)
        self.assertEqual(self.state(invite), ("active", 0))

    def test_no_sign_up_where_it_is_not_allowed(self):
        invite, token = self.invite()
        page = self._open(token, None)
        self.assertNotIn("/doorman/invite/signup", page.text)
        answer = self._sign_up()
        self.assertEqual(answer.status_code, 404)
        self.assertEqual(self.state(invite), ("active", 0))
        # Who is logged in has an account.
        invite, token = self.invite(new_accounts=True)
        self._open(token)
        answer = self._sign_up()
        self.assertIsNone(self._key(answer))
        self.assertEqual(self.state(invite), ("active", 0))

    def test_who_has_no_account_is_told_what_to_do(self):
        """Ask, or sign up where this Odoo lets anybody: never both, and neither where
        the invite itself makes an account."""
        ask = "for an account, or for an invite that lets you create one"
        free = "/web/signup?redirect=/doorman/invite/details"
        signs_up = "_get_signup_invitation_scope" in dir(self.env["res.users"])
        for scope, new_accounts, expected in (
            ("b2b", False, {ask}),
            ("b2c", False, {free} if signs_up else {ask}),
            ("b2b", True, set()),
            ("b2c", True, set()),
        ):
            with self.subTest(scope=scope, new_accounts=new_accounts):
                parameters = self.env["ir.config_parameter"].sudo()
                parameters.set_param("auth_signup.invitation_scope", scope)
                _invite, token = self.invite(new_accounts=new_accounts)
                text = " ".join(self._open(token, None).text.split())
                self.assertEqual({w for w in (ask, free) if w in text}, expected)
                self.assertEqual("/doorman/invite/signup" in text, new_accounts)
                self.assertEqual("internal user of this Odoo" in text, bool(expected))
                if expected:
                    self.assertIn(self.people["admin"].name, text)

    def test_what_a_link_that_does_not_work_tells_of_accounts(self):
        """Nothing: who tries links does not learn that one is good."""
        for role in (None, "portal", "internal"):
            text = self._open("x" * 43, role).text
            self.assertNotIn("No account yet?", text)
            self.assertNotIn("internal user", text)

    # ---- what does not work ----

    def test_every_link_that_does_not_work_looks_alike(self):
        self.patch(type(self.env["doorman.invite"]), "_may_guess", lambda *_a: True)
        admin = self.people["admin"]
        tokens = {"unknown": "x" * 43, "garbage": "x", "empty": "", "long": "y" * 9999}
        invite, tokens["revoked"] = self.invite()
        invite.with_user(admin).action_revoke()
        invite, tokens["expired"] = self.invite()
        self.late(invite)
        invite, tokens["used up"] = self.invite()
        self.accept(tokens["used up"], "user2")
        invite, tokens["suspended"] = self.invite()
        invite._inside().write({"state": "suspended"})
        _invite, tokens["others"] = self.invite(
            accept_from="listed", accept_list="nobody@x.example"
        )
        for role in ("internal", "portal", None):
            pages = {}
            for name, token in tokens.items():
                if role or name != "others":
                    pages[name] = self._open(token, role)
            expected = self._plain(pages["unknown"])
            for name, page in pages.items():
                with self.subTest(role=role, link=name):
                    self.assertEqual(page.status_code, 404)
                    self.assertEqual(self._plain(page), expected)
                    self._check_headers(page)
            if role:
                self._open(tokens["revoked"], role)
                self.assertEqual(self._post("accept").status_code, 404)

    def test_without_a_link(self):
        self._as("internal")
        for path in ("details",):
            page = self.url_open(f"{OPEN}/{path}")
            self.assertEqual(page.status_code, 404)
            self._check_headers(page)
        self.assertEqual(self._post("accept").status_code, 404)
        self._as(None)
        self.assertEqual(self._sign_up().status_code, 404)

    def test_who_cannot_accept_is_told_why(self):
        invite, token = self.invite()
        page = self._open(token, "portal")
        self.assertEqual(page.status_code, 200)
        text = " ".join(page.text.split())
        self.assertIn("a portal account, but a key requires an internal user", text)
        self.assertIn(f"Ask {self.people['admin'].name} or your Odoo administr", text)
        self.assertNotIn('id="accept"', page.text)
        self.assertEqual(self._post("accept").status_code, 404)
        self.assertEqual(self.state(invite), ("active", 0))

    def test_what_goes_wrong_is_said(self):
        tool = self.tool("t1")
        person = self.people["internal"]
        group = self.env["res.groups"].create(
            {"name": "Of one", "user_ids": [Command.set(person.ids)]}
        )
        invite, token = self.invite(
            approval_tool_ids=[Command.set(tool.ids)], approver_group_id=group.id
        )
        self._open(token)
        answer = self._post("accept")
        self.assertEqual(answer.status_code, 422)
        self.assertIn("approve their own requests", answer.text)
        self.assertEqual(self.state(invite), ("active", 0))

    def test_opening_changes_nothing(self):
        """Robots that look at links for a preview do no more than this."""
        invite, token = self.invite(new_accounts=True)
        self._open(token)
        for path in ("", "/details", "/details", f"?token={token}", "/details?x=1"):
            self.url_open(f"{OPEN}{path}")
            self.opener.head(f"{self.base_url()}{OPEN}{path}", timeout=PATIENCE)
        for path in ("open", "accept", "signup"):
            answer = self.url_open(f"{OPEN}/{path}?token={token}")
            self.assertIn(answer.status_code, (404, 405))
        self.assertEqual(self.state(invite), ("active", 0))

    @mute_logger("odoo.http")
    def test_a_page_of_somebody_elses_cannot_press_the_button(self):
        invite, token = self.invite(new_accounts=True)
        self._open(token)
        for data in ({"x": "y"}, {"csrf_token": "x" * 50}):
            for path in ("accept", "open", "signup"):
                with self.subTest(path=path, data=data):
                    answer = self.url_open(f"{OPEN}/{path}", data=data)
                    self.assertEqual(answer.status_code, 400)
        self.assertEqual(self.state(invite), ("active", 0))

    # ---- guessing ----

    def test_guessing_is_limited(self):
        _invite, token = self.invite(max_uses=9)
        statuses = []
        self._as("internal")
        for number in range(GUESSES + 5):
            answer = self._post("open", token=f"{number:x>43}")
            statuses.append(answer.status_code)
        self.assertEqual(statuses, [404] * GUESSES + [429] * 5)
        # Else a guess that is right would show.
        right = self._post("open", token=token)
        self.assertEqual(right.status_code, 429)
        self.assertEqual(right.text, answer.text)
        self.assertEqual(right.headers["Retry-After"], "600")
        self._check_headers(right)
        self.env.cr.execute(
            "UPDATE doorman_invite_guess SET at = at - interval '11 minutes'"
        )
        self.assertEqual(self._post("open", token=token).status_code, 200)

    def test_links_that_work_are_no_guesses(self):
        _invite, token = self.invite(max_uses=9)
        for _time in range(GUESSES + 1):
            self.assertEqual(self._open(token).status_code, 200)

    def test_who_counts_as_one(self):
        for ip, source in (
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("", "?"),
            ("x" * 999, "?"),
            (None, "?"),
        ):
            with self.subTest(ip=ip):
                self.assertEqual(guess_source(ip), source)

    # ---- how it looks ----

    def test_names_are_text(self):
        self.people["admin"].name = "<b>Ann</b>"
        self.company.name = "<i>Co</i>"
        _invite, token = self.invite(key_name_preset="<u>key</u>")
        page = self._open(token)
        self.assertIn("&lt;b&gt;Ann", page.text)
        self.assertIn("&lt;i&gt;Co", page.text)
        self.assertNotIn("<b>Ann", page.text)
        taken = self._post("accept")
        self.assertIn("&lt;u&gt;key", taken.text)
        for shown in (page, taken):
            self.assertEqual(len(re.findall(r"<script[^>]*>", shown.text)), 1)
            self.assertNotIn("style=", shown.text)
            self.assertNotIn("onclick", shown.text)
            self.assertIn("width=device-width", shown.text)
