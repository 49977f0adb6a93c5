import hashlib

from odoo import api, fields, models, tools
from odoo.exceptions import AccessDenied, AccessError
from odoo.tools import SQL

SERVICE_KEY_NAME = "Doorman service"


class DoormanSettings(models.Model):
    """Server Settings: one record."""

    _name = "doorman.settings"
    _inherit = ["doorman.protected.mixin", "mail.thread"]
    _description = "Doorman server settings"

    _protected_fields = frozenset(
        {"enabled", "version", "singleton", "gateway_last_seen", "gateway_version"}
    )

    name = fields.Char(compute="_compute_name")
    singleton = fields.Boolean(default=True, readonly=True, required=True)
    enabled = fields.Boolean(
        "Server enabled",
        readonly=True,
        tracking=True,
        help="Off: every request is refused, whatever its connection. "
        "Off after installation.",
    )
    version = fields.Integer(readonly=True, default=1)
    public_url = fields.Char(
        "Public URL",
        help="Where AI tools reach the service, e.g. https://mcp.example.com",
    )
    gateway_last_seen = fields.Datetime(readonly=True)
    gateway_version = fields.Char("Service version", readonly=True)
    service_user_id = fields.Many2one(
        "res.users",
        string="Service user",
        compute="_compute_service",
        compute_sudo=True,
    )
    service_key_date = fields.Datetime(
        "Service key made on", compute="_compute_service", compute_sudo=True
    )
    connection_count = fields.Integer(compute="_compute_counts")
    request_count = fields.Integer("Requests (7 days)", compute="_compute_counts")

    _one = models.Constraint(
        "UNIQUE (singleton)", "There is one record of server settings."
    )
    _true = models.Constraint("CHECK (singleton)", "There is one record.")

    def init(self):
        """As for connections: what is kept of the service's key is no field."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_service_key (
                    digest varchar(64) PRIMARY KEY,
                    api_key_id integer NOT NULL,
                    CHECK (char_length(digest) = 64)
                )
                """
            )
        )

    @api.model
    def _get(self):
        """The one record."""
        return self.env.ref("doorman.settings").with_env(self.env)

    def _compute_name(self):
        self.name = self.env._("Server Settings")

    def _compute_service(self):
        service = self.env.ref("doorman.user_service")
        self.env.cr.execute(
            SQL(
                "SELECT k.create_date FROM doorman_service_key s "
                "JOIN res_users_apikeys k ON k.id = s.api_key_id"
            )
        )
        row = self.env.cr.fetchone()
        for record in self:
            record.service_user_id = service
            record.service_key_date = row and row[0]

    def _compute_counts(self):
        connections = self.env["doorman.connection"].search_count(
            [("state", "in", ("awaiting", "connected", "idle"))]
        )
        week_ago = fields.Datetime.subtract(fields.Datetime.now(), days=7)
        requests = self.env["doorman.audit"].search_count([("time", ">=", week_ago)])
        for record in self:
            record.connection_count = connections
            record.request_count = requests

    def write(self, vals):
        res = super().write(vals)
        self._bump()
        return res

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
            raise AccessError(self.env._("Only an MCP administrator may do this."))

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

    # ---- the service's key ----

    def action_generate_service_key(self):
        """Make the key that the service shows to Odoo; a former one stops at once.

        :return: the dialog that shows the key, once
        :raise AccessError: for anyone but MCP administrators
        """
        self._check_admin()
        key = self._get().sudo()._generate_service_key()
        self._get().sudo().message_post(
            body=self.env._("New service key, shown to %s.", self.env.user.name)
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("The service's new key"),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": key, "default_connection": SERVICE_KEY_NAME},
        }

    def _generate_service_key(self):
        service = self.env.ref("doorman.user_service")
        keys = self.env["res.users.apikeys"].with_user(service).sudo()
        keys.search([("user_id", "=", service.id)]).unlink()
        self.env.cr.execute(SQL("DELETE FROM doorman_service_key"))
        # No scope: Odoo's own endpoints take it too (the other transports need
        # that). It opens nothing there, its user has no group but its own.
        key = keys._generate(None, SERVICE_KEY_NAME, None)
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_service_key (digest, api_key_id) "
                "SELECT %s, max(id) FROM res_users_apikeys WHERE user_id = %s",
                hashlib.sha256(key.encode()).hexdigest(),
                service.id,
            )
        )
        self.env.registry.clear_cache()
        return key

    @api.model
    def _service_uid(self, key):
        """The service user's id, if ``key`` is its key; else None.

        :param str key: as sent by the caller
        :rtype: int or None
        """
        # The key is 160 random bits: a plain hash of it is as hard to turn back as a
        # slow one, and costs nothing here.
        digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()
        try:
            uid, expires = self._service_key(digest)
        except AccessDenied:
            return None
        if expires and expires < fields.Datetime.now():
            return None
        return uid

    @api.model
    @tools.ormcache("digest")
    def _service_key(self, digest):
        """The user and the expiry behind a key. Kept by Odoo's own cache, which
        ``res.users.apikeys`` here and ``res.users`` there clear when a key is removed
        or a user archived. A digest that is none is an error, so that it is not kept:
        who guesses must not push out what is.

        :return: user id, expiry or None
        :raise AccessDenied: if there is no such key
        """
        self.env.cr.execute(
            """
            SELECT u.id, k.expiration_date
              FROM doorman_service_key s
              JOIN res_users_apikeys k ON k.id = s.api_key_id
              JOIN res_users u ON u.id = k.user_id
             WHERE s.digest = %s AND u.active
            """,
            [digest],
        )
        row = self.env.cr.fetchone()
        if not row or row[0] != self._service_user_id():
            raise AccessDenied()
        return row

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
    def _snapshot(self):
        settings = self._get().sudo()
        catalog = self.env["doorman.tool"].sudo().with_context(active_test=False)
        return {
            "enabled": settings.enabled,
            "version": settings.version,
            "disabled_tools": catalog.search([("active", "=", False)]).mapped("name"),
        }
