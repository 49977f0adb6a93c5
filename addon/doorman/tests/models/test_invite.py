from datetime import timedelta
from functools import partial

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy.credentials import token_digest
from ...policy.invite_values import InviteRefused
from ..common import ROLES, DoormanCase
from ..invite_common import InviteMixin

EVERY = ("mcp:metadata", "mcp:search", "mcp:orm", "mcp:sql", "mcp:shell")
USUAL = {"mcp:metadata", "mcp:search", "mcp:orm"}


@tagged("post_install", "-at_install")
class TestInvite(InviteMixin, DoormanCase):
    """Making invites: by whom, with what, and their end."""

    def _has(self, role, *codes):
        """Let this person have these MCP permissions and no others."""
        groups = self.env["doorman.scope"].search([]).group_id
        keep = self.scopes(*codes).group_id
        self.people[role].group_ids = [
            *(Command.unlink(g.id) for g in groups - keep),
            *(Command.link(g.id) for g in keep),
        ]

    # ---- the list ----

    def test_the_columns_of_the_list(self):
        """In the words of the page that invites were asked for with."""
        invites = self.env["doorman.invite"].with_user(self.people["admin"])
        arch = etree.fromstring(invites.get_view(view_type="list")["arch"])
        titles = {
            node.get("name"): node.get("string")
            or invites._fields[node.get("name")].string
            for node in arch.iter("field")
        }
        self.assertEqual(titles["creator_id"], "Created by")

    # ---- who ----

    def test_administrators_make_invites(self):
        for role in ROLES:
            with self.subTest(role=role):
                found = self.outcome(partial(self.invite, role))
                self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_what_an_invite_starts_with(self):
        invite, token = self.invite()
        self.assertEqual(self.state(invite), ("active", 0))
        self.assertEqual(invite.max_uses, 1)
        self.assertEqual(invite.creator_id, self.people["admin"])
        self.assertEqual(invite.company_id, self.company)
        hours = (invite.expires_at - fields.Datetime.now()).total_seconds() / 3600
        self.assertAlmostEqual(hours, 72, delta=0.1)
        self.assertEqual(invite.key_lifetime_hours, 90 * 24)
        self.assertEqual(len(token), 43)

    def test_only_the_hash_is_kept(self):
        invite, token = self.invite()
        self.env.flush_all()
        for table in ("doorman_invite", "doorman_invite_token", "mail_message"):
            self.env.cr.execute(f"SELECT t::text FROM {table} t")  # noqa: S608
            rows = str(self.env.cr.fetchall())
            self.assertNotIn(token, rows)
            found = token_digest(token) in rows
            self.assertEqual(found, table == "doorman_invite_token")
        for model in self.env.registry.values():
            self.assertNotEqual(model._table, "doorman_invite_token")
        for name in invite._fields:
            self.assertNotIn("token", name)
            self.assertNotIn("digest", name)

    # ---- escalation ----

    def test_scopes_by_creator(self):
        creators = {
            "none": (),
            "search": ("mcp:search",),
            "usual": tuple(USUAL),
            "sql": (*USUAL, "mcp:sql"),
            "every": EVERY,
        }
        asked = [(code,) for code in EVERY] + [
            tuple(USUAL),
            (*USUAL, "mcp:sql"),
            (*USUAL, "mcp:shell"),
            EVERY,
        ]
        for name, own in creators.items():
            self._has("admin", *own)
            for scopes in asked:
                with self.subTest(creator=name, scopes=scopes):
                    found = self.outcome(partial(self.invite, scopes=scopes), undo=True)
                    expected = "allow" if set(scopes) <= set(own) else "deny"
                    self.assertEqual(found, expected)

    def test_the_words(self):
        with self.assertRaisesRegex(
            InviteRefused, "^requested scopes exceed admin's own permissions$"
        ):
            self.invite(scopes=("mcp:sql",))

    def test_groups_by_creator(self):
        partner = "base.group_partner_manager"
        export = "base.group_allow_export"
        cases = (
            # what the creator has besides, what is asked -> may
            ((), (), True),
            ((), ("base.group_user",), True),
            ((), (partner,), False),
            ((partner,), (partner,), True),
            ((partner,), (partner, export), False),
            ((partner, export), (partner, export), True),
            ((), ("base.group_portal",), False),
            ((), ("base.group_erp_manager",), False),
            (("base.group_erp_manager",), ("base.group_erp_manager",), False),
            (("base.group_system",), ("base.group_system",), False),
            ((), ("doorman.group_admin",), False),
            ((), ("doorman.group_user",), True),
            ((), ("doorman.group_scope_sql",), False),
            (("doorman.group_scope_sql",), ("doorman.group_scope_sql",), False),
            (("doorman.group_scope_shell",), ("doorman.group_scope_shell",), False),
            (("doorman.group_scope_orm",), ("doorman.group_scope_orm",), True),
        )
        admin = self.people["admin"]
        unwanted = [self.env.ref(x).id for x in (partner, export)]
        admin.group_ids = [Command.unlink(i) for i in unwanted]
        before = admin.group_ids
        for own, asked, may in cases:
            admin.group_ids = before | self._groups(own)
            with self.subTest(own=own, asked=asked):
                groups = [Command.set(self._groups(asked).ids)]
                run = partial(self.invite, new_accounts=True, account_group_ids=groups)
                found = self.outcome(run, undo=True)
                self.assertEqual(found, "allow" if may else "deny")

    def _groups(self, xmlids):
        return self.env["res.groups"].browse(self.env.ref(x).id for x in xmlids)

    def test_a_group_that_implies_more_than_one_has(self):
        extra = self.env["res.groups"].create({"name": "Extra"})
        outer = self.env["res.groups"].create({"name": "Outer"})
        self.people["admin"].group_ids += outer
        run = partial(
            self.invite, new_accounts=True, account_group_ids=[Command.set(outer.ids)]
        )
        self.assertEqual(self.outcome(run, undo=True), "allow")
        far = self.env["res.groups"].create({"name": "x", "implied_ids": outer.ids})
        self.assertEqual(
            self.outcome(
                partial(
                    self.invite,
                    new_accounts=True,
                    account_group_ids=[Command.set((far | extra).ids)],
                )
            ),
            "deny",
        )

    def test_companies_by_creator(self):
        other = self.env["res.company"].create({"name": "Other"})
        run = partial(self.invite, company_ids=[Command.set(other.ids)])
        self.assertEqual(self.outcome(run), "deny")
        self.people["admin"].company_ids += other
        self.assertEqual(self.outcome(run), "allow")

    def test_no_one_forges_the_creator(self):
        """The one who is asked about is the one who asks."""
        self._has("admin")
        rich = self._person("rich", ["doorman.group_admin"])
        for vals in ({"creator_id": rich.id}, {"creator_id": False}):
            with self.subTest(vals=vals):
                run = partial(self.invite, **vals)
                self.assertEqual(self.outcome(run), "deny")

    def test_fixed_when_it_is_made(self):
        invite, _token = self.invite(scopes=tuple(USUAL))
        self._has("admin")
        self.env.invalidate_all()
        self.assertEqual(set(invite.scope_ids.mapped("code")), USUAL)
        mine = invite.with_user(self.people["admin"])
        self.assertIn("mcp:orm", mine.creator_lacks)
        self._has("admin", *USUAL)
        self.env.invalidate_all()
        self.assertFalse(mine.creator_lacks)
        self.people["admin"].group_ids -= self.env.ref("doorman.group_admin")
        self.env.invalidate_all()
        self.assertTrue(invite.creator_lacks)

    # ---- raw RPC ----

    def test_nobody_creates_writes_or_deletes_by_hand(self):
        invite, _token = self.invite()
        scopes = [Command.set(self.scopes("mcp:sql").ids)]
        later = fields.Datetime.now() + timedelta(days=9)
        vals = {"scope_ids": scopes, "expires_at": later, "company_id": 1}
        for role in ROLES:
            mine = invite.with_user(self.people[role])
            for run in (
                partial(mine.create, vals),
                partial(mine.write, {"scope_ids": scopes}),
                partial(mine.write, {"max_uses": 99}),
                partial(mine.write, {"expires_at": later}),
                partial(mine.write, {"state": "active"}),
                partial(mine.web_save, {"current_uses": 0}, {}),
                mine.unlink,
                mine.copy,
            ):
                with self.subTest(role=role, run=run.__name__ if 0 else str(run)[:60]):
                    self.assertEqual(self.outcome(run), "deny")

    def test_its_policy_is_frozen_for_code_as_well(self):
        invite, _token = self.invite()
        for vals in (
            {"scope_ids": [Command.clear()]},
            {"max_uses": 5},
            {"account_group_ids": [Command.clear()]},
            {"read_only": True},
            {"current_uses": 0},
            {"creator_id": 1},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                invite.sudo().write(vals)

    def test_its_approval_rules_are_fixed(self):
        rule = {"risk": "high", "more_than": 0, "reads": False}
        admin = self.people["admin"]
        boss = self.people["approver"]
        invite, _token = self.invite(
            approver_id=boss.id, approval_rule_ids=[Command.create(rule)]
        )
        [mine] = invite.approval_rule_ids.with_user(admin)
        self.assertEqual(mine.risk, "high")
        rules = self.env["doorman.approval.rule"].with_user(admin)
        own = rules.create({"connection_id": self.connection.id, "risk": "low"})
        for run in (
            partial(mine.write, {"risk": "low"}),
            partial(mine.write, {"invite_id": False, "connection_id": 1}),
            mine.unlink,
            partial(rules.create, {"invite_id": invite.id, "risk": "low"}),
            partial(own.write, {"invite_id": invite.id, "connection_id": False}),
        ):
            with self.subTest(run=str(run)[:60]):
                self.assertEqual(self.outcome(run), "deny")

    # ---- what is not valid ----

    def test_values_that_are_refused(self):
        now = fields.Datetime.now()
        bad = (
            {"scopes": ()},
            {"max_uses": 0},
            {"max_uses": -1},
            {"max_uses": 10_001},
            {"expires_at": now - timedelta(minutes=1)},
            {"expires_at": now + timedelta(days=366)},
            {"key_lifetime_hours": -1},
            {"key_lifetime_hours": 10**7},
            {"key_name_preset": " "},
            {"key_name_preset": "x" * 101},
            {"accept_from": "listed"},
            {"accept_from": "listed", "accept_list": " \n"},
            {"accept_from": "listed", "accept_list": "a b@example.com"},
            {"accept_from": "listed", "accept_list": "a@b@c"},
            {"accept_from": "anyone", "accept_list": "ann@example.com"},
            {"account_group_ids": [Command.set(self.env.ref("base.group_user").ids)]},
            {"allowed_ips": "nonsense"},
            {"rate_limit_minute": -1},
            {"approval_expiry_hours": 0},
            {"approver_id": self.people["portal"].id},
        )
        for vals in bad:
            with self.subTest(vals=vals):
                found = self.outcome(partial(self.invite, **vals), UserError)
                self.assertEqual(found, "deny")

    # ---- whose ----

    def test_administrators_see_the_invites_of_their_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.people["far"] = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        near, _token = self.invite()
        far, _token = self.invite("far")
        invites = self.env["doorman.invite"]
        for role, mine, others in (("admin", near, far), ("far", far, near)):
            person = self.people[role]
            with self.subTest(role=role):
                self.assertEqual(invites.with_user(person).search([]), mine)
                for name in ("action_revoke", "action_revoke_all"):
                    run = getattr(others.with_user(person), name)
                    self.assertEqual(self.outcome(run), "deny")
        self.assertEqual(near.state, "active")

    def test_revoking_is_for_administrators(self):
        for method in ("action_revoke", "action_revoke_all", "action_open_connections"):
            for role in ROLES:
                invite, _token = self.invite()
                with self.subTest(role=role, method=method):
                    run = getattr(invite.with_user(self.people[role]), method)
                    looks = method == "action_open_connections"
                    may = ("admin", "auditor") if looks else ("admin",)
                    expected = "allow" if role in may else "deny"
                    self.assertEqual(self.outcome(run), expected)
                    if method != "action_open_connections":
                        gone = "revoked" if role == "admin" else "active"
                        self.assertEqual(self.state(invite)[0], gone)

    def test_no_message_about_what_one_does_not_see(self):
        """It would show the invite's name to who sends it."""
        invite, _token = self.invite()
        for role in ROLES:
            mine = invite.with_user(self.people[role])
            me = self.people[role].partner_id.ids
            with self.subTest(role=role):
                run = partial(mine.message_notify, body="x", partner_ids=me)
                expected = "allow" if role in ("admin", "auditor") else "deny"
                self.assertEqual(self.outcome(run), expected)

    def test_its_chatter_is_kept(self):
        invite, token = self.invite()
        self.accept(token)
        admin = self.people["admin"]
        told = invite.message_ids.with_user(admin)[:1]
        for run in (
            partial(told.write, {"body": "x"}),
            told.unlink,
            partial(
                invite.with_user(admin).message_post,
                body="x",
                author_id=self.people["user"].partner_id.id,
            ),
        ):
            self.assertEqual(self.outcome(run, UserError), "deny")
        self.assertTrue(invite.with_user(admin).message_post(body="call Ann"))
