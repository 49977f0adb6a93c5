from urllib.parse import urlsplit

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from ...policy import closed_models
from ...policy.policy_fields import MAX_RATE_DAY, MAX_RATE_MINUTE
from ...policy.public_url import normal_url
from ...policy.shared import LIVE_STATUSES, LOOPBACK_HOSTS

MCP_PATH = "/mcp"
# Tools that are off until an administrator switches them on here.
SWITCHES = {"run_sql": "allow_sql", "run_python": "allow_shell"}


class DoormanSettings(models.Model):
    """Server Settings: one record."""

    _name = "doorman.settings"
    _inherit = [
        "doorman.widening.mixin",
        "doorman.protected.mixin",
        "doorman.policy.mixin",
        "doorman.thread.mixin",
    ]
    _description = "Doorman server settings"

    _protected_fields = frozenset(
        {
            "enabled",
            "all_read_only",
            "all_read_only_by",
            "version",
            "singleton",
            "tools_restricted",
            "models_restricted",
            "companies_restricted",
            "database_identity",
            "database_name",
        }
    )

    name = fields.Char(compute="_compute_name")
    singleton = fields.Boolean(default=True, readonly=True, required=True)
    enabled = fields.Boolean(
        "Server enabled",
        readonly=True,
        tracking=True,
        help="Off: every request is refused, regardless of its connection. Off after "
        "installation.",
    )
    version = fields.Integer(readonly=True, default=1)
    public_url = fields.Char(
        "Public URL",
        tracking=True,
        help="Where AI tools reach the service, e.g. https://mcp.example.com. Empty: "
        "the address that the service reports.",
    )
    # Of the process of the service that said hello last.
    gateway_last_seen = fields.Datetime("Service last seen", compute="_compute_gateway")
    gateway_version = fields.Char("Service version", compute="_compute_gateway")
    gateway_url = fields.Char("Service's own URL", compute="_compute_gateway")
    gateway_silent = fields.Boolean(compute="_compute_gateway")
    replica_count = fields.Integer("Replicas", compute="_compute_gateway")
    gateway_urls = fields.Char(
        "Services with this key",
        compute="_compute_gateway",
        help="Addresses of services that run with this Odoo's service key, if there "
        "is more than one.",
    )
    mcp_url = fields.Char("MCP endpoint", compute="_compute_mcp_url")

    approval_tool_ids = fields.Many2many(relation="doorman_settings_approval_tool_rel")
    rate_limit_minute = fields.Integer(
        default=60, help="For every connection without a limit of its own."
    )
    rate_limit_day = fields.Integer(
        default=10_000,
        help="For every connection without a limit of its own. A day is a UTC day.",
    )
    rows_reply = fields.Integer(
        help="For every connection without a limit of its own. 0: as many as a tool "
        "returns to anyone.",
    )
    rows_day = fields.Integer(
        help="For every connection without a limit of its own, within a UTC day. 0: "
        "no limit.",
    )
    idle_after_hours = fields.Integer(
        "Idle after (hours)",
        default=72,
        tracking=True,
        help="A connection that has not been used for this long is shown as idle.",
    )
    log_payloads = fields.Boolean(
        "Log payloads",
        tracking=True,
        help="Also keep requests and answers in the audit. Anything that looks like a "
        "credential is never kept.",
    )
    audit_retention_days = fields.Integer(
        "Audit retention (days)",
        default=90,
        tracking=True,
        help="Older audit rows are removed once a day.",
    )
    oauth_access_minutes = fields.Integer(
        "Access token lifetime (minutes)", default=60, tracking=True
    )
    oauth_refresh_days = fields.Integer(
        "Refresh token lifetime (days)", default=30, tracking=True
    )
    oauth_grace_seconds = fields.Integer(
        "Rotation grace (seconds)",
        default=60,
        tracking=True,
        help="How long a refresh token still works after it was exchanged: AI tools "
        "sometimes refresh twice at once.",
    )
    oauth_dynamic_registration = fields.Boolean(
        "Dynamic registration",
        default=True,
        tracking=True,
        help="AI tools can register themselves when a person logs in.",
    )
    oauth_needs_activation = fields.Boolean(
        "New OAuth connections need activation",
        tracking=True,
        help="A connection from a browser login waits until an MCP administrator has "
        "activated it.",
    )
    allow_sql = fields.Boolean(
        "SQL tool",
        tracking=True,
        help="Users who administer this Odoo can let AI tools run SELECTs. Requires a "
        "separate addon.",
    )
    allow_shell = fields.Boolean(
        "Shell tool",
        tracking=True,
        help="Users who administer this Odoo can let AI tools run Python. Requires a "
        "separate addon.",
    )
    not_installed = fields.Char("Tools not installed", compute="_compute_not_installed")
    allow_key_handover = fields.Boolean(
        "Administrators can hand over keys",
        default=True,
        tracking=True,
        help="Off: a key is shown to the user it acts as and to nobody else; "
        "administrators create pick-up links.",
    )
    connection_count = fields.Integer(compute="_compute_counts")
    request_count = fields.Integer("Requests (7 days)", compute="_compute_counts")
    refused_count = fields.Integer("Refused (7 days)", compute="_compute_counts")

    _one = models.Constraint(
        "UNIQUE (singleton)", "There can be only one record of server settings."
    )
    _true = models.Constraint("CHECK (singleton)", "There can be only one record.")

    @api.model
    def _get(self):
        """The one record."""
        return self.env.ref("doorman.settings").with_env(self.env)

    @api.depends_context("lang")
    def _compute_name(self):
        self.name = self.env._("Server Settings")

    @api.depends_context("lang")
    def _compute_display_name(self):
        return super()._compute_display_name()

    def _compute_gateway(self):
        replicas = self.env["doorman.replica"]
        last = replicas.sudo().search([], limit=1)
        alive = replicas._alive()
        urls = alive._urls()
        for record in self:
            record.gateway_last_seen = last.seen
            versions = alive.mapped("version") or [last.version]
            record.gateway_version = ", ".join(sorted({v for v in versions if v}))
            record.gateway_url = last.url
            record.gateway_silent = not alive
            record.replica_count = len(alive)
            record.gateway_urls = ", ".join(urls) if len(urls) > 1 else False

    @api.model
    def _web_url_is_kept(self):
        """Whether Odoo leaves ``web.base.url`` alone when an administrator logs in
        (``odoo/addons/base/models/res_users.py``, ``authenticate``)."""
        parameters = self.env["ir.config_parameter"].sudo()
        return bool(parameters.get_param("web.base.url.freeze"))

    @api.depends("public_url")
    def _compute_mcp_url(self):
        for record in self:
            url = normal_url(record.public_url) or ""
            if url and not url.endswith(MCP_PATH):
                url += MCP_PATH
            record.mcp_url = url or record._own_url()

    def _own_url(self):
        """What the service says of itself, where that can be believed unseen. Who
        stole the service's key could say anything, and people would paste their keys
        behind that address: beyond this machine an administrator takes it over.
        """
        url = self.gateway_url or ""
        try:
            host = urlsplit(url).hostname
        except ValueError:
            return False
        return url if host in LOOPBACK_HOSTS else False

    @api.depends_context("lang")
    def _compute_not_installed(self):
        """What to do about tools that have a switch here and aren't installed."""
        gateway = self.env["doorman.gateway"]
        lacking = [name for name in SWITCHES if not gateway._offers(name)]
        # As the service's catalog says, if it was ever here.
        modules = {self.env["doorman.tool"]._module_of(name) for name in lacking}
        modules = ", ".join(sorted(modules - {None}))
        text = False
        if lacking and modules:
            text = self.env._(
                "Not installed: %(tools)s. These switches do nothing until an Odoo "
                "administrator installs the module %(modules)s.",
                tools=", ".join(lacking),
                modules=modules,
            )
        elif lacking:
            text = self.env._(
                "Not installed: %s. These switches do nothing until an Odoo "
                "administrator installs the addon that brings these tools.",
                ", ".join(lacking),
            )
        self.not_installed = text

    def action_use_gateway_url(self):
        """Make the address that the service says it has the public one.

        :raise AccessError: for anyone but MCP administrators
        :raise ValidationError: if it is none
        """
        self._check_admin()
        settings = self._get()
        settings.public_url = (settings.gateway_url or "").removesuffix(MCP_PATH)
        return True

    def _compute_counts(self):
        connections = self.env["doorman.connection"].search_count(
            [("state", "in", ("inactive", *LIVE_STATUSES))]
        )
        totals = self.env["doorman.use.day"]._per_outcome()
        for record in self:
            record.connection_count = connections
            record.request_count = sum(totals.values())
            record.refused_count = totals.get("refused", 0)

    @api.constrains("public_url")
    def _check_public_url(self):
        for record in self.filtered("public_url"):
            url = normal_url(record.public_url)
            if not url or urlsplit(url).path not in ("", MCP_PATH):
                raise ValidationError(
                    self.env._(
                        "The public URL must look like https://mcp.example.com: "
                        "no path, user or query."
                    )
                )

    @api.constrains(
        "idle_after_hours",
        "audit_retention_days",
        "oauth_access_minutes",
        "oauth_refresh_days",
        "oauth_grace_seconds",
        "rate_limit_minute",
        "rate_limit_day",
    )
    def _check_settings(self):
        self._check_range(
            {
                "rate_limit_minute": (1, MAX_RATE_MINUTE),
                "rate_limit_day": (1, MAX_RATE_DAY),
                "idle_after_hours": (1, 24 * 365),
                "audit_retention_days": (1, 3650),
                "oauth_access_minutes": (1, 24 * 60),
                "oauth_refresh_days": (1, 365),
                "oauth_grace_seconds": (0, 600),
            }
        )

    def write(self, vals):
        res = super().write(self._with_normal_url(vals))
        self._bump()
        return res

    @staticmethod
    def _with_normal_url(vals):
        """The address as clients have it. A text that is not an address stays as it
        was typed, and is refused."""
        url = normal_url(vals.get("public_url"))
        return {**vals, "public_url": url} if url else vals

    @api.ondelete(at_uninstall=False)
    def _refuse_unlink(self):
        raise AccessError(self.env._("Server settings cannot be deleted."))

    @api.model
    def _bump(self):
        """Raise the version: every decision is taken anew."""
        self.env.cr.execute(
            SQL("UPDATE doorman_settings SET version = version + 1 WHERE singleton")
        )
        self.env["doorman.settings"].invalidate_model(["version"])

    def _check_admin(self):
        if not (self.env.su or self.env.user.has_group("doorman.group_admin")):
            raise AccessError(self.env._("Only an MCP administrator can do this."))

    # ---- the master switch ----

    def action_enable(self):
        """Open the door.

        :raise AccessError: for anyone but MCP administrators
        """
        return self._switch(True)

    def action_disable(self):
        """Shut the door for every connection, at once."""
        return self._switch(False)

    def _switch(self, enabled):
        self._check_admin()
        settings = self._get().sudo()
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_settings SET enabled = %s, version = version + 1 "
                "WHERE singleton AND enabled IS DISTINCT FROM %s RETURNING id",
                enabled,
                enabled,
            )
        )
        changed = self.env.cr.fetchone()
        settings.invalidate_recordset(["enabled", "version"])
        if changed:
            word = self.env._("on") if enabled else self.env._("off")
            settings.message_post(
                body=self.env._(
                    "Server switched %(state)s by %(who)s.",
                    state=word,
                    who=self.env.user.name,
                )
            )
        return True

    @api.model
    def _warm_companies(self, companies):
        """Put what record rules ask of companies (``parent_of``) where the ORM looks
        for it. Otherwise it reads every column of them, at every single call."""
        field = companies._fields["parent_path"]
        field._insert_cache(companies, [self._company_path(c) for c in companies.ids])

    @api.model
    @tools.ormcache("company_id")
    def _company_path(self, company_id):
        # Odoo refuses to move a company in its tree (res.company.write).
        return self.env["res.company"].sudo().browse(company_id).parent_path

    @api.model
    def _service_user_id(self):
        return self.env["ir.model.data"]._xmlid_to_res_id("doorman.user_service")

    @api.model
    def _mcp_url(self):
        """The URL that AI tools are given, or False if none is known yet."""
        return self._get().sudo().mcp_url

    @api.model
    def _snapshot(self):
        settings = self._get().sudo()
        catalog = self.env["doorman.tool"].sudo().with_context(active_test=False)
        # A few dozen rows. pylint: disable-next=no-search-all
        tools_ = catalog.search([])
        # What is not loaded is not there, whatever the list of modules says.
        loaded = self.env.registry._init_modules
        lacking = tools_.filtered(
            lambda t: t.needs_module and t.needs_module not in loaded
        )
        off = {name for name, switch in SWITCHES.items() if not settings[switch]}
        # To switch on what isn't installed would help nobody.
        off -= set(lacking.mapped("name"))
        off |= set(tools_.filtered(lambda t: not t.active).mapped("name"))
        return {
            "enabled": settings.enabled and not settings.is_copy,
            "version": settings.version,
            "disabled_tools": sorted(off),
            "missing_modules": sorted(set(lacking.mapped("needs_module"))),
            "floor": list(closed_models.FLOOR_MODELS),
        }
