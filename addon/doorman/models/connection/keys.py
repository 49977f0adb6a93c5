from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy.credentials import MAX_OVERLAP_MINUTES, stored_proof
from ...policy.shared import LIVE_STATUSES, PREFIX_KEY

# Of nobody else's: other modules that serve MCP take keys of the scope ``mcp``.
KEY_SCOPE = "doorman"


class DoormanConnection(models.Model):
    """The keys of a connection: made, shown once, rotated, removed."""

    _inherit = "doorman.connection"

    old_key_until = fields.Datetime(
        "Old key works until",
        compute="_compute_old_key_until",
        help="The key before the last rotation, as long as it still works.",
    )

    @api.depends("api_key_id")
    def _compute_old_key_until(self):
        self.env.cr.execute(
            SQL(
                """
                SELECT p.connection_id, max(k.expiration_date)
                  FROM doorman_connection_proof p
                  JOIN doorman_connection c ON c.id = p.connection_id
                  JOIN res_users_apikeys k ON k.id = p.api_key_id
                 WHERE p.connection_id = ANY(%s) AND k.id IS DISTINCT FROM c.api_key_id
                   AND k.expiration_date > now() at time zone 'utc'
                 GROUP BY p.connection_id
                """,
                self.ids,
            )
        )
        until = dict(self.env.cr.fetchall())
        for connection in self:
            connection.old_key_until = until.get(connection.id)

    def _move_key_expiry(self):
        """Else the key dies on the old day, though its connection lives. A key that
        was rotated away keeps its own, earlier end."""
        self.flush_recordset(["expires_at"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_users_apikeys k
                   SET expiration_date = CASE
                       WHEN k.id = c.api_key_id THEN c.expires_at
                       ELSE LEAST(k.expiration_date, c.expires_at) END
                  FROM doorman_connection c
                  JOIN doorman_connection_proof p ON p.connection_id = c.id
                 WHERE k.id = p.api_key_id AND c.id = ANY(%s)
                """,
                self.ids,
            )
        )

    # ---- who may see a key ----

    def _why_not_see_key(self):
        """Who sees a key can act as its user. An MCP administrator hands keys to
        people where the settings allow that, but must not become an Odoo
        administrator by it.

        :return: the reason why the caller may not see this connection's key, or False
        """
        self.ensure_one()
        if self.user_id == self.env.user:
            return False
        # Who manages access rights can make anyone an administrator.
        if any(
            self.user_id.sudo().has_group(group)
            and not (self.env.su or self.env.user.has_group(group))
            for group in ("base.group_system", "base.group_erp_manager")
        ):
            return self.env._(
                "Only an Odoo administrator may see a key that acts as one. "
                "Make a pick-up link: it shows the key to its user alone."
            )
        if not self.env["doorman.settings"]._get().sudo().allow_key_handover:
            return self.env._(
                "Server Settings forbid to hand over keys. Make a pick-up link: it "
                "shows the key to its user alone."
            )
        return False

    def _check_may_see_key(self):
        reason = self._why_not_see_key()
        if reason:
            raise AccessError(reason)

    def _new_key_dialog(self, overlap_minutes=0):
        """Make a key, on record, and show it.

        :return: the dialog
        """
        self._check_may_see_key()
        key = self.sudo()._issue_key(overlap_minutes)
        if self.user_id == self.env.user:
            body = self.env._("New API key, shown to %s.", self.env.user.name)
        else:
            body = self.env._(
                "New API key of %(user)s, shown to %(who)s to hand it over.",
                user=self.user_id.name,
                who=self.env.user.name,
            )
        if overlap_minutes:
            body += " " + self.env._(
                "The old one works for %s more minutes.", overlap_minutes
            )
        self.sudo().message_post(body=body)
        context = {"default_key": key, "default_connection": self.name}
        title = self.env._("Your new key")
        if self.user_id != self.env.user:
            context["default_owner"] = self.user_id.name
            title = self.env._("New key of %s", self.user_id.name)
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": title,
            "views": [(False, "form")],
            "target": "new",
            "context": context,
        }

    def action_rotate_key(self, overlap_minutes=0):
        """Make a new API key. The old one stops at once, or after the overlap.

        :param int overlap_minutes: how long the old key goes on working; up to a week
        :return: the dialog that shows the new key, once
        :raise AccessError: for anyone but the user and MCP administrators, and where
            the caller may not see this user's key
        """
        self.ensure_one()
        self._check_may_manage()
        if (
            type(overlap_minutes) is not int
            or not 0 <= overlap_minutes <= MAX_OVERLAP_MINUTES
        ):
            raise UserError(
                self.env._(
                    "The overlap is a number of minutes from 0 to %s.",
                    MAX_OVERLAP_MINUTES,
                )
            )
        if self.auth_type != "bearer":
            raise UserError(self.env._("Only API key connections have a key."))
        if self.state not in LIVE_STATUSES:
            raise UserError(self.env._("Reactivate the connection first."))
        return self._new_key_dialog(overlap_minutes)

    # ---- keys ----

    def _remove_keys(self, spare=None):
        """Remove the API keys of these connections, and what is kept of them.

        :param int spare: the id of a key that stays
        """
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_connection_proof WHERE connection_id = ANY(%s) "
                "AND api_key_id IS DISTINCT FROM %s RETURNING api_key_id",
                self.ids,
                spare or None,
            )
        )
        keys = (
            self.env["res.users.apikeys"]
            .sudo()
            .browse([row[0] for row in self.env.cr.fetchall()])
        )
        keys.exists().unlink()
        self._inside().sudo().write({"api_key_id": False})

    def _retire_key(self, minutes):
        """Let the present key work for some minutes more, and end all others."""
        present = self.api_key_id.id
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_users_apikeys SET expiration_date = LEAST(
                    expiration_date,
                    now() at time zone 'utc' + make_interval(mins => %s))
                 WHERE id = %s
                """,
                minutes,
                present,
            )
        )
        self._remove_keys(spare=present)

    def _issue_key(self, overlap_minutes=0):
        """Make the connection's API key, in place of the one it has.

        The key is a record of Odoo's own key model with a scope of ours, so that
        Odoo's RPC refuses it and Odoo's own list shows it to its user.

        :param int overlap_minutes: how long the present key goes on working
        :return: the key, in clear, for the only time
        :rtype: str
        """
        self.ensure_one()
        if overlap_minutes and self.api_key_id:
            self._retire_key(overlap_minutes)
        else:
            self._remove_keys()
            # Whoever had the old key asked for them.
            self._drop_requests(self.env._("The connection's key was replaced."))
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
        credential = PREFIX_KEY + key
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
