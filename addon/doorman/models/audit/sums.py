"""Adding the audit up, in commit order. ``tables.py`` says how."""

from odoo import models
from odoo.tools.sql import column_exists

from ...policy.audit_values import AT_THE_DOOR
from ...policy.shared import CHARGED_METHODS
from .chain_tables import OLD, OLD_IDS
from .tables import (
    ADD_CONNECTIONS,
    ADD_DAYS,
    COLUMN,
    REST,
    SCHEMA,
    TAKE_CONNECTIONS,
    TAKE_DAYS,
    VIEWS,
)

VALUES = {"charged": tuple(CHARGED_METHODS), "door": tuple(AT_THE_DOOR)}

# What of the rest can be added up: nothing more comes between these rows.
BATCH = """
    SELECT id, xid, connection_id, connection_name, user_id, company_id, time, method,
           outcome, reason, said, count, rows, ip, client
      FROM doorman_audit
     WHERE id > %(floor)s AND (xid, id::bigint) > (%(xid)s::xid8, %(id)s)
       AND xid < %(until)s::xid8
     ORDER BY xid, id LIMIT %(limit)s
"""
# One statement: what the mark passes is exactly what is added up. Of two at once, one
# fails to serialize, and Odoo runs it again.
FOLD = f"""
    WITH batch AS MATERIALIZED ({BATCH}),
    days AS ({ADD_DAYS}),
    connections AS ({ADD_CONNECTIONS}),
    used AS (
        SELECT connection_id,
               -- A clock that goes ahead must not keep it from ever being idle.
               max(LEAST(time, now() at time zone 'utc'))
                   FILTER (WHERE NOT at_the_door) AS last,
               COALESCE(sum(count) FILTER (WHERE is_call AND NOT at_the_door), 0)
                   AS requests,
               min(time) FILTER (WHERE NOT at_the_door) AS first,
               array_agg(DISTINCT ip) FILTER (WHERE NOT at_the_door AND ip > '')
                   AS ips,
               array_agg(DISTINCT client)
                   FILTER (WHERE NOT at_the_door AND client > '') AS clients,
               bool_or(outcome = 'refused' AND said IS NOT TRUE) AS refused
          FROM (SELECT connection_id, time, count, ip, client, outcome, said,
                       outcome = 'refused' AND COALESCE(reason, '') IN %(door)s
                           OR COALESCE(said, false) AS at_the_door,
                       method IN %(charged)s AS is_call,
                       method LIKE 'approval/%%' OR method LIKE 'oauth/%%' AS decided
                  FROM batch) marked
          -- What a person decides is not a use of the connection.
         WHERE connection_id IS NOT NULL AND NOT decided
         GROUP BY connection_id
    ), moved AS (
        UPDATE doorman_connection c
           SET request_count =
                   LEAST(COALESCE(c.request_count, 0) + used.requests, 2147483647),
               last_used = GREATEST(c.last_used, used.last),
               state = CASE WHEN c.state = 'awaiting'
                             AND used.last >= COALESCE(c.state_since, '-infinity')
                            THEN 'connected' ELSE c.state END,
               state_since = CASE WHEN c.state = 'awaiting'
                                   AND used.last >= COALESCE(c.state_since, '-infinity')
                                  THEN used.last ELSE c.state_since END
          FROM used WHERE c.id = used.connection_id AND used.last IS NOT NULL
        RETURNING c.id
    ), facts AS (
        -- As it was before this: what people are told of (models/notices/use.py).
        SELECT c.id, used.ips, used.clients, used.refused,
               EXTRACT(day FROM used.first - c.last_used)::integer AS idle_days
          FROM used JOIN doorman_connection c ON c.id = used.connection_id
    ), last AS (
        SELECT xid, id FROM batch ORDER BY xid DESC, id DESC LIMIT 1
    ), marked AS (
        UPDATE doorman_audit_mark m
           SET xid = last.xid, id = last.id,
               top_id = GREATEST(m.top_id, (SELECT max(id) FROM batch))
          FROM last
        RETURNING m.xid
    )
    SELECT (SELECT count(*) FROM batch), (SELECT count(*) FROM moved),
           (SELECT count(*) FROM marked), (SELECT json_agg(facts) FROM facts)
"""

# The floor follows in three steps, each in a transaction of its own. (1) Remember the
# id handed out last. Who took it, or one before it, had a transaction already: the
# INSERT takes that first. (2) So a later snapshot knows of all of them: remember how
# far it reaches. (3) Once none below that is under way, all these rows are committed,
# and the fold has passed them.
FLOOR = """
    UPDATE doorman_audit_mark SET
        floor_id = CASE WHEN next_xid <= %(until)s::xid8
                        THEN next_id ELSE floor_id END,
        next_xid = CASE WHEN next_id IS NULL OR next_xid <= %(until)s::xid8 THEN NULL
                        ELSE COALESCE(next_xid, %(reach)s::xid8) END,
        next_id = CASE WHEN next_id IS NULL OR next_xid <= %(until)s::xid8
                       THEN (SELECT last_value - (NOT is_called)::integer
                               FROM doorman_audit_id_seq)
                       ELSE next_id END
"""

