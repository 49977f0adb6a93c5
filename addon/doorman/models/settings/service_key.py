import hashlib

from odoo import api, fields, models, tools
from odoo.exceptions import AccessDenied, UserError
from odoo.tools import SQL

from ...policy.credentials import (
    MAX_SERVICE_OVERLAP_MINUTES,
    SERVICE_OVERLAP_MINUTES,
)
from ...policy.protected_fields import CONTEXT_KEY, SENTINEL

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
        "Service key created on", compute="_compute_service", compute_sudo=True
    )
    old_service_key_until = fields.Datetime(
        "Old service key works until", compute="_compute_service", compute_sudo=True
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
                );
                -- Of the key before this one, while both work.
                ALTER TABLE doorman_service_key ADD COLUMN IF NOT EXISTS until timestamp
                """
            )
        )

    def _compute_service(self):
        service = self.env.ref("doorman.user_service")
        self.env.cr.execute(
            SQL(
                """
                SELECT max(k.create_date) FILTER (WHERE s.until IS NULL),
                       max(s.until) FILTER (WHERE s.until > now() at time zone 'utc')
                  FROM doorman_service_key s
                  JOIN res_users_apikeys k ON k.id = s.api_key_id
                """
            )
        )
        made, until = self.env.cr.fetchone()
        for record in self:
            record.service_user_id = service
            record.service_key_date = made
            record.old_service_key_until = until

    # ---- the service's key ----

    def action_generate_service_key(self):
        """Make the key that the service shows to Odoo, and end all others at once: the
        first one, or one in place of one that was stolen.

        :return: the dialog that shows the key, once
        :raise AccessError: for anyone but MCP administrators
        """
        return self._new_service_key_dialog(0)

    def _new_service_key_dialog(self, overlap_minutes):
        key = self._new_service_key(overlap_minutes)
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("The service's new key"),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": key, "default_connection": SERVICE_KEY_NAME},
        }

    @api.model
    def api_rotate_service_key(self, overlap_minutes=SERVICE_OVERLAP_MINUTES):
        """The same for programs: a new key, and how long the one before it still works.

        :param int overlap_minutes: 0 to a day; 0 ends everything that there was
        :return: ``{"key": ...}``
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if the number is none
        """
        return {"key": self._new_service_key(overlap_minutes)}

    def _new_service_key(self, overlap_minutes):
        self._check_admin()
        if (
            type(overlap_minutes) is not int
            or not 0 <= overlap_minutes <= MAX_SERVICE_OVERLAP_MINUTES
        ):
            raise UserError(
                self.env._(
                    "The overlap must be from 0 to %s minutes (one day).",
                    MAX_SERVICE_OVERLAP_MINUTES,
                )
            )
        settings = self._get().sudo()
        key = settings._generate_service_key(overlap_minutes)
        who = self.env.user.name
        settings.message_post(
            body=self.env._(
                "New service key, shown to %(who)s. Minutes until the old key stops "
                "working: %(minutes)s.",
                who=who,
                minutes=overlap_minutes,
            )
            if overlap_minutes
            else self.env._("New service key, shown to %s. No other key works.", who)
        )
        return key

    def _generate_service_key(self, overlap_minutes=0):
        """:param int overlap_minutes: how long the key before it goes on working
        :return: the key
        """
        if overlap_minutes:
            self._retire_service_key(overlap_minutes)
        else:
            self._end_service_user()
        service = self.env.ref("doorman.user_service")
        keys = self.env["res.users.apikeys"].with_user(service).sudo()
        keys = keys.with_context(**{CONTEXT_KEY: SENTINEL})
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
        self._forget_keys()
        return key

    def _retire_service_key(self, minutes):
        """Let the key before the new one work for a while: one of them, the newest."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_service_key
                   SET until = CASE WHEN until IS NULL
                       THEN now() at time zone 'utc' + make_interval(mins => %s)
                       ELSE now() at time zone 'utc' END
                """,
                minutes,
            )
        )
        self._end_old_service_keys()

    def _end_old_service_keys(self):
        """Remove keys whose time is over. They open nothing since then."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_service_key "
                "WHERE until <= now() at time zone 'utc' RETURNING api_key_id"
            )
        )
        ended = [ident for (ident,) in self.env.cr.fetchall()]
        if ended:
            self.env["res.users.apikeys"].sudo().browse(ended).exists().unlink()
            self._forget_keys()
        return len(ended)

    def _end_service_user(self):
        """End everything that lets anybody in as the service."""
        service = self.env.ref("doorman.user_service")
        keys = self.env["res.users.apikeys"].with_user(service).sudo()
        keys.search([("user_id", "=", service.id)]).unlink()
        self.env.cr.execute(SQL("DELETE FROM doorman_service_key"))
        # Set before nobody could, or by SQL.
        self.env.cr.execute(
            SQL("UPDATE res_users SET password = NULL WHERE id = %s", service.id)
        )
        inside = service.sudo().with_context(**{CONTEXT_KEY: SENTINEL})
        inside.invalidate_recordset()
        inside.write(
            {
                name: False
                for name in ("email", "totp_secret", "oauth_uid", "oauth_access_token")
                if name in service._fields and service._fields[name].type == "char"
            }
        )

    def _forget_keys(self):
        """Here and, once this is committed, in the other processes: in a shell there is
        no end of a request that would say so."""
        registry = self.env.registry
        registry.clear_cache()
        self.env.cr.postcommit.add(registry.signal_changes)

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
        # By its name in JSON: a database that is about to be updated has no such column
        # yet, and the service has to get in to be told that.
        self.env.cr.execute(
            """
            SELECT u.id,
                   LEAST(k.expiration_date, (to_jsonb(s) ->> 'until')::timestamp)
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
