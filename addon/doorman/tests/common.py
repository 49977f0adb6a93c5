import hashlib
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, TransactionCase

from ..tools import operations

QUIET = {"no_reset_password": True, "tracking_disable": True}

# Logins of the people in the tests, and the groups that make them what they are.
PEOPLE = {
    "portal": ["base.group_portal"],
    "internal": ["base.group_user"],
    "user": ["doorman.group_user"],
    "user2": ["doorman.group_user"],
    "admin": ["doorman.group_admin"],
    # Decides on approvals of the connection of "user", and is nothing else.
    "approver": ["base.group_user"],
    "auditor": ["doorman.group_auditor"],
    # A person who was put into the service's group, and is not the service.
    "impostor": ["base.group_user", "doorman.group_service"],
}
ROLES = ("public", *PEOPLE)
# The highest number that a transaction can have.
ENDLESS = str(2**64 - 1)


def proof_of(credential):
    """What the service sends instead of a credential."""
    return hashlib.sha256(credential.encode()).hexdigest()


class DoormanMixin:
    """People, connections and a gateway to call, for both kinds of test cases."""

    @classmethod
    def _set_up_doorman(cls):
        cls.company = cls.env.ref("base.main_company")
        cls.people = {"public": cls.env.ref("base.public_user")}
        # At once: every class makes them, and one by one takes 2.5 times as long.
        people = cls._persons(*(cls._person_vals(*person) for person in PEOPLE.items()))
        cls.people.update(zip(PEOPLE, people, strict=True))
        cls.service = cls.env.ref("doorman.user_service")
        cls.settings = cls.env["doorman.settings"]._get()
        cls.settings._switch(True)
        cls.gateway = cls.env["doorman.gateway"].with_user(cls.service)
        cls.connection = cls._connect("user", approver_id=cls.people["approver"].id)
        cls.connection2 = cls._connect("user2")
        cls.credential = cls.connection._issue_key()
        cls.proof = proof_of(cls.credential)

    @classmethod
    def _person(cls, login, groups, **vals):
        return cls._persons(cls._person_vals(login, groups, **vals))

    @classmethod
    def _persons(cls, *vals):
        """People whose records know nothing of how they were made."""
        users = cls.env["res.users"].with_context(**QUIET).create(list(vals))
        return cls.env["res.users"].browse(users.ids)

    @classmethod
    def _person_vals(cls, login, groups, **vals):
        return {
            "name": f"Test {login}",
            "login": f"dm-{login}",
            "email": f"{login}@example.com",
            "company_id": cls.company.id,
            "company_ids": [Command.set(cls.company.ids)],
            "group_ids": [Command.set([cls.env.ref(g).id for g in groups])],
        } | vals

    @classmethod
    def _connect(cls, role, **vals):
        vals = {
            "name": f"Tool of {role}",
            "user_id": cls.people[role].id,
            # Most tests are of other things than what leaves the company.
            "approve_outward": False,
        } | vals
        connections = cls.env["doorman.connection"].with_context(**QUIET)
        return cls.env["doorman.connection"].browse(connections.create(vals).id)

    @classmethod
    def tool(cls, name):
        """A tool of the catalog, without the right to write it."""
        tool = cls.env["doorman.tool"]._inside().create({"name": name})
        return cls.env["doorman.tool"].browse(tool.id)

    @classmethod
    def approval(cls, **vals):
        """A request of the first connection, as if it had been made by a call."""
        vals = {
            "summary": "Do it",
            "tool": "delete_records",
            "connection_id": cls.connection.id,
            "requester_id": cls.people["user"].id,
            "approver_id": cls.people["approver"].id,
            "payload": '{"ids":[],"kwargs":{},"method":"unlink","model":"res.partner"}',
            "digest": str(uuid.uuid4()),
            "expires_at": "2100-01-01 00:00:00",
        } | vals
        approval = cls.env["doorman.approval"]._inside().create(vals)
        return cls.env["doorman.approval"].browse(approval.id)

    def used(self, connection=None, ago=0, **vals):
        """A row of the audit, as a call leaves it.

        :param int ago: days
        """
        connection = connection or self.connection
        self.env["doorman.audit"]._insert(
            {
                "time": fields.Datetime.now() - timedelta(days=ago),
                "connection_id": connection.id,
                "connection_name": connection.name,
                "user_id": connection.user_id.id,
                "method": "tools/call",
                "outcome": "ok",
                "count": 1,
            }
            | vals
        )

    def allow_models(self, *names, connection=None):
        """Limit a connection to these models; to none in particular without any."""
        models = self.env["ir.model"].search([("model", "in", names)])
        self.assertEqual(len(models), len(names), f"some of {names} do not exist")
        (connection or self.connection).allowed_model_ids = [Command.set(models.ids)]

    def allow_writes(self, connection=None):
        """Add the scope that writing tools have."""
        scope = self.env.ref("doorman.scope_orm")
        (connection or self.connection).scope_ids = [Command.link(scope.id)]

    @contextmanager
    def doing(self, run, name="trial", **facts):
        """The time in which an operation does something else: ``run(call)``. One that
        there is not comes to be, and reads.

        :param facts: of ``Operation``, where they differ
        """
        known = operations.get(name)
        if known:
            found = replace(known, run=run, **facts)
        else:
            facts = {"module": "doorman", "tool": "trial_tool", "reads": True} | facts
            if not facts["reads"]:
                facts = {"scope": operations.WRITE_SCOPE} | facts
            found = operations.Operation(name=name, run=run, **facts)
        with patch.dict(operations.OPERATIONS, {name: found}):
            yield

    def fence(self, proof=None, **changes):
        """A fence that holds, but for ``changes``."""
        proof = proof or self.proof
        self.env.flush_all()
        snapshot = self.gateway.resolve(proof)["snapshot"]
        return {
            "proof": proof,
            "connection": snapshot["connection"]["id"],
            "version": snapshot["connection"]["version"],
            "settings_version": snapshot["settings"]["version"],
            "groups": snapshot["user"]["groups"],
            "registry": snapshot["registry"],
        } | changes

    def request(self, model, method, ids=None, /, context=None, more=None, **kwargs):
        """:param dict more: of the request itself, e.g. ``{"dry_run": True}``"""
        return {
            "model": model,
            "method": method,
            "ids": ids,
            "kwargs": kwargs,
            "context": context or {},
            "timeout_ms": 10_000,
            "audit": {"tool": "test", "ip": "192.0.2.1", "request_id": "r1"},
        } | (more or {})

    def call(self, model, method, ids=None, fence=None, **kwargs):
        """One call through the gateway, as the service makes it."""
        fence = fence or self.fence()
        return self.gateway.call(fence, self.request(model, method, ids, **kwargs))

    def put_before(self, request, fence=None):
        """Put a request before a person, whether a rule wants that or not.

        :return: its answer
        """
        gateway, fence = self.gateway, fence or self.fence()
        answer, audit = gateway._fenced(fence, request, gateway._ask, durable=True)
        gateway._leave_row(answer, audit, time.monotonic())
        return answer

    def run_job(self, name):
        """Run a job as the service does; what it did, by name."""
        # A test is one transaction, which its job would wait for.
        audit = type(self.env["doorman.audit"])
        with patch.object(audit, "_window", lambda _: (ENDLESS, ENDLESS)):
            answer = self.gateway.run_job(name)
        self.assertEqual(set(answer), {"counts", "more"}, answer)
        return answer["counts"]

    def kind(self, *args, **kwargs):
        """How a call ended. See ``kind_of``."""
        return self.kind_of(self.call(*args, **kwargs))

    @staticmethod
    def kind_of(answer):
        """``ok``, ``stale``, ``pending_approval`` or the kind of an error."""
        if "error" in answer:
            return answer["error"]["kind"]
        if "pending" in answer:
            return "pending_approval"
        return "stale" if "stale" in answer else "ok"

    def rows(self):
        """The audit as it stands, newest first, as dicts."""
        self.env.cr.execute("SELECT * FROM doorman_audit ORDER BY id DESC")
        return self.env.cr.dictfetchall()

    def new_rows(self, before):
        return self.rows()[: -len(before) or None]

    def outcome(self, run, *denials, undo=False):
        """``allow`` or ``deny``; whatever else goes wrong is an error of the test."""
        try:
            with self.env.cr.savepoint() as savepoint:
                run()
                self.env.flush_all()
                if undo:
                    savepoint.rollback()
        except (AccessError, *denials):
            return "deny"
        return "allow"


