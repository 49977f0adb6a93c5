import functools

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import ROLES, DoormanCase

# What only checked methods may set, with a value that would be worth forging.
CONNECTION = {
    "state": "connected",
    "version": 99,
    "request_count": 7,
    "last_used": "2020-01-01 00:00:00",
    "api_key_id": 1,
    "tools_restricted": True,
    "models_restricted": True,
    "companies_restricted": True,
    "state_since": "2020-01-01 00:00:00",
    "needs_activation": True,
    "expiry_reminded": True,
    "invite_id": 1,
    "invite_reminded": True,
    "dynamic_registration": True,
    "client_id": "forged",
    "client_type": "public",
    "redirect_uris": "https://attacker.example",
    "oauth_client_id": 1,
}
CLIENT = {
    "name": "forged",
    "active": True,
    "client_id": "forged",
    "kind": "custom",
    "client_type": "public",
    "redirect_uris": "https://attacker.example",
    "client_uri": "https://attacker.example",
    "software": "forged",
    "user_id": 1,
}
FROZEN = {"auth_type": "oauth"}
SETTINGS = {
    "enabled": False,
    "all_read_only": True,
    "all_read_only_by": "forged",
    "version": 99,
    "models_restricted": True,
}
TOOL = {"name": "forged", "scope_code": "mcp:metadata", "risk": "low"}
APPROVAL = {
    "state": "executed",
    "summary": "Nothing of importance",
    "connection_id": 1,
    "connection_name": "forged",
    "requester_id": 1,
    "client": "forged",
    "approver_id": 1,
    "approver_group_id": 1,
    "tool": "forged",
    "risk": "low",
    "model": "forged",
    "model_label": "forged",
    "orm_method": "forged",
    "record_count": 0,
    "payload": "{}",
    "digest": "0",
    "arguments": "{}",
    "idempotency_key": "forged",
    "preview": {},
    "in_languages": {},
    "versions": {},
    "revision": 99,
    "requested_at": "2020-01-01 00:00:00",
    "expires_at": "2200-01-01 00:00:00",
    "reminded": True,
    "decided_by_id": 1,
    "decided_at": "2020-01-01 00:00:00",
    "hours_to_decide": 0.1,
    "self_approved": True,
    "reason": "forged",
    "result": "{}",
    "policy_version": 1,
    "change_id": 7,
    "first_approver_id": 1,
    "first_approved_at": "2020-01-01 00:00:00",
    "error_kind": "forged",
    "error_message": "forged",
    "error_hint": "forged",
    "error_code": "forged",
    "error_words": {"source": "forged", "args": {}, "module": "doorman"},
    "summary_told": "forged",
    "reason_words": {"source": "forged", "args": {}, "module": "doorman"},
}
INVITE = {
    "state": "active",
    "current_uses": 0,
    "max_uses": 99,
    "expires_at": "2200-01-01 00:00:00",
    "creator_id": 1,
    "company_id": 1,
    "key_name_preset": "forged",
    "key_lifetime_hours": 0,
    "accept_from": "anyone",
    "accept_list": "forged@example.com",
    "new_accounts": True,
    "account_group_ids": [Command.clear()],
    "account_group_all": [1],
    "scope_ids": [Command.clear()],
    "read_only": False,
    "research_tools": True,
    "allowed_tool_ids": [Command.clear()],
    "allowed_model_ids": [Command.clear()],
    "company_ids": [Command.clear()],
    "approval_tool_ids": [Command.clear()],
    "approval_rule_ids": [Command.clear()],
    "two_approvers": False,
    "model_rule_ids": [Command.clear()],
    "approve_outward": False,
    "approver_id": 1,
    "approver_group_id": 1,
    "approval_expiry_hours": 1,
    "allowed_ips": "0.0.0.0/0",
    "blocked_ips": False,
    "rate_limit_minute": 1000,
    "rate_limit_day": 1000,
    "recipient_domains": False,
    "rows_reply": 0,
    "rows_day": 0,
    "tools_restricted": False,
    "models_restricted": False,
    "companies_restricted": False,
    "description": "forged",
}
ACCEPTANCE = {
    "invite_id": 1,
    "user_id": 1,
    "accepted_at": "2020-01-01 00:00:00",
    "ip": "forged",
    "new_account": True,
    "address_proven": True,
    "connection_id": 1,
}
AUDIT = {
    "outcome": "ok",
    "tool": "forged",
    "message": "forged",
    "count": 0,
    "change_id": 7,
}

