from odoo import models
from odoo.tools import SQL

from ..policy import gate, in_force, shared
from ..policy.change_scope import Trial, acting, undoable, writing
from ..policy.gate import Waits
from ..policy.refusal import Refusal, _lt
from ..tools import changed_records, operations
from ..tools.arguments import no_record
from ..tools.call import call_of, run
from .fence import Stored

# What it comes to.
MAY, WAITS, REFUSED = "may", "waits", "refused"
TIMEOUT_MS = "10000"
READ, WRITE, CREATE, UNLINK = "read", "write", "create", "unlink"
# What is kept of a credential that is valid.
STORED = """
    SELECT p.proof
      FROM doorman_connection_proof p
      JOIN res_users_apikeys k ON k.id = p.api_key_id
     WHERE p.connection_id = %(id)s
       AND (k.expiration_date IS NULL
            OR k.expiration_date >= now() at time zone 'utc')
     UNION ALL
    SELECT t.stored
      FROM doorman_oauth_token t
      JOIN doorman_oauth_family f ON f.id = t.family_id
     WHERE f.connection_id = %(id)s AND t.kind = 'access'
       AND t.expires_at > now() at time zone 'utc'
     LIMIT 1
"""


class DoormanGateway(models.AbstractModel):
    """Whether a connection may do something, and what decides it: by the functions that
    decide a call, one after the other, as far as there is something to decide."""

    _inherit = "doorman.gateway"

    def _explain(self, connection, tool, model, ids):
        """:param connection: one record
        :param str tool: its name in the catalog
        :param str model: technical name, or ""
        :param list ids: of records of it, or none in particular
        :return: ``{outcome, steps, snapshot}``; a step is ``{step, outcome, message,
            hint, code}``, and the last one is what decides
        """
        self.env.cr.execute(SQL(STORED, id=connection.id))
        found = self.env.cr.fetchone()
        row = self._fence_row(Stored(found[0] if found else ""), TIMEOUT_MS, "on")
        request = self._example(tool, model, ids)
        steps = []
        with undoable(self.env), in_force.until_the_end(self.env.cr):
            for step, look in self._looks(connection, row, request, tool):
                steps.append({"step": step} | self._looked(look, model))
                if steps[-1]["outcome"] != MAY:
                    break
            self._undo()
        return {
            "outcome": steps[-1]["outcome"],
            "steps": steps,
            "snapshot": row and self._snapshot(row),
        }

    def _looked(self, look, model):
        """:return: what came of one step, in the language of who asks"""
        try:
            said = look() or ""
        except Waits:
            return {"outcome": WAITS, "message": self.env._("It needs approval.")}
        except Exception as exc:
            self._undo()
            failure = self._failure(exc, model)
            told = failure.told(self.env.lang or "en_US")
            told.pop("kind")
            return {"outcome": REFUSED} | told
        return {"outcome": MAY, "message": said}

    def _example(self, tool, model, ids):
        """The least request of a tool: what it names, and no values."""
        published = [("name", "=", tool), ("state", "=", "published")]
        own = self.env["doorman.own.tool"].search(published)
        model = model or own.model_name or ""
        found = next(
            (
                one
                for one in operations.OPERATIONS.values()
                if operations.is_offered(self.env, one.name)
                and one.needs_model == bool(model)
                and self._stands_for(one, tool, own)
            ),
            None,
        )
        method = found.name if found else None
        kwargs = {found.tool_argument: tool} if found and found.tool_argument else {}
        return {"model": model, "method": method, "ids": ids, "kwargs": kwargs}

    @staticmethod
    def _stands_for(one, tool, own):
        """Whether an operation is that of a tool.

        :param own: the published tool of that name that somebody made, or none
        """
        if own:
            return bool(one.tool_argument) and one.reads == own.only_reads
        return one.tool == tool

    def _looks(self, connection, row, request, tool):
        """:return: pairs of a step, and the function that takes it"""
        yield "sign_in", lambda: self._look_at_sign_in(connection, row)
        if operations.of(request) is None:
            yield "tool", lambda: self._look_at_tool(connection, row, request, tool)
            return
        changes = self._changes(request)
        check = self._check_may_write if changes else self._check_may_read
        yield "policy", lambda: check(connection, row, request)
        guard = None

        def companies():
            nonlocal guard
            guard = self._guard(connection, row, request)
            return ", ".join(guard.env.companies.sudo().mapped("name"))

        yield "companies", companies
        yield "model", lambda: self._look_at_model(guard, request, changes)
        if request["model"]:
            yield "rights", lambda: self._look_at_rights(guard, request)
        yield "approval", lambda: self._look_at_gate(connection, row, request, tool)

    # ---- steps ----

    def _look_at_sign_in(self, connection, row):
        refusal, reason = self._refusal(row)
        if row is None:
            states = dict(connection._fields["state"]._description_selection(self.env))
            reason = _lt(
                "It has no valid key or token. Its status: %(status)s.",
                status=states[connection.state],
            )
        if refusal:
            refusal.words = _lt(
                "%(refusal)s (%(reason)s)", refusal=refusal.words, reason=reason
            )
            raise refusal

    def _look_at_tool(self, connection, row, request, tool):
        """Of a tool that the service answers by itself, or one that needs a model."""
        _read_only, _scopes, tools, _approval = connection._write_rule(row["version"])
        self._check_tool(tool, tools)
        if tool not in self.env["doorman.tool"]._facts():
            raise Refusal("unknown_tool", _lt(shared.SAY_UNKNOWN_TOOL, tool))
        if request["model"]:
            return self.env._("This tool does not work on a model.")
        return self.env._("Choose a model to see what else it requires.")

    def _look_at_model(self, guard, request, changes):
        call = call_of(guard, request)
        if changes and call.model is not None and not call.operation.method_argument:
            changed_records.check_may_change(guard, call.model)

    def _look_at_rights(self, guard, request):
        """What Odoo lets the user do, and the rules which records there are."""
        call = call_of(guard, request)
        operation = call.operation
        does = READ if operation.reads else WRITE
        does = CREATE if operation.creates else UNLINK if operation.deletes else does
        with acting(guard.env):
            if not request["ids"]:
                call.model.check_access(does)
                return
            records = guard.records(call.model, request["ids"], write=does != READ)
            if missing := records - records.exists():
                raise no_record(missing)
            records.check_access(does)
        if operation.deletes:
            # Whatever stands against it says so; it is undone.
            with writing(guard.env, Trial()):
                run(call)
                self.env.flush_all()

    def _look_at_gate(self, connection, row, request, tool):
        *_others, approval = connection._write_rule(row["version"])
        if not self._changes(request):
            self._check_reading(connection, row, request)
        elif gate.always_waits(approval, tool, self._risk_of(tool)):
            raise Waits
        elif approval:
            return self.env._(
                "It may need approval, depending on what it changes: %s.",
                "; ".join(
                    connection.approval_rule_ids.mapped("display_name")
                    + [self.env._("what leaves the company")]
                    * bool(approval.get("outward"))
                ),
            )
