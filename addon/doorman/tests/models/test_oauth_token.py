from odoo.tests import TransactionCase, tagged

from ..common import proof_of
from ..oauth_common import CALLBACK, IP, RESOURCE, OauthMixin, challenge_of


class OauthCase(OauthMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()


@tagged("post_install", "-at_install")
class TestOauthToken(OauthCase):
    def dead(self):
        self.sql("SELECT dead_reason FROM doorman_oauth_family ORDER BY id")
        return [row[0] for row in self.env.cr.fetchall()]

    # ---- codes ----

    def test_a_code_becomes_tokens(self):
        code = self.code()
        self.assertRegex(code, r"^dmx_[\w-]{43}$")
        answer = self.redeem(code)
        self.assertRegex(answer["access_token"], r"^dma_[\w-]{43}$")
        self.assertRegex(answer["refresh_token"], r"^dmr_[\w-]{43}$")
        self.assertEqual(answer["expires_in"], 3600)
        self.assertEqual(answer["scopes"], ["mcp:metadata", "mcp:search"])
        self.assertTrue(self.resolves(answer["access_token"]))
        self.assertEqual(self.calls(answer["access_token"]), "ok")

    def test_nothing_of_a_token_is_kept(self):
        code = self.code()
        tokens = self.redeem(code)
        kept = []
        for table in ("token", "family", "request", "secret"):
            self.sql(f"SELECT * FROM doorman_oauth_{table}")  # noqa: S608
            kept += [str(row) for row in self.env.cr.fetchall()]
        self.sql("SELECT * FROM doorman_audit ORDER BY id DESC LIMIT 50")
        kept += [str(row) for row in self.env.cr.fetchall()]
        secrets = [code, tokens["access_token"], tokens["refresh_token"]]
        for secret in secrets + [proof_of(s) for s in secrets]:
            self.assertFalse([row for row in kept if secret in row])

    def test_codes_that_do_not_work(self):
        other = self.client()
        deny = {
            "unknown": {"code": proof_of("dmx_x")},
            "no proof": {"code": None},
            "malformed": {"code": "x"},
            "in clear": {"code": "dmx_" + "x" * 43},
            "another redirect": {"redirect_uri": CALLBACK + "&x=1"},
            "no redirect": {"redirect_uri": None},
            "another verifier": {"challenge": challenge_of("x")},
            "the verifier itself": {"challenge": self.verifier},
            "no verifier": {"challenge": None},
            "another client": {"client_id": other.client_id},
        }
        code = self.code()
        for name, changes in deny.items():
            with self.subTest(name):
                found = self.error(self.redeem(code, **changes))
                self.assertEqual(found, "invalid_grant")
        for name, error, changes in (
            ("resource", "invalid_target", {"resource": "https://x.example/mcp"}),
            ("unknown client", "invalid_client", {"client_id": "dmo_x"}),
            ("no client", "invalid_client", {"client_id": None}),
            ("a secret", "invalid_client", {"secret": proof_of("x")}),
        ):
            with self.subTest(name):
                self.assertEqual(self.error(self.redeem(code, **changes)), error)
        # None of these used it up.
        self.assertEqual(self.error(self.redeem(code, resource=None)), "ok")

    def test_a_code_is_over_after_a_minute(self):
        code = self.code()
        self.later(61)
        self.assertEqual(self.error(self.redeem(code)), "invalid_grant")

    def test_a_code_used_twice_ends_what_came_of_it(self):
        code = self.code()
        tokens = self.redeem(code)
        before = self.rows()
        again = self.redeem(code)
        self.assertEqual(self.error(again), "invalid_grant")
        self.assertEqual(again["oauth_error"]["reason"], "code reused")
        self.assertFalse(self.resolves(tokens["access_token"]))
        found = self.error(self.refresh(tokens["refresh_token"]))
        self.assertEqual(found, "invalid_grant")
        [row] = self.new_rows(before)
        self.assertEqual((row["method"], row["outcome"]), ("oauth/reuse", "refused"))
        self.assertEqual(row["ip"], IP)
        connection = self.connection_of()
        self.assertIn("used twice", connection.message_ids[0].body)
        # Once more: no second message.
        self.redeem(code)
        self.assertEqual(len(self.new_rows(before)), 1)

    def test_reuse_by_another_client_ends_it_too(self):
        code = self.code()
        tokens = self.redeem(code)
        self.redeem(code, self.client())
        self.assertFalse(self.resolves(tokens["access_token"]))

    # ---- rotation ----

    def test_a_refresh_token_becomes_its_successor(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        self.assertEqual(self.error(second), "ok")
        self.assertEqual(second["scopes"], first["scopes"])
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        # What is under way goes on.
        for tokens in (first, second):
            self.assertTrue(self.resolves(tokens["access_token"]))
        third = self.refresh(second["refresh_token"], resource=RESOURCE)
        self.assertEqual(self.error(third), "ok")

    def test_within_the_grace_the_successor_is_the_same(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        self.later(30)
        again = self.refresh(first["refresh_token"])
        self.assertEqual(again["expires_in"], 3570)
        self.assertEqual(again | {"expires_in": 3600}, second)
        self.assertTrue(self.resolves(again["access_token"]))
        self.sql("SELECT count(*) FROM doorman_oauth_token WHERE kind = 'refresh'")
        self.assertEqual(self.env.cr.fetchone(), (2,))

    def test_after_the_grace_it_is_theft(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        self.later(61)
        found = self.refresh(first["refresh_token"])
        self.assertEqual(found["oauth_error"]["reason"], "refresh token reused")
        self.assertEqual(self.dead(), ["refresh token reused"])
        for tokens in (first, second):
            self.assertFalse(self.resolves(tokens["access_token"]))
            answer = self.refresh(tokens["refresh_token"])
            self.assertEqual(self.error(answer), "invalid_grant")

    def test_an_older_generation_gets_the_newest_within_the_grace(self):
        all_of_them = [self.tokens()]
        for _time in range(4):
            all_of_them.append(self.refresh(all_of_them[-1]["refresh_token"]))
        newest = all_of_them[-1]
        self.later(30)
        for older in all_of_them[:-1]:
            found = self.refresh(older["refresh_token"])
            self.assertEqual(found | {"expires_in": 3600}, newest)
        self.assertTrue(self.resolves(newest["access_token"]))
        self.assertEqual(self.dead(), [None])
        self.assertEqual(self.error(self.refresh(newest["refresh_token"])), "ok")

    def test_an_older_generation_is_theft_after_the_grace(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        self.later(59)
        third = self.refresh(second["refresh_token"])
        self.later(2)  # the second is in its grace, the first is not
        found = self.refresh(second["refresh_token"])
        self.assertEqual(found | {"expires_in": 3600}, third)
        found = self.refresh(first["refresh_token"])
        self.assertEqual(self.error(found), "invalid_grant")
        self.assertEqual(self.dead(), ["refresh token reused"])
        for tokens in (first, second, third):
            self.assertFalse(self.resolves(tokens["access_token"]))
            found = self.refresh(tokens["refresh_token"])
            self.assertEqual(self.error(found), "invalid_grant")

    def test_an_older_generation_of_another_client_is_theft_at_once(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        third = self.refresh(second["refresh_token"])
        self.refresh(first["refresh_token"], self.client())
        self.assertFalse(self.resolves(third["access_token"]))

    def test_no_grace_for_another_client(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"])
        self.refresh(first["refresh_token"], self.client())
        self.assertFalse(self.resolves(second["access_token"]))

    def test_the_lifetimes_are_those_of_the_settings(self):
        self.settings.oauth_access_minutes = 7
        self.settings.oauth_refresh_days = 3
        made = self.tokens()
        self.assertEqual(made["expires_in"], 7 * 60)
        self.env.cr.execute(
            "SELECT kind, round(extract(epoch FROM expires_at - "
            "(now() at time zone 'utc')) / 60) FROM doorman_oauth_token "
            "WHERE kind IN ('access', 'refresh')"
        )
        lives = dict(self.env.cr.fetchall())
        self.assertEqual(lives, {"access": 7, "refresh": 3 * 24 * 60})

    def test_without_a_grace(self):
        self.settings.oauth_grace_seconds = 0
        first = self.tokens()
        self.refresh(first["refresh_token"])
        self.assertEqual(
            self.error(self.refresh(first["refresh_token"])), "invalid_grant"
        )

    def test_scopes_get_narrower_only(self):
        first = self.tokens()
        for scopes in (
            ["mcp:metadata", "mcp:search", "mcp:orm"],
            ["mcp:orm"],
            ["nonsense"],
            [],
            "mcp:search",
            [["mcp:search"]],
        ):
            with self.subTest(scopes=scopes):
                found = self.error(self.refresh(first["refresh_token"], scopes=scopes))
                self.assertEqual(found, "invalid_scope")
        second = self.refresh(first["refresh_token"], scopes=["mcp:search"])
        self.assertEqual(second["scopes"], ["mcp:search"])
        # Of the access token; the login stays what was allowed.
        third = self.refresh(second["refresh_token"])
        self.assertEqual(third["scopes"], first["scopes"])

    def test_refresh_tokens_that_do_not_work(self):
        tokens = self.tokens()
        refresh, other = tokens["refresh_token"], self.client()
        for name, error, changes in (
            ("unknown", "invalid_grant", {"refresh": proof_of("dmr_x")}),
            ("access", "invalid_grant", {"refresh": proof_of(tokens["access_token"])}),
            ("a key", "invalid_grant", {"refresh": self.proof}),
            ("none", "invalid_grant", {"refresh": None}),
            ("other client", "invalid_grant", {"client_id": other.client_id}),
            ("no client", "invalid_client", {"client_id": ""}),
            ("a secret", "invalid_client", {"secret": proof_of("x")}),
            ("resource", "invalid_target", {"resource": "https://mcp.example.com"}),
        ):
            with self.subTest(name):
                self.assertEqual(self.error(self.refresh(refresh, **changes)), error)
        self.later(31 * 24 * 3600)
        self.assertEqual(self.error(self.refresh(refresh)), "invalid_grant")
        self.assertEqual(self.dead(), [None])

    def test_a_key_redeems_nothing(self):
        self.tokens()
        self.assertEqual(
            self.error(self.redeem(None, code=self.proof)), "invalid_grant"
        )

    def test_tokens_end_with_their_connection(self):
        tokens = self.tokens()
        connection = self.connection_of()
        self.sql(
            "UPDATE doorman_connection SET expires_at = now() at time zone 'utc' "
            "+ interval '90 seconds' WHERE id = %s",
            connection.id,
        )
        second = self.refresh(tokens["refresh_token"])
        self.assertLessEqual(second["expires_in"], 90)
        self.sql(
            "UPDATE doorman_connection SET expires_at = now() at time zone 'utc' "
            "WHERE id = %s",
            connection.id,
        )
        self.assertEqual(
            self.error(self.refresh(second["refresh_token"])), "invalid_grant"
        )
        self.assertEqual(self.dead(), [None])

    # ---- confidential clients ----

    def test_a_confidential_client_shows_its_secret(self):
        client, secret = self.custom()
        self.assertRegex(secret, r"^dms_[\w-]{43}$")
        proof = proof_of(secret)
        code = self.code(client)
        for wrong in (None, proof_of("x"), "x", 1, secret, self.proof):
            with self.subTest(secret=wrong):
                found = self.error(self.redeem(code, client, secret=wrong))
                self.assertEqual(found, "invalid_client")
        tokens = self.redeem(code, client, secret=proof)
        self.assertEqual(self.error(tokens), "ok")
        refresh = tokens["refresh_token"]
        self.assertEqual(self.error(self.refresh(refresh, client)), "invalid_client")
        found = self.refresh(refresh, client, secret=proof)
        self.assertEqual(self.error(found), "ok")
        _other, stranger = self.custom()
        found = self.refresh(found["refresh_token"], client, secret=proof_of(stranger))
        self.assertEqual(self.error(found), "invalid_client")

    def test_a_new_secret_ends_the_old(self):
        client, old = self.custom()
        mine = client.with_env(self.env).with_user(self.people["admin"])
        context = mine.action_rotate_secret()["context"]
        new = context["default_key"]
        clients = self.env["doorman.oauth.client"]
        for secret, good in ((old, False), (new, True)):
            with self.subTest(good=good):
                run = lambda s=secret: clients._authenticated(  # noqa: E731
                    client.client_id, proof_of(s)
                )
                if good:
                    self.assertEqual(run(), client)
                else:
                    with self.assertRaisesRegex(Exception, "wrong secret"):
                        run()
        mine.action_rotate_secret(5)
        found = clients._authenticated(client.client_id, proof_of(new))
        self.assertEqual(found, client)
        self.sql("UPDATE doorman_oauth_secret SET until = until - interval '6 minutes'")
        with self.assertRaisesRegex(Exception, "wrong secret"):
            clients._authenticated(client.client_id, proof_of(new))

    # ---- revocation ----

    def revoke(self, credential, client=None, **changes):
        asked = self.grant(client, token=proof_of(credential)) | changes
        self.env.flush_all()
        return self.gateway.oauth_revoke(asked)

    def test_a_client_logs_out(self):
        for kind in ("access_token", "refresh_token"):
            with self.subTest(kind):
                tokens = self.tokens()
                other = self.tokens(self.client())
                before = self.rows()
                self.assertEqual(self.revoke(tokens[kind]), {"revoked": True})
                self.assertFalse(self.resolves(tokens["access_token"]))
                found = self.error(self.refresh(tokens["refresh_token"]))
                self.assertEqual(found, "invalid_grant")
                self.assertTrue(self.resolves(other["access_token"]))
                self.assertEqual(self.revoke(tokens[kind]), {"revoked": True})
                [row] = self.new_rows(before)
                self.assertEqual(row["method"], "oauth/revoke")

    def test_nobody_logs_out_others(self):
        tokens = self.tokens()
        token = tokens["access_token"]
        custom, _secret = self.custom()
        self.assertEqual(self.revoke(token, self.client()), {"revoked": False})
        for name, changes in (
            ("unknown", {"token": proof_of("x")}),
            ("malformed", {"token": 7}),
            ("a key", {"token": self.proof}),
        ):
            with self.subTest(name):
                self.assertEqual(self.revoke(token, **changes), {"revoked": False})
        for changes in ({"client_id": "x"}, {"client_id": custom.client_id}):
            found = self.error(self.revoke(token, **changes))
            self.assertEqual(found, "invalid_client")
        self.assertTrue(self.resolves(token))

    # ---- several logins ----

    def test_logins_of_one_client_are_apart(self):
        first, second = self.tokens(), self.tokens()
        self.assertEqual(len(self.connection_of()), 1)
        self.refresh(first["refresh_token"])
        self.later(61)
        self.refresh(first["refresh_token"])
        self.assertFalse(self.resolves(first["access_token"]))
        self.assertTrue(self.resolves(second["access_token"]))

    def test_the_oldest_logins_give_way(self):
        self.patch(
            __import__(
                "odoo.addons.doorman.models.oauth.doorman_oauth_token", fromlist=["x"]
            ),
            "MAX_FAMILIES",
            2,
        )
        tokens = [self.tokens() for _time in range(3)]
        alive = [self.resolves(t["access_token"]) for t in tokens]
        self.assertEqual(alive, [False, True, True])
