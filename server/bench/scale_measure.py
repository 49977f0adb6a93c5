# Measures a filled database for the part "scale": each thing some times, the least milliseconds.
import hashlib
import json
import time

from odoo import fields

FILLED, TIMES = GIVEN  # noqa: F821  (put before this script)

admin, person, ident = FILLED["admin"], FILLED["busy"], FILLED["connection"]
proof = hashlib.sha256(FILLED["key"].encode()).hexdigest()
gateway = env["doorman.gateway"].with_user(env.ref("doorman.user_service"))
found = []


def timed(name, run, times=TIMES, before=None):
    """Each time in a transaction that is undone."""
    took = []
    for turn in range(times + 1):
        env.invalidate_all()
        if before:
            before()
            env.flush_all()
        env.cr.execute("SELECT 1")
        start = time.perf_counter()
        run()
        env.flush_all()
        if turn:  # the first is for the caches
            took.append((time.perf_counter() - start) * 1000)
        env.cr.rollback()
    found.append({"kind": name, "ms": min(took)})


LIST = {name: {} for name in ("time", "connection_name", "user_login", "tool", "model", "outcome", "reason", "ip", "duration_ms")}
WEEK = ("time", ">=", "today -6d")
# As the client asks (count_limit of the view, and one).
COUNT = 201


def audit_list(*domain, order=None, uid=admin):
    env["doorman.audit"].with_user(uid).web_search_read(list(domain), LIST, limit=80, order=order, count_limit=COUNT)


env.cr.execute("SELECT request_id FROM doorman_audit WHERE id = (SELECT min(id) + 1000 FROM doorman_audit)")
request_id = env.cr.fetchone()[0]
for name, *domain in (
    ("list: last 7 days", WEEK),
    ("list: all", ),
    ("list: errors", WEEK, ("outcome", "=", "error")),
    ("list: errors of all time", ("outcome", "=", "error")),
    ("list: refused", WEEK, ("outcome", "=", "refused")),
    ("list: waits for approval, all time", ("outcome", "=", "pending")),
    ("list: decisions of all time", ("method", "=like", "approval/%")),
    ("list: today", ("time", ">=", "today")),
    ("list: busiest connection, all time", ("connection_id", "=", ident)),
    ("list: busiest connection", WEEK, ("connection_id", "=", ident)),
    ("list: a connection by its name", WEEK, ("connection_id", "ilike", "Busy")),
    ("list: a user by their name, all time", ("user_id", "ilike", "Busybody")),
    ("list: a request id, all time", ("request_id", "=", request_id)),
):
    timed(name, lambda d=domain: audit_list(*d))
timed("list: own rows of a person", lambda: audit_list(WEEK, uid=person))
timed("list: own rows of a person, all time", lambda: audit_list(uid=person))

Connection = env["doorman.connection"].with_user(admin)
CONNECTION = {name: {} for name in ("name", "user_id", "state", "last_used", "request_count")}
timed("list of connections", lambda: Connection.web_search_read([], CONNECTION, limit=80, count_limit=10_001))
timed("form of a connection: its counters", lambda: Connection.browse(ident).web_read({"audit_count": {}, "request_count": {}}))
Settings = env["doorman.settings"].with_user(admin)._get()
timed("settings: counters", lambda: Settings.web_read({name: {} for name in ("connection_count", "request_count", "refused_count")}))
day = env["doorman.use.day"].with_user(admin)
use = env["doorman.use.connection"].with_user(admin)
for days in (7, 90):
    since = fields.Date.subtract(fields.Date.today(), days=days - 1)
    timed(f"chart: requests a day, {days} days", lambda s=since: day.formatted_read_group(
        [("day", ">=", s)], ["day:day", "outcome"], ["requests:sum"]))
    timed(f"chart: one connection, {days} days", lambda s=since: use.formatted_read_group(
        [("day", ">=", s), ("connection_id", "=", ident)], ["day:day", "outcome"], ["charged:sum"]))
week = fields.Date.subtract(fields.Date.today(), days=6)
timed("overview: a week", lambda: day._series(week))
page = env["doorman.overview"].with_user(admin)
timed("overview: the page, but for the busiest connections", lambda: [part() for part in (
    lambda: page._use(90), page._tools, page._approvals, page._keys, page._server, page._steps)])
timed("overview: the ten busiest connections of a week", lambda: use._top(week))
timed("pivot: connection by status, 7 days", lambda: use.formatted_read_group(
    [("day", ">=", week)], ["connection_name", "outcome"], ["requests:sum"]))
timed("group: tool, 7 days", lambda: env["doorman.audit"].with_user(admin).formatted_read_group([WEEK], ["tool"], ["__count"]))
timed("sort: slowest first, 7 days", lambda: audit_list(WEEK, order="duration_ms desc"))

timed("hello", lambda: gateway.hello("bench", "http://127.0.0.1"))
timed("resolve", lambda: gateway.resolve(proof))
audit = env["doorman.audit"]
timed("used today", lambda: audit._used_today(ident))
snapshot = gateway.resolve(proof)["snapshot"]
env.cr.rollback()
fence = {"proof": proof, "connection": ident, "version": snapshot["connection"]["version"],
         "settings_version": snapshot["settings"]["version"], "groups": snapshot["user"]["groups"], "registry": snapshot["registry"]}
request = {"model": "res.partner", "method": "search_read", "ids": None, "kwargs": {"domain": [], "fields": ["name"], "limit": 2},
           "context": {}, "timeout_ms": 10_000, "audit": {"tool": "search_records", "ip": "192.0.2.1", "request_id": "r"}}


def call():
    # Its savepoint is the controller's.
    env.cr.execute("SAVEPOINT doorman")
    answer = gateway.call(fence, request)
    assert "value" in answer, answer


timed("call", call)
timed("delete the busiest connection", lambda: env["doorman.connection"].browse(ident).unlink(), times=3)
timed("delete its user", lambda: env["res.users"].browse(person).unlink(), times=3)
timed("retention, 1,000 rows", lambda: audit._purge(80, 1_000))

# Folding takes what is committed.
took = []
for turn in range(TIMES):
    now = fields.Datetime.now()
    for n in range(1_000):
        audit._insert({"time": fields.Datetime.subtract(now, seconds=n), "connection_id": ident + n % 50, "connection_name": f"Tool {n}", "user_id": person, "company_id": 1,
                       "method": "tools/call", "outcome": "ok", "reason": "", "count": 1, "rows": 1})
    env.cr.commit()
    env.cr.execute("SELECT 1")
    start = time.perf_counter()
    folded = audit._fold(20_000)
    if turn:
        took.append((time.perf_counter() - start) * 1000)
    env.cr.commit()
    assert folded >= 1_000, folded
found.append({"kind": "fold, 1,000 rows", "ms": min(took)})
print("MEASURED " + json.dumps(found))
