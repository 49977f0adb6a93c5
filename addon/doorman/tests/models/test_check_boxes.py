from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ...models.extensions.res_users_page import SCOPE_FIELDS
from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestCheckBoxes(DoormanCase):
    """The five permissions on a person's form, as Odoo's client saves them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.env["res.users"].create(
            {
                "name": "Boss",
                "login": "dm-boss",
                "group_ids": [
                    Command.link(cls.env.ref("base.group_user").id),
                    Command.link(cls.env.ref("base.group_system").id),
                    Command.link(cls.env.ref("doorman.group_admin").id),
                ],
            }
        )
        cls.mcp_user = cls.env.ref("doorman.group_user")

    def person(self, *ticked):
        """:return: an internal user with these permissions, read by nobody yet"""
        groups = [self.env.ref(SCOPE_FIELDS[name]) for name in ticked]
        user = self.env["res.users"].create(
            {
                "name": "P",
                "login": f"dm-p{len(ticked)}-{self.env['res.users'].search_count([])}",
            }
        )
        user.group_ids = [Command.link(self.env.ref("base.group_user").id)] + [
            Command.link(group.id) for group in groups
        ]
        self.cold()
        return user

    def cold(self):
        self.env.flush_all()
        self.env.invalidate_all()

    def ticked(self, user):
        self.cold()
        return {name for name in SCOPE_FIELDS if user.sudo()[name]}

    def save(self, user, vals):
        self.cold()
        form = user.with_user(self.boss)
        form.web_save(vals, {name: {} for name in SCOPE_FIELDS})

    def test_one_does_not_clear_the_others(self):
        every = set(SCOPE_FIELDS)
        for name in SCOPE_FIELDS:
            with self.subTest(untick=name):
                user = self.person(*SCOPE_FIELDS)
                self.save(user, {name: False})
                self.assertEqual(self.ticked(user), every - {name})
            with self.subTest(tick=name):
                user = self.person()
                self.save(user, {name: True})
                self.assertEqual(self.ticked(user), {name})

    def test_several_at_once(self):
        user = self.person("doorman_orm", "doorman_sql")
        self.save(user, {"doorman_orm": False, "doorman_search": True})
        self.assertEqual(self.ticked(user), {"doorman_search", "doorman_sql"})

    def test_an_mcp_user_with_what_was_ticked_in_the_same_save(self):
        link = [Command.link(self.mcp_user.id)]
        for vals, expected in (
            ({"doorman_search": True}, {"doorman_search"}),
            ({"doorman_shell": True, "doorman_orm": False}, {"doorman_shell"}),
            ({"doorman_orm": False}, set()),
            ({}, {"doorman_metadata", "doorman_search", "doorman_orm"}),
        ):
            with self.subTest(vals=vals):
                user = self.person()
                self.save(user, vals | {"group_ids": link})
                self.assertTrue(user.has_group("doorman.group_user"))
                self.assertEqual(self.ticked(user), expected)

    def test_a_new_person(self):
        """A new form sends all five."""
        none = dict.fromkeys(SCOPE_FIELDS, False)
        groups = [Command.link(self.env.ref("base.group_user").id)]
        groups.append(Command.link(self.mcp_user.id))
        usual = {"doorman_metadata", "doorman_search", "doorman_orm"}
        for number, (ticked, expected) in enumerate(
            (({}, usual), ({"doorman_sql": True}, {"doorman_sql"}))
        ):
            with self.subTest(ticked=ticked):
                vals = {"name": "N", "login": f"dm-n{number}", "group_ids": groups}
                users = self.env["res.users"].with_user(self.boss)
                user = users.create(vals | none | ticked)
                self.assertEqual(self.ticked(user), expected)
        rows = [
            {"name": "A", "login": "dm-na", "group_ids": groups} | none,
            {"name": "B", "login": "dm-nb", "group_ids": groups, "doorman_orm": True},
        ]
        first, second = self.env["res.users"].create(rows)
        self.assertEqual((first.name, second.name), ("A", "B"))
        self.assertEqual(self.ticked(first), usual)
        self.assertEqual(self.ticked(second), {"doorman_orm"})

    def test_who_may(self):
        user = self.person("doorman_orm")
        for role in ("user", "admin", "internal", "approver"):
            mine = user.with_user(self.people[role])
            own = self.people[role].with_user(self.people[role])
            for someone in (mine, own):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    someone.write({"doorman_sql": True})
        self.assertEqual(self.ticked(user), {"doorman_orm"})

    # ---- the button ----

    def test_give_what_a_connection_needs(self):
        scopes = self.env["doorman.scope"].search([])
        person = self.people["internal"]
        connection = self.connection.sudo().copy({"user_id": person.id, "name": "c"})
        connection.scope_ids = [
            Command.set(scopes.filtered(lambda s: s.code != "mcp:shell").ids)
        ]
        self.assertIn("mcp:sql", connection.missing_scopes)
        for role in ("user", "admin", "internal"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                connection.with_user(self.people[role]).action_give_permissions()
        self.assertIn("mcp:sql", connection.missing_scopes)
        connection.with_user(self.boss).action_give_permissions()
        self.cold()
        self.assertFalse(connection.missing_scopes)
        self.assertTrue(person.has_group("doorman.group_user"))
        self.assertNotIn("doorman_shell", self.ticked(person))

    def test_in_the_wizard(self):
        person = self.people["internal"]
        wizard = (
            self.env["doorman.connect.wizard"]
            .with_user(self.boss)
            .create(
                {"name": "w", "user_id": person.id, "access": "read", "step": "key"}
            )
        )
        self.assertEqual(wizard.missing_scopes, "mcp:metadata, mcp:search")
        action = wizard.action_give_permissions()
        self.assertEqual(action["res_id"], wizard.id)
        self.cold()
        self.assertFalse(wizard.missing_scopes)
        self.assertEqual(self.ticked(person), {"doorman_metadata", "doorman_search"})
        with self.assertRaises(AccessError):
            wizard.with_user(self.people["admin"]).sudo(False).action_give_permissions()

    # ---- what a call is told ----

    def test_a_refusal_says_whose_it_is(self):
        user = self.people["user"]
        orm = self.env.ref("doorman.group_scope_orm")
        scope = self.env.ref("doorman.scope_orm")
        self.connection.sudo().scope_ids = [Command.link(scope.id)]
        self.assertEqual(self.lacking(), [])
        user.sudo().group_ids = [Command.unlink(orm.id)]
        self.assertEqual(self.lacking(), ["mcp:orm"])
        error = self.refused()
        self.assertEqual(error["code"], "permission_missing")
        self.connection.sudo().scope_ids = [Command.unlink(scope.id)]
        self.assertEqual(self.lacking(), [])
        error = self.refused()
        self.assertEqual(error["code"], "scope_missing")

    def refused(self):
        partner = self.env["res.partner"].create({"name": "Acme"})
        request = self.request("res.partner", "write", partner.ids, vals={"ref": "x"})
        return self.gateway.call(self.fence(), request)["error"]

    def lacking(self):
        self.cold()
        policy = self.gateway.resolve(self.proof)["snapshot"]["policy"]
        return policy["lacking_scopes"]
