from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...models.oauth import consent
from ...policy import oauth_values
from ..common import proof_of
from .test_oauth_token import OauthCase


@tagged("post_install", "-at_install")
class TestOauthAttack(OauthCase):
    """What somebody tries who was let in once, and should not be any more."""

    def _group(self, name):
        return self.env.ref(f"doorman.{name}")

    def _waiting(self):
        """A change that the person's first login asked for, and that waits."""
        connection = self.connection_of()
        return self.approval(connection_id=connection.id)

    # ---- shut out, and back by another door ----

    def test_who_is_shut_out_for_good_does_not_come_back_as_a_new_program(self):
        person = self.people["user"]
        self.tokens()
        person.with_user(self.people["admin"]).action_doorman_revoke_all()
        client = self.client()
        tokens = self.tokens(client)
        connection = self.connection_of(client_id=client.client_id)
        self.assertEqual(connection.state, "inactive")
        self.assertIn(self.people["admin"], connection.activity_ids.user_id)
        self.assertEqual(self.calls(tokens["access_token"]), "forbidden")
        with self.assertRaises(AccessError):
            connection.with_user(person).action_activate()
        # By revoking and allowing it again, too.
        connection.with_user(person).action_revoke()
        standing = self.requests.with_user(person)._standing(
            self.requests._open(self.begin(client))
        )
        self.assertTrue(standing["refusal"])

    def test_others_do_not_wait_for_that(self):
        self.tokens()
        self.connection_of()._revoke_for_good()
        self.tokens(role="user2")
        self.assertEqual(self.connection_of("user2").state, "awaiting")

    def test_who_was_let_in_again_does_not_wait(self):
        self.tokens()
        connection = self.connection_of()
        connection._revoke_for_good()
        connection.with_user(self.people["admin"]).action_reactivate()
        client = self.client()
        self.tokens(client)
        self.assertEqual(
            self.connection_of(client_id=client.client_id).state, "awaiting"
        )

    def test_by_way_of_the_group(self):
        """As on the form of the group, which writes no user."""
        group, person = self._group("group_user"), self.people["user"]
        token = self.tokens()["access_token"]
        self.assertTrue(self.resolves(token))
        group.write({"user_ids": [Command.unlink(person.id)]})
        self.assertFalse(self.resolves(token))
        group.write({"user_ids": [Command.link(person.id)]})
        self.assertFalse(self.resolves(token))

    def test_by_way_of_a_group_that_gives_it(self):
        person = self.people["internal"]
        giver = self.env["res.groups"].create({"name": "Sales and AI"})
        giver.implied_ids = [Command.link(self._group("group_user").id)]
        person.group_ids = [
            Command.link(giver.id),
            Command.link(self._group("group_scope_search").id),
        ]
        token = self.tokens(role="internal")["access_token"]
        self.assertTrue(self.resolves(token))
        giver.implied_ids = [Command.clear()]
        self.assertFalse(self.resolves(token))
        giver.implied_ids = [Command.link(self._group("group_user").id)]
        self.assertFalse(self.resolves(token))

    # ---- what a thief asked for ----

    def test_what_a_thief_asked_for_ends_with_the_login(self):
        tokens = self.tokens()
        waiting = self._waiting()
        self.refresh(tokens["refresh_token"])
        self.later(61)
        self.refresh(tokens["refresh_token"])
        self.assertEqual(waiting.state, "cancelled")

    def test_what_a_removed_client_asked_for_ends(self):
        self.tokens()
        waiting = self._waiting()
        client = self.connection_of().oauth_client_id
        client.with_user(self.people["admin"]).action_end()
        self.assertEqual(waiting.state, "cancelled")

    def test_what_somebody_asked_for_who_is_no_mcp_user_any_more_ends(self):
        self.tokens()
        waiting = self._waiting()
        self.people["user"].group_ids = [Command.unlink(self._group("group_user").id)]
        self.assertEqual(waiting.state, "cancelled")

    def test_a_program_that_logs_out_leaves_what_it_asked_for(self):
        tokens = self.tokens()
        waiting = self._waiting()
        self.gateway.oauth_revoke(self.grant(token=proof_of(tokens["access_token"])))
        self.assertEqual(waiting.state, "pending")

    # ---- who may let a program back in ----

    def test_one_company_does_not_restore_what_others_use(self):
        self.tokens()
        client = self.connection_of().oauth_client_id
        client.with_user(self.people["admin"]).action_end()
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        theirs = client.with_env(self.env).with_user(far)
        with self.assertRaises(AccessError):
            theirs.action_restore()
        self.assertFalse(client.active)
        client.with_user(self.people["admin"]).action_restore()
        self.assertTrue(client.active)

    def test_a_client_made_by_hand_ends_with_its_connection(self):
        """Else its user gets it back under the default policy, which may be wider."""
        client, _secret = self.custom(client_type="public")
        self.tokens(client)
        connection = self.connection_of(client_id=client.client_id)
        connection.with_user(self.people["admin"]).unlink()
        self.assertFalse(client.active)
        answer = self.gateway.oauth_client(client.client_id)
        self.assertEqual(self.error(answer), "invalid_client")
        # Those of the others are as before: whoever allows them starts anew.
        other = self.client()
        self.tokens(other)
        self.connection_of(client_id=other.client_id).unlink()
        self.assertTrue(other.active)

    # ---- what slipped in beside an end ----

    def _slip_in(self):
        """As a consent that was given at the very instant of the end: its family is
        not among those that were seen, and killed."""
        self.sql("UPDATE doorman_oauth_family SET dead_at = NULL")

    def test_what_slipped_in_does_not_come_back_with_the_connection(self):
        token = self.tokens()["access_token"]
        mine = self.connection_of().with_user(self.people["user"])
        mine.action_revoke()
        self._slip_in()
        self.assertFalse(self.resolves(token))
        mine.action_reactivate()
        self.assertFalse(self.resolves(token))

    def test_what_slipped_in_does_not_come_back_with_the_client(self):
        token = self.tokens()["access_token"]
        client = self.connection_of().oauth_client_id.with_user(self.people["admin"])
        client.action_end()
        self._slip_in()
        client.action_restore()
        self.assertFalse(self.resolves(token))

    # ---- more than anybody needs ----

    def test_nobody_refreshes_without_end(self):
        token, found = self.tokens()["refresh_token"], set()
        for _ in range(70):
            answer = self.refresh(token)
            found.add(self.error(answer))
            token = answer.get("refresh_token", token)
        self.assertEqual(found, {"ok", "temporarily_unavailable"})
        self.later(61)
        self.assertEqual(self.error(self.refresh(token)), "ok")

    def test_so_many_connections_has_one_person(self):
        with patch.object(consent, "MAX_CONNECTIONS", 2):
            first, second, third = (self.client() for _ in range(3))
            self.tokens(first)
            self.tokens(second)
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.allow(self.begin(third))
            self.tokens(first)
            self.tokens(third, role="user2")
            mine = self.connection_of(client_id=first.client_id)
            mine.with_user(self.people["user"]).action_revoke()
            self.tokens(third)

    def test_the_service_and_odoo_refuse_the_same_schemes(self):
        for uri in (
            "ms-msdt://x/cb", "search-ms://x/cb", "jar://x/cb", "resource://x/cb",
            "com.app:cb", "javascript:/x", "file:/etc/passwd", "https:/x.example/cb",
        ):  # fmt: skip
            self.assertFalse(oauth_values.may_return(uri, [], True), uri)
        for uri in ("com.app://x/cb", "com.app:/cb"):  # RFC 8252 section 7.1
            self.assertTrue(oauth_values.may_return(uri, [], True))
            self.assertFalse(oauth_values.may_return(uri, [], False, True))

    # ---- names ----

    def test_a_name_is_text_to_the_administrator(self):
        self.settings.oauth_needs_activation = True
        self.people["user"].name = "<a href='https://evil.example'>Press here</a>"
        self.tokens()
        [note] = set(self.connection_of().activity_ids.mapped("note"))
        self.assertNotIn("<a", note)
        self.assertIn("Press here", note)

    def test_the_port_is_shown(self):
        for uri, expected in (
            ("https://a.example/cb", "a.example"),
            ("https://a.example:443/cb", "a.example"),
            ("https://a.example:8443/cb", "a.example:8443"),
            ("http://localhost:5/cb", "localhost"),
        ):
            self.assertEqual(oauth_values.destination(uri), expected)

    def test_a_name_that_shows_nothing_is_none(self):
        for name in (
            "\ufe0f",
            "\u034f\u034f",
            "\u17b4\u17b5",
            "\u180b",
            ".",
            "…",
            "\u0301",
        ):
            with self.subTest(name=ascii(name)):
                self.assertEqual(oauth_values.clean_name(name), "")
        client = self.client(self.register(client_name="\ufe0f \u034f")["client_id"])
        self.assertEqual(client.name, "app.example.com")
        for name in ("Claude", "ק", "名前", "C3", "Клод"):
            self.assertEqual(oauth_values.clean_name(name), name)
