from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...policy.known_texts import in_words
from ...policy.plain_text import visible
from ...policy.refusal import in_language, kept_words, told_later
from ...policy.withhold import clean
from .loose_many2one import LooseMany2one

OUTCOMES = [
    ("ok", "OK"),
    ("pending", "Waiting for approval"),
    ("error", "Error"),
    ("refused", "Refused"),
]
# The columns of a row, in the order of the INSERT.
COLUMNS = (
    "time",
    "connection_id",
    "connection_name",
    "connection_type",
    "user_id",
    "user_login",
    "company_id",
    "ip",
    "client",
    "method",
    "tool",
    "model",
    "orm_method",
    "record_ids",
    "changed",
    "outcome",
    "reason",
    "message",
    "words",
    "duration_ms",
    "request_id",
    "count",
    "rows",
    "request_payload",
    "response_payload",
    "approval_id",
    "change_id",
    "said",
    "seen",
    "seen_cut",
)
# How long each may be, in characters. A write names 100 records at most, all of which
# have to be told.
LIMITS = {
    "message": 500,
    "client": 500,
    "record_ids": 1_200,
    "changed": 1_000,
    "request_payload": 10_000,
    "response_payload": 10_000,
}

# now() is the time of the transaction: the same instant the fence was checked at. The
# transaction has its number before the row has its id (OFFSET keeps PostgreSQL from
# merging the two): what the mark of ``tables.py`` rests on.
INSERT = (
    "INSERT INTO doorman_audit (xid, id, {}) "
    "SELECT x.xid, nextval('doorman_audit_id_seq'), "
    "COALESCE(%s, now() at time zone 'utc'), {} "
    "FROM (SELECT pg_current_xact_id() AS xid OFFSET 0) x".format(
        ", ".join(f'"{name}"' for name in COLUMNS),
        ", ".join(["%s"] * (len(COLUMNS) - 1)),
    )
)
FENCED_INSERT = "RELEASE SAVEPOINT doorman; " + INSERT


