from typing import NamedTuple

from odoo import api, models, tools


class ActionFacts(NamedTuple):
    """What is known of one of Odoo's actions. It is the same for all users."""

    id: int
    # Its XML id, or its id as text: what callers call it.
    name: str
    # ir.actions.act_window, ir.actions.server, ...
    kind: str
    # Technical name of the model that it opens, or "".
    model: str
    # Of a server action: code, webhook, ...
    state: str


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    @api.model
    @tools.ormcache("name")
    def _doorman_facts(self, name):
        """:param str name: an XML id, or the id as text
        :return: ActionFacts; None if there is no such action
        """
        actions = self.env["ir.actions.actions"].sudo()
        if name.isdecimal():
            found = actions.browse(int(name)).exists()
        else:
            found = self.env.ref(name, raise_if_not_found=False)
        if not found or not found._name.startswith("ir.actions."):
            return None
        kind = actions.browse(found.id).type
        action = self.env[kind].sudo().browse(found.id)
        return ActionFacts(
            action.id,
            action.get_external_id()[action.id] or str(action.id),
            kind,
            getattr(action, "res_model", "") or "",
            getattr(action, "state", "") or "",
        )
