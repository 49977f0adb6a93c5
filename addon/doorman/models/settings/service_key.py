import hashlib

from odoo import api, fields, models, tools
from odoo.exceptions import AccessDenied
from odoo.tools import SQL

SERVICE_KEY_NAME = "Doorman service"


class DoormanSettings(models.Model):
    """The key that the service shows to Odoo."""

    _inherit = "doorman.settings"

    service_user_id = fields.Many2one(
        "res.users",
        string="Service user",
        compute="_compute_service",
        compute_sudo=True,
    )
    service_key_date = fields.Datetime(
        "Service key made on", compute="_compute_service", compute_sudo=True
    )

    def init(self):
        """As for connections: what is kept of the service's key is not a field."""
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