class DoormanAudit(models.Model):
    """One row a request. Nobody writes or deletes one, administrators included."""

    _name = "doorman.audit"
    _inherit = ["doorman.undo.mixin", "doorman.loose.mixin"]
    _description = "MCP audit"
    # As the indexes are: a list begins without sorting anybody's whole history.
    _order = "time desc, id desc"
    _log_access = False
    _rec_name = "tool"
    # The endpoint knows it again by this.
    _fenced_insert = FENCED_INSERT

    time = fields.Datetime(required=True, readonly=True, index=True)
    connection_id = LooseMany2one("doorman.connection", readonly=True)
    connection_name = fields.Char("Connection (name)", readonly=True)
    connection_type = fields.Char(readonly=True)
    user_id = LooseMany2one("res.users", readonly=True)
    user_login = fields.Char("User (login)", readonly=True)
    company_id = LooseMany2one("res.company", readonly=True)
    ip = fields.Char(
        "IP address",
        readonly=True,
        help="As reported by the service: Odoo itself does not see AI tools.",
    )
    client = fields.Char(
        readonly=True,
        help="The name the AI tool gives itself, as reported by the service.",
    )
    method = fields.Char(readonly=True)
    tool = fields.Char(readonly=True)
    model = fields.Char(readonly=True)
    orm_method = fields.Char("ORM method", readonly=True)
    record_ids = fields.Char("Records", readonly=True)
    changed = fields.Char(
        readonly=True,
        help="What really changed: models and numbers of records. Side effects of "
        "Odoo's own code are marked as set off.",
    )
    said = fields.Boolean(
        "Reported by the service",
        readonly=True,
        help="The service reported this without a credential of that connection, so "
        "only its word says that it happened. It does not count against any limit.",
    )
    outcome = fields.Selection(OUTCOMES, readonly=True, required=True)
    reason = fields.Char(readonly=True)
    message = fields.Char(readonly=True, help="As the AI tool received it.")
    # The same words of a refusal, to be told to each reader in their language.
    words = fields.Json(readonly=True, prefetch=False)
    message_shown = fields.Char("Why", compute="_compute_message_shown")
    duration_ms = fields.Integer("Duration (ms)", readonly=True)
    request_id = fields.Char(
        readonly=True,
        help="As reported by the service, which uses the same ID in its log.",
    )
    count = fields.Integer(
        "Requests",
        readonly=True,
        default=1,
        help="More than one: the same request was refused this many times within "
        "seconds.",
    )
    rows = fields.Integer(
        "Rows returned",
        readonly=True,
        help="Records, groups, messages, lines of a file and the like that the answer "
        "contained.",
    )
    # ``seen text[]`` is a column that the ORM does not know (chain.py).
    seen_text = fields.Char(
        "Records seen or changed",
        compute="_compute_seen_text",
        search="_search_seen_text",
        help="Model and id of each record that the call named, received or changed.",
    )
    seen_cut = fields.Boolean(
        "More than are listed",
        readonly=True,
        help="More than 1,000; or totals, code or a query, whose records are not "
        "known.",
    )
    approval_id = LooseMany2one("doorman.approval", readonly=True)
    request_payload = fields.Text("Request payload", readonly=True)
    response_payload = fields.Text("Reply payload", readonly=True)
    # Rows that are asked for lie far apart: they are found, sorted, counted and held
    # against the record rules without the table.
    _of_connection = models.Index(
        "(connection_id, time, id) INCLUDE (company_id, user_id)"
    )
    _of_user = models.Index("(user_id, time, id) INCLUDE (company_id)")
    _not_ok = models.Index(
        "(outcome, time, id) INCLUDE (company_id, user_id) WHERE outcome <> 'ok'"
    )
    _decisions = models.Index(
        "(time, id) INCLUDE (company_id, user_id) WHERE method LIKE 'approval/%'"
    )
    # The whole value is asked for, so its hash is enough.
    _of_request = models.Index("USING hash (request_id) WHERE request_id <> ''")

    # Neither calls super: nobody creates or changes a row this way.
    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise AccessError(self.env._("Audit rows are written by the gateway only."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("Audit rows cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _refuse_unlink(self):
        raise AccessError(self.env._("Audit rows cannot be deleted."))

    @api.depends("message", "words")
    @api.depends_context("lang")
    def _compute_message_shown(self):
        for row in self:
            words = visible(clean(told_later(row.words, self.env.lang)))
            row.message_shown = words[: LIMITS["message"]] or in_words(
                row.message, self.env.lang
            )

    def _insert(self, row, fenced=False):
        """Write one row: one INSERT and nothing of the ORM, because it is on the
        path of every request.

        :param dict row: values by column; missing ones stay empty. A ``message`` of
            ``_lt`` is kept in English, with its words for each reader's own language.
        :param bool fenced: behind the gateway's savepoint: release it in the same round
            trip, the row would else be a transaction within the transaction
        """
        if words := kept_words(row.get("message")):
            row = row | {"message": in_language(row["message"]), "words": words}
        for name, limit in LIMITS.items():
            if row.get(name):
                row[name] = visible(clean(row[name]))[:limit]
        if row.get("words"):
            row["words"] = Json(row["words"])
        values = [row.get(name) for name in COLUMNS]
        if fenced:
            self.env.cr.execute(FENCED_INSERT, values)
        else:
            self.env.cr.execute(INSERT, values)

    def _used_today(self, connection_id):
        """How many requests of the present UTC day count against the day limit."""
        return self._of_today("charged", connection_id)

    def _rows_today(self, connection_id):
        """How many rows a connection was given in the present UTC day."""
        return self._of_today("rows", connection_id)

    def _of_today(self, column, connection_id):
        self.env.cr.execute(
            SQL(
                """
                SELECT COALESCE(sum(%s), 0) FROM doorman_use_connection
                 WHERE connection_id = %s AND day >= (now() at time zone 'utc')::date
                """,
                SQL.identifier(column),
                connection_id,
            )
        )
        return int(self.env.cr.fetchone()[0])
