# Reads every field of every model that is offered, as several users, through the gateway's own code, and asks Odoo the
# same as the same user, field by field. out["wrong"] is what differs; out["unreadable"], what is left out and why.
from freezegun import freeze_time
from odoo import fields
from odoo.addons.doorman.policy.guard import Guard
from odoo.addons.doorman.policy.redact_links import withhold_links_in
from odoo.addons.doorman.tools.call import call_of, run
from odoo.addons.doorman.tools.linked_names import without_bytes

gateway = env["doorman.gateway"]
out.update(wrong=[], unreadable={}, fields={}, models={})


def ask(guard, **request):
    return gateway._read(call_of(guard, request))


def directly(records, names):
    """What Odoo gives, or None if it gives nothing to this user."""
    try:
        with env.cr.savepoint():
            records.invalidate_recordset()
            return withhold_links_in(without_bytes(records, records.read(names)))
    except Exception:
        env.cr.execute("SELECT 1")
        return None


# Some fields are worked out from what time it is, which two reads must agree on.
clock = freeze_time(fields.Datetime.now())
clock.start()
clerk = env["res.users"].create({"name": "Clerk", "login": "clerk"})
for who in ("admin", "seller", "clerk"):
    user = env["res.users"].search([("login", "=", who)])
    guard = Guard(env(user=user.id, su=False, context={"bin_size": True}), None)
    env.cr.execute("SAVEPOINT doorman")
    offered = [row["model"] for row in ask(guard, method="models")]
    count = 0
    for name in offered:
        model = guard.env[name]
        try:
            with env.cr.savepoint():
                records = model.search([], limit=1)
        except Exception:
            continue  # Odoo searches it in no way: account.root, account.code.mapping
        if not records:
            continue
        names = list(ask(guard, model=name, method="fields_get")["fields"])
        found = ask(guard, model=name, method="read", ids=records.ids, kwargs={"fields": names})
        left = found.get("unreadable", {}) if isinstance(found, dict) else {}
        rows = found["rows"] if isinstance(found, dict) else found
        whole = directly(records, names)
        for field in set(names) - {"write_uid", "write_date"}:  # reading can write: columns that wait
            count += 1
            given = None if field in left else [row[field] for row in rows]
            # Some fields are other ones where they are read together: Odoo's caches know more then.
            ways = [whole and [row[field] for row in whole]]
            if given not in ways:
                alone = directly(records, [field])
                ways.append(alone and [row[field] for row in alone])
            if field in left:
                out["unreadable"][f"{name}.{field}"] = left[field]
            if given not in ways:
                out["wrong"].append(f"{who}: {name}.{field} is {given}, and Odoo gives {ways}"[:300])
    out["fields"][who] = count
    out["models"][who] = len(offered)
clerk.active = False
clock.stop()
