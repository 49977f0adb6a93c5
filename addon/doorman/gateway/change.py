import json
from dataclasses import replace
from functools import partial

from odoo import models
from odoo.tools.json import json_default

from ..policy import (
    canonical_json,
    changed_rules,
    closed_models,
    gate,
    in_force,
    shared,
)
from ..policy.change_scope import Trial, writing
from ..policy.gate import Differs, Waits
from ..policy.outward_notes import Notes, RecipientRefused, digest
from ..policy.refusal import Refusal, _lt
from ..tools import operations, outward_words, text_losses, told_changes
from ..tools.call import call_of, run
from ..tools.describe import Describer
from ..tools.preview import Tried, look, tell


class DoormanGateway(models.AbstractModel):
    """Requests that change something.

    scope, read only ── does its tool always wait? ── key: answered before? ── the
    change, watched by the ledger, and everything that it sets off ── what was asked for
    against the policy ── what it did against the approval rules: if one matches,
    undone, and put before a person ── for a dry run: undone
    """

    _inherit = "doorman.gateway"

    def _write(self, connection, row, request, audit, approved=False, shown=None):
        """One change, as the connection's user.

        :param dict audit: its row, which learns what was touched
        :param bool approved: a person has approved it
        :param shown: the digest of what they were shown that leaves the company; None
            if nobody looked at that
        :return: the answer, plain JSON
        :raise Differs: if something else would leave
        :raise Waits: if a person has to approve it; the caller undoes what it did
        """
        self._check_may_write(connection, row, request)
        dry_run, key = request.get("dry_run"), request.get("idempotency_key")
        guard = self._guard(connection, row, request)
        # Also where the answer is an old one: what may no longer be asked for is not
        # answered.
        if request.get("model"):
            guard.model(request["model"])
        *_others, approval = connection._write_rule(row["version"])
        if approved or dry_run:
            approval = None
        tool = self._tool_of(request)
        if gate.always_waits(approval, tool, self._risk_of(tool)):
            raise Waits

        if code := self._code(request):
            audit["message"] = code
        call = call_of(guard, request)
        call = self._prepare(call, connection, row, request, audit, approved)

        def change():
            run = self._run_change
            return run(call, connection, row, request, audit, approval, shown)

        if key is None or dry_run:
            value, replayed = change(), False
        else:
            value, replayed = self.env["doorman.idempotency"]._once(
                row["id"], key, canonical_json.of_request(request), change
            )
        if dry_run:
            audit["reason"] = "dry_run"
        if replayed:
            value["replayed"] = True
            audit["reason"] = "replayed"
        if value.get("ids") and not audit.get("record_ids"):
            audit["record_ids"] = ",".join(map(str, value["ids"]))
        return value

    def _run_change(self, call, connection, row, request, audit, approval, shown):
        """Run a change, and hold what it did against the policy and the rules.

        :param approval: the rules by which a person decides, or None
        :param shown: as in ``_write``
        :return: the answer
        :raise Waits: if one of them matches
        """
        held = bool(approval or call.guard.domains) or shown is not None
        trial = Trial() if held or call.dry_run else None
        once = partial(self._once_through, call, connection, row, request, approval)
        try:
            value, noted, tried = once(trial, shown)
        except (Waits, Differs, RecipientRefused):
            raise
        except Exception:
            if not (held and trial.reached_out):
                raise
            # Without the network it fails: that it wants there is all there is to know.
            alone = Notes(call.env, trial).over_the_network()
            if alone and approval and approval.get("outward"):
                raise Waits(Tried([], outward=alone)) from None
            if shown is not None and digest(alone) != shown:
                raise Differs from None
        if held and trial.reached_out:
            # A person has agreed, or nothing of it matters to one, so it may leave
            # Odoo: once more, with the network. What it does now counts.
            self._undo_to("doorman_run")
            value, noted, tried = once(None, None)
        if call.dry_run:
            self._undo()
            return self._tell_tried(call, value, tried)
        self._count(approval, row, noted)
        changes = noted.changes()
        audit["changed"] = told_changes.text(changes)
        if noted.announced and not changes:
            return value  # no field shows its effect: the answer tells it
        told = {"changed": self._plain(told_changes.told(call.guard, changes))}
        return value | told | self._keep_for_undo(call, row, request, noted, audit)

    def _tell_tried(self, call, value, tried):
        """The answer of a dry run, which is undone."""
        told = value.get("changes")  # by a tool that tells by itself
        if told is None:
            told = self._plain(tell(call, tried))
            if left := len(tried.changes) - len(told):
                # Too many to be told one by one, or none that the user may read.
                name = call.env._("(%s more not shown)", left)
                told.append({"id": 0, "name": name, "set_off": True})
        kept = {k: value[k] for k in ("result", "steps", "sent", "stays") if k in value}
        words = list(value.get("warnings", ()))
        words += text_losses.of_changes(call.env, tried.changes)
        words += outward_words.sentences(call.env, tried.outward, call.guard)
        if words:
            kept["warnings"] = words
        return {"changes": told} | kept

    def _once_through(self, call, connection, row, request, approval, trial, shown):
        """:return: the answer, the Ledger, and what it holds if that is told later"""
        if trial is not None and not call.dry_run:
            self.env.cr.execute("SAVEPOINT doorman_run")
        with writing(call.env, trial) as noted:
            value = self._carry_out(call, request, noted)
            self._check_asked(call.guard, connection, row, request, noted)
            outward = noted.outward.entries()
            if shown is not None and digest(outward) != shown:
                raise Differs
            waits = self._waits(approval, row, noted, outward)
            tried = None
            if waits:
                call = replace(call, describer=Describer(*self._readers(connection)))
            if waits or call.dry_run:
                tried = look(call, noted)
                if not waits:  # a person who decides is shown all of it
                    told = told_changes.of_connection(call.guard, tried.changes)
                    tried.changes = told
            value = self._plain(value)
        if waits:
            raise Waits(tried)
        return value, noted, tried

    def _waits(self, approval, row, noted, outward=()):
        """Whether a change waits for a person, by what it did.

        :param noted: the Ledger of it
        :param outward: what of it leaves the company
        """
        return gate.change_waits(
            approval,
            {tool: self._risk_of(tool) for tool in noted.tools},
            noted.changes() + noted.announced,
            outward,
            partial(self.env["doorman.day"]._earlier, row["id"]),
        )

    def _count(self, approval, row, noted):
        """Count a change that nobody was asked for, where a rule counts them."""
        touched = {(one.model, one.id) for one in noted.changes() + noted.announced}
        if touched and gate.counts_days(approval):
            self.env["doorman.day"]._note(row["id"], noted.tools, touched)

    def _carry_out(self, call, request, noted):
        """Run a call, and everything that it sets off.

        :param noted: the Ledger that looks on; closed afterwards
        :return: the answer
        """
        noted.tools.add(self._tool_of(request))
        noted.outward.only_to(call.guard)
        value = run(call)
        # Emails, tracking and the like belong to the change: what fails in them must
        # undo it, not follow it.
        with in_force.code(self.env.cr):
            self.env.cr.flush()
        noted.close()
        noted.outward.check()
        return value

    @staticmethod
    def _plain(value):
        return json.loads(json.dumps(value, default=json_default))

    # ---- what was asked for ----

    def _check_asked(self, guard, connection, row, request, noted):
        """Hold what the caller has brought about against the policy: its models, and
        its tools. If the values of one tool do the work of another, both are needed.
        """
        _read_only, _scopes, tools, _approval = connection._write_rule(row["version"])
        asked = noted.asked_for()
        models_asked = {request.get("model") or "", *noted.models}
        parents = {p for name, _kind in asked for p in self.env[name]._inherits}
        for name, kind in asked:
            model = self.env[name]
            if name in parents or model._transient:
                continue
            if not (
                name in models_asked
                or guard.may_use(name)
                or name in closed_models.FOLLOWERS
                or changed_rules.is_part(model, models_asked)
            ):
                raise Refusal(
                    "model_not_allowed",
                    _lt(
                        "This would change %(model)s, which this connection cannot "
                        "use.",
                        model=name,
                    ),
                    _lt("Leave out the values that cause this."),
                )
            tool = gate.TOOL_OF[kind]
            if tool in noted.tools:
                continue
            noted.tools.add(tool)
            self._check_tool(tool, tools)
        if guard.rules is not None:
            changed_rules.check(guard, models_asked, parents, noted)

    def _prepare(self, call, connection, row, request, audit, approved):
        """What a change needs besides what it was asked: for addons that bring
        operations.

        :param dict audit: the row of the whole
        :param bool approved: a person has approved it
        :return: the Call that is run
        """
        return call

    @staticmethod
    def _changes(request):
        """Whether a request is one that changes something, if it is carried out."""
        return not operations.only_reads(request)

    def _code(self, request):
        """The beginning of the code or query of a request, for its audit row."""
        return self._text(operations.code_of(request))

    def _check_may_write(self, connection, row, request):
        """:raise Refusal: if the policy does not let this connection change so"""
        scope = operations.of(request).scope
        self._check_policy(connection, row, request, scope, writes=True)

    def _check_may_read(self, connection, row, request):
        """For what is read long after it was decided, or by code, or where a switch
        offers it: as ``_check_may_write``."""
        operation, tool = operations.of(request), self._tool_of(request)
        _active, _risk, scope = self._facts_of(tool)
        scope = operation.scope or scope if operation else scope
        self._check_policy(connection, row, request, scope, writes=False)
        switch = operation.switch if operation else ""
        if switch and switch not in connection._switches(row["version"]):
            raise Refusal(
                "tool_not_offered",
                _lt(shared.SAY_SWITCHED_OFF, tool),
                _lt(shared.SAY_SWITCHED_OFF_HINT),
            )

    def _check_policy(self, connection, row, request, scope, writes):
        """The service has decided that already. Whoever stole a client's key and the
        service's key would not ask it.

        :param str scope: that the tool takes; nobody may make a change without one
        """
        read_only, scopes, tools, _approval = connection._write_rule(row["version"])
        tool = self._tool_of(request)
        if writes and read_only:
            raise Refusal(
                "read_only_connection",
                _lt(shared.SAY_READ_ONLY, tool),
                _lt(shared.SAY_READ_ONLY_HINT),
            )
        if writes and row["read_only_by"]:
            raise Refusal(
                "all_read_only",
                _lt(shared.SAY_ALL_READ_ONLY, who=row["read_only_by"], tool=tool),
                _lt(shared.SAY_ALL_READ_ONLY_HINT),
            )
        scope_of = self.env["doorman.scope"]._codes_by_group()
        user = self.env["res.users"].browse(row["user_id"])
        permitted = {scope_of[g] for g in user._get_group_ids() if g in scope_of}
        lent = self._within_token(row, scopes)
        if scope in lent - permitted:
            raise Refusal(
                "permission_missing",
                _lt(shared.SAY_NO_PERMISSION, tool=tool, scope=scope),
                _lt(shared.SAY_NO_PERMISSION_HINT),
            )
        if scope not in lent & permitted and (writes or scope):
            raise Refusal(
                "scope_missing",
                _lt(shared.SAY_NO_SCOPE, tool=tool, scope=scope),
                _lt(shared.SAY_NO_SCOPE_HINT),
            )
        self._check_tool(tool, tools)

    def _check_tool(self, tool, allowed):
        """:param allowed: the tools of the policy, or None for all"""
        if allowed is not None and tool not in allowed:
            raise Refusal(
                "tool_not_allowed",
                _lt(shared.SAY_NO_TOOL, tool),
                _lt(shared.SAY_NO_TOOL_HINT),
            )
        if not self._facts_of(tool)[0]:
            raise Refusal(
                "tool_switched_off",
                _lt(shared.SAY_TOOL_OFF, tool),
                _lt(shared.SAY_TOOL_OFF_HINT),
            )

    def _facts_of(self, tool):
        """:return: of a tool in the catalog: whether it is on, its risk, its scope"""
        return self.env["doorman.tool"]._facts().get(tool, (True, "", ""))

    @staticmethod
    def _tool_of(request):
        """The tool that a request is of, by what it does, not by what it says."""
        operation = operations.of(request)
        return operation.tool_of(request) if operation else "?"

    def _risk_of(self, tool):
        return self._facts_of(tool)[1]
