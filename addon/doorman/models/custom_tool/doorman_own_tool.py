from itertools import chain, count

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...policy import (
    canonical_json,
    change_scope,
    closed_fields,
    closed_models,
    inherited_models,
)
from ...policy.custom_tool_names import NAME, skeleton
from ...policy.plain_text import is_plain
from ...policy.refusal import Refusal, _lt
from ...policy.shared import (
    MAX_CUSTOM_DESCRIPTION,
    MAX_CUSTOM_PARAMETERS,
    MAX_CUSTOM_TOOLS,
)

# Every conversation of every AI tool reads all of them, before its first word.
MAX_TITLE = 60
# Of all that are published together, beyond the service's own list of 25 kB.
MAX_LETTERS = 12_000
# Around what an administrator writes of a tool, and of a parameter.
FRAME, PARAMETER_FRAME = 350, 60
# What is said about a tool, besides its parameters.
TOLD = (
    *("name", "title", "description", "risk"),
    *("on_records", "only_reads", "can_try"),
)
# What of an action says nothing of what it does.
BOOKKEEPING = closed_fields.MAGIC_FIELDS - {"id"} | {
    "binding_model_id",
    "binding_view_types",
}
# What an action sends is kept elsewhere: with its last change.
CONTENT_MODELS = ("mail.template", "sms.template")


