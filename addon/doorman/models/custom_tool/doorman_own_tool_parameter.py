from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...policy import closed_models
from ...policy.custom_tool_names import NAME
from ...policy.plain_text import is_plain
from ...policy.shared import OWN_TYPES

# What the service gives every own tool besides its own parameters.
TAKEN = frozenset({"ids", "dry_run", "idempotency_key", "company_id", "language"})
MAX_HELP, MAX_CHOICES = 120, 20
KINDS = [
    ("string", "Text"),
    ("integer", "Whole number"),
    ("number", "Number"),
    ("boolean", "Yes or no"),
    ("date", "Date"),
    ("datetime", "Date and time (UTC)"),
    ("record", "A record"),
    ("selection", "One of several choices"),
]
assert tuple(kind for kind, _label in KINDS) == OWN_TYPES


class DoormanOwnToolParameter(models.Model):
    """One parameter of an own tool."""

    _name = "doorman.own.tool.parameter"
    _description = "Parameter of a custom MCP tool"
    _order = "sequence, id"

    own_tool_id = fields.Many2one("doorman.own.tool", required=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True)
    kind = fields.Selection(KINDS, "Type", required=True, default="string")
    required = fields.Boolean()
    description = fields.Char(help="What AI tools are told about it.")
    model_id = fields.Many2one("ir.model", ondelete="cascade")
    choices = fields.Char(help="Separated by commas.")

    _name_uniq = models.Constraint(
        "UNIQUE (own_tool_id, name)", "A tool can have each parameter only once."
    )

    def _choices(self):
        if self.kind != "selection":
            return []
        parts = [part.strip() for part in (self.choices or "").split(",")]
        return list(dict.fromkeys(part for part in parts if part))

    @api.constrains("name", "kind", "description", "model_id", "choices")
    def _check_parameter(self):
        for parameter in self:
            wrong = parameter._wrong()
            if wrong:
                raise ValidationError(
                    self.env._(
                        "%(parameter)s: %(problem)s",
                        parameter=parameter.name,
                        problem=wrong,
                    )
                )

    def _wrong(self):
        model = self.model_id.sudo().model
        if not NAME.fullmatch(self.name) or self.name in TAKEN:
            return self.env._(
                "not a valid parameter name, or one that every tool already has"
            )
        if len(self.description or "") > MAX_HELP:
            return self.env._(
                "the description can have at most %s characters", MAX_HELP
            )
        if not is_plain((self.description or "") + (self.choices or "")):
            return self.env._("the description contains invisible characters")
        if self.kind == "record" and (not model or closed_models.on_floor(model)):
            return self.env._("choose a model that AI tools can read")
        if self.kind == "selection":
            choices = self._choices()
            if not 1 <= len(choices) <= MAX_CHOICES or any(
                len(choice) > 40 for choice in choices
            ):
                return self.env._(
                    "1 to %s choices of at most 40 characters", MAX_CHOICES
                )
        return None

    @api.model_create_multi
    def create(self, vals_list):
        parameters = super().create(vals_list)
        parameters.own_tool_id._withdraw("draft")
        return parameters

    def write(self, vals):
        before = self.own_tool_id
        res = super().write(vals)
        (before | self.own_tool_id)._withdraw("draft")
        return res

    def unlink(self):
        self.own_tool_id._withdraw("draft")
        return super().unlink()
