from odoo import api, fields, models, tools


class DoormanScope(models.Model):
    """A group of tools, and the permission of a person to hand it to an AI tool."""

    _name = "doorman.scope"
    _description = "MCP scope"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    description = fields.Char(translate=True)
    sequence = fields.Integer()
    group_id = fields.Many2one(
        "res.groups",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Users in this group can use connections with this scope.",
    )

    _code_uniq = models.Constraint("UNIQUE (code)", "Each scope can exist only once.")

    @api.depends("code", "name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for scope in self:
            scope.display_name = f"{scope.name} ({scope.code})"

    @tools.ormcache()
    def _codes_by_group(self):
        """``{group id: scope code}``: read once, asked on every resolve."""
        return {s.group_id.id: s.code for s in self.sudo().search([])}
