"""The chain of the audit, as PostgreSQL keeps it.

**A link** (``doorman_audit_link``) stands for one audit row: ``n`` counts from 1
without a gap, ``digest`` is SHA-256(digest of n - 1, then the row as text); the digest
before the first is 32 zero bytes.

**The row as text** is JSON in canonical form (RFC 8785): the columns of ``COLUMNS`` and
``content``, sorted by name. What may be personal (what was asked and answered, the
message) is not in it, only a digest of that with a random salt: with the salt gone
nobody can guess at it, and the chain still holds.

**The head** (``doorman_audit_chain``, one row) is the last link. ``start_n`` and
``start_digest`` are the last link that retention removed. Every row with an id up to
``floor_id`` has its link, so one that has none was put there later. The floor follows
that of ``tables.py``, below which no row can appear any more: ids alone would leave out
a transaction that took its id early and commits late.
"""

# The immutable columns that a digest holds, in the order of their names. One that comes
# later must be left out of the text where it is NULL: links of before hold as well.
COLUMNS = (
    "approval_id",
    "change_id",
    "changed",
    "client",
    "company_id",
    "connection_id",
    "connection_name",
    "connection_type",
    "count",
    "duration_ms",
    "id",
    "ip",
    "method",
    "model",
    "orm_method",
    "outcome",
    "reason",
    "record_ids",
    "request_id",
    "rows",
    "said",
    "seen",
    "seen_cut",
    "time",
    "tool",
    "user_id",
    "user_login",
)
# What can be erased. ``words`` are those of ``message``, for other languages.
CONTENT = ("message", "request_payload", "response_payload", "words")


def _text(name):
    """:return: SQL for ``"name":value``"""
    value = f"to_json(a.{name})"
    if name == "time":
        value = """to_json(to_char(a.time, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))"""
    elif name == "content":
        value = "to_json(encode(content, 'hex'))"
    elif name == "words":
        value = "to_json(a.words::text)"
    return f"""'"{name}":' || COALESCE({value}::text, 'null')"""


def _object(names):
    return "'{' || " + " || ',' || ".join(map(_text, sorted(names))) + " || '}'"


NO_CONTENT = " AND ".join(f"a.{name} IS NULL" for name in CONTENT)

SCHEMA = """
    CREATE TABLE IF NOT EXISTS doorman_audit_link (
        n bigint PRIMARY KEY,
        audit_id integer NOT NULL UNIQUE,
        digest bytea NOT NULL,
        content bytea,
        salt bytea
    );
    CREATE TABLE IF NOT EXISTS doorman_audit_chain (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        n bigint NOT NULL,
        digest bytea NOT NULL,
        start_n bigint NOT NULL,
        start_digest bytea NOT NULL,
        floor_id bigint NOT NULL
    );
    INSERT INTO doorman_audit_chain
    SELECT true, 0, zero, 0, zero, 0
      FROM (SELECT decode(repeat('00', 32), 'hex') AS zero) z
        ON CONFLICT DO NOTHING
"""

