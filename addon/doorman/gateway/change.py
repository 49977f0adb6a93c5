import json
from functools import partial

from odoo import models
from odoo.tools.json import json_default

from ..policy import canonical_json, gate
from ..policy.change_scope import writing
from ..policy.refusal import Refusal
from ..tools import custom_tool_text, registry

WRITE_SCOPE = "mcp:orm"
# The tool that stands for each method, as the service's catalog names them.
TOOLS = {
    "create": "create_records",
    "write": "update_records",
    "unlink": "delete_records",
    "call_method": "call_method",
    "message_post": "post_message",
    "activity_schedule": "schedule_activity",
    "request_upload": "request_upload",
    "run_python": "run_python",
}
# Scopes of tools that are no ordinary writing, whatever the catalog says of them.
SCOPES = {"run_python": "mcp:shell", "run_sql": "mcp:sql"}


class DoormanGateway(models.AbstractModel):
    """Requests that change something.

    scope, read only ── key: answered before? ── the change ── everything it sets off
    ── for a dry run: undone
    """

    _inherit = "doorman.gateway"

    def _write(self, connection, row, request, audit, approved=False):
        """One change, as the connection's user.

        :param dict audit: its row, which learns what was touched
        :param bool approved: a person has approved it
        :return: the answer, plain JSON
        """
        self._check_may_write(connection, row, request)
        dry_run, key = request.get("dry_run"), request.get("idempotency_key")
        guard = self._guard(connection, row, request)
        # Also where the answer is an old one: what may no longer be asked for is not
        # answered.
        if request.get("model"):
            guard.model(request["model"])
        if not approved:
            self._check_gate(guard, connection, row, request)

        if request.get("method") == "run_python":
            audit["message"] = self._code(request)
            guard.step = partial(self._step, connection, row, dict(audit), approved)

        def run():
            with writing(guard.env, dry_run):
                value = registry.run(guard, request)
                # E-mails, tracking and the like belong to the change: what fails in
                # them must undo it, not follow it.
                self.env.cr.flush()
                return json.loads(json.dumps(value, default=json_default))

        if key is None or dry_run:
            value, replayed = run(), False
        else:
            value, replayed = self.env["doorman.idempotency"]._once(
                row["id"], key, canonical_json.of_request(request), run
            )
        if dry_run:
            self._undo()
            audit["reason"] = "dry_run"
        if replayed:
            value["replayed"] = True
            audit["reason"] = "replayed"
        if value.get("ids") and not audit.get("record_ids"):
            audit["record_ids"] = ",".join(map(str, value["ids"]))
        return value

    def _check_may_write(self, connection, row, request):
        """The service has decided that already. Whoever stole a client's key and the
        service's key would not ask it."""
        read_only, scopes, tools, _approval = connection._write_rule(row["version"])
        if read_only:
            raise Refusal("read_only", "This connection may only read.")
        scope_of = self.env["doorman.scope"]._codes_by_group()
        user = self.env["res.users"].browse(row["user_id"])
        granted = {scope_of[g] for g in user._get_group_ids() if g in scope_of}
        needed = SCOPES.get(request.get("method"), WRITE_SCOPE)
        if needed not in granted & self._within_token(row, scopes):
            raise Refusal(
                "not_allowed", f"This connection does not have the scope {needed}."
            )
        facts = self.env["doorman.tool"]._facts()
        for tool in sorted({tool for tool, _model in self._parts(self.env, request)}):
            if tools is not None and tool not in tools:
                raise Refusal("not_allowed", f"This connection may not use {tool}.")
            if not facts.get(tool, (True, ""))[0]:
                raise Refusal("not_allowed", f"{tool} is switched off in this Odoo.")

    @staticmethod
    def _parts(env, request):
        """What a request does: to its own records, and by its commands to others. A
        tool is no less asked for where the values of another do its work.

        :return: a set of ``(tool, technical name of the model)``
        """
        name = request.get("model") or ""
        tool = custom_tool_text.name_of(request) or TOOLS.get(request.get("method"), "")
        parts = {(tool, name)}
        if request.get("method") == "activity_schedule":
            # A rule for activities is also for those that are made by their own tool.
            parts.add(("schedule_activity", "mail.activity"))
        elif request.get("method") == "request_upload":
            parts.add(("request_upload", "ir.attachment"))
        return parts | gate.parts_of(env[name], request) if name in env else parts