# Of transactions that are still to come, nothing can be seen: these numbers are of
# another server, from which the database was moved.
MOVED = """
    SELECT m.xid > %(reach)s::xid8 OR EXISTS (
               SELECT FROM doorman_audit a
                WHERE a.id > m.floor_id AND a.xid >= %(reach)s::xid8
                  AND a.xid IS DISTINCT FROM pg_current_xact_id_if_assigned())
      FROM doorman_audit_mark m
"""
# Which rows are in the sums is known by the old numbers; ids go on as before.
RENUMBER = """
    UPDATE doorman_audit a
       SET xid = CASE WHEN a.id <= m.top_id AND (a.xid, a.id::bigint) <= (m.xid, m.id)
                      THEN NULL ELSE pg_current_xact_id() END
      FROM doorman_audit_mark m
     WHERE a.id > m.floor_id AND a.xid IS NOT NULL;
    UPDATE doorman_audit_mark
       SET xid = '0', id = 0, next_id = NULL, next_xid = NULL
"""

PURGE = f"""
    WITH {OLD}, batch AS (
        DELETE FROM doorman_audit WHERE id IN ({OLD_IDS}) RETURNING *
    ), days AS ({TAKE_DAYS}), connections AS ({TAKE_CONNECTIONS})
    SELECT (SELECT count(*) FROM batch),
           (SELECT array_agg(id) FROM days WHERE entries = 0),
           (SELECT array_agg(id) FROM connections WHERE entries = 0)
"""

# All that is not in the rest.
REBUILD = f"""
    DELETE FROM doorman_use_day_sum;
    DELETE FROM doorman_use_connection_sum;
    WITH batch AS MATERIALIZED (
        SELECT connection_id, connection_name, user_id, company_id, time, method,
               outcome, reason, said, count, rows
          FROM doorman_audit
         WHERE id NOT IN (SELECT id FROM doorman_audit_rest())
    ), days AS ({ADD_DAYS})
    {ADD_CONNECTIONS}
"""


class DoormanAudit(models.Model):
    _inherit = "doorman.audit"

    def init(self):
        res = super().init()
        if not column_exists(self.env.cr, "doorman_audit", "xid"):
            # Not at each update: it waits for every call, and lets none in after it.
            self.env.cr.execute(COLUMN)
        self.env.cr.execute(SCHEMA)
        self.env.cr.execute(REST)
        self.env.cr.execute(VIEWS, VALUES)
        return res

    def _window(self):
        """What this transaction sees: nothing below the first is under way, and it
        knows of nothing from the second on.

        :return: two numbers of transactions, as text
        """
        self.env.cr.execute(
            "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text "
            "FROM pg_current_snapshot() s"
        )
        return self.env.cr.fetchone()

    def _fold(self, limit):
        """Add committed rows to the sums and to the counters of their connections.

        :param int limit: how many at most
        :return: how many were
        """
        cr = self.env.cr
        until, reach = self._window()
        cr.execute(MOVED, {"reach": reach})
        if cr.fetchone()[0]:
            cr.execute(RENUMBER, log_exceptions=False)
        cr.execute("SELECT floor_id, xid::text, id FROM doorman_audit_mark")
        floor, xid, ident = cr.fetchone()
        mark = {"floor": floor, "xid": xid, "id": ident, "until": until}
        # If a connection is changed at the same instant, Odoo runs this again: that is
        # not an error to log.
        cr.execute(FOLD, VALUES | mark | {"limit": limit}, log_exceptions=False)
        folded, _moved, _marked, facts = cr.fetchone()
        self.env["doorman.connection"]._look_at_use(facts or [])
        if folded < limit:
            cr.execute(FLOOR, {"until": until, "reach": reach}, log_exceptions=False)
        return folded

    def _purge(self, days, limit):
        """Remove old rows that are in the sums and the chain, and take them off there.

        :param int days: rows that are older go
        :param int limit: how many at most
        :return: how many went
        """
        cr = self.env.cr
        self._extend_chain(limit)
        cr.execute(PURGE, VALUES | {"days": days, "limit": limit}, log_exceptions=False)
        deleted, empty_days, empty_connections = cr.fetchone()
        cr.execute(
            "DELETE FROM doorman_use_day_sum WHERE id = ANY(%s::integer[]); "
            "DELETE FROM doorman_use_connection_sum WHERE id = ANY(%s::integer[])",
            [empty_days or [], empty_connections or []],
        )
        return deleted

    def _count_as_folded(self, after=0):
        """Put rows into the sums that the counters of their connections hold already:
        those of an older version, and those of the demo data.

        :param int after: rows with higher ids
        """
        self.env.cr.execute(
            "UPDATE doorman_audit SET xid = NULL WHERE xid IS NOT NULL AND id > %s",
            [after],
        )
        self._rebuild_sums()

    def _rebuild_sums(self):
        """Make the sums anew of the rows that they hold. It reads all of them."""
        self.env.cr.execute(REBUILD, VALUES)
