from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_custom_tools import ACLS, OwnCase


@tagged("post_install", "-at_install")
class TestOwnToolsPublish(OwnCase):
    """Who makes a tool of an action, and what takes it back."""

    @mute_logger(*ACLS)
    def test_who_may(self):
        own = self._own("other", self.action)
        expected = {
            "both": "allow",
            "admin": "deny",
            "system": "deny",
            "user": "deny",
            "internal": "deny",
            "portal": "deny",
            "public": "deny",
            "impostor": "deny",
        }
        for role, found in expected.items():
            with self.subTest(role=role):
                mine = own.with_user(self.people[role])
                self.assertEqual(self.outcome(mine.action_publish, undo=True), found)
        for role, found in (expected | {"admin": "allow"}).items():
            with self.subTest(withdraws=role):
                mine = self.own.with_user(self.people[role])
                self.assertEqual(self.outcome(mine.action_withdraw, undo=True), found)

    @mute_logger(*ACLS)
    def test_code_does_not_publish(self):
        """Neither that of a tool, nor that of an action which an Odoo administrator
        alone has written."""
        other = self._own("other", self.action)
        code = f"env['doorman.own.tool'].sudo().browse({other.id}).action_publish()"
        self.action.code = code
        with self.assertRaises(AccessError):
            self.action.with_user(self.people["system"]).with_context(
                active_model="res.partner", active_id=self.acme.id
            ).run()
        self.publish(self.own)
        for user in ("user", "both"):
            self.people["user"].group_ids = [
                Command.set(
                    (self.people["user"].group_ids | self.people[user].group_ids).ids
                )
            ]
            self.assertEqual(self.run_kind(parameters={"text": "x"}), "forbidden")
        self.assertEqual(other.state, "draft")

    @mute_logger(*ACLS)
    def test_nobody_forges_a_publication(self):
        own = self._own("other", self.action)
        forged = {
            "state": "published",
            "revision": 9,
            "fingerprint": self.own.fingerprint,
            "published_by_id": 2,
            "published_at": "2026-01-01",
            "tool_id": self.own.tool_id.id,
        }
        for role in ("both", "admin", "system", "user", "internal"):
            mine = own.with_user(self.people[role])
            for name, value in forged.items():
                with self.subTest(role=role, name=name), self.assertRaises(AccessError):
                    mine.write({name: value})
            with self.assertRaises(AccessError):
                mine.create(
                    {
                        "name": "third",
                        "title": "x",
                        "description": "x",
                        "state": "published",
                    }
                )
        self.assertEqual(own.copy().state, "draft")
        copies = [self.own.copy() for _time in range(3)]
        self.assertEqual({own.state for own in copies}, {"draft"})
        names = [own.name for own in copies]
        self.assertEqual(names, ["note_it_copy", "note_it_copy2", "note_it_copy3"])

    def test_each_change_takes_it_back(self):
        child = {
            "name": "c",
            "model_id": self.action.model_id.id,
            "state": "code",
            "code": "1",
        }
        country = self.env["ir.model"]._get_id("res.country")
        group = self.env.ref("base.group_system").ids
        parameter = self.own.parameter_ids
        system = self.action.with_user(self.people["system"])
        changes = {
            "code": lambda: system.write({"code": "1"}),
            "state": lambda: system.write({"state": "multi"}),
            "model": lambda: system.write({"model_id": country}),
            "groups": lambda: system.write({"group_ids": [Command.set(group)]}),
            "child": lambda: system.write({"child_ids": [Command.create(child)]}),
            "deleted": lambda: system.unlink(),
            "name": lambda: self.own.write({"name": "renamed"}),
            "title": lambda: self.own.write({"title": "renamed"}),
            "risk": lambda: self.own.write({"risk": "low"}),
            "scope": lambda: self.own.write({"description": "x"}),
            "reads": lambda: self.own.write({"only_reads": True}),
            "parameter": lambda: parameter.write({"required": False}),
            "another": lambda: self.param(self.own, "more"),
            "less": lambda: parameter.unlink(),
            "sql": lambda: self.env.cr.execute(
                "UPDATE ir_act_server SET code = '1' WHERE id = %s", [self.action.id]
            ),
        }
        for name, change in changes.items():
            with self.subTest(name), self.env.cr.savepoint() as point:
                arguments = self.arguments()
                self.env.flush_all()
                change()
                self.env.flush_all()
                self.env.invalidate_all()
                if name != "sql":
                    self.assertNotEqual(self.own.state, "published")
                    self.assertEqual(self.offered(), [])
                answer = self.gateway.call(self.fence(), arguments)
                self.assertIn(
                    answer["error"]["kind"], ("not_allowed", "unknown_tool"), answer
                )
                point.rollback()
                self.env.invalidate_all()
        self.assertEqual(self.run_kind(), "ok")

    def test_a_change_below_takes_it_back(self):
        child = self._action("1")
        parent = self._action(state="multi", child_ids=[Command.set(child.ids)])
        own = self._own("several", parent)
        self.publish(own)
        child.code = "2"
        self.assertEqual(own.state, "changed")

    def test_a_fence_of_before_is_stale(self):
        fence = self.fence()
        self.own.action_withdraw()
        self.env.flush_all()
        self.assertIn("stale", self.gateway.call(fence, self.arguments()))

    def test_what_is_no_tool(self):
        for name, vals in {
            "capitals": {"name": "Note"},
            "spaces": {"name": "note it"},
            "empty": {"name": ""},
            "long": {"name": "x" * 41},
            "path": {"name": "a/b"},
            "no title": {"title": " "},
            "long words": {"description": "x" * 301},
            "scope": {"scope_id": self.env.ref("doorman.scope_sql").id},
            "shell": {"scope_id": self.env.ref("doorman.scope_shell").id},
            "search": {"scope_id": self.env.ref("doorman.scope_search").id},
            "other letters": {"name": "n\u043ete_it"},
            "a line": {"name": "note_it\n"},
            "turned round": {"title": "Note \u202eti"},
            "hidden": {"description": "Writes\u200b a note. \U000e0041"},
            "a bell": {"description": "Writes \x07"},
        }.items():
            with self.subTest(name), self.assertRaises(ValidationError):
                self._own(**({"name": "fine", "action": self.action} | vals))
        for name, vals in {
            "a name of ours": {"name": "ids"},
            "capitals": {"name": "Text"},
            "no model": {"kind": "record"},
            "no choices": {"kind": "selection", "choices": " , "},
            "hidden": {"description": "a\u2066b"},
            "hidden choice": {"kind": "selection", "choices": "a, b\u202e"},
            "the floor": {"kind": "record", "model_id": self.floor_model()},
        }.items():
            with self.subTest(name), self.assertRaises(ValidationError):
                self.param(self.own, **({"name": "fine"} | vals))

    def floor_model(self):
        return self.env["ir.model"]._get_id("ir.rule")

    def test_what_is_not_published(self):
        self.tool("taken_name")
        rule = self._action("1", model="ir.rule")
        users = self._action("1", model="res.users")
        part = self._action("1")
        self._action(state="multi", child_ids=[Command.set(part.ids)])
        for name, own in {
            "the name of a tool": self._own("taken_name", self.action),
            "the floor": self._own("on_floor", rule),
            "only read": self._own("on_users", users),
            "no action": self._own("nothing", self.env["ir.actions.server"]),
            "zero for o": self._own("n0te_it", self.action),
            "one underscore less": self._own("noteit", self.action),
            "like one of ours": self._own("takenname", self.action),
            "a scheduled one": self._own("cron", self._action("1", usage="ir_cron")),
            "a part of another": self._own("part", part),
        }.items():
            with self.subTest(name), self.assertRaises(UserError):
                self.publish(own)

    def test_there_is_room_for_some(self):
        owns = [
            self._own(f"tool_{letter * 3}", self.action, description="x" * 300)
            for letter in "abcdefghjkmnpqrtuvwxyz"
        ]
        fit = 0
        with self.assertRaises(UserError):
            for own in owns:
                self.publish(own)
                fit += 1
        self.assertGreater(fit, 10)

    def test_what_changes_below_the_orm_is_found(self):
        """By each call, and by the service's next look at the catalog."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE doorman_own_tool_parameter SET kind = 'integer' WHERE id = %s",
            self.own.parameter_ids.ids,
        )
        self.env.invalidate_all()
        self.assertEqual(self.run_kind(), "not_allowed")
        self.assertEqual(self.own.state, "published")
        self.gateway.sync_catalog([])
        self.assertEqual(self.own.state, "changed")
        self.assertEqual(self.offered(), [])

    def test_the_template_that_it_sends(self):
        template = self.env["mail.template"].create(
            {"name": "t", "model_id": self.action.model_id.id, "subject": "a"}
        )
        action = self._action(state="mail_post", template_id=template.id)
        own = self._own("send_it", action)
        self.publish(own)
        self.env.cr.execute(
            "UPDATE mail_template SET write_date = write_date - interval '1 day'"
        )
        self.env.invalidate_all()
        self.assertEqual(self.run_kind(own, {}), "not_allowed")

    def test_the_service_does_not_touch_it(self):
        catalog = [{"name": "search_records", "scope": "mcp:search", "risk": "low"}]
        self.gateway.sync_catalog(catalog)
        self.assertEqual(self.run_kind(), "ok")
        self.gateway.sync_catalog([{"name": "note_it", "risk": "low", "scope": "x"}])
        self.assertEqual((self.own.name, self.own.state), ("note_it_own", "draft"))
        self.assertEqual(self.own.tool_id.name, "note_it_own")
        theirs = self.env["doorman.tool"].search([("name", "=", "note_it")])
        self.assertEqual((theirs.kind, theirs.risk), ("builtin", "low"))
        self.assertNotEqual(theirs, self.own.tool_id)

    def test_it_makes_way_where_the_next_name_is_taken(self):
        """Else the service's catalog would never be taken over again."""
        self._own("note_it_own", self._action())
        self.gateway.sync_catalog([{"name": "note_it", "risk": "low", "scope": "x"}])
        self.assertEqual(self.own.name, "note_it_own2")
        self.assertEqual(self.own.tool_id.name, "note_it_own2")

    def test_from_the_menu_nothing_comes_in(self):
        """The same action run in Odoo: a context gives it no parameters."""
        forged = {
            "active_model": "res.partner",
            "active_ids": self.acme.ids,
            "active_id": self.acme.id,
            "doorman": {"text": "forged"},
            "doorman_own_run": {"text": "forged"},
        }
        action = self.action.with_user(self.people["user"]).with_context(**forged)
        with self.assertRaises(ValueError):
            action.run()
        self.assertFalse(self.acme.comment)
