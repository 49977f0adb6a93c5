# Runs changes with the ledger, and holds its notes against a witness: a trigger on every table that writes down which
# rows and columns really changed. What the ledger missed is in out["missed"], by scenario.
import json
from odoo.addons.doorman.policy import ledger
from odoo.addons.doorman.policy.change_scope import Trial, forget, writing

WITNESS = """
    CREATE TABLE witness (place text, what text, id text, columns text[]);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
        is_ jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    BEGIN
        INSERT INTO witness SELECT TG_TABLE_NAME, TG_OP, COALESCE(was->>'id', is_->>'id', ''),
            ARRAY(SELECT key FROM jsonb_each(was || is_) WHERE was->key IS DISTINCT FROM is_->key);
        RETURN NULL;
    END $$;
"""
LOG = {"create_uid", "create_date", "write_uid", "write_date", "parent_path", "id"}
out.update(missed={}, asked={}, count={}, lost=[])


def watch_tables():
    env.cr.execute(WITNESS)
    env.cr.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'witness'")
    for (table,) in env.cr.fetchall():
        env.cr.execute(
            f'CREATE TRIGGER zz_witness AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION witness()"
        )


def witnessed():
    """{(table, id): columns or DELETE}, of what differs; many2many tables by their own name."""
    env.cr.execute("SELECT place, what, id, columns FROM witness")
    found = {}
    for place, what, ident, columns in env.cr.fetchall():
        if what == "UPDATE" and not set(columns) - LOG:
            continue
        found.setdefault((place, ident), []).append((what, set(columns) - LOG))
    return {
        key: steps
        for key, steps in found.items()
        if not (steps[0][0] == "INSERT" and steps[-1][0] == "DELETE")
    }


def missing(noted):
    """What the witness saw and the ledger did not."""
    tables = {cls._table: name for name, cls in env.registry.items() if not cls._abstract}
    links = {}
    for (table, _one, _other), fields in env.registry.many2many_relations.items():
        links.setdefault(table, set()).update(fields)
    fields_noted = {}
    for (model, _ident), row in noted.rows.items():
        fields_noted.setdefault(model, set()).update(row.before, row.names)
    lost = set()
    for (table, ident), steps in witnessed().items():
        if table not in tables:
            # A many2many's row goes with its new or deleted record, or one of its two fields was noted.
            made = {m for (m, _i), row in noted.rows.items() if row.kind != "updated"}
            if not any(
                name in fields_noted.get(model, ()) or model in made for model, name in links.get(table, ())
            ):
                lost.add(f"{table}: a link")
            continue
        model = tables[table]
        row = noted.rows.get((model, int(ident)))
        if row is None:
            lost.add(f"{model}: {steps[0][0].lower()}")
        elif row.kind == "updated":
            for _what, columns in steps:
                lost.update(f"{model}: {name}" for name in columns - set(row.before))
    return sorted(lost)


def case(label, work):
    admin = env.ref("base.user_admin")
    e = env(user=admin.id, context={})
    env.flush_all()
    e.cr.execute("SAVEPOINT scenario")
    try:
        with writing(e, Trial()) as noted:
            work(e)
            e.cr.flush()
            out["missed"][label] = missing(noted)
            noted.close()
            changes = noted.changes()
            out["asked"][label] = sorted({c.model for c in changes if c.asked})
            out["count"][label] = {
                m: len({c.id for c in changes if c.model == m}) for m in {c.model for c in changes}
            }
    finally:
        forget(e)
        e.cr.execute("ROLLBACK TO SAVEPOINT scenario")


def write(records, vals):
    with ledger.asked(records.env, vals):
        records.write(vals)


def create(model, vals):
    with ledger.asked(model.env, vals):
        return model.create([vals])


def unlink(records):
    with ledger.asked(records.env):
        records.unlink()


watch_tables()