# Contexts by which a caller may try to pass for the addon itself.
CONTEXTS = (
    {},
    *({"doorman_inside": value} for value in (True, 1, "1", "SENTINEL", {}, [], None)),
    {"doorman_inside": {"__class__": "object"}, "install_mode": True},
    {"tracking_disable": True, "bypass": True, "su": True, "uid": 1},
    {"import_file": True, "no_reset_password": True},
)


@tagged("post_install", "-at_install")
class TestForging(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.the_tool = cls.tool("t1")
        cls.request_for_approval = cls.approval()
        admin = cls.people["admin"]
        invites = cls.env["doorman.invite"].with_user(admin)
        cls.invite = cls.env["doorman.invite"].browse(invites._make({})[0].id)
        cls.acceptance = cls.env["doorman.invite.acceptance"].create(
            {
                "invite_id": cls.invite.id,
                "user_id": admin.id,
                "accepted_at": "2020-01-01",
            }
        )
        cls.env["doorman.audit"]._insert(
            {
                "outcome": "refused",
                "tool": "t1",
                "count": 1,
                "user_id": cls.people["user"].id,
                "company_id": cls.company.id,
            }
        )
        cls.audit = cls.env["doorman.audit"].search([], limit=1)
        vals = {**CLIENT, "kind": "dynamic", "user_id": False}
        client = cls.env["doorman.oauth.client"]._new(vals)
        cls.client = cls.env["doorman.oauth.client"].browse(client.id)

    def _targets(self):
        other = {"user_id": self.people["user2"].id}
        return (
            (self.connection, CONNECTION | FROZEN | other),
            (self.settings, SETTINGS),
            (self.the_tool, TOOL),
            (self.audit, AUDIT),
            (self.request_for_approval, APPROVAL),
            (self.invite, INVITE),
            (self.acceptance, ACCEPTANCE),
            (self.client, CLIENT),
        )

    def _refused(self, run, *denials):
        self.assertEqual(self.outcome(run, *denials), "deny")

    def test_every_field_of_a_request_is_among_them(self):
        fields = self.request_for_approval._fields.items()
        ours = {
            name
            for name, field in fields
            if field._module == "doorman" and field.store and name in APPROVAL
        }
        stored = {
            name
            for name, field in fields
            if field._module == "doorman" and field.store and field.column_type
        } - {"create_uid", "create_date", "write_uid", "write_date"}
        self.assertEqual(ours, stored)

    def test_every_field_of_a_client_is_among_them(self):
        stored = {
            name
            for name, field in self.client._fields.items()
            if field._module == "doorman" and field.store
        } - {"create_uid", "create_date", "write_uid", "write_date"}
        self.assertEqual(stored - {"connection_ids"}, set(CLIENT))
        self.assertEqual(self.client._protected_fields, stored)

    def test_every_field_of_an_invite_is_among_them(self):
        for record, vals in ((self.invite, INVITE), (self.acceptance, ACCEPTANCE)):
            stored = {
                name
                for name, field in record._fields.items()
                if field._module == "doorman" and field.store
            } - {"create_uid", "create_date", "write_uid", "write_date"}
            self.assertEqual(stored - {"acceptance_ids"}, set(vals))

    def test_write_by_every_role(self):
        for record, vals in self._targets():
            for role in ROLES:
                mine = record.with_user(self.people[role])
                for name, value in vals.items():
                    with self.subTest(model=record._name, role=role, field=name):
                        run = lambda m=mine, n=name, v=value: m.write({n: v})  # noqa
                        self._refused(run)

    def test_write_with_crafted_contexts(self):
        admin = self.people["admin"]
        for record, vals in self._targets():
            for context in CONTEXTS:
                mine = record.with_user(admin).with_context(**context)
                for name, value in vals.items():
                    with self.subTest(model=record._name, field=name, ctx=context):
                        run = lambda m=mine, n=name, v=value: m.write({n: v})  # noqa
                        self._refused(run)

    def test_hidden_among_allowed_values(self):
        mine = self.connection.with_user(self.people["admin"])
        self._refused(lambda: mine.write({"name": "x", "state": "revoked"}))
        self.assertNotEqual(self.connection.name, "x")

    def test_web_save(self):
        for record, vals in self._targets():
            mine = record.with_user(self.people["admin"])
            for name, value in vals.items():
                with self.subTest(model=record._name, field=name):
                    run = lambda m=mine, n=name, v=value: m.web_save({n: v}, {})  # noqa
                    self._refused(run)

    def test_create_with_protected_values(self):
        connections = self.env["doorman.connection"].with_user(self.people["admin"])
        base = {"name": "x", "user_id": self.people["user"].id}
        for name, value in CONNECTION.items():
            for context in CONTEXTS:
                with self.subTest(field=name, context=context):
                    model = connections.with_context(**context)
                    run = lambda m=model, n=name, v=value: m.create(base | {n: v})  # noqa
                    self._refused(run)

    def _created_clean(self, model):
        connection = model.create({"name": "x", "user_id": self.people["user"].id})
        found = {name: connection[name] for name in CONNECTION}
        self.assertGreater(str(found.pop("state_since")), "2021")
        clean = {
            "state": "awaiting",
            "version": connection.version if connection.version < 50 else 1,
            "request_count": 0,
            "last_used": False,
            "api_key_id": self.env["res.users.apikeys"],
            "tools_restricted": False,
            "models_restricted": False,
            "companies_restricted": False,
            "needs_activation": False,
            "expiry_reminded": False,
            "invite_id": self.env["doorman.invite"],
            "invite_reminded": False,
            "dynamic_registration": False,
            "client_id": False,
            "client_type": False,
            "redirect_uris": False,
            "oauth_client_id": self.env["doorman.oauth.client"],
        }
        self.assertEqual(found, clean)

    def test_defaults_in_the_context_set_nothing_protected(self):
        model = self.env["doorman.connection"].with_user(self.people["admin"])
        for name, value in CONNECTION.items():
            with self.subTest(field=name):
                self._created_clean(model.with_context(**{f"default_{name}": value}))

    def test_stored_user_defaults_set_nothing_protected(self):
        admin = self.people["admin"]
        self.env["ir.default"].set(
            "doorman.connection", "state", "connected", user_id=admin.id
        )
        self.env["ir.default"].set(
            "doorman.connection", "request_count", 7, user_id=admin.id
        )
        self._created_clean(self.env["doorman.connection"].with_user(admin))

    def test_default_get_offers_nothing_protected(self):
        model = self.env["doorman.connection"].with_user(self.people["admin"])
        model = model.with_context(default_state="connected", default_version=99)
        offered = model.default_get(["state", "version"])
        self.assertEqual(offered.get("state", "awaiting"), "awaiting")
        self.assertEqual(offered.get("version", 1), 1)

    def test_copy_starts_anew(self):
        """A duplicate is possible, has no key and no history of the original."""
        self.connection._inside().write({"state": "idle", "request_count": 5})
        self.allow_models("res.partner")
        copy = self.connection.with_user(self.people["admin"]).copy()
        self.assertEqual(copy.state, "awaiting")
        self.assertFalse(copy.api_key_id)
        self.assertFalse(copy.request_count)
        self.assertEqual(copy.allowed_model_ids, self.connection.allowed_model_ids)
        self.assertTrue(copy.models_restricted)

    def test_copy_with_protected_defaults(self):
        mine = self.connection.with_user(self.people["admin"])
        for name, value in CONNECTION.items():
            with self.subTest(field=name):
                run = lambda n=name, v=value: mine.copy({n: v})  # noqa: E731
                self._refused(run)
        for record in (self.audit, self.the_tool, self.settings):
            with self.subTest(model=record._name):
                self._refused(record.with_user(self.people["admin"]).copy, UserError)

    def test_import(self):
        admin = self.people["admin"]
        model = self.env["doorman.connection"].with_user(admin)
        for name, value in CONNECTION.items():
            column = f"{name}/.id" if name == "api_key_id" else name
            with self.subTest(field=name):
                before = model.search_count([])
                with self.assertRaises(AccessError):
                    messages = model.load(
                        ["name", "user_id/.id", column],
                        [["x", str(self.people["user"].id), str(value)]],
                    )
                    # What import reports as a message is refused just as well.
                    raise AccessError(str(messages["messages"]))
                self.assertEqual(model.search_count([]), before)
        for other in ("doorman.audit", "doorman.tool", "doorman.settings"):
            with self.subTest(model=other):
                loaded = self.env[other].with_user(admin)
                found = self.outcome(
                    lambda m=loaded: self.assertTrue(m.load(["id"], [["a.b"]])["ids"]),
                    AssertionError,
                )
                self.assertEqual(found, "deny")

    def test_name_create(self):
        for model in ("doorman.audit", "doorman.tool", "doorman.settings"):
            with self.subTest(model=model):
                mine = self.env[model].with_user(self.people["admin"])
                self._refused(lambda m=mine: m.name_create("x"), UserError)
        mine = self.env["doorman.connection"].with_user(self.people["user"])
        self._refused(lambda: mine.name_create("x"))

    def test_nothing_of_another_model_leads_to_ours(self):
        """A one2many or many2many of another model to one of ours would be a way
        to write it with that model's rights."""
        found = {
            f"{name}.{field.name}"
            for name, model in self.env.registry.items()
            if not name.startswith("doorman.")
            for field in model._fields.values()
            if field.relational and (field.comodel_name or "").startswith("doorman.")
        }
        self.assertFalse(found)

    def test_an_email_makes_and_changes_nothing(self):
        """Odoo's mail gateway works with more right than its caller has, who names
        the model and the values: a user could make themselves a connection."""
        mail = (
            "From: nobody@example.com\nTo: x@example.com\nSubject: x\n"
            "Message-Id: <%s@example.com>\n\nRevoked."
        )
        values = {"name": "forged", "user_id": self.people["user"].id}
        records = self.connection | self.connection2, self.settings
        before = [r.message_ids for r in records]
        for role in ("internal", "user", "admin"):
            partners = self.env["res.partner"].with_user(self.people[role])
            for number, (model, thread) in enumerate(
                (
                    ("doorman.connection", None),
                    ("doorman.connection", self.connection2.id),
                    ("doorman.settings", self.settings.id),
                )
            ):
                with self.subTest(role=role, model=model, thread=thread):
                    text = mail % f"{role}-{number}"
                    run = functools.partial(
                        partners.message_process, model, text, values, thread_id=thread
                    )
                    self.assertEqual(self.outcome(run), "deny")
        forged = self.env["doorman.connection"].search([("name", "=", "forged")])
        self.assertFalse(forged)
        self.env.invalidate_all()
        self.assertEqual([r.message_ids for r in records], before)

    def test_nobody_speaks_in_anothers_name(self):
        admin, boss = self.people["admin"], self.env.ref("base.partner_admin")
        connection = self.connection.with_user(admin)
        messages = self.env["mail.message"].with_user(admin)
        forged = {"body": "Revoked.", "author_id": boss.id}
        about = {"model": "doorman.connection", "res_id": connection.id}
        defaults = {f"default_{name}": value for name, value in about.items()}
        for run in (
            lambda: connection.message_post(**forged),
            lambda: messages.create({**forged, **about}),
            lambda: messages.with_context(**defaults).create(forged),
            lambda: messages.create({**about, "body": "x", "author_id": False}),
            lambda: self.settings.with_user(admin).message_post(**forged),
        ):
            self.assertEqual(self.outcome(run), "deny")
        note = connection.message_post(body="call Ann")
        self.assertEqual(note.author_id, admin.partner_id)

    def test_no_message_about_what_one_does_not_see(self):
        """It would show the name of the connection to who sends it."""
        for role in ("internal", "user"):
            connection = self.connection2.with_user(self.people[role])
            me = self.people[role].partner_id.ids
            for run in (
                functools.partial(connection.message_notify, body="x", partner_ids=me),
                functools.partial(
                    connection.message_mail_with_source,
                    "doorman.pickup_gone_page",
                    partner_ids=me,
                ),
            ):
                with self.subTest(role=role):
                    self.assertEqual(self.outcome(run), "deny")
        mine = self.connection2.with_user(self.people["user2"])
        self.assertTrue(mine.message_notify(body="x", partner_ids=me))

    def test_an_activity_does_not_move_to_a_record_of_ours(self):
        """It would show the record's name, and write into its chatter when done."""
        user = self.people["user"]
        activity = self.connection.activity_schedule(
            "mail.mail_activity_data_todo", user_id=user.id
        )
        for vals in (
            {"res_id": self.connection2.id},
            {
                "res_model_id": self.env["ir.model"]._get_id("doorman.settings"),
                "res_id": self.settings.id,
            },
        ):
            run = functools.partial(activity.with_user(user).write, vals)
            self.assertEqual(self.outcome(run), "deny")
        partner = self.env["res.partner"].create({"name": "x"})
        other = partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=user.id
        )
        elsewhere = self.env["res.partner"].create({"name": "y"})
        other.with_user(user).write({"res_id": elsewhere.id})
        self.assertEqual(other.res_name, "y")

    def test_commands_through_our_own_relations(self):
        """Write access to a connection is not write access to what it names."""
        mine = self.connection.with_user(self.people["admin"])
        scope = self.env.ref("doorman.scope_shell")
        commands = {
            "allowed_tool_ids": [
                Command.create({"name": "x"}),
                Command.update(self.the_tool.id, {"scope_code": "x"}),
                Command.delete(self.the_tool.id),
            ],
            "scope_ids": [
                Command.create({"name": "x", "code": "y", "group_id": 1}),
                Command.update(scope.id, {"group_id": 1}),
                Command.delete(scope.id),
            ],
            "allowed_model_ids": [
                Command.create({"name": "x", "model": "x_x"}),
                Command.delete(self.env["ir.model"]._get_id("res.partner")),
            ],
            "company_ids": [Command.update(self.company.id, {"name": "x"})],
        }
        # As in a request: Odoo runs some commands as the user who opened the
        # transaction, which in a test is the superuser.
        transaction = self.env.transaction
        self.addCleanup(setattr, transaction, "default_env", transaction.default_env)
        transaction.default_env = mine.env
        for name, values in commands.items():
            for command in values:
                with self.subTest(field=name, command=command):
                    run = lambda n=name, c=command: mine.write({n: [c]})  # noqa: E731
                    self._refused(run, UserError)

    def test_audit_rows_stay_for_the_superuser_too(self):
        with self.assertRaises(AccessError):
            self.audit.sudo().unlink()
        with self.assertRaises(AccessError):
            self.audit.sudo().write({"tool": "x"})
        with self.assertRaises(AccessError):
            self.settings.sudo().unlink()

    def test_proofs_are_no_field_of_anything(self):
        tables = (
            "doorman_connection_proof",
            "doorman_service_key",
            "doorman_oauth_consent",
            "doorman_oauth_family",
            "doorman_oauth_secret",
        )
        for name, model in self.env.registry.items():
            self.assertNotIn(model._table, tables, name)
        for name in ("doorman.oauth.token", "doorman.oauth.request"):
            self.assertTrue(self.env[name]._abstract)
            self.assertFalse({"stored", "digest"} & set(self.env[name]._fields))
        self.assertNotIn("proof", self.env["doorman.connection"]._fields)
