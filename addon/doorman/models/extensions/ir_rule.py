from odoo import api, models

from ...policy import in_force


class IrRule(models.Model):
    """The domains of a connection's rules join Odoo's record rules, for its calls."""

    _inherit = "ir.rule"

    def _compute_domain_context_values(self):
        yield from super()._compute_domain_context_values()
        # Odoo keeps what it has worked out for a user. Without this it would keep it
        # with the connection's domain in it, also for what the person does in Odoo.
        found = in_force.of(self.env)
        yield found.key if found else None

    @api.model
    def _compute_domain(self, model_name, mode="read"):
        domain = super()._compute_domain(model_name, mode)
        found = in_force.of(self.env)
        if found is None:
            return domain
        mine = found.domain(self.env, model_name)
        return domain if mine is None else domain & mine
