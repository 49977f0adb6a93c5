from odoo import api, fields, models, tools
from odoo.fields import Domain

from ...policy import known_texts

# Odoo's own palette: green, yellow, red.
RISK_COLORS = {"low": 10, "medium": 3, "high": 1}
# Tools that are never less than high risk, whatever the service says of them.
GRAVE = frozenset({"run_sql", "run_python"})


class DoormanTool(models.Model):
    """The catalog: what the service offers, as it says itself at its start."""

    _name = "doorman.tool"
    _inherit = ["doorman.protected.mixin"]
    _description = "MCP tool"
    _order = "scope_code, name"
    _rec_name = "name"

    _protected_fields = frozenset(
        {
            "name",
            "title",
            "description",
            "category",
            "scope_code",
            "risk",
            "needs_module",
            "input_schema",
            "offered",
            "kind",
        }
    )

    name = fields.Char(required=True, readonly=True)
    # In English, as AI tools get it.
    title = fields.Char(readonly=True)
    title_shown = fields.Char(
        "Title", compute="_compute_title_shown", search="_search_title_shown"
    )
    description = fields.Text(readonly=True)
    category = fields.Char(readonly=True)
    scope_code = fields.Char("Scope", readonly=True)
    risk = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")],
        readonly=True,
        default="low",
    )
    needs_module = fields.Char(readonly=True)
    input_schema = fields.Json(readonly=True)
    offered = fields.Boolean(
        readonly=True,
        default=True,
        help="The running service offers this tool.",
    )
    kind = fields.Selection(
        [("builtin", "Built in"), ("own", "Custom")],
        readonly=True,
        default="builtin",
        help="Custom: a server action that an administrator has published.",
    )
    active = fields.Boolean(
        default=True,
        help="If switched off, the tool disappears from every connection at once.",
    )

    color = fields.Integer(compute="_compute_color")

    _name_uniq = models.Constraint("UNIQUE (name)", "Each tool can exist only once.")

    @api.depends("title")
    @api.depends_context("lang")
    def _compute_title_shown(self):
        for tool in self:
            tool.title_shown = known_texts.title(tool.title, self.env.lang)

    def _search_title_shown(self, operator, value):
        if operator != "ilike" or not isinstance(value, str):
            return NotImplemented
        part, every = value.casefold(), self.with_context(active_test=False)
        # A few dozen rows.
        # pylint: disable-next=no-search-all
        catalog = every.search([])
        found = catalog.filtered(
            lambda tool: part in (tool.title_shown or "").casefold()
        )
        return Domain("id", "in", found.ids)

    @api.depends("risk")
    def _compute_color(self):
        for tool in self:
            tool.color = self._risk_color(tool.risk)

    @api.model
    def _risk_color(self, risk):
        """:return: the number of a color in Odoo's palette"""
        return RISK_COLORS.get(risk, 0)

    @api.depends("name", "risk")
    @api.depends_context("doorman_show_risk", "lang")
    def _compute_display_name(self):
        """With the risk, where tools are picked."""
        if not self.env.context.get("doorman_show_risk"):
            return super()._compute_display_name()
        words = {
            "low": self.env._("%s (low risk)"),
            "medium": self.env._("%s (medium risk)"),
            "high": self.env._("%s (high risk)"),
        }
        for tool in self:
            tool.display_name = words.get(tool.risk, "%s") % tool.name

    @api.model
    @tools.ormcache()
    def _facts(self):
        """:return: ``{name: (whether it is switched on, its risk, its scope)}``"""
        # A few dozen rows, and all of them are wanted.
        # pylint: disable-next=no-search-all
        catalog = self.sudo().with_context(active_test=False).search([])
        return {
            # Who stole the service's key could call them harmless.
            t.name: (
                t.active,
                "high" if t.name in GRAVE else t.risk or "",
                t.scope_code or "",
            )
            for t in catalog
        }

    @api.model
    @tools.ormcache()
    def _modules(self):
        catalog = self.sudo().with_context(active_test=False)
        rows = catalog.search([("needs_module", "not in", (False, ""))])
        return {tool.name: tool.needs_module for tool in rows}

    @api.model
    def _module_of(self, name):
        """:return: the addon that a tool needs besides this one, or None"""
        return self._modules().get(name)

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        changed = self.filtered(
            lambda tool: "active" in vals and tool.active != bool(vals["active"])
        )
        res = super().write(vals)
        if changed:
            settings = self.env["doorman.settings"]
            settings._bump()
            word = self.env._("on") if vals["active"] else self.env._("off")
            settings._get().sudo().message_post(
                body=self.env._(
                    "%(tools)s switched %(state)s by %(who)s.",
                    tools=", ".join(changed.mapped("name")),
                    state=word,
                    who=self.env.user.name,
                )
            )
        return res

    def _sync(self, catalog):
        """Make the catalog what the service offers. A tool that is offered no more
        stays, so that allow lists and audit rows that name it keep their meaning.

        :param list catalog: dicts with the keys of ``_protected_fields``, ``scope``
            for ``scope_code``
        :return: how many were created, updated, retired
        :rtype: dict
        """
        # What an action sends may have changed without it: its mail template, say.
        self.env["doorman.own.tool"]._withdraw_changed()
        known = {
            t.name: t for t in self.sudo().with_context(active_test=False).search([])
        }
        done = {"created": 0, "updated": 0, "retired": 0}
        offered = {tool.get("name") for tool in catalog if isinstance(tool, dict)}
        own = {name: row for name, row in known.items() if row.kind == "own"}
        for name, row in own.items():
            # What the service says is of its own tools. One that has come to be called
            # like one of ours must not get what our lists say of that.
            del known[name]
            if name in offered:
                owner = self.env["doorman.own.tool"].sudo()
                owner.search([("tool_id", "=", row.id)])._make_way()
                if row.name == name:  # what it was made for was deleted
                    row._inside().write({"name": f"{name[:30]}_own_{row.id}"})
                    self.env.flush_all()
        for tool in catalog:
            if not isinstance(tool, dict) or not tool.get("name"):
                raise TypeError("a tool is an object with a name")
            vals = {
                "name": str(tool["name"]),
                "title": tool.get("title") or "",
                "description": tool.get("description") or "",
                "category": tool.get("category") or "",
                "scope_code": tool.get("scope") or "",
                "risk": tool.get("risk") or "low",
                "needs_module": tool.get("needs_module") or "",
                "input_schema": tool.get("input_schema") or {},
                "offered": True,
            }
            record = known.pop(vals["name"], None)
            if record is None:
                self.sudo()._inside().create(vals)
                done["created"] += 1
                continue
            changed = {k: v for k, v in vals.items() if (record[k] or "") != (v or "")}
            if changed:
                record._inside().write(changed)
                done["updated"] += 1
        for record in known.values():
            if record.offered:
                record._inside().write({"offered": False})
                done["retired"] += 1
        return done
