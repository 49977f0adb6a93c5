"""What PostgreSQL knows of the audit and the ORM does not.

**Commit order.** ``doorman_audit.xid`` is the transaction that wrote a row. All rows
below the oldest transaction still under way (``pg_snapshot_xmin``) are committed, and
none can come between them any more: ``(xid, id)`` is an order in which nothing is left
out. Ids alone have no such order, because a transaction may commit after one that took
a later id.

**The mark** (``doorman_audit_mark``, one row) says how far the sums have got:

- every row up to ``(xid, id)`` is in the sums;
- ``floor_id``: so is every row with an id up to this one, of any transaction.
  It lets the rest be found by the primary key, without an index of transactions;
- ``next_id``, ``next_xid``: what the floor becomes once no transaction below
  ``next_xid`` is under way. NULL: not chosen yet;
- ``top_id``: the highest id in the sums, for a database that was moved.

A row without ``xid`` is in the sums: it was there before this column, or its database
was moved here from another server, whose transactions have other numbers.

**The sums** are what the audit holds, per day (UTC). Retention takes off what it
deletes. The two views add the rest, so that each of them says at any time what counting
would.
"""

# Without a value for the rows that are there: that would write each of them.
COLUMN = """
    ALTER TABLE doorman_audit ADD COLUMN xid xid8;
    ALTER TABLE doorman_audit ALTER COLUMN xid SET DEFAULT pg_current_xact_id()
"""
SCHEMA = """
    CREATE TABLE IF NOT EXISTS doorman_audit_mark (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        xid xid8 NOT NULL,
        id bigint NOT NULL,
        floor_id bigint NOT NULL,
        top_id bigint NOT NULL,
        next_id bigint,
        next_xid xid8
    );
    INSERT INTO doorman_audit_mark (xid, id, floor_id, top_id)
    VALUES ('0', 0, 0, 0) ON CONFLICT DO NOTHING;

    CREATE TABLE IF NOT EXISTS doorman_use_day_sum (
        id serial PRIMARY KEY,
        day date NOT NULL,
        company_id integer,
        outcome varchar NOT NULL,
        entries integer NOT NULL,
        requests integer NOT NULL,
        rows integer NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS doorman_use_day_sum_key
        ON doorman_use_day_sum (day, COALESCE(company_id, 0), outcome);

    CREATE TABLE IF NOT EXISTS doorman_use_connection_sum (
        id serial PRIMARY KEY,
        day date NOT NULL,
        connection_id integer NOT NULL,
        connection_name varchar,
        user_id integer,
        company_id integer,
        outcome varchar NOT NULL,
        entries integer NOT NULL,
        requests integer NOT NULL,
        charged integer NOT NULL,
        rows integer NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS doorman_use_connection_sum_key
        ON doorman_use_connection_sum (connection_id, day, COALESCE(user_id, 0),
                                       COALESCE(company_id, 0), outcome);
    CREATE INDEX IF NOT EXISTS doorman_use_connection_sum_busy
        ON doorman_use_connection_sum (day, outcome, requests DESC);
    DROP INDEX IF EXISTS doorman_use_connection_sum_day;
    CREATE INDEX IF NOT EXISTS doorman_use_connection_sum_user
        ON doorman_use_connection_sum (user_id, day);
"""

# A function, and not a part of the views: PostgreSQL plans its query with the values of
# the mark. Without them it takes the rest for a third of the table, and reads it all.
REST = """
    CREATE OR REPLACE FUNCTION doorman_audit_rest() RETURNS SETOF doorman_audit
    LANGUAGE plpgsql STABLE ROWS 100 COST 100 AS $$
    DECLARE
        m doorman_audit_mark%ROWTYPE;
    BEGIN
        SELECT * INTO m FROM doorman_audit_mark;
        RETURN QUERY SELECT a.* FROM doorman_audit a
            WHERE a.id > m.floor_id AND (a.xid, a.id::bigint) > (m.xid, m.id);
    END $$
"""

