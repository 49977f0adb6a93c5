"""The rules per model of a connection, and what the gateway makes of them."""

from odoo import fields, models, tools

from ...policy.model_rules import compile_rules


class DoormanConnection(models.Model):
    _inherit = "doorman.connection"

    model_rule_ids = fields.One2many(
        "doorman.model.rule", "connection_id", string="Rules per model"
    )

    def _model_rules_changed(self):
        self._bump(what=True)
        for connection in self.exists():
            rules = connection.model_rule_ids.mapped("display_name")
            connection.message_post(
                body=self.env._("Rules per model: %s.", " | ".join(rules) or "-")
            )

    @tools.ormcache("self.id", "version")
    def _rules(self, version):
        """The rules per model of one version of this connection.

        :param int version: part of the cache key: a changed policy has another one
        :return: Rules, or None if there are none
        """
        return compile_rules(self.env, self.sudo().model_rule_ids._wire())
