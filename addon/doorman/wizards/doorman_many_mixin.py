from odoo import models


class DoormanManyMixin(models.AbstractModel):
    """A dialog that asks before something is done to all that was ticked."""

    _name = "doorman.many.mixin"
    _description = "Doorman: dialog about many records"

    def _open(self, title):
        """:return: the action that shows this dialog"""
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }
