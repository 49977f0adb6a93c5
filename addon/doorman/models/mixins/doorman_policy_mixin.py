from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ...policy import ip_lists, recipients
from ...policy.policy_fields import (
    LINES,
    MOST,
    POLICY_FIELDS,
)

# How many policies an error names.
SHOWN = 10
# By these keys of a context, a caller would keep a change out of the chatter.
UNTRACKED = ("tracking_disable", "mail_notrack", "mail_create_nolog")


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
        default=lambda self: self._default_scopes(),
        tracking=True,
        help="The groups of tools it can use, if its user has the permission too.",
    )
    read_only = fields.Boolean(
        tracking=True,
        help="Tools that change something are hidden and refused.",
    )
    research_tools = fields.Boolean(
        "Research tools",
        tracking=True,
        help="Offers the tools search and fetch, which ChatGPT's deep research and "
        "other research clients ask for. They only read.",
    )
    allowed_tool_ids = fields.Many2many(
        "doorman.tool",
        string="Allowed tools",
        tracking=True,
        help="Empty: every tool of its scopes. Otherwise: only these.",
    )
    allowed_model_ids = fields.Many2many(
        "ir.model",
        string="Allowed models",
        tracking=True,
        help="Empty: every model its user can use. Otherwise: only these, also where "
        "a search or a field leads from one model to another.",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        tracking=True,
        help="Empty: all companies of its user.",
    )
    # A second list of tools wants a table of its own: each model with this policy
    # names one.
    approval_tool_ids = fields.Many2many(
        "doorman.tool",
        relation="doorman_policy_mixin_approval_tool_rel",
        string="Tools that need approval",
        tracking=True,
        help="Every call of these tools needs approval.",
    )
    approve_outward = fields.Boolean(
        "Require approval for what leaves the company",
        default=True,
        tracking=True,
        help="A call needs approval if any of it would reach somebody outside: emails "
        "to customers, text messages, letters, shared documents, other systems. The "
        "approver sees who would get what.",
    )
    approver_id = fields.Many2one(
        "res.users",
        # Without one, others would decide: the administrators.
        ondelete="restrict",
        tracking=True,
        domain=[("share", "=", False)],
        help="Who decides. Nobody can approve a request made in their own name.",
    )
    approver_group_id = fields.Many2one(
        "res.groups",
        string="Approver group",
        ondelete="restrict",
        tracking=True,
        help="Anyone in this group can decide. With neither an approver nor a group, "
        "every MCP administrator can.",
    )
    two_approvers = fields.Selection(
        [("low", "Low or higher"), ("medium", "Medium or higher"), ("high", "High")],
        "Two approvers for risk",
        tracking=True,
        help="Requests of this risk wait until two different people have approved "
        "them. Empty: one person is enough.",
    )
    approval_expiry_hours = fields.Integer(
        "Approval expiry (hours)",
        default=24,
        tracking=True,
        help="How long a request waits for its approver before it expires.",
    )
    allowed_ips = fields.Text(
        "Allowed IPs",
        tracking=True,
        help="One address or network (CIDR) per line, IPv4 or IPv6; text after a # is "
        "a comment. Empty: from anywhere. Otherwise: only from these.",
    )
    blocked_ips = fields.Text(
        "Blocked IPs",
        tracking=True,
        help="One address or network (CIDR) per line. Always blocked, even if they "
        "are also allowed.",
    )
    recipient_domains = fields.Text(
        "Recipient domains",
        tracking=True,
        help="Emails can only go to addresses in these domains: example.com for that "
        "domain, *.example.com for all its subdomains, one per line. Colleagues who "
        "log in as internal users can always get them. Empty: to anyone.",
    )
    rate_limit_minute = fields.Integer(
        "Rate limit (requests/min)",
        tracking=True,
        help="0: the default in Server Settings.",
    )
    rate_limit_day = fields.Integer(
        "Rate limit (requests/day)",
        tracking=True,
        help="0: the default in Server Settings. A day is a UTC day.",
    )
    rows_reply = fields.Integer(
        "Rows per reply",
        tracking=True,
        help="How many records, groups, messages or lines one answer can contain. "
        "Longer lists are cut off and say so; longer exports are refused. 0: the "
        "default in Server Settings.",
    )
    rows_day = fields.Integer(
        "Rows per day",
        tracking=True,
        help="How many of them it can get within a UTC day. 0: the default in Server "
        "Settings.",
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

    # ---- checks ----

    @api.constrains("allowed_ips", "blocked_ips")
    def _check_addresses(self):
        for record in self:
            for name in ("allowed_ips", "blocked_ips"):
                wrong = ip_lists.wrong_line(record[name])
                if wrong:
                    raise ValidationError(
                        self.env._(
                            "%(field)s, line %(number)s: %(text)s is neither an IP "
                            "address nor a network. Enter for example 192.0.2.7, "
                            "192.168.1.0/24 or 2001:db8::/32, one per line.",
                            field=self._fields[name]._description_string(self.env),
                            number=wrong[0],
                            text=repr(wrong[1]),
                        )
                    )

    @api.constrains("recipient_domains")
    def _check_recipient_domains(self):
        for record in self:
            wrong = recipients.wrong_line(record.recipient_domains)
            if wrong:
                raise ValidationError(
                    self.env._(
                        "%(field)s, line %(number)s: %(text)s is not a domain. Enter "
                        "for example example.com, or *.example.com for all its "
                        "subdomains.",
                        field=self._fields["recipient_domains"]._description_string(
                            self.env
                        ),
                        number=wrong[0],
                        text=repr(wrong[1]),
                    )
                )

    @api.constrains("approver_id")
    def _check_approver_internal(self):
        for approver in self.approver_id.sudo():
            if not (approver.active and approver._is_internal()):
                raise ValidationError(
                    self.env._(
                        "%s cannot be an approver: only active internal users can.",
                        approver.name,
                    )
                )

    @api.constrains(*MOST)
    def _check_numbers(self):
        least = {"approval_expiry_hours": 1}
        self._check_range({n: (least.get(n, 0), MOST[n]) for n in MOST})

    def _check_range(self, ranges):
        """:param dict ranges: ``{field: (least, most)}``, both included"""
        for record in self:
            for name, (least, most) in ranges.items():
                if not least <= record[name] <= most:
                    raise ValidationError(
                        self.env._(
                            "%(field)s must be between %(least)s and %(most)s.",
                            field=self._fields[name]._description_string(self.env),
                            least=least,
                            most=most,
                        )
                    )

    def _tracked(self):
        if any(self.env.context.get(key) for key in UNTRACKED):
            return self.with_context(**dict.fromkeys(UNTRACKED, False))
        return self

    @api.model_create_multi
    def create(self, vals_list):
        records = super(DoormanPolicyMixin, self._tracked()).create(vals_list)
        records = records.with_env(self.env)
        for record in records:
            record._set_restrictions(self._restrictions())
        return records

    def write(self, vals):
        res = super(DoormanPolicyMixin, self._tracked()).write(vals)
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

    @api.model
    def _check_decides_nowhere(self, name, them):
        """Before approvers are deleted: others would decide in their place, so a person
        chooses these first. Invites that have ended name nobody any more.

        :param str name: ``approver_id`` or ``approver_group_id``
        :param them: the users or groups
        :raise UserError: with the policies that name them
        """
        found = []
        for model in ("doorman.settings", "doorman.connection", "doorman.invite"):
            policies = self.env[model].sudo().with_context(active_test=False)
            policies = policies.search([(name, "in", them.ids)])
            if model == "doorman.invite":
                live = policies.filtered(lambda i: i.state in ("active", "suspended"))
                (policies - live)._inside().write({name: False})
                policies = live
            label = self.env["ir.model"]._get(model).name
            found += [f"{p.display_name} ({label})" for p in policies]
        if found:
            raise UserError(
                self.env._(
                    "%(who)s decides on what AI tools request: choose another approver "
                    "first, and revoke the invites that name this one.\n\n%(where)s",
                    who=", ".join(them.sudo().mapped("display_name")),
                    where="\n".join(found[:SHOWN]),
                )
            )

    def _policy(self):
        """The policy as the service gets it. A missing list means no restriction.

        :rtype: dict
        """
        self.ensure_one()
        policy = {
            "scopes": self.scope_ids.mapped("code"),
            "read_only": self.read_only,
            "research_tools": self.research_tools,
        }
        if self.tools_restricted:
            policy["allowed_tools"] = self.allowed_tool_ids.mapped("name")
        if self.models_restricted:
            policy["allowed_models"] = self.allowed_model_ids.mapped("model")
        if self.companies_restricted:
            policy["companies"] = self.company_ids.ids
        if self.model_rule_ids:
            # Odoo decides what they say; it is enough to know they exist.
            policy["rules"] = True
        for name in ("allowed_ips", "blocked_ips"):
            if listed := ip_lists.parse(self[name]):
                policy[name] = listed
        # Also tools that are switched off: back on, they must still be gated.
        gated = self.with_context(active_test=False).approval_tool_ids
        # Nothing leaves by what only reads.
        outward = self.approve_outward and not self.read_only
        if gated or self.approval_rule_ids or outward:
            approver = self.approver_id or self.approver_group_id
            policy["approval"] = {
                "tools": gated.mapped("name"),
                "rules": self.approval_rule_ids._wire(),
                "outward": outward,
                "approver": approver.display_name or "",
            }
        return policy

    def _policy_values(self):
        """This policy, as values for another record that carries one."""
        many = {n for n in POLICY_FIELDS if self._fields[n].type == "many2many"}
        vals = {n: [Command.set(self[n].ids)] for n in many}
        # Also tools that are switched off now: back on, they must still be gated.
        gated = self.with_context(active_test=False)
        for name in ("approval_tool_ids", "allowed_tool_ids"):
            vals[name] = [Command.set(gated[name].ids)]
        for name in POLICY_FIELDS - many - LINES:
            field = self._fields[name]
            vals[name] = self[name].id if field.type == "many2one" else self[name]
        for name in LINES:
            vals[name] = [Command.create(line._copied()) for line in self[name]]
        return vals
