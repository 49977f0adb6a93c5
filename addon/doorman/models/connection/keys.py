from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy.as_person import as_person
from ...policy.credentials import KEY_ENDS, MAX_OVERLAP_MINUTES, stored_proof
from ...policy.refusal import _lt
from ...policy.shared import LIVE_STATUSES, MAX_KEY_DAYS, PREFIX_KEY

# Of nobody else's: other modules that serve MCP take keys of the scope ``mcp``.
KEY_SCOPE = "doorman"


class DoormanConnection(models.Model):
    """The keys of a connection: made, shown once, rotated, removed."""

    _inherit = "doorman.connection"

    old_key_until = fields.Datetime(
        "Old key works until",
        compute="_compute_old_key_until",
        help="The key before the last rotation, while it still works.",
    )

    key_expires_at = fields.Datetime(
        "Key expires on",
        compute="_compute_key_expires_at",
        help="When its key has to be rotated. Empty: the key itself does not expire.",
    )
    key_ended = fields.Boolean(compute="_compute_key_expires_at")

    def init(self):
        """What the report of keys tells of a key, beside its proof: none of it opens
        anything. ``latest`` is how long the key may work, whatever the end of its
        connection is moved to."""
        res = super().init()
        self.env.cr.execute(
            SQL(
                """
                ALTER TABLE doorman_connection_proof
                    ADD COLUMN IF NOT EXISTS made_at timestamp,
                    ADD COLUMN IF NOT EXISTS made_by integer
                        REFERENCES res_users(id) ON DELETE SET NULL,
                    ADD COLUMN IF NOT EXISTS seen_by integer
                        REFERENCES res_users(id) ON DELETE SET NULL,
                    ADD COLUMN IF NOT EXISTS seen_how varchar,
                    ADD COLUMN IF NOT EXISTS latest timestamp,
                    ADD COLUMN IF NOT EXISTS last_used timestamp,
                    ADD COLUMN IF NOT EXISTS reminded boolean
                """
            )
        )
        return res

    @api.depends("api_key_id", "expires_at")
    def _compute_key_expires_at(self):
        # Of all keys, also of those that the caller is not shown.
        held = {c.id: c.api_key_id.id for c in self.sudo()}
        self.env.cr.execute(
            SQL(
                """
                SELECT id, expiration_date,
                       COALESCE(expiration_date < now() at time zone 'utc', false)
                  FROM res_users_apikeys WHERE id = ANY(%s)
                """,
                list(filter(None, held.values())),
            )
        )
        known = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        for connection in self:
            key = held[connection.id]
            # Odoo removes keys some time after they have ended.
            end, ended = known.get(key, (None, bool(key)))
            connection.key_expires_at = end or False
            connection.key_ended = ended

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
        was rotated away keeps its own, earlier end; none works longer than it might
        when it was made."""
        self.flush_recordset(["expires_at"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_users_apikeys k
                   SET expiration_date = CASE
                       WHEN k.id = c.api_key_id THEN LEAST(p.latest, c.expires_at)
                       ELSE LEAST(k.expiration_date, c.expires_at) END
                  FROM doorman_connection c
                  JOIN doorman_connection_proof p ON p.connection_id = c.id
                 WHERE k.id = p.api_key_id AND c.id = ANY(%s)
                """,
                self.ids,
            )
        )
        self.invalidate_recordset(["key_expires_at", "key_ended", "old_key_until"])

    # ---- how long a key works ----

    def _check_key_days(self, days):
        """:param int days: how long somebody wants a key of this connection to work
        :return: the same; 0: as long as it may
        :raise UserError: if that is longer than it may
        """
        longest = self.env["doorman.settings"]._key_days()
        if type(days) is not int or not 0 <= days <= MAX_KEY_DAYS:
            raise UserError(
                self.env._("A key can work for 1 to %s days.", MAX_KEY_DAYS)
            )
        if longest and days > longest:
            raise UserError(
                self.env._(
                    "Maximum number of days that a key can work: %(days)s.",
                    days=longest,
                )
            )
        return days

    def _latest_key_end(self, days=0):
        """:param int days: how long it is to work; 0: as long as it may
        :return: when a key that is made now ends, if its connection does not end
            before; False for never
        """
        longest = self.env["doorman.settings"]._key_days()
        if longest:
            days = min(days or longest, longest)
        return bool(days) and fields.Datetime.now() + timedelta(days=days)

    def _key_end(self, days=0):
        """:return: when a key that is made now ends, for any reason; or False"""
        ends = [self._latest_key_end(days), self.expires_at]
        return min(filter(None, ends), default=False)

    def _administrator(self):
        """Who looks after this connection, beside its user: the MCP administrator who
        made it, or the invite that it came of; else the first one who sees it.

        :return: a user, or nobody
        """
        self.ensure_one()
        admins = (self._administrators() - self.user_id).filtered(
            lambda admin: as_person(self, admin).has_access("read")
        )
        made = self.sudo().invite_id.creator_id | self.create_uid
        return (admins & made or admins)[:1]

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
                "Only an Odoo administrator can see a key that acts as one. Create a "
                "pick-up link: it shows the key to its user alone."
            )
        if not self.env["doorman.settings"]._get().sudo().allow_key_handover:
            return self.env._(
                "Server Settings do not allow handing over keys. Create a pick-up "
                "link: it shows the key to its user alone."
            )
        return False

    def _check_may_see_key(self):
        reason = self._why_not_see_key()
        if reason:
            raise AccessError(reason)

    def _new_key_dialog(self, overlap_minutes=0, key_days=0):
        """Make a key, on record, and show it.

        :param int key_days: how long it works; 0: as long as it may
        :return: the dialog
        :raise UserError: if that is longer than it may
        """
        self._check_may_see_key()
        days = self._check_key_days(key_days)
        key = self.sudo()._issue_key(
            overlap_minutes, days, made_by=self.env.user, seen_how="screen"
        )
        if self.user_id == self.env.user:
            body = self.env._("New API key, shown to %s.", self.env.user.name)
        else:
            body = self.env._(
                "New API key for %(user)s, shown to %(who)s to hand it over.",
                user=self.user_id.name,
                who=self.env.user.name,
            )
        if overlap_minutes:
            body += " " + self.env._(
                "Minutes until the old key stops working: %s.", overlap_minutes
            )
        self.sudo().message_post(body=body)
        context = {
            "default_key": key,
            "default_connection": self.name,
            "default_connection_id": self.id,
            # For the first call of this key: by the clock that the audit goes by.
            "default_since": fields.Datetime.to_string(self.env.cr.now()),
        }
        title = self.env._("Your new key")
        if self.user_id != self.env.user:
            context["default_owner"] = self.user_id.name
            title = self.env._("New key for %s", self.user_id.name)
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": title,
            "views": [(False, "form")],
            "target": "new",
            "context": context,
        }

    def action_rotate_key(self, overlap_minutes=0, key_days=0):
        """Make a new API key. The old one stops at once, or after the overlap.

        :param int overlap_minutes: how long the old key goes on working; up to a week
        :param int key_days: how long the new one works; 0: as long as it may
        :return: the dialog that shows the new key, once
        :raise AccessError: for anyone but the user and MCP administrators, and where
            the caller may not see this user's key
        :raise UserError: if one of the numbers is not allowed
        """
        self.ensure_one()
        self._check_may_manage()
        if (
            type(overlap_minutes) is not int
            or not 0 <= overlap_minutes <= MAX_OVERLAP_MINUTES
        ):
            raise UserError(
                self.env._(
                    "The overlap must be from 0 to %s minutes.",
                    MAX_OVERLAP_MINUTES,
                )
            )
        if self.auth_type != "bearer":
            raise UserError(self.env._("Only API key connections have a key."))
        if self.state not in LIVE_STATUSES:
            raise UserError(self.env._("Reactivate the connection first."))
        return self._new_key_dialog(overlap_minutes, key_days)

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
        # They are about a key that has gone.
        self.sudo().activity_unlink([KEY_ENDS])

    def _retire_key(self, minutes):
        """Let the present key work for some minutes more, and end all others."""
        present = self.api_key_id.id
        self.flush_recordset(["last_used"])
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
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_connection_proof p SET last_used = c.last_used
                  FROM doorman_connection c
                 WHERE c.id = p.connection_id AND p.api_key_id = %s
                """,
                present,
            )
        )
        self._remove_keys(spare=present)

    def _issue_key(self, overlap_minutes=0, key_days=0, *, made_by=None, seen_how=None):
        """Make the connection's API key, in place of the one it has.

        The key is a record of Odoo's own key model with a scope of ours, so that
        Odoo's RPC refuses it and Odoo's own list shows it to its user.

        :param int overlap_minutes: how long the present key goes on working
        :param int key_days: how long the new one works; 0: as long as it may
        :param made_by: the user who had it made; the caller if nobody is named
        :param str seen_how: of ``doorman.key.report``, if the caller is shown the key
        :return: the key, in clear, for the only time
        :rtype: str
        """
        self.ensure_one()
        if overlap_minutes and self.api_key_id:
            self._retire_key(overlap_minutes)
        else:
            self._remove_keys()
            # The holder of the old key asked for them.
            self._drop_requests(_lt("The connection's key was replaced."))
        latest = self._latest_key_end(key_days)
        # sudo: what the user's groups allow is in the end above, and a connection of an
        # administrator may be made by somebody who is not one.
        keys = self.env["res.users.apikeys"].with_user(self.user_id).sudo()
        key = keys._generate(
            KEY_SCOPE, f"Doorman: {self.name}", self._key_end(key_days) or None
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
                """
                INSERT INTO doorman_connection_proof
                    (proof, connection_id, api_key_id, made_at, made_by, seen_by,
                     seen_how, latest)
                VALUES (%s, %s, %s, now() at time zone 'utc', %s, %s, %s, %s)
                """,
                stored_proof(credential),
                self.id,
                key_id,
                (made_by or self.env.user).id or None,
                self.env.uid if seen_how else None,
                seen_how,
                latest or None,
            )
        )
        self._inside().write({"api_key_id": key_id})
        self._bump()
        return credential
