from odoo import models

from ..tools import registry


class DoormanGateway(models.AbstractModel):
    """Code and queries: what the audit says of them, and the steps of ``run_python``,
    each of which is a request like any other."""

    _inherit = "doorman.gateway"

    def _code(self, request):
        """The beginning of the code or query of a request, for its audit row."""
        kwargs = request.get("kwargs")
        if not isinstance(kwargs, dict):
            return ""  # refused when it is run
        return self._text(kwargs.get("code") or kwargs.get("query"))

    def _step(self, connection, row, audit, approved, shell, request):
        """One step, with the checks that it would have as a call of its own.

        :param bool approved: a person has approved the whole
        :return: its answer, and of a change what it was
        :raise Refusal: ``pending_approval``, if a person has to agree: to the whole
        """
        reads = registry.only_reads(request)
        check = self._check_may_read if reads else self._check_may_write
        check(connection, row, request)
        if not (approved or shell.trial):
            self._check_gate(shell.guard, connection, row, request)
        value = registry.run(shell.guard, request)
        if reads:
            return value, None
        ids = request["ids"] or value.get("ids") or []
        tool = self._tool_of(request)
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
