import re

from odoo import http
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import PATIENCE, PatientHttpCase
from ..oauth_common import CALLBACK, OauthMixin

ROUTE = "/doorman/consent"
ISS = "iss=https%3A%2F%2Fmcp.example.com"


@tagged("post_install", "-at_install")
class TestOauthPage(OauthMixin, PatientHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()
        for person in cls.people.values():
            if person != cls.people["public"]:
                person.sudo().password = person.login

    def _as(self, role):
        login = role and self.people[role].login
        self.env.flush_all()
        self.authenticate(login, login)

    def _open(self, handle, role="user"):
        self._as(role)
        return self.url_open(f"{ROUTE}?request={handle}", allow_redirects=False)

    def _post(self, handle, answer="allow", role="user", csrf=True):
        self._as(role)
        data = {"request": handle, "answer": answer}
        if csrf:
            data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(ROUTE, data=data, allow_redirects=False)

    def _check_headers(self, response, target=None):
        headers = response.headers
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        policy = headers["Content-Security-Policy"]
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        form = re.search(r"form-action ([^;]+);", policy)[1]
        self.assertEqual(form, f"'self' {target}" if target else "'self'")

    def _undecided(self, handle):
        self.env.invalidate_all()
        return bool(self.requests._open(handle)) and not self.connection_of()

    # ---- the way through ----

    def test_look_then_allow(self):
        handle = self.begin(state="a b+c/ü&=%20")
        page = self._open(handle)
        self.assertEqual(page.status_code, 200)
        self._check_headers(page, "https://app.example.com")
        for text in (
            "Claude",
            "claude.example",
            "app.example.com",
            "dm-user",
            self.company.name,
            "Search and read",
            'id="allow"',
            'id="deny"',
        ):
            self.assertIn(text, page.text)
        self.assertNotIn("style=", page.text)
        self.assertEqual(len(re.findall("<script", page.text)), 1)
        self.assertTrue(self._undecided(handle))

        sent = self._post(handle)
        self.assertEqual(sent.status_code, 303)
        self.assertEqual(sent.headers["Cache-Control"], "no-store")
        self.assertEqual(sent.headers["Referrer-Policy"], "no-referrer")
        pattern = re.escape(CALLBACK) + r"&code=(dmx_[\w-]{43})&state=" + re.escape(
            "a%20b%2Bc%2F%C3%BC%26%3D%2520"
        ) + "&" + ISS  # fmt: skip
        code = re.fullmatch(pattern, sent.headers["Location"])
        self.assertTrue(code, sent.headers["Location"])
        self.assertEqual(self.error(self.redeem(code[1])), "ok")

        for again in (self._open(handle), self._post(handle)):
            self.assertEqual(again.status_code, 404)
            self.assertNotIn("Location", again.headers)
            self._check_headers(again)
        # It is asked again, whatever was allowed before.
        page = self._open(self.begin())
        self.assertIn("You have allowed it before", page.text)
        self.assertIn('id="allow"', page.text)

    def test_deny(self):
        for state, expected in (
            (None, ""),
            ("", "&state="),
            ("x&code=y#z", "&state=x%26code%3Dy%23z"),
        ):
            sent = self._post(self.begin(state=state), "deny")
            self.assertEqual(sent.status_code, 303)
            target = f"{CALLBACK}&error=access_denied{expected}&{ISS}"
            self.assertEqual(sent.headers["Location"], target)
        self.assertFalse(self.connection_of())

    def test_what_is_neither_is_denied(self):
        for answer in ("", "ALLOW", "allow ", "x"):
            sent = self._post(self.begin(), answer)
            self.assertIn("error=access_denied", sent.headers["Location"])
        self.assertFalse(self.connection_of())

    def test_where_it_leads_is_as_it_was_sent(self):
        self.settings.oauth_custom_schemes = True
        for uri, form, words in (
            ("http://localhost:33418/cb", "http://localhost:33418", "on your computer"),
            ("http://127.0.0.1:5/cb?x=%2F", "http://127.0.0.1:5", "on your computer"),
            ("http://[::1]:5/cb", "http:", "on your computer"),
            ("cursor://x.y-z/oauth/callback", "cursor:", "cursor://x.y-z</span>"),
            ("cursor://anysphere.cursor-mcp/cb", "cursor:", ", usually Cursor. Allow"),
            ("com.raycast:/oauth?package_name=x", "com.raycast:", ", usually Raycast."),
            ("com.example.app:/cb", "com.example.app:", "com.example.app:/</span>"),
            ("https://a.example:8443/~a/(b)/%7Ec;d=1,2?q='x'&r[]=!*",
             "https://a.example:8443", "a.example"),
        ):  # fmt: skip
            with self.subTest(uri=uri):
                client = self.said(redirect_uris=[uri])
                handle = self.begin(redirect_uri=uri, state=None, **{"client_": client})
                page = self._open(handle)
                self._check_headers(page, form)
                self.assertIn(words, page.text)
                sent = self._post(handle, "deny")
                joint = "&" if "?" in uri else "?"
                target = f"{uri}{joint}error=access_denied&{ISS}"
                self.assertEqual(sent.headers["Location"], target)

    def begin(self, client=None, **changes):
        said = changes.pop("client_", None)
        if said:
            changes["client"] = said
            self.env.flush_all()
            answer = self.gateway.oauth_begin(self.asked() | changes)
            return answer["consent_url"].split("request=")[1]
        return super().begin(client, **changes)

    def test_who_asks(self):
        custom, _secret = self.custom()
        for client, words in (
            (None, "It comes from"),
            (self.client(), "Not verified"),
            (custom, "An administrator of this Odoo set it up"),
        ):
            with self.subTest(words=words):
                self.assertIn(words, self._open(self.begin(client)).text)

    def test_names_are_text(self):
        answer = self.register(client_name="<script>alert(1)</script>")
        client = self.client(answer["client_id"])
        page = self._open(self.begin(client))
        self.assertNotIn("<script>alert", page.text)
        self.assertIn("&lt;script&gt;alert(1)", page.text)
        self.assertNotIn('href="https://app.example.com', page.text)
        site = self.register(client_uri="javascript:alert(1)")
        page = self._open(self.begin(self.client(site["client_id"])))
        self.assertNotIn("javascript:", page.text)

    # ---- what does not work ----

    def test_log_in_first(self):
        handle = self.begin()
        for run in (
            lambda: self._open(handle, None),
            lambda: self._post(handle, role=None),
        ):
            answer = run()
            self.assertEqual(answer.status_code, 303)
            self.assertIn("/web/login", answer.headers["Location"])
        self._as(None)
        answer = self.url_open(f"{ROUTE}?request={handle}", allow_redirects=False)
        self.assertIn("request%3D" + handle, answer.headers["Location"])
        self.assertTrue(self._undecided(handle))

    def test_handles_that_do_not_work(self):
        over = self.begin()
        self.sql("UPDATE doorman_oauth_request SET expires_at = created_at")
        unknown = self._open("x" * 43)
        for handle in ("", "x", over, "x" * 3000, "%00", "é" * 43):
            for answer in (self._open(handle), self._post(handle)):
                with self.subTest(handle=handle[:10]):
                    self.assertEqual(answer.status_code, 404)
                    self.assertEqual(answer.text, unknown.text)
                    self.assertNotIn("Location", answer.headers)
                    self._check_headers(answer)

    def test_who_may_not_is_told_and_goes_back(self):
        custom, _secret = self.custom("user")
        for role, client, words in (
            ("internal", None, "has made you an MCP User"),
            ("portal", None, "has made you an MCP User"),
            ("approver", None, "has made you an MCP User"),
            ("user2", custom, "set up for somebody else"),
            ("admin", custom, "set up for somebody else"),
        ):
            with self.subTest(role=role, words=words):
                handle = self.begin(client)
                page = self._open(handle, role)
                self.assertEqual(page.status_code, 200)
                self.assertIn(words, page.text)
                self.assertNotIn('id="allow"', page.text)
                refused = self._post(handle, role=role)
                self.assertEqual(refused.status_code, 422)
                self.assertNotIn("Location", refused.headers)
                self._check_headers(refused, "https://app.example.com")
                self.assertTrue(self._undecided(handle))
                sent = self._post(handle, "deny", role)
                self.assertIn("error=access_denied", sent.headers["Location"])

    def test_nothing_to_allow(self):
        self.people["user"].group_ids = [
            Command.unlink(self.env.ref(f"doorman.group_scope_{name}").id)
            for name in ("metadata", "search", "orm")
        ]
        handle = self.begin()
        page = self._open(handle)
        self.assertIn("you lack the", page.text)
        self.assertNotIn('id="allow"', page.text)
        self.assertEqual(self._post(handle).status_code, 422)
        sent = self._post(handle, "deny")
        self.assertIn("error=invalid_scope", sent.headers["Location"])

    def test_looking_changes_nothing(self):
        handle = self.begin()
        self._as("user")
        for query in ("", "&answer=allow", "&answer=deny", "&csrf_token=x"):
            path = f"{ROUTE}?request={handle}{query}"
            self.assertEqual(self.url_open(path).status_code, 200)
            self.opener.head(f"{self.base_url()}{path}", timeout=PATIENCE)
        self.assertTrue(self._undecided(handle))

    @mute_logger("odoo.http")
    def test_a_page_of_somebody_elses_cannot_press_the_button(self):
        handle = self.begin()
        for answer in ("allow", "deny"):
            sent = self._post(handle, answer, csrf=False)
            self.assertEqual(sent.status_code, 400)
            data = {"request": handle, "answer": answer, "csrf_token": "x" * 50}
            sent = self.url_open(ROUTE, data=data, allow_redirects=False)
            self.assertEqual(sent.status_code, 400)
        self.assertTrue(self._undecided(handle))

    def test_withheld_and_limited(self):
        self.settings.read_only = True
        self.settings.oauth_needs_activation = True
        page = self._open(self.begin(scopes=["mcp:search", "mcp:sql"]))
        for text in ("Read only", "you lack the", "has activated it"):
            self.assertIn(text, page.text)
