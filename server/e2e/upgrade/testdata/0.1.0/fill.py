# What somebody has who uses Doorman 0.1.0, as far as people make it in Odoo. What AI tools make of it, they make
# afterwards, through the service of that version.
#
# It runs in `odoo shell` with the code of 0.1.0 and is never changed again. `switches` is said before it: whether SQL and
# Python are allowed. What the test needs to know goes into `out`.
import json
from datetime import timedelta

from odoo import fields
from odoo.addons.doorman.models.doorman_invite import invite_digest
from odoo.fields import Command

out = {}
now = fields.Datetime.now()
admin = env.ref("base.user_admin")
settings = env["doorman.settings"]._get()
settings.action_enable()
out["service_key"] = settings._generate_service_key()
settings.write(
    {
        "allow_sql": switches,
        "allow_shell": switches,
        "log_payloads": True,
        "audit_retention_days": 120,
        "idle_after_hours": 48,
        "rate_limit_minute": 2_000,
        "rate_limit_day": 50_000,
        "oauth_access_minutes": 90,
        "oauth_refresh_days": 45,
        "blocked_ips": "203.0.113.0/24  # never",
    }
)


def user(login, *groups):
    person = env["res.users"].with_context(no_reset_password=True).create(
        {
            "name": login.title(),
            "login": login,
            "password": login,
            "email": login + "@example.com",
            "group_ids": [Command.set([env.ref(g).id for g in groups])],
        }
    )
    out[login + "_uid"] = person.id
    return person


mia = user("mia", "base.group_user", "base.group_partner_manager", "doorman.group_user")
zoe = user("zoe", "base.group_user", "doorman.group_user")
guest, early = user("guest", "base.group_user"), user("early", "base.group_user")
boss = user("boss", "base.group_user")
admin.group_ids = [
    Command.link(env.ref(g).id)
    for g in ("base.group_system", "doorman.group_admin", "doorman.group_scope_sql", "doorman.group_scope_shell")
]


def scopes(*codes):
    return [Command.set(env["doorman.scope"].search([("code", "in", ["mcp:" + c for c in codes])]).ids)]


def tool(name, scope, risk="low"):
    found = env["doorman.tool"].with_context(active_test=False).search([("name", "=", name)])
    return found or env["doorman.tool"]._inside().create({"name": name, "scope_code": "mcp:" + scope, "risk": risk})


def model(name):
    return env["ir.model"]._get_id(name)


reading, writing = scopes("metadata", "search"), scopes("metadata", "search", "orm")
creating, deleting = tool("create_records", "orm", "medium"), tool("delete_records", "orm", "high")
updating = tool("update_records", "orm", "medium")


def connection(name, owner, **values):
    "out[name] is its key, out[name + '_id'] its id."
    values = {"name": name, "user_id": owner.id, "scope_ids": writing, **values}
    record = env["doorman.connection"].create(values)
    out[name], out[name + "_id"] = record._issue_key(), record.id
    return record


# ---- connections of every kind that has a key; those of logins are made by logging in ----

connection("key", mia)
connection("awaiting", mia, scope_ids=reading)
connection("idle", mia)._transition("idle", ("awaiting",))
connection("reader", mia, read_only=True)
connection("admin", admin, scope_ids=scopes("metadata", "search", "orm", "sql", "shell"))
connection(
    "whole",
    mia,
    description="Every part of the policy.",
    scope_ids=writing,
    allowed_tool_ids=[Command.set([tool("search_records", "search").id, updating.id])],
    allowed_model_ids=[Command.set([model("res.partner"), model("res.country")])],
    company_ids=[Command.set(mia.company_id.ids)],
    allowed_ips="127.0.0.1  # this machine\n::1\n192.0.2.0/24",
    blocked_ips="192.0.2.66",
    rate_limit_minute=120,
    rate_limit_day=4_000,
    approver_id=boss.id,
    approval_expiry_hours=36,
    approval_tool_ids=[Command.set(deleting.ids)],
    approval_rule_ids=[
        Command.create({"risk": "high"}),
        Command.create({"model_id": model("res.partner"), "more_than": 5}),
        Command.create({"model_id": model("res.country"), "reads": True}),
    ],
    expires_at=now + timedelta(days=60),
)
connection("gated", mia, approval_tool_ids=[Command.set([creating.id, deleting.id])], approver_id=boss.id)
rotated = connection("rotated", mia)
out["rotated_old"], out["rotated"] = out["rotated"], rotated._issue_key(overlap_minutes=24 * 60)
connection("revoked", mia).action_revoke()
connection("archived", mia).active = False
connection("inactive", mia)._inside().write({"state": "inactive", "needs_activation": True})
expired = connection("expired", mia, expires_at=now + timedelta(hours=1))
env.flush_all()
env.cr.execute("UPDATE doorman_connection SET expires_at = %s WHERE id = %s", [now - timedelta(hours=1), expired.id])
env.invalidate_all()
env["doorman.gateway"].with_user(settings.service_user_id).expire_connections()
assert expired.state == "expired", expired.state

