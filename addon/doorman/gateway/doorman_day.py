from odoo import models
from odoo.tools import SQL

HOURS = 24
# Known to no ORM, as the keys of writes (doorman_idempotency.py), and without foreign
# keys for the same reason.
TABLES = """
    CREATE TABLE IF NOT EXISTS doorman_day (
        connection_id integer PRIMARY KEY,
        counted integer NOT NULL
    );
    CREATE TABLE IF NOT EXISTS doorman_day_record (
        connection_id integer NOT NULL,
        tool varchar NOT NULL,
        model varchar NOT NULL,
        record_id bigint NOT NULL,
        at timestamp NOT NULL
    );
    CREATE INDEX IF NOT EXISTS doorman_day_record_idx
        ON doorman_day_record (connection_id, at);
    CREATE INDEX IF NOT EXISTS doorman_day_record_at_idx ON doorman_day_record (at)
"""
# Two changes of a connection at once both count from what was there before them. They
# both write this row: the second one is a serialization failure, and Odoo runs it
# again, with the first one counted.
COUNTED = """
    INSERT INTO doorman_day AS d (connection_id, counted) VALUES (%s, %s)
    ON CONFLICT (connection_id) DO UPDATE SET counted = d.counted + excluded.counted
"""
NOTE = """
    INSERT INTO doorman_day_record (connection_id, tool, model, record_id, at)
    SELECT %s, tool, model, record_id, now() at time zone 'utc'
      FROM unnest(%s::varchar[]) tool,
           unnest(%s::varchar[], %s::bigint[]) touched (model, record_id)
"""
EARLIER = """
    SELECT count(DISTINCT (d.model, d.record_id)) FROM doorman_day_record d
     WHERE d.connection_id = %s
       AND d.at > now() at time zone 'utc' - make_interval(hours => %s)
       AND %s IN ('', d.model) AND %s IN ('', d.tool)
       AND NOT EXISTS (
           SELECT 1 FROM unnest(%s::varchar[], %s::bigint[]) now (model, record_id)
            WHERE now.model = d.model AND now.record_id = d.record_id)
"""
PURGE = """
    DELETE FROM doorman_day_record
     WHERE at <= now() at time zone 'utc' - make_interval(hours => %s)
"""


class DoormanDay(models.AbstractModel):
    """The records that connections changed within a day, for rules that count them:
    only what nobody approved, and only of connections that have such a rule."""

    _name = "doorman.day"
    _description = "Doorman: records changed within a day"

    def init(self):
        self.env.cr.execute(TABLES)

    def _earlier(self, connection_id, rule, touched):
        """:param dict rule: of a policy
        :param touched: pairs of model and id, which the caller counts itself
        :return: how many others the connection has changed, of those the rule counts
        """
        self.env.cr.execute(
            SQL(
                EARLIER,
                connection_id,
                HOURS,
                rule["model"],
                rule["tool"],
                *_columns(touched),
            )
        )
        return self.env.cr.fetchone()[0]

    def _note(self, connection_id, tools, touched):
        """Count a change that was made.

        :param tools: names of those that it took
        :param touched: pairs of model and id
        """
        self.env.cr.execute(
            SQL(COUNTED, connection_id, len(touched)), log_exceptions=False
        )
        self.env.cr.execute(SQL(NOTE, connection_id, sorted(tools), *_columns(touched)))

    def _purge(self):
        self.env.cr.execute(SQL(PURGE, HOURS))
        return self.env.cr.rowcount


def _columns(touched):
    """Pairs of model and id as two columns."""
    rows = sorted(touched)
    return [model for model, _id in rows], [ident for _model, ident in rows]
