package main

// peerModules are those of the office suite (server/e2e/office): an Odoo of usual size, whose database is in the cache
// once the tests have run.
var peerModules = []string{
	"doorman", "sale_management", "crm", "account", "purchase", "stock", "project", "hr_holidays", "hr_expense", "hr_timesheet", "mrp", "calendar",
}

// tags tell the servers' own records apart. They are of one length, so that no server's replies are longer for it.
var tags = map[string]string{nameDoorman: "Alder", nameIvnvxd: "Birch", nameErpipe: "Cedar"}

const (
	peerLogin    = "bench"
	peerPassword = "bench-password"
	peerFields   = `["name","email","phone"]`
	peerRows     = 10
)

// peerSeed makes an ordinary user who sells and invoices, the user's API key (for the other servers) and connection (for
// Doorman), and the same documents once for each server. It asks Odoo, as that user, for the rows that every server has to
// answer with.
const peerSeed = `
import json
from datetime import datetime, timedelta
from odoo.fields import Command
settings = env["doorman.settings"]._get()
settings.action_enable()
groups = ("base.group_user", "doorman.group_user", "base.group_partner_manager", "sales_team.group_sale_manager", "account.group_account_invoice")
user = env["res.users"].with_context(no_reset_password=True).create({
    "name": "Bench", "login": "bench", "password": "bench-password", "tz": "UTC",
    "group_ids": [Command.set([env.ref(g).id for g in groups])]})
Connection = env["doorman.connection"]
scopes = env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))])
limits = {"rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000}
connection = Connection.create({"name": "Bench", "user_id": user.id, "scope_ids": [Command.set(scopes.ids)],
                                **{k: v for k, v in limits.items() if k in Connection._fields}})
api_key = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "Bench", datetime.now() + timedelta(days=1))

def partner(name, **values):
    return env["res.partner"].create({"name": name, "is_company": True, **values})
def product(name, price):
    return env["product.product"].create({"name": name, "list_price": price, "type": "consu", "invoice_policy": "order", "taxes_id": False})
def order(customer, *lines):
    return env["sale.order"].create({"partner_id": customer.id, "user_id": user.id, "order_line": [
        Command.create({"product_id": p.id, "product_uom_qty": n}) for p, n in lines]})
desk, lamp = product("Bench Oak Desk", 150), product("Bench Brass Lamp", 40)
text = "".join(f"<p>Clause {n}: the buyer pays within {n % 60 + 1} days, and the seller delivers {n * 7} pieces to the yard.</p>" for n in range(1, 401))
for number, tag in enumerate(("Alder", "Birch", "Cedar")):
    partner(f"{tag} Trading House", phone=f"+32 2 555 01 0{number}", email=f"{tag.lower()}@example.com")
    partner(f"{tag} Contract Holder", comment=text)
    partner(f"{tag} Vandenberghe Interiors")
    order(partner(f"{tag} Quotation Customer"), (desk, 2), (lamp, 3))
    partner(f"{tag} Order Customer")
    order(partner(f"{tag} Note Customer"), (lamp, 1)).action_confirm()
    order(partner(f"{tag} Invoice Customer"), (desk, 4)).action_confirm()
    for month in (1, 2, 3):
        old = order(partner(f"{tag} Old Customer {month}"), (desk, month + number))
        old.action_confirm()
        old.date_order = f"2025-0{month}-15 12:00:00"
env.flush_all()

Partner = env["res.partner"].with_user(user)
fields = ["name", "email", "phone"]
found = Partner.search_read([("is_company", "=", True)], fields, limit=10, order="id")
first = found[0]["id"]
print("SEED " + json.dumps({"uid": user.id, "api_key": api_key, "key": connection._issue_key(),
    "service_key": settings._generate_service_key(), "first": first,
    "rows": {"search": found, "read": Partner.browse(first).read(fields)}}))
`