FUNCTIONS = f"""
    CREATE OR REPLACE FUNCTION doorman_audit_row(a doorman_audit, content bytea)
    RETURNS text LANGUAGE sql STABLE AS $$ SELECT {_object((*COLUMNS, "content"))} $$;

    CREATE OR REPLACE FUNCTION doorman_audit_content(a doorman_audit, salt bytea)
    RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT sha256(salt || convert_to({_object(CONTENT)}, 'UTF8')) $$;

    CREATE OR REPLACE FUNCTION doorman_audit_extend(most integer) RETURNS integer
    LANGUAGE plpgsql AS $$
    DECLARE
        c doorman_audit_chain%ROWTYPE;
        r record;
        mark bigint;
        top bigint := 0;
        done integer := 0;
        sum bytea;
    BEGIN
        -- Of two at once the second fails to serialize here, and Odoo runs it again. A
        -- link of the same number would break a constraint, and Odoo would give up.
        SELECT * INTO c FROM doorman_audit_chain FOR UPDATE;
        SELECT floor_id INTO mark FROM doorman_audit_mark;
        FOR r IN
            WITH batch AS MATERIALIZED (
                SELECT id FROM doorman_audit i
                 WHERE i.id > c.floor_id AND NOT EXISTS (
                       SELECT FROM doorman_audit_link l WHERE l.audit_id = i.id)
                 ORDER BY i.id LIMIT most)
            SELECT a, a.id, CASE WHEN {NO_CONTENT} THEN NULL
                   ELSE decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
                   END AS salt
              FROM batch JOIN doorman_audit a ON a.id = batch.id
             ORDER BY a.time, a.id
        LOOP
            sum := doorman_audit_content(r.a, r.salt);
            c.n := c.n + 1;
            c.digest := sha256(
                c.digest || convert_to(doorman_audit_row(r.a, sum), 'UTF8'));
            INSERT INTO doorman_audit_link (n, audit_id, digest, content, salt)
            VALUES (c.n, r.id, c.digest, sum, r.salt);
            done := done + 1;
            top := GREATEST(top, r.id);
        END LOOP;
        UPDATE doorman_audit_chain
           SET n = c.n, digest = c.digest,
               floor_id = CASE WHEN done < most THEN mark
                               ELSE GREATEST(c.floor_id, LEAST(mark, top)) END;
        RETURN done;
    END $$;

    -- Follows the links from one that is known, and names the first that does not hold.
    CREATE OR REPLACE FUNCTION doorman_audit_check(
        INOUT n bigint, INOUT digest bytea, most integer,
        OUT looked integer, OUT problem text, OUT audit_id integer)
    LANGUAGE plpgsql STABLE AS $$
    DECLARE
        r record;
    BEGIN
        looked := 0;
        FOR r IN
            SELECT l.n, l.audit_id, l.digest, l.content, l.salt, a.id IS NULL AS gone,
                   CASE WHEN a.id IS NOT NULL
                        THEN doorman_audit_row(a, l.content) END AS said,
                   CASE WHEN l.salt IS NULL THEN NOT ({NO_CONTENT})
                        ELSE doorman_audit_content(a, l.salt) IS DISTINCT FROM l.content
                        END AS other
              FROM doorman_audit_link l
              LEFT JOIN doorman_audit a ON a.id = l.audit_id
             WHERE l.n > doorman_audit_check.n ORDER BY l.n LIMIT most
        LOOP
            n := n + 1;
            looked := looked + 1;
            audit_id := r.audit_id;
            IF r.n <> n THEN
                problem := 'link_removed'; audit_id := NULL; RETURN;
            ELSIF r.gone THEN
                problem := 'removed'; RETURN;
            END IF;
            digest := sha256(digest || convert_to(r.said, 'UTF8'));
            IF digest <> r.digest THEN
                problem := 'changed'; RETURN;
            ELSIF r.other THEN
                problem := 'content_changed'; RETURN;
            END IF;
        END LOOP;
        audit_id := NULL;
    END $$;
"""

# A row that never got its link although the chain has passed it.
INSERTED = """
    SELECT min(a.id) FROM doorman_audit a, doorman_audit_chain c
     WHERE a.id <= c.floor_id
       AND NOT EXISTS (SELECT FROM doorman_audit_link l WHERE l.audit_id = a.id)
"""
CHAIN = """
    SELECT n, encode(digest, 'hex') AS digest, start_n,
           encode(start_digest, 'hex') AS start_digest
      FROM doorman_audit_chain
"""
EXPORT = """
    SELECT l.n, encode(l.digest, 'hex') AS digest, l.audit_id,
           CASE WHEN a.id IS NULL THEN 'null'
                ELSE doorman_audit_row(a, l.content) END AS row
      FROM doorman_audit_link l LEFT JOIN doorman_audit a ON a.id = l.audit_id
     WHERE l.n > %(after)s ORDER BY l.n LIMIT %(limit)s
"""

# Retention takes from the beginning of the chain, up to the first row that stays; so
# what is missing behind the start was removed by somebody else. A row of the future, of
# a clock that was wrong, does not hold it up. One that is missing is passed only
# together with an older one that goes: it shows for as long as it would have stayed.
OLDEST = """
    SELECT l.n, l.digest, a.id, a.id IS NULL AS gone,
           COALESCE((a.time < now() at time zone 'utc' - make_interval(days => %(days)s)
                     OR a.time > now() at time zone 'utc' + interval '1 day')
                    AND (a.id <= m.floor_id OR a.xid IS NULL
                         OR (a.xid, a.id::bigint) <= (m.xid, m.id)), true) AS goes
      FROM doorman_audit_link l
      CROSS JOIN doorman_audit_mark m
      LEFT JOIN doorman_audit a ON a.id = l.audit_id
     WHERE l.n > (SELECT start_n FROM doorman_audit_chain)
     ORDER BY l.n LIMIT %(limit)s
"""
OLD = f"""
    oldest AS MATERIALIZED ({OLDEST}),
    cut AS (
        SELECT max(n) AS n FROM oldest
         WHERE NOT gone AND n < COALESCE(
               (SELECT min(n) FROM oldest WHERE NOT goes), 9223372036854775807)
    ),
    moved AS (
        UPDATE doorman_audit_chain c SET start_n = o.n, start_digest = o.digest
          FROM oldest o, cut WHERE o.n = cut.n
        RETURNING c.start_n
    ),
    unlinked AS (
        DELETE FROM doorman_audit_link l USING cut WHERE l.n <= cut.n RETURNING l.n
    )
"""
OLD_IDS = "SELECT o.id FROM oldest o, cut WHERE o.n <= cut.n AND o.id IS NOT NULL"
