import functools
import threading
import time
import uuid

from odoo import api
from odoo.fields import Command
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from ..common import proof_of
from ..oauth_common import CALLBACK, RESOURCE, challenge_of

VERIFIER = "v" * 43
CROWD = 12


@tagged("post_install", "-at_install")
class TestOauthAtOnce(BaseCase):
    """Many at once, each in a transaction of its own that is committed, run again by
    Odoo where it is thrown back. What is made here is removed at the end."""

    def setUp(self):
        super().setUp()
        # Odoo holds it while it tests: the threads would wait for ever.
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        self.document = f"https://{uuid.uuid4().hex}.example/client.json"
        self.user, self.service = self.run_alone(api.SUPERUSER_ID, self._prepare)
        self.addCleanup(self.run_alone, api.SUPERUSER_ID, self._clean)

    def _prepare(self, env):
        user = (
            env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": "At once",
                    "login": uuid.uuid4().hex,
                    "group_ids": [Command.set(env.ref("doorman.group_user").ids)],
                }
            )
        )
        return user.id, env.ref("doorman.user_service").id

    def _clean(self, env):
        user = env["res.users"].browse(self.user)
        partner = user.partner_id
        env.cr.execute("DELETE FROM doorman_audit WHERE user_id = %s", [user.id])
        user.unlink()
        partner.unlink()
        env.cr.execute("DELETE FROM doorman_audit WHERE connection_name = 'At once'")
        env["doorman.oauth.client"]._named(self.document).unlink()
        env.cr.execute("DELETE FROM doorman_oauth_request WHERE source = '192.0.2.77'")

    def run_alone(self, uid, work):
        """One transaction, as a request of its own."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, uid, {})
            with mute_logger("odoo.service.model", "odoo.sql_db"):
                return retrying(functools.partial(work, env), env)

    def at_once(self, uid, works):
        """:return: what they answered, in any order"""
        answers, gate = [], threading.Barrier(len(works))

        def run(work):
            gate.wait(30)
            answers.append(self.run_alone(uid, work))

        threads = [
            threading.Thread(target=run, args=(work,), daemon=True) for work in works
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(len(answers), len(works))
        return answers

    def gateway(self, method, asked):
        return lambda env: getattr(env["doorman.gateway"], method)(asked)

    def begin(self):
        asked = {
            "client": {
                "client_id": self.document,
                "kind": "document",
                "name": "At once",
                "redirect_uris": [CALLBACK],
            },
            "redirect_uri": CALLBACK,
            "scopes": ["mcp:search"],
            "challenge": challenge_of(VERIFIER),
            "resource": RESOURCE,
            "ip": "192.0.2.77",
        }
        answer = self.run_alone(self.service, self.gateway("oauth_begin", asked))
        return answer["consent_url"].split("request=")[1]

    def allow(self, handle):
        return lambda env: env["doorman.oauth.request"]._allow(handle)

    def code(self):
        target = self.run_alone(self.user, self.allow(self.begin()))
        return target.split("code=")[1].split("&")[0]

    def redeem(self, code):
        grant = {
            "code": proof_of(code),
            "client_id": self.document,
            "redirect_uri": CALLBACK,
            "challenge": challenge_of(VERIFIER),
        }
        return self.gateway("oauth_redeem", grant)

    def refresh(self, token):
        grant = {"refresh": proof_of(token), "client_id": self.document}
        return self.gateway("oauth_refresh", grant)

    def count(self, query, *values):
        def read(env):
            env.cr.execute(query, values)
            return env.cr.fetchone()[0]

        return self.run_alone(api.SUPERUSER_ID, read)

    def families(self):
        return self.count(
            "SELECT count(*) FROM doorman_oauth_family f JOIN doorman_connection c "
            "ON c.id = f.connection_id WHERE c.user_id = %s",
            self.user,
        )

    def test_one_request_is_allowed_once(self):
        handle = self.begin()
        answers = self.at_once(self.user, [self.allow(handle)] * 4)
        self.assertEqual(len([a for a in answers if a]), 1)
        self.assertEqual(self.families(), 1)

    def test_several_tabs_make_one_connection(self):
        handles = [self.begin() for _tab in range(4)]
        answers = self.at_once(self.user, [self.allow(h) for h in handles])
        self.assertEqual(len([a for a in answers if a]), 4)
        query = "SELECT count(*) FROM doorman_connection WHERE user_id = %s"
        self.assertEqual(self.count(query, self.user), 1)
        self.assertEqual(self.families(), 4)

    def test_one_code_gives_one_pair(self):
        code = self.code()
        answers = self.at_once(self.service, [self.redeem(code)] * CROWD)
        pairs = {a["access_token"] for a in answers if "access_token" in a}
        self.assertEqual(len(pairs), 1)
        errors = {a["oauth_error"]["error"] for a in answers if "oauth_error" in a}
        self.assertEqual(errors, {"invalid_grant"})
        alive = "SELECT count(*) FROM doorman_oauth_family WHERE dead_at IS NULL "
        alive += "AND connection_id IN (SELECT id FROM doorman_connection "
        alive += "WHERE user_id = %s)"
        self.assertEqual(self.count(alive, self.user), 0)

    def test_one_refresh_token_gives_one_successor(self):
        first = self.run_alone(self.service, self.redeem(self.code()))
        works = [self.refresh(first["refresh_token"])] * CROWD
        answers = self.at_once(self.service, works)
        found = {(a["access_token"], a["refresh_token"]) for a in answers}
        self.assertEqual(len(found), 1)
        [(_access, refresh)] = found
        again = self.run_alone(self.service, self.refresh(refresh))
        self.assertIn("access_token", again)
        self.assertEqual(self.families(), 1)

    def trust(self, env):
        """An issuer that knows the user, and a client of it."""
        env["doorman.settings"]._get().oauth_assertions = True
        env["res.users"].browse(self.user).email = "once@company.example"
        issuer = env["doorman.oauth.issuer"].create(
            {"name": "x", "issuer": "https://once.example.com", "match_email": True}
        )
        client, secret = issuer._make_client("At once")
        return issuer.id, client.id, client.client_id, secret

    def test_one_assertion_gives_one_token(self):
        issuer, client, client_id, secret = self.run_alone(api.SUPERUSER_ID, self.trust)

        def forget(env):
            env["doorman.settings"]._get().oauth_assertions = False
            env["doorman.oauth.issuer"].browse(issuer).unlink()
            connections = env["doorman.connection"]
            connections.search([("oauth_client_id", "=", client)]).unlink()
            env["doorman.oauth.client"].browse(client).unlink()
            env.cr.execute("DELETE FROM doorman_oauth_assertion")

        self.addCleanup(self.run_alone, api.SUPERUSER_ID, forget)
        grant = {
            "client_id": client_id,
            "secret": proof_of(secret),
            "issuer": "https://once.example.com",
            "subject": "u-1",
            "jti": uuid.uuid4().hex,
            "expires_at": int(time.time()) + 300,
            "email": "once@company.example",
            "scopes": None,
            "resource": RESOURCE,
        }
        work = self.gateway("oauth_assert", grant)
        answers = self.at_once(self.service, [work] * CROWD)
        self.assertEqual(len([a for a in answers if "access_token" in a]), 1)
        errors = {a["oauth_error"]["error"] for a in answers if "oauth_error" in a}
        self.assertEqual(errors, {"invalid_grant"})
        # Different ones at once: one connection.
        works = [
            self.gateway("oauth_assert", grant | {"jti": uuid.uuid4().hex})
            for _each in range(4)
        ]
        answers = self.at_once(self.service, works)
        self.assertEqual(len([a for a in answers if "access_token" in a]), 4)
        query = "SELECT count(*) FROM doorman_connection WHERE oauth_client_id = %s"
        self.assertEqual(self.count(query, client), 1)
