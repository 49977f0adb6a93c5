from dataclasses import replace
from functools import partial

from odoo import models

from odoo.addons.doorman.policy import ledger
from odoo.addons.doorman.tools import operations
from odoo.addons.doorman.tools.call import call_of, run


class DoormanGateway(models.AbstractModel):
    """The steps of ``run_python``: each is a request like any other."""

    _inherit = "doorman.gateway"

    def _prepare(self, call, connection, row, request, audit, approved):
        call = super()._prepare(call, connection, row, request, audit, approved)
        if call.operation.name == "run_python":
            step = partial(self._step, connection, row, dict(audit), approved)
            call = replace(call, step=step)
        return call

    def _step(self, connection, row, audit, approved, shell, request):
        """One step, with the checks that it would have as a call of its own.

        :param bool approved: a person has approved the whole
        :return: its answer, and of a change what it was
        :raise Waits: if a person has to agree to the whole
        """
        reads = operations.only_reads(request)
        check = self._check_may_read if reads else self._check_may_write
        check(connection, row, request)
        if reads:
            if not (approved or shell.trial):
                self._check_reading(connection, row, request)
            value = run(call_of(shell.guard, request))
            shell.rows += operations.rows_of(request, value)
            return value, None
        # Whether a person has to agree is decided of the whole, by what it did.
        noted, tool = ledger.of(self.env.cr), self._tool_of(request)
        noted.tools.add(tool)
        noted.models.add(request["model"])
        value = run(call_of(shell.guard, request))
        ids = request["ids"] or value.get("ids") or []
        if not shell.trial:
            # What was touched is on record, one by one. It counts as one request.
            self.env["doorman.audit"]._insert(
                audit
                | {
                    "method": "run_python",
                    "model": request["model"],
                    "orm_method": self._text(self._orm_method(request)),
                    "record_ids": ",".join(map(str, ids)),
                    "outcome": "ok",
                    "request_payload": None,
                }
            )
        return value, {"tool": tool, "model": request["model"], "ids": ids}
