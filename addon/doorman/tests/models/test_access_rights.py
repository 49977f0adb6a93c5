from functools import partial

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import ROLES, DoormanCase

# record -> operation -> who may; everyone else gets an AccessError. ``user`` is the
# owner of the first connection, ``user2`` of the second.
MATRIX = {
    "connection": {
        "read": {"user", "admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "connection2": {
        "read": {"user2", "admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "audit": {"read": {"user", "admin", "auditor"}},
    "audit2": {"read": {"user2", "admin", "auditor"}},
    "stranger": {"read": {"admin", "auditor"}},
    "use_day": {"read": {"admin", "auditor"}},
    "use_stranger": {"read": {"admin", "auditor"}},
    "use": {"read": {"user", "admin", "auditor"}},
    "use2": {"read": {"user2", "admin", "auditor"}},
    "scope": {"read": {"user", "user2", "admin", "auditor"}},
    "tool": {"read": {"user", "user2", "admin", "auditor"}, "write": {"admin"}},
    "own_tool": {
        "read": {"admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "own_tool_parameter": {
        "read": {"admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "settings": {"read": {"admin", "auditor"}, "write": {"admin"}},
    "pickup": {"read": {"admin"}},
    "wizard": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    # Of "user", about their connection: a dialog is its maker's alone. What it does,
    # its method decides.
    # Made by "user" and put before "approver", who is not an MCP user.
    "approval": {"read": {"user", "approver", "admin", "auditor"}},
    "model_rule": {
        "read": {"user", "admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "invite_wizard_model_rule": {
        "read": {"admin"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "approval_rule": {
        "read": {"user", "admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "approve_many": {
        "read": {"approver"},
        "create": {
            "internal",
            "user",
            "user2",
            "admin",
            "approver",
            "auditor",
            "impostor",
        },
    },
    "revoke_many": {"read": {"user"}, "create": {"user", "user2", "admin"}},
    "reject": {
        "read": {"approver"},
        "write": {"approver"},
        "create": {"user", "admin", "approver", "auditor"},
    },
    "oauth_client": {"read": {"admin", "auditor"}},
    "issuer": {
        "read": {"admin", "auditor"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "issuer_client": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    "invite": {"read": {"admin", "auditor"}},
    "acceptance": {"read": {"admin", "auditor"}},
    "policy_change": {"read": {"admin", "auditor"}},
    "invite_wizard": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    "invite_wizard_rule": {
        "read": {"admin"},
        "write": {"admin"},
        "create": {"admin"},
        "unlink": {"admin"},
    },
    "rotate": {"read": {"user"}, "write": {"user"}, "create": {"user", "admin"}},
    "key": {"read": {"admin", "auditor"}},
    "explain": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    # The administrator's own: a dialog is its maker's alone.
    "record_history": {
        "read": {"admin"},
        "write": {"admin"},
        "create": {"admin", "auditor"},
    },
    "replica": {"read": {"admin", "auditor"}},
    "rotate_service": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    "review_copy": {"read": {"admin"}, "write": {"admin"}, "create": {"admin"}},
    "review_copy_line": {"read": {"admin"}, "write": {"admin"}},
    "undo": {"read": {"user"}, "write": {"user"}, "create": {"user", "admin"}},
}
CLIENT = {
    "name": "x",
    "client_id": "x",
    "kind": "dynamic",
    "redirect_uris": "https://x.example/cb",
}
CHANGE = {
    "field_name": "allow_sql",
    "asked_by_id": 1,
    "asked_at": "2020-01-01",
    "expires_at": "2100-01-01",
}
OPERATIONS = ("read", "write", "create", "unlink")

# No table, so nothing to read; the dialog with the key needs both to open.
ABSTRACT = {
    "doorman.overview": {},
    "doorman.gateway": {},
    "doorman.day": {},
    "doorman.idempotency": {},
    "doorman.wizard": {},
    "doorman.oauth.request": {},
    "doorman.oauth.token": {},
    "doorman.api.mixin": {},
    "doorman.dialog.mixin": {},
    "doorman.many.mixin": {},
    "doorman.policy.mixin": {},
    "doorman.policy.line.mixin": {},
    "doorman.model.rule.mixin": {},
    "doorman.approval.rule.mixin": {},
    "doorman.thread.mixin": {},
    "doorman.shown.mixin": {},
    "doorman.widening.mixin": {},
    "doorman.protected.mixin": {},
    "doorman.notice": {},
    "doorman.undo": {},
    "doorman.undo.mixin": {},
    "doorman.loose.mixin": {},
    "doorman.use.mixin": {},
    "doorman.key.show": {
        "read": {"user", "user2", "admin"},
        "create": {"user", "user2", "admin"},
    },
}


@tagged("post_install", "-at_install")
class TestAccessRights(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        audit = cls.env["doorman.audit"]
        for connection in (cls.connection, cls.connection2, None):
            audit._insert(
                {
                    "connection_id": connection and connection.id,
                    "user_id": connection and connection.user_id.id,
                    "company_id": connection and cls.company.id,
                    "outcome": "refused",
                    "count": 1,
                }
            )
        scopes = [Command.set(cls.env.ref("doorman.scope_search").ids)]
        invites = cls.env["doorman.invite"].with_user(cls.people["admin"])
        cls.invite, _token = invites._make({"scope_ids": scopes})
        cls.acceptance = cls.env["doorman.invite.acceptance"].create(
            {
                "invite_id": cls.invite.id,
                "user_id": cls.people["user"].id,
                "accepted_at": "2020-01-01",
            }
        )
        words = {"title": "x", "description": "x"}
        cls.own_tool = cls.env["doorman.own.tool"].create({"name": "own1", **words})
        cls.issuer = cls.env["doorman.oauth.issuer"].create(
            {"name": "IdP", "issuer": "https://idp.example.com"}
        )
        cls.records = cls._make_records()
        cls.vals = cls._values(scopes, words)

    @classmethod
    def _make_records(cls):
        """One of each model, by the name that the rows of the table have for it."""
        stranger, audit2, audit1 = cls.env["doorman.audit"].search([], limit=3)
        admin = cls.people["admin"]
        return {
            "invite": cls.env["doorman.invite"].browse(cls.invite.id),
            "acceptance": cls.acceptance,
            "invite_wizard": cls.env["doorman.invite.wizard"]
            .with_user(admin)
            .create({}),
            "invite_wizard_rule": cls.env["doorman.invite.wizard.rule"]
            .with_user(admin)
            .create({}),
            "oauth_client": cls.env["doorman.oauth.client"].browse(
                cls.env["doorman.oauth.client"]._new(CLIENT).id
            ),
            "issuer": cls.issuer,
            "issuer_client": cls.env["doorman.issuer.client"]
            .with_user(admin)
            .create({"issuer_id": cls.issuer.id, "name": "x"}),
            "connection": cls.connection,
            "connection2": cls.connection2,
            "use_day": cls._use("doorman.use.day", company_id=cls.company.id),
            "use_stranger": cls._use("doorman.use.day", company_id=False),
            "use": cls._use("doorman.use.connection", connection_id=cls.connection.id),
            "use2": cls._use(
                "doorman.use.connection", connection_id=cls.connection2.id
            ),
            "audit": audit1,
            "audit2": audit2,
            "stranger": stranger,
            "scope": cls.env.ref("doorman.scope_search"),
            "tool": cls.tool("t1"),
            "own_tool": cls.own_tool,
            "own_tool_parameter": cls.env["doorman.own.tool.parameter"].create(
                {"own_tool_id": cls.own_tool.id, "name": "p"}
            ),
            "settings": cls.settings,
            "policy_change": cls.env["doorman.policy.change"]
            ._inside()
            .create(CHANGE)
            .with_env(cls.env),
            "pickup": cls.env["doorman.pickup"].create(
                {"connection_id": cls.connection.id, "expires_at": "2100-01-01"}
            ),
            "wizard": cls.env["doorman.connect.wizard"]
            .with_user(cls.people["admin"])
            .create({}),
            "approval": cls.approval(),
            "model_rule": cls.env["doorman.model.rule"].create(
                {"connection_id": cls.connection.id, "perm_write": True}
            ),
            "invite_wizard_model_rule": cls.env["doorman.invite.wizard.model.rule"]
            .with_user(admin)
            .create({}),
            "approval_rule": cls.env["doorman.approval.rule"].create(
                {"connection_id": cls.connection.id, "risk": "high"}
            ),
            "approve_many": cls.env["doorman.approve.many"]
            .with_user(cls.people["approver"])
            .create({}),
            "revoke_many": cls.env["doorman.revoke.many"]
            .with_user(cls.people["user"])
            .create({}),
            "reject": cls.env["doorman.reject"]
            .with_user(cls.people["approver"])
            .create({"approval_id": cls.approval().id, "reason": "no"}),
            "rotate": cls.env["doorman.rotate.key"]
            .with_user(cls.people["user"])
            .create({"connection_id": cls.connection.id}),
            "key": cls.env["doorman.key.report"].search(
                [("connection_id", "=", cls.connection.id)]
            ),
            "explain": cls.env["doorman.explain"]
            .with_user(cls.people["admin"])
            .create(cls._question()),
            "rotate_service": cls.env["doorman.rotate.service.key"]
            .with_user(cls.people["admin"])
            .create({}),
            "record_history": cls.env["doorman.record.history"]
            .with_user(cls.people["admin"])
            .create({"model_id": cls.env["ir.model"]._get_id("res.partner")}),
            "replica": cls.env["doorman.replica"].create(
                {"identifier": "a", "seen": "2026-01-01 00:00:00"}
            ),
            "review_copy": cls.env["doorman.review.copy"]
            .with_user(cls.people["admin"])
            .create({}),
            "review_copy_line": cls.env["doorman.review.copy"]
            .with_user(cls.people["admin"])
            .create({})
            .line_ids[:1],
            "undo": cls.env["doorman.undo.dialog"]
            .with_user(cls.people["user"])
            .create({"connection_id": cls.connection.id, "change_id": 1}),
        }

    @classmethod
    def _use(cls, model, **vals):
        domain = [(name, "=", value) for name, value in vals.items()]
        return cls.env[model].search(domain, limit=1)

    @classmethod
    def _question(cls):
        tool = cls.env["doorman.tool"].search([], limit=1) or cls.tool("read_records")
        return {"connection_id": cls.connection.id, "tool_id": tool.id}

    @classmethod
    def _values(cls, scopes, words):
        """:return: ``{model: (values to write, values to create)}``"""
        return {
            "doorman.connection": ({"name": "x"}, {"name": "x"}),
            "doorman.audit": ({"tool": "x"}, {"outcome": "ok", "tool": "x"}),
            "doorman.use.day": ({"requests": 0}, {"outcome": "ok"}),
            "doorman.use.connection": ({"requests": 0}, {"outcome": "ok"}),
            "doorman.oauth.client": ({"active": False}, CLIENT | {"client_id": "y"}),
            "doorman.oauth.issuer": (
                {"match_email": True},
                {"name": "y", "issuer": "https://idp2.example.com"},
            ),
            "doorman.issuer.client": (
                {"name": "y"},
                {"issuer_id": cls.issuer.id, "name": "y"},
            ),
            "doorman.scope": ({"sequence": 1}, {"name": "x", "code": "y"}),
            "doorman.tool": ({"active": False}, {"active": True}),
            "doorman.own.tool": ({"title": "y"}, {"name": "own2", **words}),
            "doorman.own.tool.parameter": (
                {"required": True},
                {"own_tool_id": cls.own_tool.id, "name": "q"},
            ),
            "doorman.pickup": (
                {"used_at": False},
                {"connection_id": cls.connection.id, "expires_at": "2100-01-01"},
            ),
            "doorman.connect.wizard": ({"name": "x"}, {"name": "x"}),
            "doorman.invite": (
                {"description": "x"},
                {"scope_ids": scopes, "expires_at": "2100-01-01"},
            ),
            "doorman.invite.acceptance": (
                {"ip": "x"},
                {
                    "invite_id": cls.invite.id,
                    "user_id": cls.people["user2"].id,
                    "accepted_at": "2020-01-01",
                },
            ),
            "doorman.invite.wizard": ({"max_uses": 2}, {"max_uses": 2}),
            "doorman.invite.wizard.rule": ({"risk": "low"}, {"risk": "low"}),
            "doorman.invite.wizard.model.rule": (
                {"perm_create": True},
                {"perm_create": True},
            ),
            "doorman.rotate.key": (
                {"overlap_minutes": 1},
                {"connection_id": cls.connection.id},
            ),
            "doorman.key.report": (
                {"expires_at": False},
                {"connection_id": cls.connection.id},
            ),
            "doorman.explain": ({"model_id": False}, cls._question()),
            "doorman.rotate.service.key": (
                {"overlap_minutes": 1},
                {"overlap_minutes": 1},
            ),
            "doorman.record.history": (
                {"res_id": 2},
                {"model_id": cls.env["ir.model"]._get_id("res.partner")},
            ),
            "doorman.replica": (
                {"url": "x"},
                {"identifier": "b", "seen": "2026-01-01 00:00:00"},
            ),
            "doorman.review.copy": ({"purpose": "beside"}, {"purpose": "beside"}),
            "doorman.review.copy.line": (
                {"keep": True},
                {"kind": "connection", "record": cls.connection.id},
            ),
            "doorman.undo.dialog": (
                {"why_not": "x"},
                {"connection_id": cls.connection.id, "change_id": 1},
            ),
            "doorman.approve.many": ({"left": 1}, {"left": 1}),
            "doorman.revoke.many": ({"connection_ids": []}, {"connection_ids": []}),
            "doorman.approval": ({"summary": "x"}, {"summary": "x", "tool": "x"}),
            "doorman.model.rule": (
                {"perm_create": True},
                {
                    "connection_id": cls.connection.id,
                    "model_id": cls.env["ir.model"]._get_id("res.partner"),
                },
            ),
            "doorman.approval.rule": (
                {"more_than": 1},
                {"connection_id": cls.connection.id, "risk": "low"},
            ),
            "doorman.policy.change": ({"field_name": "x"}, CHANGE),
            "doorman.reject": (
                {"reason": "x"},
                {"approval_id": cls.records["approval"].id, "reason": "x"},
            ),
            "doorman.settings": ({"public_url": "https://x"}, {"public_url": "x"}),
        }

    def _operation(self, record, operation):
        write, create = self.vals[record._name]
        return {
            "read": lambda: record.read(["display_name"]),
            "write": lambda: record.write(dict(write)),
            "create": lambda: record.browse().create(self._create(record, create)),
            "unlink": record.unlink,
        }[operation]

    def _create(self, record, vals):
        if record._name == "doorman.connection":
            return {**vals, "user_id": self.people["user"].id}
        if record._name == "doorman.scope":
            return {**vals, "group_id": self.env.ref("base.group_user").id}
        return dict(vals)

    def test_matrix(self):
        for name, allowed in MATRIX.items():
            for operation in OPERATIONS:
                for role in (*ROLES, "service"):
                    person = self.people.get(role, self.service)
                    record = self.records[name].with_user(person)
                    with self.subTest(record=name, operation=operation, role=role):
                        run = self._operation(record, operation)
                        found = self.outcome(run, undo=True)
                        expected = role in allowed.get(operation, ())
                        self.assertEqual(found, "allow" if expected else "deny")

    def test_abstract_models(self):
        for name, allowed in ABSTRACT.items():
            for operation in OPERATIONS:
                for role in (*ROLES, "service"):
                    person = self.people.get(role, self.service)
                    with self.subTest(model=name, operation=operation, role=role):
                        model = self.env[name].with_user(person)
                        expected = role in allowed.get(operation, ())
                        self.assertEqual(model.has_access(operation), expected)

    def test_every_model_of_ours_is_in_a_table(self):
        ours = {m for m in self.env.registry if m.startswith("doorman.")}
        tested = {record._name for record in self.records.values()}
        self.assertEqual(ours, tested | set(ABSTRACT))

    def test_searches_show_own_records_only(self):
        for role, expected in (
            ("user", self.connection),
            ("user2", self.connection2),
        ):
            with self.subTest(role=role):
                connections = self.env["doorman.connection"]
                found = connections.with_user(self.people[role]).search([])
                self.assertEqual(found, expected)

    def test_groups_and_counts_follow_the_rules(self):
        audit = self.env["doorman.audit"].with_user(self.people["user"])
        self.assertEqual(audit.search_count([("user_login", "!=", "x")]), 1)
        groups = audit.formatted_read_group([], ["user_id"], ["__count"])
        self.assertEqual([g["__count"] for g in groups], [1])

    def test_sums_follow_the_rules(self):
        """What is of another company is neither shown nor counted."""
        other = self.env["res.company"].create({"name": "Other"})
        for company, count in ((other, 3), (self.company, 4)):
            self.env["doorman.audit"]._insert(
                {
                    "connection_id": 1,
                    "connection_name": "sums",
                    "company_id": company.id,
                    "outcome": "pending",
                    "count": count,
                }
            )
        admin = self.people["admin"]
        for model in ("doorman.use.day", "doorman.use.connection"):
            use = self.env[model].with_user(admin)
            with self.subTest(model=model):
                [total] = use._read_group(
                    [("outcome", "=", "pending")], [], ["requests:sum"]
                )
                self.assertEqual(total, (4,))
                self.assertFalse(use.search([("company_id", "=", other.id)]))
        admin.company_ids = [Command.link(other.id)]
        both = self.env["doorman.use.day"].with_user(admin)
        both = both.with_context(allowed_company_ids=[self.company.id, other.id])
        self.assertEqual(both._per_outcome()["pending"], 7)
        for role in ("user", "internal", "approver", "portal"):
            with self.subTest(role=role, deny=True):
                day = self.env["doorman.use.day"].with_user(self.people[role])
                self.assertEqual(self.outcome(day._per_outcome), "deny")

    def test_exports_follow_the_rules(self):
        """What Odoo's own export writes into the CSV file."""
        names = ["connection_name", "outcome", "user_id/.id"]
        may_export = self.env.ref("base.group_allow_export")
        for role in ("user", "user2", "admin", "internal", "approver"):
            self.people[role].write({"group_ids": [Command.link(may_export.id)]})
        everything = self.env["doorman.audit"].search_count([])
        for role, count in (("user", 1), ("user2", 1), ("admin", everything)):
            with self.subTest(role=role):
                audit = self.env["doorman.audit"].with_user(self.people[role])
                rows = audit.search([]).export_data(names)["datas"]
                self.assertEqual(len(rows), count)
        for role in ("user", "internal", "approver", "portal"):
            with self.subTest(role=role, deny=True):
                others = self.records["audit2"].with_user(self.people[role])
                run = partial(others.export_data, names)
                self.assertEqual(self.outcome(run, UserError), "deny")

    def test_the_service_user_reads_nothing_of_the_business(self):
        for model in ("res.partner", "res.company", "ir.attachment", "mail.message"):
            with self.subTest(model=model):
                model = self.env[model].with_user(self.service)
                self.assertFalse(model.has_access("read"))

    def test_administrators_see_their_companies_only(self):
        other = self.env["res.company"].create({"name": "Other"})
        person = self._person(
            "far", ["doorman.group_user"], company_id=other.id, company_ids=other.ids
        )
        self.people["far"] = person
        far = self._connect("far")
        admin = self.people["admin"]
        seen = self.env["doorman.connection"].with_user(admin).search([])
        self.assertNotIn(far, seen)
        for method in ("action_revoke", "action_rotate_key", "unlink"):
            with self.subTest(method=method):
                found = self.outcome(getattr(far.with_user(admin), method))
                self.assertEqual(found, "deny")
        for vals in ({}, {"company_id": self.company.id}):
            with self.subTest(vals=vals):
                vals = {"name": "x", "user_id": person.id, **vals}
                connections = self.env["doorman.connection"].with_user(admin)
                run = partial(connections.create, vals)
                self.assertEqual(self.outcome(run, UserError), "deny")

    def test_clients_of_other_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        far = self._person(
            "far", ["doorman.group_user"], company_id=other.id, company_ids=other.ids
        )
        clients = self.env["doorman.oauth.client"]
        theirs = clients._new(CLIENT | {"client_id": "far", "user_id": far.id})
        shared = self.records["oauth_client"]
        admin = self.people["admin"]
        seen = clients.with_user(admin).search([])
        self.assertNotIn(theirs, seen.sudo())
        self.assertIn(shared, seen)
        for method in ("action_end", "action_rotate_secret", "action_restore"):
            with self.subTest(method=method):
                mine = clients.browse(theirs.id).with_user(admin)
                self.assertEqual(self.outcome(getattr(mine, method)), "deny")
        # What people of other companies use is not for one administrator to end.
        self.people["far"] = far
        self._connect("far")._inside().oauth_client_id = shared
        run = shared.with_user(admin).action_end
        self.assertEqual(self.outcome(run), "deny")

    def test_an_administrator_cannot_move_a_connection_out_of_sight(self):
        """The record rule is about the company: who writes it picks who may see."""
        other = self.env["res.company"].create({"name": "Other"})
        mine = self.connection.with_user(self.people["admin"])
        self.outcome(lambda: mine.write({"company_id": other.id}))
        self.env.invalidate_all()
        self.assertEqual(self.connection.company_id, self.company)
