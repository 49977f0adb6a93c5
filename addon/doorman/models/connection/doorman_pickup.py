import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...policy.credentials import token_digest
from ...policy.shared import LIVE_STATUSES

LINK_HOURS = 24


class DoormanPickup(models.Model):
    """A personal link to a key: for one Odoo user, one use, a short time. The key is
    made when its user asks for it, so that nobody else ever sees it.

    A record stays when its link is used or ended; the hash of the token does not.
    """

    _name = "doorman.pickup"
    _description = "MCP pick-up link"
    _order = "id desc"
    _rec_name = "connection_id"

    connection_id = fields.Many2one(
        "doorman.connection",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    user_id = fields.Many2one(related="connection_id.user_id")
    expires_at = fields.Datetime("Expires on", required=True, readonly=True)
    used_at = fields.Datetime("Used on", readonly=True)
    key_days = fields.Integer("The key works for (days)", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("used", "Used"),
            ("expired", "Expired"),
            ("ended", "Ended"),
        ],
        "Status",
        compute="_compute_state",
    )

    def init(self):
        """As for connections: what is kept of a link is not a field. One row for each
        connection: of two administrators who click at once, one link works."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_pickup_token (
                    connection_id integer PRIMARY KEY
                        REFERENCES doorman_connection(id) ON DELETE CASCADE,
                    pickup_id integer NOT NULL UNIQUE
                        REFERENCES doorman_pickup(id) ON DELETE CASCADE,
                    digest varchar(64) NOT NULL UNIQUE,
                    CHECK (char_length(digest) = 64)
                )
                """
            )
        )

    @api.depends("used_at", "expires_at")
    def _compute_state(self):
        self.env.cr.execute(
            SQL(
                "SELECT pickup_id FROM doorman_pickup_token WHERE pickup_id = ANY(%s)",
                self.ids,
            )
        )
        waiting = {row[0] for row in self.env.cr.fetchall()}
        now = fields.Datetime.now()
        for pickup in self:
            if pickup.used_at:
                pickup.state = "used"
            elif pickup.id not in waiting:
                pickup.state = "ended"
            else:
                pickup.state = "expired" if pickup.expires_at <= now else "waiting"

    @api.model
    def _make(self, connection, key_days=0):
        """A new link for the user of this connection, in place of older ones.

        :param int key_days: how long its key works; 0: as long as it may
        :return: the token, in clear for the only time, and the record
        """
        pickup = self.create(
            {
                "connection_id": connection.id,
                "expires_at": fields.Datetime.now() + timedelta(hours=LINK_HOURS),
                "key_days": key_days,
            }
        )
        pickup.flush_recordset()
        token = secrets.token_urlsafe(32)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO doorman_pickup_token (connection_id, pickup_id, digest)
                VALUES (%s, %s, %s)
                ON CONFLICT (connection_id) DO UPDATE
                SET pickup_id = excluded.pickup_id, digest = excluded.digest
                """,
                connection.id,
                pickup.id,
                token_digest(token),
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        self._forget_states(connection)
        return token, pickup

    @api.model
    def _end(self, connections):
        """No link of these connections works from now on."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_pickup_token WHERE connection_id = ANY(%s)",
                connections.ids,
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        self._forget_states(connections)

    @api.model
    def _forget_states(self, connections):
        self.invalidate_model(["state"])
        connections.invalidate_recordset(["pickup_pending"])

    @api.model
    def _find(self, token):
        """What the caller's link is for, by its token: see ``_opened``."""
        return self._opened(token_digest(token))

    @api.model
    def _opened(self, digest):
        """What the caller's link is for. Changes nothing.

        :param digest: of its token, as ``token_digest`` has it; None: of none
        :return: the link with more right than its user has, empty if it does not work
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT p.id
                  FROM doorman_pickup p
                  JOIN doorman_pickup_token t ON t.pickup_id = p.id
                  JOIN doorman_connection c ON c.id = p.connection_id
                  JOIN res_users u ON u.id = c.user_id
                 WHERE %s
                """,
                self._works(digest),
            )
        )
        return self.sudo().browse([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _works(self, digest):
        """Every condition that a link must meet to show anything to the caller."""
        return SQL(
            """
            t.digest = %s
            AND p.used_at IS NULL
            AND p.expires_at > now() at time zone 'utc'
            AND c.user_id = %s AND c.active AND c.auth_type = 'bearer'
            AND c.state = ANY(%s)
            AND (c.expires_at IS NULL OR c.expires_at > now() at time zone 'utc')
            AND u.active AND NOT u.share
            """,
            digest,
            self.env.uid,
            list(LIVE_STATUSES),
        )

    @api.model
    def _pick_up(self, token):
        """Use a link, by its token: see ``_pick_up_opened``."""
        return self._pick_up_opened(token_digest(token))

    @api.model
    def _pick_up_opened(self, digest):
        """Use a link: make the key of its connection, for its user.

        One conditional UPDATE decides: of two tabs, one gets the key.

        :param digest: as ``_opened`` takes it
        :return: the link, and the key in clear for the only time; or None if the link
            does not work for the caller, whatever the reason
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_pickup p SET used_at = now() at time zone 'utc'
                  FROM doorman_pickup_token t, doorman_connection c, res_users u
                 WHERE t.pickup_id = p.id AND c.id = p.connection_id
                   AND u.id = c.user_id AND %s
             RETURNING p.id
                """,
                self._works(digest),
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        row = self.env.cr.fetchone()
        if not row:
            return None
        pickup = self.sudo().browse(row[0])
        pickup.invalidate_recordset(["used_at"])
        connection = pickup.connection_id
        self._end(connection)
        key = connection._issue_key(
            key_days=pickup.key_days, made_by=pickup.create_uid, seen_how="pickup"
        )
        # Its user may be no MCP user, who could read it.
        connection._inside().message_post(
            body=self.env._("New API key, picked up by %s.", self.env.user.name)
        )
        return pickup, key