# ---- links by which people pick up their key: one waits, one is replaced ----

link = env["doorman.connection"].create({"name": "link", "user_id": zoe.id})
for name in ("pickup_ended", "pickup"):
    out[name] = link.with_user(admin).action_pickup_link()["context"]["default_link"].rpartition("/")[2]
out["link_id"] = link.id

# ---- invites ----

invites = env["doorman.invite"].with_user(admin)


def invite(name, **values):
    "out[name] is the token of its link, out[name + '_id'] its id."
    made, out[name] = invites._make({"key_name_preset": name, "scope_ids": reading, **values})
    out[name + "_id"] = made.id
    return made


def accept(name, person):
    env.flush_all()
    acceptance, out[name + "_key"] = env["doorman.invite"].with_user(person)._accept(invite_digest(out[name]), "192.0.2.7")
    return acceptance


invite(
    "invite_open",
    scope_ids=writing,
    max_uses=3,
    expires_at=now + timedelta(days=30),
    key_lifetime_hours=24 * 90,
    description="For the agency.",
    allowed_model_ids=[Command.set([model("res.partner")])],
    approval_rule_ids=[Command.create({"model_id": model("res.partner"), "more_than": 3})],
    approver_id=boss.id,
    blocked_ips="198.51.100.1",
    rate_limit_minute=33,
)
accept("invite_open", early)
invite("invite_used", max_uses=1)
accept("invite_used", early)
invite("invite_revoked").with_user(admin).action_revoke()
invite("invite_listed", accept_from="listed", accept_list="guest\n@agency.example")
ended = invite("invite_expired")
env.flush_all()
env.cr.execute("UPDATE doorman_invite SET expires_at = %s WHERE id = %s", [now - timedelta(hours=1), ended.id])
env.invalidate_all()
env["doorman.gateway"].with_user(settings.service_user_id).expire_invites()
assert ended.state == "expired", ended.state

# ---- programs that log people in, made by hand ----

client, out["client_secret"] = env["doorman.oauth.client"]._make_custom(
    {
        "name": "Our own bot",
        "client_type": "confidential",
        "redirect_uris": "http://127.0.0.1:4711/callback",
        "user_id": mia.id,
    }
)
out["client_id"] = client.client_id

# ---- own tools: one is offered, one is a draft ----

code = '''
for partner in records:
    partner.ref = doorman["reference"]
result = [{"id": p.id, "ref": p.ref} for p in records]
'''
action = env["ir.actions.server"].create(
    {"name": "Refer", "model_id": model("res.partner"), "state": "code", "code": code}
)
own = env["doorman.own.tool"].with_user(admin).create(
    {
        "name": "set_reference",
        "title": "Set the reference",
        "description": "Gives contacts a reference that sales can search for.",
        "action_id": action.id,
        "on_records": True,
        "risk": "medium",
        "parameter_ids": [
            Command.create({"name": "reference", "required": True, "description": "Up to 20 letters"}),
            Command.create({"name": "grade", "kind": "selection", "choices": "a, b"}),
        ],
    }
)
own.action_publish()
own.copy({"name": "set_reference_two"})

# ---- what the tools work on ----

partner = env["res.partner"].create({"name": "Upgrade Trading", "email": "up@example.com"})
env["ir.attachment"].create({"name": "plan.txt", "raw": b"the plan", "res_model": "res.partner", "res_id": partner.id})
out["partner"] = partner.id

# Administrators' own keys, for the API of invites.
out["admin_key"] = env["res.users.apikeys"].with_user(admin)._generate("rpc", "test", now + timedelta(days=30))
