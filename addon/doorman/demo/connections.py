import random
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command

from ..policy.refusal import _lt

# The tools that the connections below name; the service fills in the rest.
TOOLS = {
    "search_records": ("Search records", "mcp:search"),
    "read_records": ("Read records", "mcp:search"),
    "aggregate_records": ("Aggregate records", "mcp:search"),
    "update_records": ("Update records", "mcp:orm"),
    "delete_records": ("Delete records", "mcp:orm"),
    "call_method": ("Call a business method", "mcp:orm"),
}
READING = [name for name, (_title, scope) in TOOLS.items() if scope == "mcp:search"]
MODELS = ("res.partner", "res.partner.category", "res.country")
CLAUDE = "https://claude.ai/api/mcp/auth_callback"
CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect"

# User, name, state, hours since the last use, requests, everything else.
CONNECTIONS = (
    (
        "doorman.demo_user_tom",
        "Claude Desktop, accounting",
        "inactive",
        None,
        0,
        {
            "auth_type": "oauth",
            "client_type": "public",
            "client_id": "dmo_demo_7Qm2aV9tLx",
            "redirect_uris": CLAUDE,
            "dynamic_registration": True,
            "description": "Tom asked for it on Monday. Check with Ines first.",
        },
    ),
    (
        "base.user_admin",
        "Gemini CLI, month-end reports",
        "awaiting",
        None,
        0,
        {"read_only": True, "description": "For the closing of the month."},
    ),
    (
        "doorman.demo_user_lena",
        "Trainee, newsletter lists",
        "revoked",
        63,
        21,
        {"description": "Holiday job, until the end of August."},
    ),
    (
        "base.user_admin",
        "n8n, order import",
        "revoked",
        900,
        96,
        {"description": "Replaced by Odoo's own import. Do not bring it back."},
    ),
    (
        "doorman.demo_user_lena",
        "ChatGPT, campaign trial",
        "expired",
        420,
        41,
        {
            "auth_type": "oauth",
            "client_type": "public",
            "client_id": "dmo_demo_c0Vv8RkPZs",
            "redirect_uris": CHATGPT,
            "dynamic_registration": True,
            "expires_in": -240,
            "description": "Two weeks' trial of the marketing team.",
        },
    ),
    (
        "doorman.demo_user_ines",
        "VS Code, data clean-up",
        "idle",
        310,
        12,
        {"description": "Duplicates among the contacts, once a quarter."},
    ),
    (
        "doorman.demo_user_tom",
        "Sales assistant",
        "idle",
        130,
        17,
        {
            "auth_type": "oauth",
            "client_type": "confidential",
            "client_id": "dmo_demo_1yHd63Wq0e",
            "redirect_uris": "https://assistant.example.com/oauth/callback",
            "description": "Our own application for the sales team.",
        },
    ),
    (
        "base.user_demo",
        "Codex CLI, nightly data check",
        "connected",
        9,
        221,
        {
            "read_only": True,
            "rate_limit_minute": 120,
            "allowed_ips": "192.0.2.14  # build server\n2001:db8:42::/48",
            "allowed_tools": ("search_records", "aggregate_records"),
            "description": "Runs at 02:00, see the wiki.",
        },
    ),
    (
        "doorman.demo_user_ines",
        "Cursor, web shop team",
        "connected",
        5,
        87,
        {
            "allowed_models": MODELS,
            "allowed_ips": "192.168.1.0/24  # the office",
            "blocked_ips": "192.168.1.66  # the guests' printer",
            "expires_in": 24 * 30,
            "description": "Until the new web shop is live.",
        },
    ),
    (
        "doorman.demo_user_lena",
        "Claude, browser",
        "connected",
        2,
        34,
        {
            "auth_type": "oauth",
            "client_type": "public",
            "client_id": "dmo_demo_Zp5sT4nYb2",
            "redirect_uris": CLAUDE,
            "dynamic_registration": True,
            "approval_tools": ("aggregate_records",),
            "approver": "base.user_admin",
        },
    ),
    (
        "base.user_demo",
        "Claude Code, Marc's laptop",
        "connected",
        0.3,
        128,
        {"description": "Marc's own work on contacts and reports."},
    ),
)

DAYS = 7
NO_DOMAIN = _lt("A domain must be a list of conditions.")
NO_MODEL = _lt("There is no model %(model)s in this Odoo.", model="res.parnter")
# Outcome, reason, message, how often.
OUTCOMES = (
    ("ok", None, None, 85),
    ("error", "invalid_input", NO_DOMAIN, 3),
    (
        "error",
        "unknown_field",
        'res.partner has no field "nmae", or it is withheld.',
        3,
    ),
    ("refused", "not_allowed", "This connection cannot use the model ir.rule.", 5),
    ("refused", "unknown_model", NO_MODEL, 3),
)
# How many rows an answer holds at most.
GIVEN = {"search_records": 80, "read_records": 10, "aggregate_records": 12}


