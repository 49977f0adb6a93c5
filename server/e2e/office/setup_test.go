package office_test

// modules are those of an office that sells, buys, makes and delivers, and of its people.
var modules = []string{
	"sale_management", "crm", "account", "purchase", "stock", "project", "hr_holidays", "hr_expense", "hr_timesheet", "mrp", "calendar",
}

// connections are who works here: the administrator of all companies (in Brussels), of the first only, and of a connection that
// reads only; a salesperson (in New York), also with a connection for orders only, and with one of which every invoice
// waits for a person; an employee; a colleague whose Odoo speaks French; and one whose emails wait, as they do by default.
var connections = []string{"admin", "first", "reader", "seller", "orders", "waits", "ellen", "colette", "careful"}

// setup makes three companies, their people, customers, products in stock, and documents to work on. Each job has a customer
// of its own.
const setup = `
from io import BytesIO
from reportlab.pdfgen.canvas import Canvas
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
first = env.company
north = env["res.company"].create({"name": "North Ltd"})
south = env["res.company"].create({"name": "South Ltd"})
env["account.chart.template"].try_loading("generic_coa", north, install_demo=False)
admin.company_ids = [Command.link(north.id), Command.link(south.id)]
admin.group_ids = [Command.link(env.ref(g).id) for g in (
    "account.group_account_manager", "sales_team.group_sale_manager", "purchase.group_purchase_manager", "stock.group_stock_manager",
    "mrp.group_mrp_manager", "project.group_project_manager", "hr_holidays.group_hr_holidays_manager",
    "hr_expense.group_hr_expense_manager", "hr_timesheet.group_timesheet_manager", "sale.group_discount_per_so_line",
    "crm.group_use_lead")]
env["res.users"].search([("share", "=", False)]).group_ids = [Command.link(env.ref("crm.group_use_lead").id)]
admin.tz = "Europe/Brussels"
(first | north | south).external_report_layout_id = env.ref("web.external_layout_standard") # or Odoo asks for one before it sends anything
seller = user("seller", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
seller.tz = "America/New_York"
other = user("other", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
approver = user("approver", "base.group_user")
ellen = user("ellen", "base.group_user", "doorman.group_user")
employees = env["hr.employee"].create([
    {"name": p.name, "user_id": p.id, "work_email": p.email, "leave_manager_id": admin.id, "expense_manager_id": admin.id} for p in (seller, ellen)])
connection("admin", admin, scope_ids=scopes)
connection("first", admin, scope_ids=scopes, company_ids=[Command.set([first.id])])
connection("reader", admin, scope_ids=scopes, read_only=True)
connection("seller", seller, scope_ids=scopes)
connection("orders", seller, scope_ids=scopes, allowed_model_ids=[Command.set([env["ir.model"]._get_id(m) for m in ("sale.order", "sale.order.line")])])
connection("waits", admin, scope_ids=scopes, approver_id=approver.id, approval_rule_ids=[Command.create({"model_id": env["ir.model"]._get_id("account.move")})])
connection("ellen", ellen, scope_ids=scopes)

env["res.lang"]._activate_lang("fr_FR")
env["ir.module.module"].search([("name", "in", ("base", "product"))])._update_translations(["fr_FR"])
colette = user("colette", "base.group_user", "product.group_product_manager", "doorman.group_user")
colette.lang = "fr_FR"
connection("colette", colette, scope_ids=scopes)
connection("careful", admin, scope_ids=scopes, approver_id=approver.id, approve_outward=True)

def partner(name, **values):
    return env["res.partner"].create({"name": name, "is_company": True, **values})
def product(name, price, quantity=0, **values):
    made = env["product.product"].create({"name": name, "list_price": price, "standard_price": price / 2, "is_storable": True, "taxes_id": False, "supplier_taxes_id": False, **values})
    if quantity:
        env["stock.quant"]._update_available_quantity(made, stock, quantity)
    return made
def order(customer, *lines, **values):
    values = {"user_id": admin.id, **values}
    return env["sale.order"].create({"partner_id": customer.id, "order_line": [
        Command.create({"product_id": p.id, "product_uom_qty": n}) for p, n in lines], **values})
def invoice(customer, amount, date="2031-01-10", due=None, company=first, post=True, kind="out_invoice", **values):
    made = env["account.move"].with_company(company).create({"move_type": kind, "partner_id": customer.id, "invoice_date": date,
        "invoice_date_due": due or date, "invoice_payment_term_id": False,
        "invoice_line_ids": [Command.create({"name": "Work", "quantity": 1, "price_unit": amount, "tax_ids": False})], **values})
    if post:
        made.action_post()
    return made
stock = env["stock.warehouse"].search([("company_id", "=", first.id)], limit=1).lot_stock_id
desk, lamp, shelf = product("Oak Desk", 150, 200), product("Brass Lamp", 40, 200), product("Pine Shelf", 60, 200)
bolts, varnish = product("Steel Bolt M9", 1, 500), product("Clear Varnish", 12, 80)
kits = product("Walnut Stool", 90)
env["mrp.bom"].create({"product_tmpl_id": kits.product_tmpl_id.id, "product_qty": 1, "bom_line_ids": [Command.create({"product_id": bolts.id, "product_qty": 4})]})
partner("Birch Brothers"), partner("Elm Interiors", email="elm@example.com"), partner("Hazel Timber"), partner("Larch Design")
partner("Hemlock Mill", property_supplier_payment_term_id=env.ref("account.account_payment_term_30days").id)
order(partner("Cedar and Sons"), (desk, 2))
order(partner("Dogwood Ltd"), (lamp, 3)).note = "Leave it with the porter."
order(partner("Fir Furniture"), (shelf, 4))
order(partner("Ginkgo House"), (shelf, 1), user_id=seller.id)
hornbeam = order(partner("Hornbeam Hotels"), (desk, 5), (lamp, 10)); hornbeam.action_confirm()
ivy = order(partner("Ivy Studio"), (lamp, 6)); ivy.action_confirm()
for picking in ivy.picking_ids:
    picking.move_ids.quantity = 6; picking.move_ids.picked = True; picking.button_validate()
juniper = order(partner("Juniper Bank"), (desk, 1), user_id=seller.id); juniper.action_confirm()
kapok = order(partner("Kapok Ltd"), (lamp, 1), user_id=other.id); kapok.action_confirm()
invoice(partner("Maple Clinic"), 1000)
invoice(partner("Nutmeg Bakery"), 800)
oak = partner("Oleander School")
for amount, due in ((100, "2024-01-31"), (250, "2024-03-31"), (75, "2033-01-31")):
    invoice(oak, amount, date="2024-01-10", due=due)
out["poplar"] = invoice(partner("Poplar Press"), 333, company=north).id
out["draft"] = invoice(partner("Quince Cafe"), 64, post=False).id
invoice(partner("Rowan Farm"), 500)
invoice(partner("Vendor Vine"), 210, kind="in_invoice", post=False)
partner("Sorrel Old", phone="111"), partner("Tamarind One", city="Gent"), partner("Tamarind Two", city="Gent")
env["crm.lead"].create([{"name": n, "type": kind, "user_id": u.id, "partner_name": c, "expected_revenue": 100, "team_id": False} for n, kind, u, c in (
    ("Willow wants ten desks", "lead", admin, "Willow Works"), ("Yew asks for shelves", "opportunity", admin, "Yew Yard"),
    ("Zelkova one", "opportunity", other, "Zelkova"), ("Zelkova two", "opportunity", other, "Zelkova"), ("Zelkova three", "opportunity", seller, "Zelkova"))])
env["crm.lead"].search([("name", "=", "Yew asks for shelves")]).priority = "2"
project = env["project.project"].create({"name": "New showroom", "privacy_visibility": "employees", "allow_timesheets": True, "type_ids": [Command.create({"name": n}) for n in ("Ideas", "Building", "Ready")]})
env["project.task"].create({"name": "House rules", "project_id": project.id, "description": "".join(
    f'<p style="color: rgb(200, 0, 0);">Rule {n} of the house</p>' for n in range(1500)) + "<p>The key is with <b>Anna Alder</b>.</p>"})
partner("Spruce Floors", comment="<table><tr><td>Wood</td><td>Qty 1</td></tr><tr><td>Oak</td><td>39.00</td></tr><tr><td>Walnut</td><td>48.50</td></tr></table>")
unpaid = env["hr.leave.type"].create({"name": "Study days", "requires_allocation": False, "leave_validation_type": "manager", "request_unit": "day"})
for person, since, to in ((employees[0], "2031-03-03", "2031-03-05"), (employees[1], "2031-04-07", "2031-04-08")):
    env["hr.leave"].create({"employee_id": person.id, "holiday_status_id": unpaid.id, "request_date_from": since, "request_date_to": to})
desk.with_context(lang="fr_FR").name = "Bureau en chêne"
foreign = env.ref("base.EUR"); foreign.active = True
env["res.currency.rate"].create({"currency_id": foreign.id, "company_id": first.id, "name": "2024-01-01", "rate": 0.8})
abroad = partner("Alder Abroad")
for amount, currency in ((100, foreign), (250, first.currency_id), (60, foreign)):
    invoice(abroad, amount, currency_id=currency.id)
partner("Magnolia Restaurant", phone="+32 2 555 19 42"), partner("Mahogany Restorers", phone="+32 2 555 20 00")
env["res.partner"].create([{"name": f"Fair visitor {n:04}", "zip": "98765", "city": "Gent"} for n in range(2000)])
paper = BytesIO(); page = Canvas(paper)
page.drawString(72, 720, "Vine Vintners"); page.drawString(72, 700, "Your order of May. Invoice number VV-2031-77, to pay 210.00"); page.save()
bill = invoice(partner("Vine Vintners"), 210, kind="in_invoice", post=False)
env["ir.attachment"].create({"name": "bill.pdf", "raw": paper.getvalue(), "res_model": "account.move", "res_id": bill.id})
order(partner("Mulberry Inn", email="inn@mulberry.example"), (lamp, 7))
order(partner("Medlar Motel", email="motel@medlar.example"), (lamp, 8))
taxi = product("Taxi rides", 0, is_storable=False, type="service", can_be_expensed=True, standard_price=0)
env["calendar.event"].create({"name": "Budget talk", "start": "2031-05-05 08:00:00", "stop": "2031-05-05 09:00:00", "user_id": admin.id, "partner_ids": [Command.set([admin.partner_id.id])]})
env["crm.lost.reason"].create({"name": "Bought elsewhere"})
rent = product("Delivery van", 30, is_storable=False)
hours = product("Workshop hours", 50, is_storable=False, type="service", invoice_policy="delivery", service_type="timesheet", service_tracking="task_in_project", uom_id=env.ref("uom.product_uom_hour").id)
linden = order(partner("Linden Lab"), (hours, 20)); linden.action_confirm()
env["account.analytic.line"].create([{"name": "Work", "task_id": linden.tasks_ids.id, "project_id": linden.tasks_ids.project_id.id, "employee_id": employees[0].id, "unit_amount": n, "date": day}
    for n, day in ((1, "2031-05-31"), (3, "2031-06-10"), (5, "2031-07-02"))])
env["crm.lead"].create([{"name": n, "type": "opportunity", "user_id": admin.id, "partner_name": "Hemp House", "team_id": False} for n in ("Hemp ropes", "Hemp nets")])
partner("Old Orchard").active = False
out.update(ivy=ivy.name, hornbeam=hornbeam.name, juniper=juniper.name, kapok=kapok.name, south=south.id, juniper_id=juniper.id, north=north.id, order=kapok.id)
`
