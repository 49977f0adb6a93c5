from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy.credentials import token_digest
from ..common import DoormanCase, proof_of
from ..invite_common import InviteMixin, account


@tagged("post_install", "-at_install")
class TestInviteAccept(InviteMixin, DoormanCase):
    """One acceptance: a use, a connection, a key; or nothing at all."""

    def _counts(self, invite):
        self.env.invalidate_all()
        return invite.current_uses, len(invite.acceptance_ids), invite.connection_count

    def test_accept(self):
        invite, token = self.invite(key_name_preset="Dev key", max_uses=2)
        accepted, key = self.accept(token)
        connection = accepted.connection_id
        self.assertEqual(self._counts(invite), (1, 1, 1))
        self.assertEqual(connection.name, "Dev key")
        self.assertEqual(connection.user_id, self.people["internal"])
        self.assertEqual(connection.invite_id, invite)
        self.assertEqual(connection.auth_type, "bearer")
        self.assertEqual(connection.company_ids, self.company)
        self.assertEqual(accepted.ip, "192.0.2.9")
        self.assertFalse(accepted.new_account)
        snapshot = self.gateway.resolve(proof_of(key))["snapshot"]
        self.assertEqual(snapshot["policy"]["scopes"], ["mcp:search"])
        days = (connection.expires_at - fields.Datetime.now()).days
        self.assertIn(days, (89, 90))

    def test_a_key_without_an_end(self):
        _invite, token = self.invite(key_lifetime_hours=0)
        accepted, _key = self.accept(token)
        self.assertFalse(accepted.connection_id.expires_at)

    def test_the_whole_template(self):
        tools = self.tool("t1") | self.tool("t2")
        models = self.env["ir.model"].search([("model", "=", "res.partner")])
        boss = self.people["approver"]
        vals = {
            "read_only": True,
            "allowed_tool_ids": [Command.set(tools.ids)],
            "allowed_model_ids": [Command.set(models.ids)],
            "approval_tool_ids": [Command.set(tools[:1].ids)],
            "approver_id": boss.id,
            "approval_expiry_hours": 5,
            "allowed_ips": "192.0.2.0/24",
            "blocked_ips": "192.0.2.66",
            "rate_limit_minute": 7,
            "rate_limit_day": 70,
            "approval_rule_ids": [Command.create({"risk": "high", "more_than": 3})],
        }
        invite, token = self.invite(**vals)
        # Switched off since: back on, it must still be gated.
        tools._inside().write({"active": False})
        accepted, _key = self.accept(token)
        self.env.flush_all()
        self.env.invalidate_all()
        mine, template = accepted.connection_id._policy(), invite._policy()
        template["companies"] = self.company.ids
        self.assertEqual(mine, template)
        self.assertEqual(mine["approval"]["rules"][0]["more_than"], 3)
        self.assertEqual(accepted.connection_id.approval_expiry_hours, 5)

    def test_an_approver_who_has_left(self):
        boss, tool = self.people["approver"], self.tool("t1")
        _invite, token = self.invite(
            approval_tool_ids=[Command.set(tool.ids)], approver_id=boss.id
        )
        boss.action_archive()
        connection = self.accept(token)[0].connection_id
        self.assertFalse(connection.approver_id)
        self.assertIn(self.people["admin"], connection._approvers())

    def test_a_list_that_became_empty_still_restricts(self):
        model = self.env["ir.model"].search([("model", "=", "res.partner")])
        invite, token = self.invite(allowed_model_ids=[Command.set(model.ids)])
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM doorman_invite_ir_model_rel")
        self.env.invalidate_all()
        accepted, _key = self.accept(token)
        self.assertEqual(accepted.connection_id._policy()["allowed_models"], [])

    def test_the_same_person_again(self):
        invite, token = self.invite(max_uses=3)
        first, key = self.accept(token)
        again, none = self.accept(token)
        self.assertEqual(again, first)
        self.assertIsNone(none)
        self.assertEqual(self._counts(invite), (1, 1, 1))
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))
        # Also when the link no longer works.
        invite.with_user(self.people["admin"]).action_revoke()
        again, none = self.accept(token)
        self.assertEqual((again, none), (first, None))

    def test_used_up(self):
        invite, token = self.invite(max_uses=2)
        for role in ("internal", "user"):
            self.assertTrue(self.accept(token, role))
        self.assertEqual(self.state(invite), ("used_up", 2))
        self.assertIsNone(self.accept(token, "user2"))
        self.assertIsNone(self.accept(token, "internal", account()))
        self.assertEqual(self._counts(invite), (2, 2, 2))

    def _spoilers(self, invite):
        admin = self.people["admin"]
        return {
            "revoked": invite.with_user(admin).action_revoke,
            "expired": lambda: self.late(invite),
            "creator archived": lambda: admin.write({"active": False}),
            "state": lambda: invite._inside().write({"state": "suspended"}),
        }

    def test_links_that_no_longer_work(self):
        invite, token = self.invite(new_accounts=True)
        for name, spoil in self._spoilers(invite).items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                spoil()
                self.env.flush_all()
                users = self.env["res.users"].search_count([])
                self.assertFalse(invite._works())
                self.assertIsNone(self.accept(token))
                self.assertIsNone(self.accept(token, "public", account()))
                self.assertEqual(self.env["res.users"].search_count([]), users)
                self.assertEqual(self._counts(invite), (0, 0, 0))
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertTrue(self.accept(token))

    def test_the_creator_comes_back(self):
        invite, token = self.invite()
        admin = self.people["admin"]
        admin.active = False
        self.assertEqual(self.state(invite), ("suspended", 0))
        admin.active = True
        self.assertEqual(self.state(invite), ("active", 0))
        self.assertTrue(self.accept(token))

    def test_the_creator_is_deleted(self):
        person = self._person("gone", ["doorman.group_admin"])
        self.people["gone"] = person
        invite, token = self.invite("gone")
        person.unlink()
        self.assertEqual(self.state(invite), ("suspended", 0))
        self.assertIsNone(self.accept(token))

    def test_tokens_that_are_none(self):
        _invite, token = self.invite()
        bad = ("", "x", token[:-1], token + "x", token + "\n", "%" * 43, None, 7)
        for value in bad:
            with self.subTest(value=value):
                self.assertIsNone(token_digest(value))
        self.assertIsNone(self.accept("x" * 43))
        invites = self.env["doorman.invite"].with_user(self.people["internal"])
        self.assertIsNone(invites._accept(None))
        self.assertIsNone(invites._accept(""))

    # ---- who ----

    def test_people_who_cannot(self):
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["base.group_user"], company_id=other.id, company_ids=other.ids
        )
        self.people |= {"far": far, "service": self.service, "root": self.env.user}
        invite, token = self.invite()
        for role in ("public", "portal", "far", "service", "root"):
            with self.subTest(role=role):
                self.assertIsNone(self.accept(token, role))
                self.assertIsNot(invite._why_not(self.people[role]), False)
        self.assertEqual(self._counts(invite), (0, 0, 0))
        for role in ("internal", "user", "admin", "approver"):
            with self.subTest(role=role):
                self.assertIs(invite._why_not(self.people[role]), False)

    def test_who_is_of_another_company_joins(self):
        other = self.env["res.company"].create({"name": "Other"})
        partners = self.env.ref("base.group_partner_manager")
        vals = {"company_id": other.id, "company_ids": other.ids}
        mine = self.people["admin"].company_id
        rows = (
            # New members?, their groups, the creator's: joins?
            (False, [], [], False),
            (True, [], [], True),
            (True, [partners], [], False),
            (True, [partners], [partners], True),
        )
        for number, (members, theirs, creators, joins) in enumerate(rows):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                far = self._person(f"far{number}", ["base.group_user"], **vals)
                self.people["far"] = far
                for group in theirs:
                    far.group_ids += group
                self.people["admin"].group_ids -= partners
                for group in creators:
                    self.people["admin"].group_ids += group
                before = far.group_ids
                invite, token = self.invite(new_accounts=members)
                self.assertEqual(bool(self.accept(token, "far")), joins)
                self.env.invalidate_all()
                self.assertEqual(mine in far.company_ids, joins)
                self.assertEqual(far.company_id, other)
                self.assertEqual(invite.current_uses, int(joins))
                gained = far.group_ids - before
                expected = self.env["res.groups"]
                if joins:
                    expected = self.env.ref("doorman.group_user") | self.env.ref(
                        "doorman.group_scope_search"
                    )
                    expected |= self.env.ref("base.group_multi_company")
                    connection = invite.acceptance_ids.connection_id
                    self.assertEqual(connection.company_ids, mine)
                self.assertEqual(gained, expected)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_cache()

    def test_who_let_them_in_can_end_it(self):
        other = self.env["res.company"].create({"name": "Other"})
        vals = {"company_id": other.id, "company_ids": other.ids}
        self.people["far"] = self._person("far", ["base.group_user"], **vals)
        admin = self.people["admin"]
        invite, token = self.invite(new_accounts=True)
        self.accept(token, "far")
        connection = invite.acceptance_ids.connection_id
        seen = self.env["doorman.connection"].with_user(admin).search([])
        self.assertIn(connection, seen)
        # One that did not come of the invite stays their own company's.
        before = self._connect("far")
        self.people["far"].with_user(admin).action_doorman_revoke_all()
        self.env.invalidate_all()
        self.assertEqual((connection.state, before.state), ("revoked", "awaiting"))
        self.assertNotIn(before, seen.search([]))

    def test_an_archived_company_widens_nothing(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.people["admin"].company_ids += other
        self.people["internal"].company_ids += other
        invite, token = self.invite(company_ids=[Command.set(other.ids)])
        other.active = False
        self.accept(token)
        connection = invite.acceptance_ids.connection_id
        kept = connection.with_context(active_test=False).company_ids
        self.assertEqual(kept, other)

    def test_an_address_that_nobody_proved_is_on_no_list(self):
        _open, token = self.invite(new_accounts=True, max_uses=3)
        made_up, _key = self.accept(token, "public", account("boss@agency.example"))
        proven = account("dev@agency.example") | {"proven": True}
        listed, closed = self.invite(
            accept_from="listed",
            accept_list="@agency.example",
            new_accounts=True,
            max_uses=3,
        )
        good, _key = self.accept(closed, "public", proven)
        self.people |= {"made_up": made_up.user_id, "proven": good.user_id}
        self.assertIsNone(self.accept(closed, "made_up"))
        self.assertIsNone(listed._why_not(made_up.user_id))
        # For anyone is for them too; and the other way round.
        _other, token = self.invite(max_uses=2)
        self.assertTrue(self.accept(token, "made_up"))
        _other, token = self.invite(
            accept_from="listed", accept_list="dev@agency.example"
        )
        self.assertTrue(self.accept(token, "proven"))
        self.assertEqual(listed.current_uses, 1)

    def test_a_person_without_an_email_address(self):
        self.people["internal"].email = False
        _invite, token = self.invite()
        self.assertTrue(self.accept(token))

    def test_a_list_of_logins_and_domains(self):
        rows = (
            ("dm-internal", True),
            ("DM-INTERNAL\nx", True),
            ("dm-user", False),
            # The email address is theirs to change, the login is not.
            ("internal@example.com", False),
            ("@example.com", False),
            ("internal", False),
            ("@dm-internal", False),
        )
        for listed, may in rows:
            _invite, token = self.invite(accept_from="listed", accept_list=listed)
            with self.subTest(listed=listed), self.env.cr.savepoint() as savepoint:
                self.assertEqual(bool(self.accept(token)), may)
                savepoint.rollback()
            self.env.invalidate_all()
        invite, _token = self.invite(accept_from="listed", accept_list="@b.example")
        for login, may in (
            ("a@b.example", True),
            ("A@B.Example", True),
            ("a@x.b.example", False),
            ("a@bb.example", False),
            ("b.example", False),
            ("@b.example@c.example", False),
        ):
            with self.subTest(login=login):
                self.assertEqual(invite._may_accept(login), may)

    def test_what_an_internal_user_gains(self):
        person = self.people["internal"]
        before = person.group_ids
        _invite, token = self.invite(scopes=("mcp:search",))
        self.accept(token)
        gained = person.group_ids - before
        expected = self.env.ref("doorman.group_user") | self.env.ref(
            "doorman.group_scope_search"
        )
        self.assertEqual(gained, expected)

    def test_an_mcp_user_gains_nothing(self):
        """What was taken from them, no link gives back."""
        person = self.people["user"]
        person.group_ids -= self.env.ref("doorman.group_scope_orm")
        before = person.group_ids
        _invite, token = self.invite(scopes=("mcp:search", "mcp:orm"))
        _accepted, key = self.accept(token, "user")
        self.assertEqual(person.group_ids, before)
        self.env.flush_all()
        snapshot = self.gateway.resolve(proof_of(key))["snapshot"]
        self.assertEqual(snapshot["policy"]["scopes"], ["mcp:search"])

    def test_who_is_no_mcp_user_any_more_does_not_become_one(self):
        person = self.people["internal"]
        invite, token = self.invite(max_uses=3)
        first, _key = self.accept(token)
        _other, second = self.invite()
        for left in ("revoked", "archived", "other's link"):
            with self.subTest(left=left):
                if left == "archived":
                    first.connection_id.with_user(self.people["admin"]).active = False
                person.group_ids -= self.env.ref("doorman.group_user")
                self.assertIn("has ended", invite._why_not(person))
                self.assertIsNone(self.accept(second))
                self.assertNotIn(
                    self.env.ref("doorman.group_user"), person.all_group_ids
                )
        # Given back, they may.
        person.group_ids += self.env.ref("doorman.group_user")
        self.assertTrue(self.accept(second))

    def test_sql_and_shell_are_not_handed_on(self):
        risky = self.scopes("mcp:sql", "mcp:shell")
        self.people["admin"].group_ids += risky.group_id
        scopes = ("mcp:search", "mcp:sql", "mcp:shell")
        _invite, token = self.invite(scopes=scopes, new_accounts=True, max_uses=2)
        for who in (None, account()):
            accepted, key = self.accept(token, "internal", who)
            self.assertFalse(accepted.user_id.all_group_ids & risky.group_id)
            self.env.flush_all()
            snapshot = self.gateway.resolve(proof_of(key))["snapshot"]
            self.assertEqual(snapshot["policy"]["scopes"], ["mcp:search"])

    # ---- new accounts ----

    def test_a_new_account(self):
        partners = self.env.ref("base.group_partner_manager")
        self.people["admin"].group_ids += partners
        invite, token = self.invite(
            new_accounts=True, account_group_ids=[Command.set(partners.ids)]
        )
        accepted, key = self.accept(token, "public", account())
        person = accepted.user_id
        self.assertEqual(person.login, "new@example.com")
        self.assertEqual(person.company_ids, self.company)
        self.assertTrue(accepted.new_account)
        expected = (
            partners
            | self.env.ref("doorman.group_user")
            | self.env.ref("doorman.group_scope_search")
        )
        self.assertEqual(person.group_ids, expected)
        self.assertEqual(person.all_group_ids, expected.all_implied_ids)
        self.env.flush_all()
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))
        self.assertEqual(self.state(invite), ("used_up", 1))

    def test_no_account_without_leave(self):
        cases = (
            ({}, account()),
            (
                {
                    "new_accounts": True,
                    "accept_from": "listed",
                    "accept_list": "@b.example",
                },
                account(),
            ),
        )
        before = self.env["res.users"].search_count([])
        for vals, who in cases:
            _invite, token = self.invite(**vals)
            with self.subTest(vals=vals):
                self.assertIsNone(self.accept(token, "public", who))
        self.assertEqual(self.env["res.users"].search_count([]), before)

    # ---- what goes wrong ----

    def test_nothing_is_left_of_an_acceptance_that_fails(self):
        """Nobody could approve: only the person who accepts is in the group."""
        tool = self.tool("t1")
        person = self.people["internal"]
        group = self.env["res.groups"].create(
            {"name": "Of one", "user_ids": [Command.set(person.ids)]}
        )
        invite, token = self.invite(
            approval_tool_ids=[Command.set(tool.ids)], approver_group_id=group.id
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.accept(token)
        self.assertEqual(self._counts(invite), (0, 0, 0))

    def test_the_counter_never_passes(self):
        invite, _token = self.invite(max_uses=1)
        self.env.flush_all()
        with self.assertRaises(Exception), self.env.cr.savepoint():  # noqa: B017
            self.env.cr.execute(
                "UPDATE doorman_invite SET current_uses = 2 WHERE id = %s", [invite.id]
            )

    # ---- revoking ----

    def test_revoke_the_link_only(self):
        invite, token = self.invite(max_uses=2)
        accepted, key = self.accept(token)
        invite.with_user(self.people["admin"]).action_revoke()
        self.assertEqual(self.state(invite), ("revoked", 1))
        self.assertEqual(accepted.connection_id.state, "awaiting")
        self.assertIn("snapshot", self.gateway.resolve(proof_of(key)))
        self.assertIsNone(self.accept(token, "user"))

    def test_revoke_the_connections_too(self):
        invite, token = self.invite(max_uses=3)
        keys = [self.accept(token, role)[1] for role in ("internal", "user")]
        mine = invite.with_user(self.people["admin"])
        mine.action_revoke()
        mine.action_revoke(connections=True)
        self.env.flush_all()
        for key in keys:
            self.assertIn("error", self.gateway.resolve(proof_of(key)))
        states = invite.acceptance_ids.connection_id.mapped("state")
        self.assertEqual(states, ["revoked", "revoked"])
        self.assertIn("snapshot", self.gateway.resolve(self.proof))

    def test_their_users_do_not_bring_them_back(self):
        invite, token = self.invite()
        connection = self.accept(token)[0].connection_id
        admin, person = self.people["admin"], self.people["internal"]
        invite.with_user(admin).action_revoke_all()
        with self.assertRaises(UserError):
            connection.with_user(person).action_reactivate()
        self.assertEqual(connection.state, "revoked")
        connection.with_user(admin).action_reactivate()
        self.assertEqual(connection.state, "awaiting")

    # ---- who is told ----

    def test_the_creator_gets_mail(self):
        creator = self.people["admin"]
        invite, token = self.invite()
        self.accept(token)
        said = invite.message_ids.filtered(
            lambda m: creator.partner_id in m.notified_partner_ids
        )
        self.assertEqual(len(said), 1)
        self.assertIn(self.people["internal"].login, said.body)
        self.assertIn("192.0.2.9", said.body)
        self.assertNotIn("dmk_", said.body)
        self.assertNotIn(token, said.body)

    def test_nothing_waits_without_an_end(self):
        """Also after its turn has come: all the others wait for it."""
        invites = self.env["doorman.invite"]
        self.invite()
        invites._queue()
        self.env.cr.execute("SHOW lock_timeout")
        self.assertEqual(self.env.cr.fetchone()[0], "5s")

    def test_mail_is_left_to_the_queue(self):
        """Who waits for their turn does not wait for the mail server."""
        _invite, token = self.invite()
        sent = []
        cls = type(self.env["mail.mail"])
        self.patch(cls, "send", lambda *_args, **_kwargs: sent.append(1))
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action")
        runs = [("cron_id", "=", queue.id)]
        before = self.env["ir.cron.trigger"].search_count(runs)
        self.accept(token)
        self.env.cr.postcommit.run()
        self.assertFalse(sent)
        self.assertEqual(self.env["ir.cron.trigger"].search_count(runs), before + 1)
        mail = self.env["mail.mail"].search([("state", "=", "outgoing")])
        self.assertIn("internal", str(mail.mapped("body_html")))

    def test_a_group_that_has_become_an_administrators(self):
        group = self.env["res.groups"].create({"name": "Harmless"})
        self.people["admin"].group_ids += group
        invite, token = self.invite(
            new_accounts=True,
            account_group_ids=[Command.set(group.ids)],
            max_uses=2,
        )
        for xmlid in ("base.group_system", "doorman.group_admin"):
            with self.subTest(xmlid=xmlid):
                group.implied_ids = self.env.ref(xmlid)
                self.assertIsNone(self.accept(token, "public", account()))
                group.implied_ids = False
        self.assertEqual(invite.current_uses, 0)
        self.assertTrue(self.accept(token, "public", account()))

    def test_a_group_that_has_grown(self):
        """What the creator never had, the link does not give."""
        group, more = self.env["res.groups"].create([{"name": "G"}, {"name": "More"}])
        self.people["admin"].group_ids += group
        invite, token = self.invite(
            new_accounts=True, account_group_ids=[Command.set(group.ids)]
        )
        self.assertFalse(invite.groups_grown)
        group.implied_ids = more
        invite.invalidate_recordset()
        self.assertTrue(invite.groups_grown)
        self.assertIsNone(self.accept(token, "public", account()))
        # Who has an account gets none of these groups.
        self.assertTrue(self.accept(token))

    def test_a_creator_who_is_no_member_any_more(self):
        other = self.env["res.company"].create({"name": "Other"})
        portal = self.env.ref("base.group_portal")
        gone = (
            {"group_ids": [Command.set(portal.ids)]},
            {"company_ids": [Command.set(other.ids)], "company_id": other.id},
        )
        for vals in gone:
            with self.subTest(vals=vals), self.env.cr.savepoint() as savepoint:
                invite, token = self.invite(new_accounts=True)
                self.people["admin"].write(vals)
                self.assertIsNone(self.accept(token))
                self.assertIsNone(self.accept(token, "public", account()))
                self.assertTrue(invite.creator_lacks)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_cache()

    def test_it_ends_with_the_keys_lifetime(self):
        _invite, token = self.invite(key_lifetime_hours=1)
        accepted, key = self.accept(token)
        past = fields.Datetime.now() - timedelta(minutes=1)
        accepted.connection_id.expires_at = past
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(proof_of(key)))
