from odoo import fields, models
from odoo.tools import SQL

# Soon enough to see to it.
SOON_DAYS = 30
SEEN_HOW = [
    ("screen", "On screen"),
    ("pickup", "Pick-up link"),
    ("invite", "Invite"),
]


class DoormanKeyReport(models.Model):
    """The keys of connections: who had each made, who was shown it, when it was used
    last and when it ends. No row holds anything that a key could be told by.

    A key is here as long as it works; one that has come to its end, until its
    connection gets another or ends.
    """

    _name = "doorman.key.report"
    _description = "MCP key"
    _auto = False
    _order = "expires_at, id"
    _rec_name = "connection_id"
    _depends = {
        "doorman.connection": [
            "api_key_id",
            "expires_at",
            "last_used",
            "state",
            "user_id",
        ],
        "res.users": ["company_id"],
    }

    connection_id = fields.Many2one("doorman.connection", readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    connection_state = fields.Selection(
        selection=lambda self: (
            self.env["doorman.connection"]
            ._fields["state"]
            ._description_selection(self.env)
        ),
        string="Connection status",
        readonly=True,
    )
    made_by_id = fields.Many2one(
        "res.users",
        "Created by",
        readonly=True,
        help="Who created it: with a button, a pick-up link or an invite. Empty: a "
        "program, or before this was recorded.",
    )
    made_at = fields.Datetime("Created on", readonly=True)
    seen_by_id = fields.Many2one(
        "res.users",
        "Seen by",
        readonly=True,
        help="Who saw it, once. Empty: not known.",
    )
    seen_how = fields.Selection(SEEN_HOW, "Seen via", readonly=True)
    last_used = fields.Datetime(
        "Last used",
        readonly=True,
        help="The last use of its connection since it was created. While an old key "
        "works beside a new one, it may have been either.",
    )
    expires_at = fields.Datetime("Expires on", readonly=True)
    days_left = fields.Integer(
        "Days left",
        readonly=True,
        aggregator="min",
        help="Whole days until it expires; below 0 if it already has. Without meaning "
        "for a key that does not expire.",
    )
    state = fields.Selection(
        [
            ("valid", "Valid"),
            ("ending", "Ends soon"),
            ("replaced", "Replaced, still works"),
            ("expired", "Expired"),
        ],
        "Status",
        readonly=True,
        help="The status of the key. The status of its connection applies as well.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT known.id, known.connection_id, known.user_id, known.company_id,
                   known.connection_state, known.made_by AS made_by_id, known.made_at,
                   known.seen_by AS seen_by_id, known.seen_how, known.expires_at,
                   CASE WHEN known.used >= known.made_at THEN known.used END
                       AS last_used,
                   floor(extract(epoch FROM known.expires_at - known.moment) / 86400)
                       ::integer AS days_left,
                   CASE WHEN known.gone OR known.expires_at <= known.moment
                        THEN 'expired'
                        WHEN known.replaced THEN 'replaced'
                        WHEN known.expires_at
                             <= known.moment + make_interval(days => %s)
                        THEN 'ending' ELSE 'valid' END AS state
              FROM (
                SELECT p.api_key_id AS id, c.id AS connection_id, c.user_id,
                       u.company_id, c.state AS connection_state, p.made_by, p.seen_by,
                       p.seen_how, COALESCE(p.made_at, k.create_date) AS made_at,
                       k.id IS NULL AS gone,
                       p.api_key_id IS DISTINCT FROM c.api_key_id AS replaced,
                       CASE WHEN p.api_key_id = c.api_key_id THEN c.last_used
                            ELSE p.last_used END AS used,
                       -- Odoo removes keys some time after they have ended.
                       CASE WHEN k.id IS NULL THEN LEAST(p.latest, c.expires_at)
                            ELSE k.expiration_date END AS expires_at,
                       now() at time zone 'utc' AS moment
                  FROM doorman_connection_proof p
                  JOIN doorman_connection c ON c.id = p.connection_id
                  JOIN res_users u ON u.id = c.user_id
                  LEFT JOIN res_users_apikeys k ON k.id = p.api_key_id
              ) known
            """,
            SOON_DAYS,
        )

    def action_open_connection(self):
        """The connection that a key is of."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.connection",
            "res_id": self.connection_id.id,
            "views": [(False, "form")],
        }
