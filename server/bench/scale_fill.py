# Fills a database for the part "scale": connections and 90 days of audit, made by SQL. One connection, of a user of its
# own, has SHARE % of the rows: its lists fill a page in the small database, too. So do those of each outcome.
import json

from odoo.fields import Command
from odoo.tools import SQL

CONNECTIONS, ROWS, SHARE = SIZE  # noqa: F821  (put before this script)

# The extension was made after the module was installed.
env.registry.has_trigram = True
env.registry.check_indexes(env.cr, ["doorman.connection"])
settings = env["doorman.settings"]._get()
settings.action_enable()
Users = env["res.users"].with_context(no_reset_password=True)
people = Users.create([
    {"name": "Busybody" if n == 1 else f"Scale {n}", "login": f"scale{n}",
     "group_ids": [Command.set([env.ref(g).id for g in (("doorman.group_admin",) if n == 0 else ("base.group_user", "doorman.group_user"))])]}
    for n in range(22)])
admin, busy, users = people[0], people[1], people[2:]
Connection = env["doorman.connection"]
likeness = Connection.create({"name": "Busy", "user_id": busy.id, "approve_outward": False, "rate_limit_minute": 1_000_000})
env.flush_all()
own = {"id", "name", "user_id", "state", "last_used", "request_count", "state_since"}
env.cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'doorman_connection' AND is_generated = 'NEVER'")
rest = sorted({name for (name,) in env.cr.fetchall()} - own)
columns = SQL(", ").join(map(SQL.identifier, rest))
env.cr.execute(SQL("""
    INSERT INTO doorman_connection (name, user_id, state, last_used, state_since, request_count, %s)
    SELECT 'Tool ' || lpad(n::text, 5, '0'), (%s::integer[])[1 + mod(n, %s)], 'connected', now() at time zone 'utc', now() at time zone 'utc', n, %s
      FROM generate_series(2, %s) n, doorman_connection likeness WHERE likeness.id = %s
    """, columns, users.ids, len(users), SQL(", ").join(SQL.identifier("likeness", name) for name in rest), CONNECTIONS, likeness.id))
# A few connections have most of the use, as everywhere.
env.cr.execute(SQL("""
    INSERT INTO doorman_audit (xid, time, connection_id, connection_name, connection_type, user_id, user_login, company_id, ip, client,
                               method, tool, model, orm_method, record_ids, outcome, reason, message, duration_ms, request_id, count, rows)
    SELECT NULL, now() at time zone 'utc' - interval '90 days' * (1 - r.n / %(rows)s::float),
           c.id, c.name, 'bearer', c.user_id, u.login, u.company_id, '192.0.2.' || mod(r.n, 250), 'bench',
           CASE WHEN mod(r.n, 97) = 0 THEN 'approval/approve' WHEN mod(r.n, 11) = 0 THEN 'tools/list' ELSE 'tools/call' END,
           'search_records', 'res.partner', 'search_read', '1,2,3',
           (ARRAY['error', 'refused', 'pending', 'ok'])[LEAST(1 + mod(r.n / 5, 8), 4)],
           CASE WHEN mod(r.n / 5, 8) = 1 THEN 'not_allowed' ELSE '' END, '', mod(r.n, 887), md5(r.n::text), 1, mod(r.n, 50)
      FROM generate_series(1, %(rows)s) r (n)
      JOIN LATERAL (SELECT CASE WHEN mod(r.n * 7919::bigint, 100) < %(share)s THEN 0
                                ELSE 1 + floor(power(mod(r.n * 104729::bigint, 100003) / 100003.0, 3) * (%(connections)s - 1))::integer
                           END AS number) pick ON true
      JOIN doorman_connection c ON c.id = %(first)s + pick.number
      JOIN res_users u ON u.id = c.user_id
    """, rows=ROWS, connections=CONNECTIONS, first=likeness.id, share=SHARE))
env["doorman.audit"]._count_as_folded()
env.cr.execute("UPDATE doorman_audit_mark SET floor_id = (SELECT max(id) FROM doorman_audit)")
env.registry.clear_cache()
key = likeness._issue_key()
print("FILLED " + json.dumps({"admin": admin.id, "busy": busy.id, "connection": likeness.id, "key": key}))
