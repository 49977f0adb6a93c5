"""Other doors for AI tools on the same Odoo, which no connection governs."""

from odoo import api, fields, models, tools


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    other_mcp = fields.Char(compute="_compute_other_mcp")

    def _compute_other_mcp(self):
        self.other_mcp = ", ".join(self._other_mcp())

    @api.model
    @tools.ormcache(cache="routing")
    def _other_mcp(self):
        """:return: technical names of the other modules of this database that answer at
        an address such as ``/mcp``"""
        found = set()
        for rule in self.env["ir.http"].routing_map().iter_rules():
            steps = rule.rule.lower().split("/")
            if not any("mcp" in step.replace("-", "_").split("_") for step in steps):
                continue
            origin = rule.endpoint.func.__module__.split(".")
            if origin[:2] == ["odoo", "addons"]:
                found.add(origin[2])
        return tuple(sorted(name for name in found if not name.startswith("doorman")))
