from odoo import models
from odoo.exceptions import UserError


class DoormanConnection(models.Model):
    _inherit = "doorman.connection"

    def explain(self, tool, model="", records=()):
        """Whether this connection may use a tool, and what decides it: by the functions
        that decide its calls. Nothing is done, and nobody is asked.

        :param str tool: name of a tool in the catalog
        :param str model: technical name of a model, or ""
        :param records: ids of records of it; none: no record in particular
        :return: ``{outcome, steps, snapshot}``: outcome is ``may``, ``waits`` or
            ``refused``; a step is ``{step, outcome, message, hint, code}``, and the
            last one decides; snapshot is what the service decides by, before it asks
            Odoo
        :raise AccessError: for anyone but MCP administrators, and of records that the
            caller may not read
        :raise UserError: if the arguments are malformed
        """
        self.ensure_one()
        self.env["doorman.settings"]._check_admin()
        self.check_access("read")
        ids = list(records) if isinstance(records, list | tuple) else None
        if (
            not isinstance(tool, str)
            or not isinstance(model, str)
            or ids is None
            or not all(type(i) is int for i in ids)
        ):
            raise UserError(
                self.env._("Specify a tool, a model and the ids of its records.")
            )
        if ids and model in self.env:
            self.env[model].browse(ids).exists().check_access("read")
        connection = self.sudo()
        return connection.env["doorman.gateway"]._explain(connection, tool, model, ids)