class DoormanOwnTool(models.Model):
    """A server action that an administrator makes a tool of.

    draft ── published by who administers both MCP and Odoo ── the action becomes
    another one: changed ── looked at, and published again
    """

    _name = "doorman.own.tool"
    _inherit = ["doorman.protected.mixin"]
    _description = "Custom MCP tool"
    _order = "name"

    _protected_fields = frozenset(
        {
            "state",
            "revision",
            "fingerprint",
            "published_by_id",
            "published_at",
            "tool_id",
        }
    )

    name = fields.Char(
        required=True,
        help="The name that AI tools use to call it: lowercase letters, digits and "
        "underscores, such as confirm_and_invoice.",
    )
    title = fields.Char(required=True)
    description = fields.Text(
        required=True,
        help="What AI tools are told: what it does, when to use it, what it returns.",
    )
    action_id = fields.Many2one(
        "ir.actions.server",
        string="Server action",
        # Without it the tool does nothing; it must not stand in the way of deleting it.
        ondelete="set null",
        domain=[("usage", "=", "ir_actions_server")],
        help="Its code gets the parameters as doorman['name'], and what it puts into "
        "result is returned to the AI tool. It runs with the rights of the "
        "connection's user.",
    )
    model_name = fields.Char(related="action_id.model_id.model", compute_sudo=True)
    on_records = fields.Boolean(
        "Works on records",
        default=True,
        help="The AI tool specifies records of the action's model; the code gets them "
        "as records.",
    )
    only_reads = fields.Boolean(
        "Only reads",
        help="Read-only connections can use it. Whatever it changes is undone.",
    )
    can_try = fields.Boolean(
        "Supports dry runs",
        help="Everything it does can be undone: it does not call other systems. AI "
        "tools can try it in a dry run, and approvers see what it would change.",
    )
    risk = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")],
        required=True,
        default="high",
    )
    scope_id = fields.Many2one(
        "doorman.scope",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env.ref("doorman.scope_orm", False),
        domain=[("code", "in", ("mcp:search", "mcp:orm"))],
    )
    parameter_ids = fields.One2many(
        "doorman.own.tool.parameter", "own_tool_id", string="Parameters", copy=True
    )
    state = fields.Selection(
        [("draft", "Draft"), ("published", "Published"), ("changed", "Changed")],
        default="draft",
        readonly=True,
        copy=False,
        help="Changed: its server action has changed since it was published. It is "
        "not available until an administrator has reviewed it.",
    )
    # Raised by each publication: who has read of one does not call another.
    revision = fields.Integer(readonly=True, copy=False)
    fingerprint = fields.Char(readonly=True, copy=False)
    published_by_id = fields.Many2one(
        "res.users", "Published by", readonly=True, copy=False
    )
    published_at = fields.Datetime("Published on", readonly=True, copy=False)
    tool_id = fields.Many2one(
        "doorman.tool",
        string="In the catalog",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    color = fields.Integer(compute="_compute_color")

    _name_uniq = models.Constraint(
        "UNIQUE (name)", "Another custom tool already has this name."
    )

    @api.depends("risk")
    def _compute_color(self):
        for tool in self:
            tool.color = self.env["doorman.tool"]._risk_color(tool.risk)

    def copy_data(self, default=None):
        found = super().copy_data(default)
        for vals in found:
            vals["name"] = self._free_name(vals["name"], "copy")
        return found

    @api.model
    def _free_name(self, name, word):
        """:return: the name with the word behind it, and a number if that is taken"""
        taken = set()
        for model in (self.sudo(), self._catalog()):
            # A few dozen rows. pylint: disable-next=no-search-all
            taken |= set(model.search([]).mapped("name"))
        numbers = chain([""], count(2))
        names = (f"{name[:30]}_{word}{number}" for number in numbers)
        return next(free for free in names if free not in taken)

    @api.constrains("name", "title", "description", "scope_id", "only_reads")
    def _check_words(self):
        for tool in self:
            if not NAME.fullmatch(tool.name):
                raise ValidationError(
                    self.env._(
                        "%s is not a valid tool name. Use 1 to 40 lowercase letters, "
                        "digits and underscores, such as confirm_and_invoice.",
                        tool.name,
                    )
                )
            most = (
                ("title", MAX_TITLE),
                ("description", MAX_CUSTOM_DESCRIPTION),
            )
            for name, limit in most:
                if not tool[name].strip() or len(tool[name]) > limit:
                    raise ValidationError(
                        self.env._(
                            "%(field)s must have 1 to %(limit)s characters: every "
                            "conversation reads it.",
                            field=self._fields[name]._description_string(self.env),
                            limit=limit,
                        )
                    )
                if not is_plain(tool[name]):
                    raise ValidationError(
                        self.env._("The title or text contains invisible characters.")
                    )
            code = tool.scope_id.code
            if code != "mcp:orm" and not (code == "mcp:search" and tool.only_reads):
                raise ValidationError(
                    self.env._(
                        "The scope must be mcp:orm, or mcp:search for a tool that "
                        "only reads."
                    )
                )

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() - self._protected_fields:
            self._withdraw("draft")
        return res

    def unlink(self):
        self._withdraw("draft")
        return super().unlink()

    # ---- published, withdrawn ----

    def action_publish(self):
        """Offer it to AI tools, as it is now.

        :raise AccessError: for who does not administer both: an MCP administrator
            alone would hand out code that only Odoo administrators may write, an Odoo
            administrator alone tools that only MCP administrators may
        :raise UserError: if it cannot be a tool
        """
        settings = self.env["doorman.settings"]
        if change_scope.is_inside(self.env.cr):
            # The code of one of them does not make the next.
            raise AccessError(self.env._("AI tools cannot publish tools."))
        settings._check_admin()
        self.check_access("write")
        user = self.env.user
        if (
            not user.has_group("doorman.group_admin")
            or not user.has_group("base.group_system")
            or not self.env["ir.actions.server"].has_access("write")
        ):
            # By the person's own groups, whoever's code has come to call it.
            raise AccessError(
                self.env._(
                    "Only MCP administrators who can also edit server actions can "
                    "publish one."
                )
            )
        for own in self:
            own._check_publishable()
            own._inside().write(
                {
                    "state": "published",
                    "revision": own.revision + 1,
                    "fingerprint": own._fingerprint(),
                    "published_by_id": self.env.uid,
                    "published_at": fields.Datetime.now(),
                    "tool_id": own._to_catalog().id,
                }
            )
            own._note(self.env._("published"))
        settings._bump()
        return True

    def action_withdraw(self):
        """Offer it no more.

        :raise AccessError: for anyone but MCP administrators
        """
        self.env["doorman.settings"]._check_admin()
        self.check_access("write")
        self._withdraw("draft")
        return True

    def _withdraw(self, state):
        published = self.filtered(lambda own: own.state == "published")
        if state == "draft":
            # What was changed is a draft again, once somebody works on it.
            published |= self.filtered(lambda own: own.state == "changed")
        for own in published:
            own._inside().write({"state": state})
            own.tool_id.sudo()._inside().write({"offered": False})
            words = {"draft": self.env._("withdrawn")}
            own._note(words.get(state, self.env._("withdrawn: its action has changed")))
        if published:
            self.env["doorman.settings"]._bump()

    @api.model
    def _withdraw_changed(self):
        """Withdraw what does something else than when it was published."""
        published = self.sudo().search([("state", "=", "published")])
        published.filtered(lambda own: not own._is_unchanged())._withdraw("changed")

    def _note(self, what):
        # Also of who may write server actions and does not see our settings.
        self.env["doorman.settings"]._get().sudo()._inside().message_post(
            body=self.env._(
                "Custom tool %(tool)s %(what)s by %(who)s.",
                tool=self.name,
                what=what,
                who=self.env.user.name,
            )
        )

    def _check_publishable(self):
        self.ensure_one()
        name = self.model_name
        if not self.action_id or name not in self.env:
            raise UserError(self.env._("Choose its server action first."))
        if self.action_id.usage != "ir_actions_server" or self.action_id.parent_id:
            raise UserError(
                self.env._(
                    "This one belongs to a scheduled action, an automation rule or "
                    "another action: create a separate server action."
                )
            )
        if closed_models.on_floor(name) or not (
            self.only_reads or inherited_models.may_write(self.env, name)
        ):
            raise UserError(
                self.env._("AI tools cannot change %s with any tool.", name)
            )
        warned = self._tree().filtered("warning")
        if warned:
            raise UserError(warned[:1].warning)
        if self._hides():
            raise UserError(
                self.env._(
                    "The title, text or parameters contain invisible characters."
                )
            )
        self._check_name()
        if len(self.parameter_ids) > MAX_CUSTOM_PARAMETERS:
            raise UserError(
                self.env._(
                    "A tool can have at most %s parameters.", MAX_CUSTOM_PARAMETERS
                )
            )
        published = self.search([("state", "=", "published")]) | self
        if len(published) > MAX_CUSTOM_TOOLS:
            raise UserError(
                self.env._(
                    "At most %s custom tools can be published.", MAX_CUSTOM_TOOLS
                )
            )
        if sum(tool._letters() for tool in published) > MAX_LETTERS:
            raise UserError(
                self.env._(
                    "All custom tools together are too long: every conversation of "
                    "every AI tool reads them. Shorten their descriptions, or "
                    "withdraw some."
                )
            )

    def _hides(self):
        """Whether not all that is told of it shows: published before that was looked
        at, or written past this model."""
        words = [self.title, self.description]
        for p in self.parameter_ids:
            words += p.description, p.choices
        return not all(is_plain(text or "") for text in words)

    def _check_name(self):
        """A name that reads like that of another tool would be called instead of it,
        and approved for it."""
        # A few dozen rows. pylint: disable-next=no-search-all
        known = self._catalog().search([]) - self.tool_id
        mine = skeleton(self.name)
        for tool in known:
            # What was deleted keeps its row for the sake of old lists.
            if tool.name == self.name or (tool.offered and skeleton(tool.name) == mine):
                raise UserError(
                    self.env._("A tool with this name already exists: %s.", tool.name)
                )

    def _letters(self):
        """About how much of a list of tools this one takes."""
        size = FRAME + len(self.name) + 2 * len(self.title) + len(self.description)
        for p in self.parameter_ids:
            words = (p.name, p.description or "", p.choices or "")
            size += PARAMETER_FRAME + sum(map(len, words))
        return size

    def _catalog(self):
        return self.env["doorman.tool"].sudo().with_context(active_test=False)

    def _to_catalog(self):
        """Its row of the catalog, which policies name."""
        vals = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "category": "read" if self.only_reads else "execute",
            "scope_code": self.scope_id.code,
            "risk": self.risk,
            "kind": "own",
            "offered": True,
        }
        row = self.tool_id.sudo()
        if row:
            row._inside().write(vals)
            return row
        return self._catalog()._inside().create(vals)

    def _make_way(self):
        """Take another name: a tool of the service has come that is called the same.
        Lists that name this one keep naming it."""
        for own in self:
            name = self._free_name(own.name, "own")
            own.tool_id.sudo()._inside().write({"name": name, "offered": False})
            own.write({"name": name})
        self.env.flush_all()

    # ---- what it was when it was looked at ----

    def _tree(self):
        """The action and all actions below it, with the right to read them."""
        actions = self.action_id.sudo().with_context(active_test=False, lang=None)
        found = actions
        while actions := actions.search([("parent_id", "in", actions.ids)]) - found:
            found |= actions
        return found.sorted("id")

    def _fingerprint(self):
        """SHA-256 of the action and of what AI tools are told about it. Read past every
        cache but this transaction's own."""
        told = [self[name] for name in TOLD] + [self.scope_id.code, self._parameters()]
        actions = [self._facts_of(action) for action in self._tree()]
        return canonical_json.digest([told, actions])

    def _facts_of(self, action):
        facts = {}
        for name, field in sorted(action._fields.items()):
            if not field.store or name in BOOKKEEPING or field.type == "one2many":
                continue
            value = action[name]
            if field.relational or field.type == "reference":
                facts[name] = sorted(
                    f"{r._name},{r.id}"
                    + (self._content_of(r) if r._name in CONTENT_MODELS else "")
                    for r in value or ()
                )
            else:
                facts[name] = str(value)
        return facts

    @staticmethod
    def _content_of(template):
        """What stands for the content of a template: its last change, and its files,
        which are changed without it."""
        files = template.attachment_ids if "attachment_ids" in template._fields else ()
        return " ".join(
            ["", str(template.write_date), *(f.checksum or "" for f in files)]
        )

    def _is_unchanged(self):
        self.ensure_one()
        if not self.action_id or self._hides():
            return False
        return self._fingerprint() == self.fingerprint

    # ---- what the gateway reads ----

    @api.model
    def _published(self, name):
        """The tool that a connection calls, as it was published.

        :raise Refusal: if there is none
        """
        tool = self.browse()
        if isinstance(name, str):
            tool = self.sudo().search(
                [("name", "=", name), ("state", "=", "published")]
            )
        if not tool:
            raise Refusal(
                "unknown_tool",
                _lt("The tool %(tool)r no longer exists.", tool=str(name)[:60]),
            )
        if not tool._is_unchanged():
            raise Refusal(
                "custom_tool_changed",
                _lt(
                    "%(tool)s is not available: what it does has changed in Odoo.",
                    tool=tool.name,
                ),
                _lt("Tell your user that an administrator has to review it."),
            )
        return tool

    def _parameters(self):
        """:return: what ``parameters.check`` wants to know"""
        return [
            {
                "name": p.name,
                "type": p.kind,
                "required": p.required,
                "description": p.description or "",
                "model": p.sudo().model_id.model or "",
                "choices": p._choices(),
            }
            for p in self.parameter_ids
        ]

    @api.model
    def _offered(self, user):
        """What the service tells the AI tools of a user: not what the groups of the
        action keep from them."""
        mine = user.all_group_ids
        return [
            {
                "name": own.name,
                "revision": own.revision,
                "title": own.title,
                "description": own.description,
                "scope": own.scope_id.code,
                "risk": own.risk,
                "writes": not own.only_reads,
                "dry_run": own.can_try and not own.only_reads,
                "model": own.model_name,
                "records": own.on_records,
                "parameters": own._parameters(),
            }
            for own in self.sudo().search([("state", "=", "published")])
            if not own._hides()
            and (not own.action_id.group_ids or own.action_id.group_ids & mine)
        ]
