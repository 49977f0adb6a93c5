from odoo import api, fields, models

from .doorman_model_rule_mixin import SWITCHES

WRITE_SCOPE = "mcp:orm"
# What is said of a line besides its switches.
SAID = ("model_id", "domain", "hidden_field_ids", "masked_field_ids")


class DoormanPolicyMixin(models.AbstractModel):
    """What a policy lets a tool do, in one plain sentence."""

    _inherit = "doorman.policy.mixin"

    may_text = fields.Char("What it can do", compute="_compute_may_text")

    @api.depends(lambda self: self._may_depend_on())
    @api.depends_context("lang")
    def _compute_may_text(self):
        for policy in self:
            policy.may_text = policy._may_text()

    def _may_depend_on(self):
        names = ["scope_ids", "read_only", "allowed_model_ids"]
        if "model_rule_ids" in self._fields:  # each that has a policy names its own
            names += [f"model_rule_ids.{switch}" for switch in SWITCHES.values()]
            names += [f"model_rule_ids.{name}" for name in SAID]
        return names

    def _may_text(self):
        env, rules = self.env, self.model_rule_ids
        told = {name: self._may(name, rules) for name in SWITCHES}
        text = env._(
            "It can read %(read)s, create %(create)s, change %(write)s and delete "
            "%(delete)s.",
            **told,
        )
        more = []
        for rule in rules.sudo():
            name = rule.model_id.name or ""
            if rule._limit():
                more.append(env._("Of %s, only records that match a domain.", name))
            for closed, sentence in (
                (rule.hidden_field_ids, env._("Hidden in %(model)s: %(fields)s.")),
                (rule.masked_field_ids, env._("Masked in %(model)s: %(fields)s.")),
            ):
                if closed:
                    names = ", ".join(closed.mapped("field_description"))
                    more.append(sentence % {"model": name, "fields": names})
        return " ".join([text, *more])

    def _may(self, operation, rules):
        """What may be done to which models, in words."""
        env, switch = self.env, SWITCHES[operation]
        writes = WRITE_SCOPE in self.scope_ids.mapped("code") and not self.read_only
        if operation != "read" and not writes:
            return env._("nothing")
        listed = self.sudo().allowed_model_ids
        own = {rule.sudo().model_id: rule[switch] for rule in rules if rule.model_id}
        others = all(rule[switch] for rule in rules if not rule.model_id)
        if listed:
            some = [m.name for m in listed if own.get(m, others)]
            return ", ".join(some) or env._("nothing")
        if not others:
            some = [m.name for m, may in own.items() if may]
            return ", ".join(some) or env._("nothing")
        but = [m.name for m, may in own.items() if not may]
        if but:
            return env._("everything that its user can, except %s", ", ".join(but))
        return env._("everything that its user can")
