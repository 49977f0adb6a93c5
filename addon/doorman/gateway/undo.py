from odoo import models

from ..policy import undo_values
from ..policy.context_keys import CONTEXT_KEYS


class DoormanGateway(models.AbstractModel):
    """What is kept of each change so that it can be undone (tools/undo.py)."""

    _inherit = "doorman.gateway"

    def _keep_for_undo(self, call, row, request, noted, audit):
        """:param noted: the Ledger of a change that is done
        :param dict audit: its row, which learns by which id it is undone
        :return: what its answer tells of that
        """
        if not noted.changes():
            return {}
        kept = undo_values.of(noted, call.operation.undoable)
        models_named = {*noted.models, request.get("model") or ""} - {""}
        context = request.get("context") or {}
        ident = self.env["doorman.undo"]._keep(
            row["id"],
            kept
            | {
                "tool": self._tool_of(request),
                "models": sorted(models_named),
                "made": sorted(noted.made),
                "made_at": str(self.env.cr.now()),
                "context": {k: v for k, v in context.items() if k in CONTEXT_KEYS},
            },
        )
        audit["change_id"] = ident
        return {"change_id": ident} if ident and not kept["never"] else {}
