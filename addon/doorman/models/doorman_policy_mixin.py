from odoo import api, fields, models

POLICY_FIELDS = frozenset(
    {
        "scope_ids",
        "read_only",
        "allowed_tool_ids",
        "allowed_model_ids",
        "company_ids",
    }
)


class DoormanPolicyMixin(models.AbstractModel):
    """What may be done: shared by everything that carries a policy."""

    _name = "doorman.policy.mixin"
    _description = "Doorman: policy"

    def _default_scopes(self):
        return self.env["doorman.scope"].search(
            [("code", "in", ("mcp:metadata", "mcp:search"))]
        )

    scope_ids = fields.Many2many(
        "doorman.scope",
        string="Scopes",
        default=_default_scopes,
        help="The groups of tools it may use, as far as its user has the "
        "permission too.",
    )
    read_only = fields.Boolean(
        help="Tools that change something are hidden and refused.",
    )
    allowed_tool_ids = fields.Many2many(
        "doorman.tool",
        string="Allowed tools",
        help="Empty: every tool of its scopes. Otherwise: these and no other.",
    )
    allowed_model_ids = fields.Many2many(
        "ir.model",
        string="Allowed models",
        help="Empty: every model its user may use. Otherwise: these and no other, "
        "also where a search or a field leads from one model to another.",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        help="Empty: all companies of its user.",
    )
    # Whether a list was set by a person. Without it, removing the module of the
    # last allowed model would empty the list, and an empty list allows everything.
    tools_restricted = fields.Boolean(readonly=True, copy=False)
    models_restricted = fields.Boolean(readonly=True, copy=False)
    companies_restricted = fields.Boolean(readonly=True, copy=False)

    def _restrictions(self):
        return {
            "allowed_tool_ids": "tools_restricted",
            "allowed_model_ids": "models_restricted",
            "company_ids": "companies_restricted",
        }

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        for record in records:
            record._set_restrictions(self._restrictions())
        return records

    def write(self, vals):
        res = super().write(vals)
        touched = self._restrictions().keys() & vals.keys()
        for record in self if touched else ():
            record._set_restrictions(touched)
        return res

    def _set_restrictions(self, lists):
        flags = self._restrictions()
        # All that is on the list, also what is archived, or of a company that the
        # one who writes cannot see: an empty list allows everything.
        self.flush_recordset(list(lists))
        self.invalidate_recordset(list(lists))
        full = self.sudo().with_context(active_test=False)
        vals = {
            flags[name]: bool(full[name])
            for name in lists
            if full[flags[name]] != bool(full[name])
        }
        self.invalidate_recordset(list(lists))
        if vals:
            self._inside().write(vals)

    def _policy(self):
        """The policy as the service gets it. A missing list means no restriction.

        :rtype: dict
        """
        self.ensure_one()
        policy = {
            "scopes": self.scope_ids.mapped("code"),
            "read_only": self.read_only,
        }
        if self.tools_restricted:
            policy["allowed_tools"] = self.allowed_tool_ids.mapped("name")
        if self.models_restricted:
            policy["allowed_models"] = self.allowed_model_ids.mapped("model")
        if self.companies_restricted:
            policy["companies"] = self.company_ids.ids
        return policy
