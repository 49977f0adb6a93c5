import hashlib

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .doorman_policy_mixin import POLICY_FIELDS

KEY_PREFIX = "dmk_"
KEY_SCOPE = "mcp"

# The states in which a connection may call.
LIVE_STATES = ("awaiting", "connected", "idle")


def stored_proof(credential):
    """What is kept of a credential: the hash of the proof that the service shows.

    The service sends SHA-256 of the credential, so a copy of this column alone
    lets nobody in: it would have to be turned back into its own preimage.

    :param str credential: as the client sends it, prefix included
    :return: 64 hex digits
    :rtype: str
    """
    return hash_proof(hashlib.sha256(credential.encode()).hexdigest())


def hash_proof(proof):
    """:param str proof: SHA-256 of the credential, as 64 hex digits"""
    return hashlib.sha256(bytes.fromhex(proof)).hexdigest()


class DoormanConnection(models.Model):
    """One AI tool's way in: who it acts as, and what it may do."""

    _name = "doorman.connection"
    _inherit = [
        "doorman.protected.mixin",
        "doorman.policy.mixin",
        "mail.thread",
    ]
    _description = "MCP connection"
    _order = "id desc"

    _protected_fields = frozenset(
        {
            "state",
            "version",
            "api_key_id",
            "last_used",
            "request_count",
            "tools_restricted",
            "models_restricted",
            "companies_restricted",
            "needs_activation",
        }
    )
    _frozen_fields = frozenset({"auth_type", "user_id"})

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    auth_type = fields.Selection(
        [("bearer", "API Key"), ("oauth", "OAuth Client")],
        string="Type",
        default="bearer",
        required=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="User",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
        help="The AI tool sees and does what this user may see and do, never more.",
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
    # Set when it is revoked before an administrator let it in.
    needs_activation = fields.Boolean(readonly=True, copy=False)
    version = fields.Integer(
        readonly=True,
        default=1,
        copy=False,
        help="Raised by every change that matters to a decision.",
    )
    api_key_id = fields.Many2one(
        "res.users.apikeys", string="API key", readonly=True, copy=False
    )
    expires_at = fields.Datetime("Expires on", copy=False, tracking=True)
    last_used = fields.Datetime("Last used", readonly=True, copy=False)
    request_count = fields.Integer("Requests", readonly=True, copy=False)
    description = fields.Text()
    audit_count = fields.Integer(compute="_compute_audit_count")
    missing_scopes = fields.Char(compute="_compute_missing_scopes")

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
                        "A connection acts as a person: %s is not an internal user.",
                        user.display_name,
                    )
                )

    @api.depends("scope_ids", "user_id")
    def _compute_missing_scopes(self):
        for connection in self:
            groups = connection.user_id.sudo().all_group_ids
            missing = connection.scope_ids.filtered(
                lambda s, groups=groups: s.group_id not in groups
            )
            connection.missing_scopes = ", ".join(missing.mapped("code"))

    def _compute_audit_count(self):
        counts = dict(
            self.env["doorman.audit"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.audit_count = counts.get(connection, 0)

    def write(self, vals):
        res = super().write(vals)
        if self._versioned_fields & vals.keys():
            self._bump()
        if "expires_at" in vals:
            self._move_key_expiry()
        return res

    def _move_key_expiry(self):
        """Else the key dies on the old day, though its connection lives."""
        self.flush_recordset(["expires_at"])
        self.env.cr.execute(
            SQL(
                "UPDATE res_users_apikeys k SET expiration_date = c.expires_at "
                "FROM doorman_connection c JOIN doorman_connection_proof p "
                "ON p.connection_id = c.id "
                "WHERE k.id = p.api_key_id AND c.id = ANY(%s)",
                self.ids,
            )
        )

    def unlink(self):
        # The audit outlives what it is about: rows keep the name and lose the link.
        self.env["doorman.audit"]._forget_connections(self.ids)
        self._remove_keys()
        return super().unlink()

    def _bump(self):
        """Raise the version: decisions taken on the old one no longer hold."""
        if self:
            self.env.cr.execute(
                SQL(
                    "UPDATE doorman_connection SET version = version + 1 "
                    "WHERE id = ANY(%s)",
                    self.ids,
                )
            )
            self.invalidate_recordset(["version"])

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
                self.env._("Only its user or an MCP administrator may do this.")
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
                "OR state = 'inactive', "
                "write_date = now() at time zone 'utc', write_uid = %s "
                "WHERE id = ANY(%s) AND state = ANY(%s) RETURNING id",
                state,
                self.env.uid,
                self.ids,
                list(only_from),
            )
        )
        changed = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_recordset(["state", "version", "needs_activation"])
        return changed

    def action_revoke(self):
        """End these connections now: their keys are removed, the next call fails.

        :raise AccessError: for anyone but the user and MCP administrators
        """
        self._check_may_manage()
        changed = self.sudo()._transition(
            "revoked", ("inactive", "expired", *LIVE_STATES)
        )
        changed._remove_keys()
        for connection in changed:
            connection.message_post(
                body=self.env._("Revoked by %s.", self.env.user.name)
            )
        return True

    def action_reactivate(self):
        """Bring one revoked or expired connection back. The old key is gone, so an
        API key connection gets a new one, shown once.

        :return: the dialog with the new key
        """
        self.ensure_one()
        self._check_may_manage()
        connection = self.sudo()
        if connection.expires_at and connection.expires_at <= fields.Datetime.now():
            raise UserError(
                self.env._("It is past its expiry date: set a later one first.")
            )
        admin = self.env.su or self.env.user.has_group("doorman.group_admin")
        if connection.needs_activation and not admin:
            raise UserError(self.env._("An MCP administrator has to let it in first."))
        if not connection._transition("awaiting", ("revoked", "expired")):
            raise UserError(self.env._("Only revoked or expired connections can be."))
        connection.message_post(
            body=self.env._("Reactivated by %s.", self.env.user.name)
        )
        if connection.needs_activation:
            connection._inside().needs_activation = False
        if connection.auth_type != "bearer":
            return True
        return self._new_key_dialog()

    def action_rotate_key(self):
        """Make a new API key; the old one stops at once.

        :return: the dialog that shows the new key, once
        """
        self.ensure_one()
        self._check_may_manage()
        if self.auth_type != "bearer":
            raise UserError(self.env._("Only API key connections have a key."))
        if self.state not in LIVE_STATES:
            raise UserError(self.env._("Reactivate the connection first."))
        return self._new_key_dialog()

    def _check_may_see_key(self):
        """Who sees a key can act as its user. An MCP administrator hands keys to
        people, but must not become an Odoo administrator by it."""
        if (
            self.user_id != self.env.user
            and self.user_id.sudo().has_group("base.group_system")
            and not self.env.is_system()
        ):
            raise AccessError(
                self.env._(
                    "Only an Odoo administrator may make a key that acts as one."
                )
            )

    def _new_key_dialog(self):
        self._check_may_see_key()
        key = self.sudo()._issue_key()
        self.sudo().message_post(
            body=self.env._("New API key, shown to %s.", self.env.user.name)
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("Your new key"),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": key, "default_connection": self.name},
        }

    def action_open_audit(self):
        """The audit rows of this connection."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_audit_action"
        )
        action["domain"] = [("connection_id", "=", self.id)]
        action["context"] = {}
        return action

    # ---- keys ----

    def _remove_keys(self):
        """Remove the API keys of these connections, and what is kept of them."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_connection_proof WHERE connection_id = ANY(%s) "
                "RETURNING api_key_id",
                self.ids,
            )
        )
        keys = (
            self.env["res.users.apikeys"]
            .sudo()
            .browse([row[0] for row in self.env.cr.fetchall()])
        )
        keys.exists().unlink()
        self._inside().sudo().write({"api_key_id": False})

    def _issue_key(self):
        """Make the connection's API key, in place of the one it has.

        The key is a record of Odoo's own key model with a scope of ours, so that
        Odoo's RPC refuses it and Odoo's own list shows it to its user.

        :return: the key, in clear, for the only time
        :rtype: str
        """
        self.ensure_one()
        self._remove_keys()
        # sudo: a key may outlive what the user's groups allow, its connection's
        # own expiry and an administrator's eye are what ends it.
        keys = self.env["res.users.apikeys"].with_user(self.user_id).sudo()
        key = keys._generate(
            KEY_SCOPE, f"Doorman: {self.name}", self.expires_at or None
        )
        self.env.cr.execute(
            SQL(
                "SELECT max(id) FROM res_users_apikeys "
                "WHERE user_id = %s AND scope = %s AND index = %s",
                self.user_id.id,
                KEY_SCOPE,
                key[:8],
            )
        )
        key_id = self.env.cr.fetchone()[0]
        credential = KEY_PREFIX + key
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_connection_proof "
                "(proof, connection_id, api_key_id) VALUES (%s, %s, %s)",
                stored_proof(credential),
                self.id,
                key_id,
            )
        )
        self._inside().write({"api_key_id": key_id})
        self._bump()
        return credential

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

    def _snapshot(self):
        """Everything that the service needs to decide, as plain JSON."""
        self.ensure_one()
        connection = self.sudo()
        user = connection.user_id
        scope_of = self.env["doorman.scope"]._codes_by_group()
        granted = {scope_of[g] for g in user._get_group_ids() if g in scope_of}
        policy = connection._policy()
        policy["scopes"] = [s for s in policy["scopes"] if s in granted]
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
                "lang": user.lang or "en_US",
                "groups": user._doorman_fingerprint(),
            },
            "settings": self.env["doorman.settings"]._snapshot(),
            "registry": str(self.env.registry.registry_sequence),
        }
        if connection.expires_at:
            snapshot["connection"]["expires_at"] = (
                connection.expires_at.isoformat() + "Z"
            )
        return snapshot