# How long a request of a test may take, in seconds. Odoo's own 12 are little on a busy
# machine, and what passes never waits for the end of it.
PATIENCE = 180


class PatientHttpCase(HttpCase):
    def url_open(self, url, *args, timeout=PATIENCE, **kwargs):
        return super().url_open(url, *args, timeout=timeout, **kwargs)


class DoormanCase(DoormanMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()


class WriteCase(DoormanCase):
    """A connection that may write, of a user who may change contacts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("base.group_partner_manager").id)
        ]
        cls.acme = cls.env["res.partner"].create({"name": "Acme"})

    def setUp(self):
        super().setUp()
        self.allow_writes()

    def create(self, *rows, model="res.partner", **kwargs):
        return self.call(model, "create", vals_list=list(rows), **kwargs)

    def write(self, records, vals, **kwargs):
        return self.call(records._name, "write", records.ids, vals=vals, **kwargs)

    def method(self, records, name, arguments=None, **kwargs):
        request = self.request(
            records._name, "call_method", records.ids or None, **kwargs
        )
        request["kwargs"] = {"method": name, "kwargs": arguments or {}}
        return self.gateway.call(self.fence(), request)

    def partners(self, name):
        return self.env["res.partner"].search([("name", "=", name)])


class ApprovalCase(WriteCase):
    """A connection whose deletions wait for a person, and people who may decide."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        catalog = cls.env["doorman.tool"]
        known = {t.name: t for t in catalog.with_context(active_test=False).search([])}
        cls.tools = {}
        for name, risk in TOOL_RISKS.items():
            tool = known.get(name) or cls.tool(name)
            tool._inside().write({"risk": risk})
            cls.tools[name] = tool.browse(tool.id)

    def setUp(self):
        super().setUp()
        self.gate("delete_records")

    def gate(self, *tools, connection=None):
        """Let the calls of these tools wait, and no others."""
        tools = [self.tools[name].id for name in tools]
        (connection or self.connection).approval_tool_ids = [Command.set(tools)]

    def rule(self, **vals):
        vals = {"connection_id": self.connection.id} | vals
        return self.env["doorman.approval.rule"].create(vals)

    def ask(self, model, method, ids=None, /, fence=None, **kwargs):
        """Put a call before a person, whether a rule wants that or not.

        :return: its answer
        """
        request = self.request(model, method, ids, **kwargs)
        request["arguments"] = {"model": model, "ids": ids}
        return self.put_before(request, fence)

    def waiting(self, *args, **kwargs):
        """:return: the request for approval that a call became"""
        answer = self.ask(*args, **kwargs)
        self.assertIn("pending", answer)
        return self.env["doorman.approval"].browse(answer["pending"]["request_id"])

    def waiting_delete(self):
        return self.waiting("res.partner", "unlink", self.acme.ids)

    def ask_kind(self, *args, **kwargs):
        """How asking ended: ``pending``, ``ok`` or the kind of its error."""
        answer = self.ask(*args, **kwargs)
        if "error" in answer:
            return answer["error"]["kind"]
        return "pending" if "pending" in answer else "ok"

    def by(self, role, approval):
        """The request, as somebody sees it."""
        return approval.with_user(self.people[role])

    def status(self, approval, **changes):
        answer = self.gateway.approval_status(
            self.fence(**changes), approval.id, {"tool": "approval_status"}
        )
        return answer.get("approval") or answer["error"]["kind"]

    def activities(self, approval):
        return self.env["mail.activity"].search(
            [("res_model", "=", "doorman.approval"), ("res_id", "=", approval.id)]
        )


# The tools that change something, with the risk that the service's catalog says.
TOOL_RISKS = {
    "create_records": "medium",
    "copy_records": "medium",
    "update_records": "medium",
    "delete_records": "high",
    "call_method": "high",
    "post_message": "medium",
    "search_records": "low",
}