class DoormanConnection(models.Model):
    """The demo data that XML cannot write. There is no key in it: nobody gets in by
    it."""

    _inherit = "doorman.connection"

    @api.model
    def _demo_fill(self):
        tools = self._demo_tools()
        now = fields.Datetime.now()
        made = self.browse()
        for user, name, state, hours, count, extra in CONNECTIONS:
            used = hours is not None and now - timedelta(hours=hours)
            vals = self._demo_policy(dict(extra), tools, now) | {
                "name": name,
                "user_id": self.env.ref(user).id,
                "state": state,
                "state_since": used or now - timedelta(hours=20),
                "last_used": used,
                "request_count": count,
                "needs_activation": state == "inactive",
            }
            made |= self._inside().create(vals | self._demo_client(name, user, vals))
        self.env["doorman.approval"]._demo_fill(made, tools)
        admin = self.env.ref("base.user_admin")
        self.env["doorman.invite"].with_user(admin)._demo_fill()
        self._demo_audit(made, now)

    @api.model
    def _demo_refresh(self):
        """Move the demo data to the present: for a database that was made some time
        ago and kept. Else everything in it is idle, and the last week is empty."""
        self.env.flush_all()
        self.env.cr.execute("SELECT min(create_date) FROM doorman_connection")
        made = self.env.cr.fetchone()[0]
        age = fields.Datetime.now() - (made or fields.Datetime.now())
        self.env.cr.execute("UPDATE doorman_audit SET time = time + %s", [age])
        self.env["doorman.audit"]._rebuild_sums()
        self.env.cr.execute(
            """
            UPDATE doorman_connection
               SET create_date = create_date + %(age)s,
                   state_since = state_since + %(age)s,
                   last_used = last_used + %(age)s,
                   expires_at = expires_at + %(age)s
            """,
            {"age": age},
        )
        self.env.cr.execute(
            """
            UPDATE doorman_invite
               SET create_date = create_date + %(age)s,
                   expires_at = expires_at + %(age)s
            """,
            {"age": age},
        )
        self.env.cr.execute(
            """
            UPDATE doorman_approval
               SET requested_at = requested_at + %(age)s,
                   expires_at = expires_at + %(age)s,
                   decided_at = decided_at + %(age)s
            """,
            {"age": age},
        )
        self.env.invalidate_all()

    @api.model
    def _demo_tools(self):
        """The catalog may be there already, or not yet."""
        catalog = self.env["doorman.tool"].with_context(active_test=False)
        found = {tool.name: tool for tool in catalog.search([])}
        for name, (title, scope) in TOOLS.items():
            if name not in found:
                vals = {"name": name, "title": title, "scope_code": scope}
                kind = "read" if name in READING else "write"
                risk = {"update_records": "medium"}.get(name, "high")
                vals |= {"category": kind, "risk": "low" if kind == "read" else risk}
                found[name] = catalog._inside().create(vals)
        return found

    @api.model
    def _demo_policy(self, extra, tools, now):
        """Names in place of what only this database knows."""
        for key, field in (
            ("allowed_tools", "allowed_tool_ids"),
            ("approval_tools", "approval_tool_ids"),
        ):
            names = extra.pop(key, ())
            extra[field] = [Command.set([tools[name].id for name in names])]
        names = extra.pop("allowed_models", ())
        records = self.env["ir.model"].search([("model", "in", names)])
        extra["allowed_model_ids"] = [Command.set(records.ids)]
        if "expires_in" in extra:
            extra["expires_at"] = now + timedelta(hours=extra.pop("expires_in"))
        if "approver" in extra:
            extra["approver_id"] = self.env.ref(extra.pop("approver")).id
        return extra

    @api.model
    def _demo_client(self, name, user, vals):
        """The program behind a connection that was made by logging in."""
        if vals.get("auth_type") != "oauth":
            return {}
        dynamic = vals.get("dynamic_registration")
        client = self.env["doorman.oauth.client"]._new(
            {
                "name": name.split(",")[0],
                "client_id": vals["client_id"],
                "kind": "dynamic" if dynamic else "custom",
                "client_type": vals["client_type"],
                "redirect_uris": vals["redirect_uris"],
                "user_id": False if dynamic else self.env.ref(user).id,
            }
        )
        return {"oauth_client_id": client.id}

    @api.model
    def _demo_audit(self, connections, now):
        """The same rows at every installation, relative to its time: as many as the
        counters above say, which hold them, so they only go into the sums."""
        draw = random.Random(832)  # noqa: S311  (nothing secret)
        rows, week = [], timedelta(days=DAYS)
        for connection in connections.filtered("last_used"):
            last = connection.last_used
            # What is used to this day was so all the week.
            since = (now if last > now - week else last) - week
            span = (last - since).total_seconds()
            times = [draw.random() * span for _row in range(connection.request_count)]
            times[0] = span
            rows += [
                {"connection": connection, "time": since + timedelta(seconds=time)}
                for time in times
            ]
        last = self.env["doorman.audit"].search([], order="id desc", limit=1).id or 0
        for row in sorted(rows, key=lambda row: row["time"]):
            self.env["doorman.audit"]._insert(self._demo_row(draw, **row))
        self.env["doorman.audit"]._count_as_folded(after=last)

    @api.model
    def _demo_row(self, draw, connection, time):
        outcome, reason, message, _weight = draw.choices(
            OUTCOMES, [weight for *_, weight in OUTCOMES]
        )[0]
        wrong = {"not_allowed": "ir.rule", "unknown_model": "res.parnter"}.get(reason)
        allowed = connection.allowed_tool_ids.mapped("name")
        tool = draw.choice([name for name in READING if name in (allowed or READING)])
        return {
            "time": time,
            "connection_id": connection.id,
            "connection_name": connection.name,
            "connection_type": connection.auth_type,
            "user_id": connection.user_id.id,
            "user_login": connection.user_id.login,
            "company_id": connection.company_id.id,
            "ip": f"192.168.1.{10 + connection.id % 40}",
            "client": connection.name.split(",")[0],
            "method": "tools/call",
            "tool": tool,
            "model": wrong or draw.choice(MODELS),
            "outcome": outcome,
            "reason": reason,
            "message": message,
            "duration_ms": draw.randint(6, 90) if outcome != "refused" else 0,
            "request_id": f"demo-{draw.getrandbits(40):010x}",
            "count": 1,
            "rows": draw.randint(1, GIVEN[tool]) if outcome == "ok" else 0,
        }
