from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ...policy import recipients
from ...policy.policy_fields import EFFECTIVE, POLICY_FIELDS, WHAT
from ...policy.refusal import _lt
from ...policy.shared import LIVE_STATUSES

# Of tools that are for Odoo administrators.
GRAVE_SCOPES = frozenset({"mcp:sql", "mcp:shell"})


class DoormanConnection(models.Model):
    """One AI tool's way in: who it acts as, and what it may do."""

    _name = "doorman.connection"
    _inherit = [
        "doorman.widening.mixin",
        "doorman.protected.mixin",
        "doorman.shown.mixin",
        "doorman.policy.mixin",
        "doorman.thread.mixin",
        "mail.activity.mixin",
    ]
    _description = "MCP connection"
    _order = "id desc"

    _protected_fields = frozenset(
        {
            "state",
            "state_since",
            "version",
            "policy_version",
            "api_key_id",
            "dynamic_registration",
            "client",
            "client_id",
            "client_type",
            "redirect_uris",
            "expiry_reminded",
            "last_used",
            "request_count",
            "tools_restricted",
            "models_restricted",
            "companies_restricted",
            "needs_activation",
            "invite_id",
            "invite_reminded",
            "oauth_client_id",
        }
    )
    _shown_fields = frozenset({"name", "description"})
    _frozen_fields = frozenset({"auth_type", "user_id"})

    name = fields.Char(required=True, tracking=True, index="trigram")
    active = fields.Boolean(default=True, tracking=True)
    auth_type = fields.Selection(
        [("bearer", "API Key"), ("oauth", "OAuth Client")],
        string="Type",
        default="bearer",
        required=True,
    )
    user_id = fields.Many2one(
        "res.users",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
        help="The AI tool can see and do what this user can, never more.",
    )
    # Not stored: a column could be written, and the record rule reads it.
    company_id = fields.Many2one(related="user_id.company_id")
    state = fields.Selection(
        [
            ("inactive", "Waiting for activation"),
            ("awaiting", "Awaiting connection"),
            ("connected", "Connected"),
            ("idle", "Idle"),
            ("revoked", "Revoked"),
            ("expired", "Expired"),
        ],
        string="Status",
        default="awaiting",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    state_since = fields.Datetime(
        "Status since", default=fields.Datetime.now, readonly=True, copy=False
    )
    # Set when it is revoked before an administrator let it in.
    needs_activation = fields.Boolean(readonly=True, copy=False)
    version = fields.Integer(
        readonly=True,
        default=1,
        copy=False,
        help="Increases with every change that matters to a decision.",
    )
    policy_version = fields.Integer(
        readonly=True,
        default=1,
        copy=False,
        help="Increases with every change to what it can read and do: stored answers "
        "from before are then no longer returned.",
    )
    api_key_id = fields.Many2one(
        "res.users.apikeys", string="API key", readonly=True, copy=False
    )
    expires_at = fields.Datetime("Expires on", copy=False, tracking=True)
    last_used = fields.Datetime("Last used", readonly=True, copy=False)
    request_count = fields.Integer("Requests", readonly=True, copy=False)
    expiry_reminded = fields.Boolean(readonly=True, copy=False)
    dynamic_registration = fields.Boolean(
        "Dynamic registration",
        readonly=True,
        copy=False,
        help="The AI tool registered itself when a person logged in.",
    )
    client_id = fields.Char("Client ID", readonly=True, copy=False)
    client_type = fields.Selection(
        [("confidential", "Confidential"), ("public", "Public")],
        "Client type",
        readonly=True,
        copy=False,
    )
    redirect_uris = fields.Text("Allowed redirect URIs", readonly=True, copy=False)
    description = fields.Text(tracking=True)
    approval_tool_ids = fields.Many2many(
        relation="doorman_connection_approval_tool_rel"
    )
    idle_text = fields.Char("Idle for", compute="_compute_idle_text")
    effective_rate_minute = fields.Integer(
        "Requests/min in force", compute="_compute_effective_rates"
    )
    effective_rate_day = fields.Integer(
        "Requests/day in force", compute="_compute_effective_rates"
    )
    effective_rows_reply = fields.Integer(
        "Rows/reply in force", compute="_compute_effective_rates"
    )
    effective_rows_day = fields.Integer(
        "Rows/day in force", compute="_compute_effective_rates"
    )
    audit_count = fields.Integer(compute="_compute_audit_count")
    missing_scopes = fields.Char("Missing scopes", compute="_compute_missing_scopes")
    server_off = fields.Boolean(compute="_compute_server_off")
    all_read_only = fields.Boolean(compute="_compute_server_off")

    # What a decision depends on: a change to one of these raises the version.
    _versioned_fields = POLICY_FIELDS | {"expires_at", "active"}

    def init(self):
        """The proofs live in a table of their own, not in a field: what the ORM
        does not know it cannot read, export, track or put into a domain."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_connection_proof (
                    proof varchar(64) PRIMARY KEY,
                    connection_id integer NOT NULL
                        REFERENCES doorman_connection(id) ON DELETE CASCADE,
                    api_key_id integer NOT NULL,
                    CHECK (char_length(proof) = 64)
                )
                """
            )
        )
        self.env.cr.execute(
            SQL(
                """
                CREATE INDEX IF NOT EXISTS doorman_connection_proof_connection_idx
                ON doorman_connection_proof (connection_id)
                """
            )
        )

    # ---- checks ----

    @api.constrains("user_id")
    def _check_user(self):
        service = self.env.ref("doorman.user_service", raise_if_not_found=False)
        for user in self.user_id.sudo():
            if user._is_superuser() or user == service or not user._is_internal():
                raise ValidationError(
                    self.env._(
                        "A connection acts as a person, but %s is not an internal "
                        "user.",
                        user.display_name,
                    )
                )

    @api.depends("scope_ids", "user_id")
    def _compute_missing_scopes(self):
        for connection in self:
            missing = connection._scopes_without_permission()
            connection.missing_scopes = ", ".join(missing.mapped("code"))

    def _scopes_without_permission(self):
        """:return: the scopes of the connection for which its user lacks the group"""
        groups = self.user_id.sudo().all_group_ids
        return self.scope_ids.filtered(lambda scope: scope.group_id not in groups)

    def action_give_permissions(self):
        """Give its user the permissions that its scopes take.

        :raise AccessError: for anyone but MCP administrators who may also change
            people's access rights in Odoo
        """
        self.env["doorman.settings"]._check_admin()
        for connection in self:
            connection.user_id._doorman_give(connection._scopes_without_permission())
        return True

    def _compute_server_off(self):
        settings = self.env["doorman.settings"]._get().sudo()
        self.server_off = not settings.enabled
        self.all_read_only = settings.all_read_only

    def _compute_audit_count(self):
        counts = dict(
            self.env["doorman.use.connection"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["entries:sum"]
            )
        )
        for connection in self:
            connection.audit_count = counts.get(connection, 0)

    @api.constrains("approver_id", "user_id")
    def _check_approver(self):
        for connection in self:
            approver = connection.approver_id
            if approver and approver == connection.user_id:
                raise ValidationError(
                    self.env._(
                        "%s cannot approve requests made in their own name.",
                        approver.name,
                    )
                )

    @api.depends("state", "last_used", "state_since")
    @api.depends_context("lang")
    def _compute_idle_text(self):
        now = fields.Datetime.now()
        for connection in self:
            since = connection.last_used or connection.state_since
            if connection.state != "idle" or not since:
                connection.idle_text = False
                continue
            hours = max(0, int((now - since).total_seconds() // 3600))
            connection.idle_text = self.env._(
                "for %(days)s, %(hours)s",
                days=connection._days(hours // 24),
                hours=connection._hours(hours % 24),
            )

    @api.model
    def _days(self, number):
        return self.env._("1 day") if number == 1 else self.env._("%s days", number)

    @api.model
    def _hours(self, number):
        return self.env._("1 hour") if number == 1 else self.env._("%s hours", number)

    @api.depends(*EFFECTIVE.values())
    def _compute_effective_rates(self):
        settings = self.env["doorman.settings"]._get().sudo()
        for connection in self:
            for effective, own in EFFECTIVE.items():
                connection[effective] = connection[own] or settings[own]

    def _limit_in_force(self, name, value):
        return value or self.env["doorman.settings"]._get().sudo()[name]

    def _changes_domain(self):
        return [("connection_id", "=", self.id)]

    def write(self, vals):
        res = super().write(vals)
        if self._versioned_fields & vals.keys():
            self._bump(what=bool(WHAT & vals.keys()))
        if "expires_at" in vals:
            self._move_key_expiry()
            self._inside().write({"expiry_reminded": False})
        return res

    def unlink(self):
        self.check_access("unlink")
        audit = self.env["doorman.audit"]
        for connection in self:
            # The chatter goes with the connection: this is what stays.
            audit._insert(connection._deletion())
        self._remove_keys()
        return super().unlink()

    def _deletion(self):
        """The audit row that says who deleted this connection."""
        user = self.user_id.sudo()
        return {
            "connection_id": self.id,
            "connection_name": self.name,
            "connection_type": self.auth_type,
            "user_id": user.id,
            "user_login": user.login,
            "company_id": user.company_id.id,
            "method": "connection/delete",
            "outcome": "ok",
            "message": _lt("Deleted by %s.", self.env.user.login),
            "count": 1,
        }

    def _bump(self, what=False):
        """Raise the version: decisions taken on the old one no longer hold.

        :param bool what: whether it is about what the connection may read and do, so
            that answers that are kept are not told any more, either
        """
        if self:
            self.env.cr.execute(
                SQL(
                    "UPDATE doorman_connection SET version = version + 1, "
                    "policy_version = COALESCE(policy_version, 1) + %s "
                    "WHERE id = ANY(%s)",
                    int(what),
                    self.ids,
                )
            )
            self.invalidate_recordset(["version", "policy_version"])

    # ---- life ----

    def _check_may_manage(self):
        """Administrators manage all connections, a user their own. Public methods
        can be called by anyone with any ids: the record rule decides what exists
        for the caller, this decides what they may do with it."""
        self.check_access("read")
        if self.env.su or self.env.user.has_group("doorman.group_admin"):
            return
        if not self.env.user.has_group("doorman.group_user") or any(
            c.user_id != self.env.user for c in self
        ):
            raise AccessError(
                self.env._("Only its user or an MCP administrator can do this.")
            )

    def _transition(self, state, only_from):
        """One conditional UPDATE: of two people who click at once, one wins.

        :param str state: the new state
        :param only_from: the states that it may be left from
        :return: the connections that changed
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_connection SET state = %s, version = version + 1, "
                "needs_activation = COALESCE(needs_activation, false) "
                "OR state = 'inactive', state_since = now() at time zone 'utc', "
                "write_date = now() at time zone 'utc', write_uid = %s "
                "WHERE id = ANY(%s) AND state = ANY(%s) RETURNING id",
                state,
                self.env.uid,
                self.ids,
                list(only_from),
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        changed = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_recordset(
            ["state", "state_since", "version", "needs_activation"]
        )
        return changed

    def action_revoke(self):
        """End these connections now: their keys are removed, the next call fails.

        :raise AccessError: for anyone but the user and MCP administrators
        """
        self._check_may_manage()
        changed = self.sudo()._transition(
            "revoked", ("inactive", "expired", *LIVE_STATUSES)
        )
        changed._remove_keys()
        for connection in changed:
            connection.message_post(
                body=self.env._("Revoked by %s.", self.env.user.name)
            )
        return True

    def action_ask_revoke(self):
        """Ask before these connections are ended.

        :raise AccessError: for anyone but the user and MCP administrators
        :return: the dialog that says what ends with them
        """
        self._check_may_manage()
        ends = self.filtered(lambda c: c.state != "revoked")
        if not ends:
            raise UserError(self.env._("These connections are already revoked."))
        return self.env["doorman.revoke.many"]._ask("connection_ids", ends)

    def action_activate(self):
        """Let in connections that wait for an administrator.

        :raise AccessError: for anyone but MCP administrators
        """
        self._check_may_manage()
        if not (self.env.su or self.env.user.has_group("doorman.group_admin")):
            raise AccessError(
                self.env._("An MCP administrator has to activate the connection.")
            )
        for connection in self.sudo()._transition("awaiting", ("inactive",)):
            connection._inside().needs_activation = False
            connection.message_post(
                body=self.env._("Activated by %s.", self.env.user.name)
            )
        return True

    def _why_not_reactivate(self):
        """:return: why the caller cannot bring it back, or False"""
        connection = self.sudo()
        if connection.expires_at and connection.expires_at <= fields.Datetime.now():
            return self.env._("It is past its expiry date: set a later one first.")
        if not connection.active:
            # Its key would come to life the day somebody unarchives it.
            return self.env._("It is archived: unarchive it first.")
        admin = self.env.su or self.env.user.has_group("doorman.group_admin")
        if connection.needs_activation and not admin:
            return self.env._("An MCP administrator has to activate it first.")
        return False

    def action_reactivate(self):
        """Bring one revoked or expired connection back. The old key is gone, so an
        API key connection gets a new one, shown once; to who may not see the key of
        this user, a pick-up link for the user. Of an OAuth connection the tokens stay
        dead: its program has to log in again.

        :return: the dialog with the new key or link, or what to do next
        """
        self.ensure_one()
        self._check_may_manage()
        connection = self.sudo()
        reason = self._why_not_reactivate()
        if reason:
            raise UserError(reason)
        if not connection._transition("awaiting", ("revoked", "expired")):
            raise UserError(
                self.env._("Only revoked or expired connections can be reactivated.")
            )
        connection.message_post(
            body=self.env._("Reactivated by %s.", self.env.user.name)
        )
        if connection.needs_activation:
            connection._inside().needs_activation = False
        if connection.auth_type != "bearer":
            return self._log_in_again()
        if self._why_not_see_key():
            return self.action_pickup_link()
        return self._new_key_dialog()

    def action_open_audit(self):
        """The audit rows of this connection."""
        return self._open_audit("doorman.doorman_audit_action")

    def action_open_requests(self):
        """The use of this connection, as a graph."""
        action = self._open_audit("doorman.doorman_use_connection_action")
        views = sorted(action["views"], key=lambda view: view[1] != "graph")
        return action | {"views": views, "mobile_view_mode": "graph"}

    def _open_audit(self, xmlid):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        action["domain"] = [("connection_id", "=", self.id)]
        # All of it, as the button counts: this connection's rows have an index.
        action["context"] = {}
        return action

    # ---- what the gateway reads ----

    @tools.ormcache("self.id", "version")
    def _model_rule(self, version):
        """The allowed models and companies of one version of this connection.

        :param int version: part of the cache key: a changed policy has another one
        :return: two frozensets, or None for no restriction
        """
        policy = self.sudo()._policy()
        models_ = policy.get("allowed_models")
        companies = policy.get("companies")
        return (
            None if models_ is None else frozenset(models_),
            None if companies is None else frozenset(companies),
        )

    @tools.ormcache("self.id", "version")
    def _write_rule(self, version):
        """What one version of this connection may change with.

        :return: whether it only reads, its scopes, the tools it may use (None: all),
            and what needs approval (None: nothing)
        """
        policy = self.sudo()._policy()
        allowed = policy.get("allowed_tools")
        return (
            policy["read_only"],
            frozenset(policy["scopes"]),
            None if allowed is None else frozenset(allowed),
            policy.get("approval"),
        )

    @tools.ormcache("self.id", "version", "settings_version")
    def _rows_rule(self, version, settings_version):
        """How many rows one version of this connection gets, under one version of the
        settings, whose default it may have.

        :return: in one reply, and in a day; 0: any number
        """
        own, default = self.sudo(), self.env["doorman.settings"]._get().sudo()
        return own.rows_reply or default.rows_reply, own.rows_day or default.rows_day

    @tools.ormcache("self.id", "version")
    def _domains(self, version):
        """:return: the domains that emails of one version of this connection may go
        to, as ``recipients.parse`` gives them
        """
        return recipients.parse(self.sudo().recipient_domains)

    @tools.ormcache("self.id", "version")
    def _switches(self, version):
        """:return: names of the switches that are on in one version of this connection,
        as ``Operation.switch`` has them"""
        policy = self.sudo()._policy()
        return frozenset({"research_tools"} if policy["research_tools"] else ())

    def _snapshot(self):
        """Everything that the service needs to decide, as plain JSON."""
        self.ensure_one()
        connection = self.sudo()
        user = connection.user_id
        scope_of = self.env["doorman.scope"]._codes_by_group()
        granted = {scope_of[g] for g in user._get_group_ids() if g in scope_of}
        policy = connection._policy()
        policy["lacking_scopes"] = [s for s in policy["scopes"] if s not in granted]
        policy["rate_limit_minute"] = connection.effective_rate_minute
        policy["rate_limit_day"] = connection.effective_rate_day
        policy["rows_day"] = connection.effective_rows_day
        if not user.has_group("base.group_system"):
            granted -= GRAVE_SCOPES  # not shown to whom they would refuse
        policy["scopes"] = [s for s in policy["scopes"] if s in granted]
        # Which calls wait is decided here in Odoo; that some may is enough to know.
        policy["approval"] = "approval" in policy
        snapshot = {
            "connection": {
                "id": connection.id,
                "version": connection.version,
                "name": connection.name,
                "type": connection.auth_type,
                "status": connection.state,
            },
            "policy": policy,
            "user": {
                "id": user.id,
                "login": user.login,
                "name": user.name,
                "lang": user._doorman_context().get("lang", "en_US"),
                "groups": user._doorman_fingerprint(),
            },
            "settings": self.env["doorman.settings"]._snapshot(),
            "own_tools": self.env["doorman.own.tool"]._offered(user),
            "registry": str(self.env.registry.registry_sequence),
        }
        if connection.expires_at:
            snapshot["connection"]["expires_at"] = (
                connection.expires_at.isoformat() + "Z"
            )
        return snapshot
