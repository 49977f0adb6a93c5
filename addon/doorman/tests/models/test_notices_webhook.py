import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from tempfile import NamedTemporaryFile
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ...policy import webhooks
from ..notices_common import NoticeCase


def certificate(name):
    """:return: a key, and a certificate that it has signed for a name, both as PEM"""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), made.public_bytes(pem).decode()


@contextmanager
def receiver(status=200, location=None, tls=None):
    """A server that takes notices.

    :param tls: its key and certificate, if it speaks TLS
    :return: its address, and what it got: ``(path, headers, body)``
    """
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), body))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_args):
            pass

    class Server(HTTPServer):
        def handle_error(self, *_args):
            """A client that hangs up is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        with NamedTemporaryFile("w", suffix=".pem") as pem:
            pem.write("".join(tls))
            pem.flush()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem.name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in?x=1", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verified(secret, headers, body):
    """As the Standard Webhooks specification has it, without our own code."""
    headers = {name.lower(): value for name, value in headers.items()}
    signed = b".".join(
        [
            headers["webhook-id"].encode(),
            headers["webhook-timestamp"].encode(),
            body,
        ]
    )
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{mac}"


@tagged("post_install", "-at_install")
class TestNoticeWebhook(NoticeCase):
    def to(self, url, **vals):
        vals = {"notice_webhook_url": url, "notice_webhook_own_network": True} | vals
        self.settings.write(vals)

    def send(self):
        """The job, until there is nothing to do."""
        for _ in range(10):
            if not any(self.run_job("send_notices").values()):
                return

    def later(self, minutes):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE doorman_notice SET next_try = next_try - make_interval(mins => %s)",
            [minutes],
        )
        self.env.invalidate_all()

    def test_it_is_signed_and_posted_once(self):
        with receiver() as (url, got):
            self.to(url)
            request = self.waiting_delete()
            self.assertEqual(got, [])
            self.send()
            self.send()
            [(path, headers, body)] = got
        self.assertEqual(path, "/in?x=1")
        secret = self.settings._webhook_secret()
        self.assertTrue(verified(secret, headers, body))
        self.assertFalse(verified(secret, headers, body + b" "))
        self.assertFalse(verified(webhooks.new_secret(), headers, body))
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 60)
        told = json.loads(body)
        self.assertEqual(told["type"], "doorman.approval")
        self.assertEqual(told["data"]["request_id"], request.id)
        self.assertEqual(told["data"]["summary"], "Permanently delete contact Acme")
        self.assertTrue(told["data"]["url"].endswith(f"/{request.id}"))
        self.assertIn("Approval needed: Permanently delete", told["text"])
        self.assertEqual(self.settings.notice_webhook_failed, False)
        self.assertIn("Delivered", self.settings.notice_webhook_status)

    def test_the_signature_of_the_specification(self):
        """Its own example: github.com/standard-webhooks."""
        found = webhooks.sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        self.assertEqual(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_values_never(self):
        self.settings.notice_values = True
        with receiver() as (url, got):
            self.to(url)
            self.waiting("res.partner", "write", self.acme.ids, vals={"ref": "R-77"})
            self.send()
            [(_path, _headers, body)] = got
        self.assertNotIn(b"R-77", body)
        self.assertIn(b"Acme", body)

    def test_slack_and_teams(self):
        evil = "<!channel> [x](https://evil.example) & more"
        for form, check in (("slack", self.is_slack), ("teams", self.is_teams)):
            with self.subTest(form), receiver() as (url, got):
                self.to(url, notice_webhook_format=form)
                self.asked(summary=evil)
                self.send()
                [(_path, headers, body)] = got
                self.assertEqual(headers["Content-Type"], "application/json")
                check(json.loads(body))

    def is_slack(self, told):
        self.assertEqual(set(told), {"text"})
        self.assertIn("&lt;!channel&gt;", told["text"])
        self.assertIn("&amp; more", told["text"])
        self.assertEqual(told["text"].count("<"), 1)
        self.assertRegex(told["text"], r"<http[^ |>]+/\d+\|Open in Odoo>$")

    def is_teams(self, told):
        self.assertEqual(told["type"], "message")
        [card] = told["attachments"]
        self.assertEqual(card["contentType"], "application/vnd.microsoft.card.adaptive")
        card = card["content"]
        kinds = {(b["type"], b["inlines"][0]["type"]) for b in card["body"]}
        # As plain text: in a block of text the name would be a link.
        self.assertEqual(kinds, {("RichTextBlock", "TextRun")})
        self.assertIn(
            "[x](https://evil.example)", card["body"][0]["inlines"][0]["text"]
        )
        self.assertEqual(card["actions"][0]["type"], "Action.OpenUrl")

    def test_a_redirect_is_not_followed(self):
        with receiver() as (other, got), receiver(302, other) as (url, first):
            self.to(url)
            self.waiting_delete()
            self.send()
            self.assertEqual(len(first), 1)
            self.assertEqual(got, [])
        self.assertTrue(self.settings.notice_webhook_failed)
        self.assertIn("redirect (HTTP 302)", self.settings.notice_webhook_status)

    def test_it_is_tried_again(self):
        with receiver(503) as (url, got):
            self.to(url)
            self.waiting_delete()
            self.send()
            self.send()
            self.assertEqual(len(got), 1)
            for minutes, wanted in ((1, 2), (5, 3), (30, 4), (600, 4)):
                self.later(minutes)
                self.send()
                self.assertEqual(len(got), wanted)
            # Known again by the same id, signed anew.
            self.assertEqual(len({h["webhook-id"] for _p, h, _b in got}), 1)
        self.assertIn("refused it (HTTP 503)", self.settings.notice_webhook_status)
        notice = self.notices.search([], order="id desc", limit=1)
        self.assertEqual((notice.post_state, notice.tries), ("failed", 4))

    def test_one_that_fails_lets_the_others_wait(self):
        with receiver(500) as (url, got):
            self.to(url)
            self.run_job("send_notices")
            for summary in ("One", "Two", "Three"):
                self.asked(summary=summary)
            found = self.gateway.run_job("send_notices")
            self.assertEqual(found, {"counts": {"told": 3, "posted": 0}, "more": True})
            found = self.gateway.run_job("send_notices")
            self.assertEqual(found, {"counts": {"told": 0, "posted": 1}, "more": False})
            self.assertEqual(len(got), 1)
            found = self.gateway.run_job("send_notices")
            self.assertEqual(found["counts"]["posted"], 1)
            self.assertEqual(len({h["webhook-id"] for _p, h, _b in got}), 2)

    def test_it_gets_there_in_the_end(self):
        with receiver(500) as (url, _got):
            self.to(url)
            self.waiting_delete()
            self.send()
        with receiver() as (url, got):
            self.to(url)
            self.later(1)
            self.send()
            self.assertEqual(len(got), 1)
        self.assertFalse(self.settings.notice_webhook_failed)

    def test_not_of_what_was_decided_meanwhile(self):
        with receiver(500) as (url, got):
            self.to(url)
            request = self.waiting_delete()
            self.send()
            request.with_user(self.people["approver"]).action_reject("no")
            self.later(1)
            self.send()
            self.assertEqual(len(got), 1)

    def test_not_of_what_is_undone(self):
        with receiver() as (url, got):
            self.to(url)
            with self.env.cr.savepoint() as savepoint:
                self.waiting_delete()
                savepoint.rollback()
            self.env.invalidate_all()
            self.send()
            self.assertEqual(got, [])

    def test_one_who_does_not_answer(self):
        with receiver() as (url, _got):
            pass  # it has gone by now
        self.to(url)
        self.waiting_delete()
        self.send()
        self.assertIn("did not answer", self.settings.notice_webhook_status)

    def test_a_copy_posts_nothing(self):
        with receiver() as (url, got):
            self.to(url)
            self.waiting_delete()
            self.patch(type(self.settings), "_is_copy", lambda *_: True)
            self.send()
            self.assertEqual(got, [])

    def test_the_button(self):
        with receiver() as (url, got):
            self.to(url)
            found = self.settings.with_user(self.admin).action_test_notice()
            self.assertEqual(found["params"]["type"], "success")
            self.assertEqual(json.loads(got[0][2])["type"], "doorman.test")
        found = self.settings.with_user(self.admin).action_test_notice()
        self.assertEqual(found["params"]["type"], "danger")
        self.assertIn("did not answer", found["params"]["message"])
        self.later(60)
        self.send()
        self.assertEqual(len(got), 1)

    # ---- where to ----

    def test_addresses(self):
        for url, public, own in (
            ("https://hooks.slack.com/services/T/B/x", True, True),
            ("https://hooks.example.com:8443/x?y=z", True, True),
            ("http://hooks.example.com/x", False, False),
            ("http://localhost:8080/x", False, True),
            ("http://127.0.0.1/x", False, True),
            ("http://[::1]/x", False, True),
            ("http://192.168.1.2/x", False, False),
            ("https://user:secret@hooks.example.com/x", False, False),
            ("https://hooks.example.com/x#y", False, False),
            ("https://hooks.example.com/x y", False, False),
            ("https://hooks.example.com/\r\nHost: x", False, False),
            ("https://", False, False),
            ("https://hooks.example.com:99999/", False, False),
            ("ftp://hooks.example.com/x", False, False),
            ("file:///etc/passwd", False, False),
            ("hooks.example.com", False, False),
        ):
            for setting, wanted in ((False, public), (True, own)):
                with self.subTest(url, own_network=setting):
                    found = self.outcome(
                        lambda u=url, s=setting: self.settings.write(
                            {
                                "notice_webhook_url": u,
                                "notice_webhook_own_network": s,
                            }
                        ),
                        ValidationError,
                        undo=True,
                    )
                    self.assertEqual(found, "allow" if wanted else "deny")

    def test_networks(self):
        for address, public, own in (
            ("93.184.216.34", True, True),
            ("2606:2800:220:1::1", True, True),
            ("10.0.0.1", False, True),
            ("172.16.0.1", False, True),
            ("192.168.0.1", False, True),
            ("100.64.0.1", False, True),
            ("127.0.0.1", False, True),
            ("::1", False, True),
            ("fd00::1", False, True),
            ("::ffff:10.0.0.1", False, True),
            ("64:ff9b::a00:1", False, True),
            ("2002:a00:1::1", False, True),
            ("::10.0.0.1", False, True),
            ("::ffff:0:10.0.0.1", False, True),
            ("fec0::1", False, True),
            # Where a cloud tells a machine its own credentials.
            ("169.254.169.254", False, False),
            ("::ffff:169.254.169.254", False, False),
            ("fe80::1%eth0", False, False),
            ("168.63.129.16", False, False),
            ("::ffff:168.63.129.16", False, False),
            ("0.0.0.0", False, False),
            ("224.0.0.1", False, False),
        ):
            with self.subTest(address):
                self.assertEqual(webhooks.reachable(address), public)
                self.assertEqual(webhooks.reachable(address, True), own)

    def test_a_public_name_of_a_private_address(self):
        """Looked at when it is sent, and all that the name has."""
        public, private = "93.184.216.34", "10.0.0.1"
        for addresses, why in (
            ([private], "not_public"),
            ([public, private], "not_public"),
            ([], "unknown_name"),
        ):
            with self.subTest(addresses):

                def find(*_args, found=addresses, **_kwargs):
                    if not found:
                        raise OSError
                    return [(2, 1, 6, "", (ip, 443)) for ip in found]

                self.patch(webhooks.socket, "getaddrinfo", find)
                with self.assertRaises(webhooks.NotSent) as caught:
                    webhooks.post("https://hooks.example.com/x", b"{}", {})
                self.assertEqual(caught.exception.why, why)

    def test_certificates(self):
        """The address that was looked at is connected to, and has to show that it is
        who its name says."""
        key, cert = certificate("hooks.example.com")
        for name, trusted, why in (
            ("hooks.example.com", True, None),
            ("other.example.com", True, "bad_certificate"),
            ("hooks.example.com", False, "bad_certificate"),
        ):
            with (
                self.subTest(name, trusted=trusted),
                receiver(tls=(key, cert)) as (url, got),
            ):
                port = int(url.partition("127.0.0.1:")[2].partition("/")[0])
                context = ssl.create_default_context()
                if trusted:
                    context.load_verify_locations(cadata=cert)
                found = [(2, 1, 6, "", ("127.0.0.1", port))]
                with (
                    patch.object(webhooks.socket, "getaddrinfo", return_value=found),
                    patch.object(
                        webhooks.ssl, "create_default_context", return_value=context
                    ),
                ):
                    try:
                        webhooks.post(f"https://{name}:{port}/in", b"{}", {}, True)
                        said = None
                    except webhooks.NotSent as exc:
                        said = exc.why
                self.assertEqual(said, why)
                hosts = [headers["Host"] for _path, headers, _body in got]
                self.assertEqual(hosts, [] if why else [f"{name}:{port}"])

    def test_the_own_network_is_for_administrators_of_odoo(self):
        both = self._person("both", ["doorman.group_admin", "base.group_system"])
        own = {"notice_webhook_own_network": True}
        local = {"notice_webhook_url": "http://localhost/x"}
        other = {"notice_webhook_url": "https://hooks.example.com/x"}

        def outcome(user, vals):
            settings = self.settings.with_user(user)
            return self.outcome(lambda: settings.write(vals), undo=True)

        self.assertEqual(outcome(self.admin, own), "deny")
        self.assertEqual(outcome(self.admin, own | local), "deny")
        self.assertEqual(outcome(self.admin, other), "allow")
        self.assertEqual(outcome(both, own | local), "allow")
        self.settings.with_user(both).write(own | local)
        self.assertEqual(outcome(self.admin, other), "deny")
        self.assertEqual(outcome(self.admin, {"notice_values": True}), "allow")
        self.assertEqual(
            outcome(self.admin, other | {"notice_webhook_own_network": False}), "allow"
        )
