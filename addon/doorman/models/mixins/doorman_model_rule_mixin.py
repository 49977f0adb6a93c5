from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...policy import closed_models, masks, model_rules

SWITCHES = {
    "read": "perm_read",
    "create": "perm_create",
    "write": "perm_write",
    "delete": "perm_unlink",
}


class DoormanModelRuleMixin(models.AbstractModel):
    """What may be done with one model, or with every model that no line names."""

    _name = "doorman.model.rule.mixin"
    _description = "Doorman: rule for a model"

    model_id = fields.Many2one(
        "ir.model",
        ondelete="cascade",
        help="Empty: every model that has no line of its own.",
    )
    model_name = fields.Char("Technical name", related="model_id.model")
    perm_read = fields.Boolean("Read", default=True)
    perm_create = fields.Boolean("Create")
    perm_write = fields.Boolean(
        "Change", help="Also buttons and methods, messages and activities."
    )
    perm_unlink = fields.Boolean("Delete")
    domain = fields.Char(
        "Records",
        help="Only records that match. uid, company_id and company_ids stand for the "
        "user and the companies of the call. Empty: all that its user can see.",
    )
    hidden_field_ids = fields.Many2many(
        "ir.model.fields",
        string="Hidden fields",
        domain="[('model_id', '=', model_id)]",
        help="They cannot be read or searched, nor can other fields that contain "
        "the same.",
    )
    # A second list of fields wants a table of its own: each model names one.
    masked_field_ids = fields.Many2many(
        "ir.model.fields",
        relation="doorman_model_rule_mixin_masked_rel",
        string="Masked fields",
        domain="[('model_id', '=', model_id), "
        "('ttype', 'in', ('char', 'text', 'html'))]",
        help="Shown so that they can be recognized but not used: a***@e***.com. They "
        "cannot be searched.",
    )

    @api.depends("model_id", "perm_read", "perm_create", "perm_write", "perm_unlink",
                 "domain", "hidden_field_ids", "masked_field_ids")  # fmt: skip
    @api.depends_context("lang")
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule._sentence()

    def _sentence(self):
        """What this line says, in plain words."""
        self.ensure_one()
        env, rule = self.env, self.sudo()
        verbs = [verb for name, verb in self._verbs().items() if rule[name]]
        what = rule.model_id.name or env._("every other model")
        if not verbs:
            return env._("%(model)s: nothing", model=what)
        parts = [env._("%(model)s: %(verbs)s", model=what, verbs=", ".join(verbs))]
        if rule._limit():
            parts.append(env._("only records that match a domain"))
        for fields_, text in (
            (rule.hidden_field_ids, env._("without %s")),
            (rule.masked_field_ids, env._("%s masked")),
        ):
            if fields_:
                parts.append(text % ", ".join(fields_.mapped("field_description")))
        return "; ".join(parts)

    def _verbs(self):
        """The switches, as what they let a tool do."""
        return {
            "perm_read": self.env._("read"),
            "perm_create": self.env._("create"),
            "perm_write": self.env._("change"),
            "perm_unlink": self.env._("delete"),
        }

    def _limit(self):
        """:return: the domain as text; "" if it leaves all records"""
        text = (self.domain or "").strip()
        return "" if text in ("", "[]") else text

    # ---- checks ----

    @api.constrains("perm_read", "perm_create", "perm_write", "perm_unlink")
    def _check_operations(self):
        for rule in self:
            changes = rule.perm_create or rule.perm_write or rule.perm_unlink
            if changes and not rule.perm_read:
                raise ValidationError(
                    self.env._(
                        "%s: what can be changed must also be readable.", rule._called()
                    )
                )

    @api.constrains("model_id", "domain")
    def _check_domain(self):
        for rule in self.sudo():
            text = rule._limit()
            if not text:
                continue
            if not rule.model_id:
                raise ValidationError(
                    self.env._("Choose the model that the domain applies to.")
                )
            values = dict.fromkeys(model_rules.NAMES, 1) | {"company_ids": [1]}
            try:
                domain = Domain(model_rules.evaluate(text, values))
                domain.validate(self.env[rule.model_id.model].sudo())
            except Exception as exc:
                raise ValidationError(
                    self.env._(
                        "%(rule)s: the domain is not valid. It must be a list of "
                        "conditions with fields of the model and plain values; you "
                        "can use uid, company_id and company_ids. (%(error)s)",
                        rule=rule._called(),
                        error=exc,
                    )
                ) from exc

    @api.constrains("model_id", "hidden_field_ids", "masked_field_ids")
    def _check_fields(self):
        for rule in self.sudo():
            closed = rule.hidden_field_ids | rule.masked_field_ids
            if any(f.model_id != rule.model_id for f in closed):
                raise ValidationError(
                    self.env._("%s: choose fields of that model.", rule._called())
                )
            for field in rule.masked_field_ids:
                known = self.env[field.model]._fields.get(field.name)
                if known is None or not masks.kind_of(known):
                    raise ValidationError(
                        self.env._(
                            "%s is not text: hide it instead of masking it.",
                            field.field_description,
                        )
                    )
            if any(f.name in ("id", "display_name") for f in closed):
                raise ValidationError(
                    self.env._(
                        "Hide the field that the name is made from, not the "
                        "name itself."
                    )
                )

    @api.constrains("model_id")
    def _check_model(self):
        for rule in self.sudo():
            name = rule.model_id.model
            if name and closed_models.on_floor(name):
                raise ValidationError(
                    self.env._(
                        "%s is closed to AI tools, regardless of any rule.", name
                    )
                )

    def _called(self):
        return self.sudo().model_id.name or self.env._("Every other model")

    # ---- for others ----

    def _copied(self):
        """:return: the values of this line, for another policy"""
        self.ensure_one()
        rule = self.sudo()
        return {
            "model_id": rule.model_id.id,
            **{name: rule[name] for name in SWITCHES.values()},
            "domain": rule.domain,
            "hidden_field_ids": [fields.Command.set(rule.hidden_field_ids.ids)],
            "masked_field_ids": [fields.Command.set(rule.masked_field_ids.ids)],
        }

    def _wire(self):
        """As decisions take them (policy/model_rules.py)."""
        return [
            {
                "model": rule.model_id.model or "",
                **{name: rule[switch] for name, switch in SWITCHES.items()},
                "domain": rule._limit(),
                "hidden": rule.hidden_field_ids.mapped("name"),
                "masked": rule.masked_field_ids.mapped("name"),
            }
            for rule in self.sudo()
        ]