# The columns of both tables of sums, of rows of the audit. ``charged`` is what counts
# against the day limit (gateway/jobs.py).
SUMS = """
    count(*) AS entries,
    COALESCE(sum(count), 0) AS requests,
    COALESCE(sum(rows), 0) AS rows
"""
CHARGED = """
    method IN %(charged)s AND said IS NOT TRUE
    AND NOT (outcome = 'refused' AND COALESCE(reason, '') IN %(door)s)
"""

VIEWS = f"""
    CREATE OR REPLACE VIEW doorman_use_day AS
    SELECT id, day, company_id, outcome, entries, requests, rows
      FROM doorman_use_day_sum
     UNION ALL
    SELECT -id, time::date, company_id, outcome, 1, count,
           COALESCE(rows, 0)
      FROM doorman_audit_rest();

    CREATE OR REPLACE VIEW doorman_use_connection AS
    SELECT id, day, connection_id, connection_name, user_id, company_id, outcome,
           entries, requests, charged, rows
      FROM doorman_use_connection_sum
     UNION ALL
    SELECT -id, time::date, connection_id, connection_name, user_id, company_id,
           outcome, 1, count,
           CASE WHEN {CHARGED} THEN count ELSE 0 END,
           COALESCE(rows, 0)
      FROM doorman_audit_rest() WHERE connection_id IS NOT NULL
"""

# Of the rows of a query called ``batch``. The statement goes on after it.
ADD_DAYS = f"""
    INSERT INTO doorman_use_day_sum AS s
           (day, company_id, outcome, entries, requests, rows)
    SELECT time::date, company_id, outcome, {SUMS}
      FROM batch GROUP BY 1, 2, 3
        ON CONFLICT (day, COALESCE(company_id, 0), outcome) DO UPDATE
       SET entries = s.entries + excluded.entries,
           requests = s.requests + excluded.requests,
           rows = s.rows + excluded.rows
"""
ADD_CONNECTIONS = f"""
    INSERT INTO doorman_use_connection_sum AS s
           (day, connection_id, connection_name, user_id, company_id, outcome,
            entries, requests, rows, charged)
    SELECT time::date, connection_id, max(connection_name), user_id, company_id,
           outcome, {SUMS}, COALESCE(sum(count) FILTER (WHERE {CHARGED}), 0)
      FROM batch WHERE connection_id IS NOT NULL GROUP BY 1, 2, 4, 5, 6
        ON CONFLICT (connection_id, day, COALESCE(user_id, 0),
                     COALESCE(company_id, 0), outcome) DO UPDATE
       SET connection_name = excluded.connection_name,
           entries = s.entries + excluded.entries,
           requests = s.requests + excluded.requests,
           rows = s.rows + excluded.rows,
           charged = s.charged + excluded.charged
"""
TAKE_DAYS = f"""
    UPDATE doorman_use_day_sum s
       SET entries = s.entries - b.entries, requests = s.requests - b.requests,
           rows = s.rows - b.rows
      FROM (SELECT time::date AS day, company_id, outcome, {SUMS}
              FROM batch GROUP BY 1, 2, 3) b
     WHERE s.day = b.day AND s.outcome = b.outcome
       AND COALESCE(s.company_id, 0) = COALESCE(b.company_id, 0)
    RETURNING s.id, s.entries
"""
TAKE_CONNECTIONS = f"""
    UPDATE doorman_use_connection_sum s
       SET entries = s.entries - b.entries, requests = s.requests - b.requests,
           rows = s.rows - b.rows, charged = s.charged - b.charged
      FROM (SELECT time::date AS day, connection_id, user_id, company_id, outcome,
                   {SUMS}, COALESCE(sum(count) FILTER (WHERE {CHARGED}), 0) AS charged
              FROM batch WHERE connection_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5) b
     WHERE s.connection_id = b.connection_id AND s.day = b.day
       AND s.outcome = b.outcome
       AND COALESCE(s.user_id, 0) = COALESCE(b.user_id, 0)
       AND COALESCE(s.company_id, 0) = COALESCE(b.company_id, 0)
    RETURNING s.id, s.entries
"""
