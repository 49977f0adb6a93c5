from odoo import api, models
from odoo.exceptions import AccessError

from ...policy.protected_fields import CONTEXT_KEY, SENTINEL


class DoormanProtectedMixin(models.AbstractModel):
    """Fields that only checked methods of this addon may write.

    Access rights are not enough: an administrator has write access to the policy
    of a connection, and must still not forge its state, its version or its user.
    """

    _name = "doorman.protected.mixin"
    _description = "Doorman: fields that cannot be written from outside"

    # On create as on write / on write only (set once, at creation).
    _protected_fields = frozenset()
    _frozen_fields = frozenset()

    def _inside(self):
        """This recordset, allowed to write protected fields."""
        return self.with_context(**{CONTEXT_KEY: SENTINEL})

    def _check_protected(self, names, fields):
        forbidden = sorted(fields & set(names))
        if forbidden and self.env.context.get(CONTEXT_KEY) is not SENTINEL:
            raise AccessError(
                self.env._(
                    "%(fields)s of %(model)s cannot be edited directly: use its "
                    "buttons.",
                    fields=", ".join(forbidden),
                    model=self._description,
                )
            )

    @api.model
    def default_get(self, fields):
        """Neither the context nor what a user stored as default fills them."""
        values = super().default_get(fields)
        for name in self._protected_fields & values.keys():
            default = self._fields[name].default
            values.pop(name)
            if default:
                values[name] = default(self)
        return values

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_protected(vals, self._protected_fields)
        return super().create(vals_list)

    def write(self, vals):
        self._check_protected(vals, self._protected_fields | self._frozen_fields)
        return super().write(vals)

    # ---- Odoo's mail gateway ----
    # Every internal user can call message_process of any model, which makes and
    # changes records of the model they name, with more right than they have.

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """No email creates a record of Doorman's.

        :raise AccessError: always
        """
        raise AccessError(self.env._("Doorman does not accept emails."))

    def message_update(self, msg_dict, update_vals=None):
        """Nor does an email reach the chatter, no matter who it claims to be from.

        :raise AccessError: always
        """
        raise AccessError(self.env._("Doorman does not accept emails."))
