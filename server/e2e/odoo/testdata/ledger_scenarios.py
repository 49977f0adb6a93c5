def one(model, *domain, limit=1):
    found = model.search(list(domain), limit=limit)
    assert found, f"no {model._name} for {domain}"
    return found


def lead(e):
    record = one(e["crm.lead"], ("partner_id", "!=", False), ("type", "=", "opportunity"))
    write(record, {"email_from": "new@example.org", "phone": "+32 470 12 34 56"})


def variant(e):
    template = next(t for t in e["product.template"].search([]) if t.product_variant_count == 1)
    write(template.product_variant_id, {"list_price": 4711.0})


def variant_deleted(e):
    made = e["product.product"].create({"name": "Short-lived"})
    e.cr.flush()
    # Made before the scenario, as far as the ledger knows.
    ledger.of(e.cr).rows.clear()
    e.cr.execute("DELETE FROM witness")
    unlink(made)


def category(e):
    tag = one(e["res.partner.category"])
    new = e["res.partner"].search([("category_id", "not in", tag.ids)], limit=2)
    write(tag, {"partner_ids": [[4, partner.id, 0] for partner in new]})


def street(e):
    company = next(p for p in e["res.partner"].search([("is_company", "=", True)]) if len(p.child_ids) == 3)
    write(company, {"street": "Rue Neuve 9"})


def confirm(e):
    one(e["sale.order"], ("state", "=", "draft")).action_confirm()


def deliver(e):
    order = one(e["sale.order"], ("state", "=", "draft"))
    order.action_confirm()
    for move in order.picking_ids.move_ids:
        move.quantity = move.product_uom_qty
    order.picking_ids.with_context(skip_backorder=True).button_validate()


def invoice(e):
    order = one(e["sale.order"], ("state", "=", "draft"))
    order.action_confirm()
    order.order_line.qty_delivered = 1
    order._create_invoices().action_post()


def pay(e):
    move = one(e["account.move"], ("move_type", "=", "out_invoice"), ("payment_state", "=", "not_paid"), ("state", "=", "posted"))
    wizard = e["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create({})
    wizard.action_create_payments()


def lines(e):
    order = one(e["sale.order"], ("state", "in", ("draft", "sent")))
    product = one(e["product.product"], ("sale_ok", "=", True))
    write(order, {
        "client_order_ref": "X",
        "order_line": [
            [0, 0, {"product_id": product.id, "product_uom_qty": 3}],
            [1, order.order_line[0].id, {"product_uom_qty": 7}],
            [2, order.order_line[-1].id, 0],
        ],
    })


def order_deleted(e):
    order = one(e["sale.order"], ("state", "in", ("draft", "sent")))
    order.action_cancel()
    e.cr.flush()
    unlink(order)


def employee(e):
    write(one(e["hr.employee"]), {"job_title": "Head of Things", "work_email": "head@example.com"})


def task(e):
    project = one(e["project.project"])
    create(e["project.task"], {
        "name": "Parent", "project_id": project.id, "user_ids": [[4, 2, 0]], "child_ids": [[0, 0, {"name": "Child"}]],
    })


def leave(e):
    kind = one(e["hr.leave.type"], ("requires_allocation", "=", False))
    create(e["hr.leave"], {
        "employee_id": one(e["hr.employee"], ("user_id", "=", e.uid)).id, "holiday_status_id": kind.id,
        "request_date_from": "2027-03-01", "request_date_to": "2027-03-02",
    })


def purchase(e):
    product = one(e["product.product"], ("purchase_ok", "=", True))
    order = create(e["purchase.order"], {
        "partner_id": one(e["res.partner"], ("is_company", "=", True)).id,
        "order_line": [[0, 0, {"product_id": product.id, "product_qty": 2, "price_unit": 5}]],
    })
    order.button_confirm()


def merge(e):
    one(e["crm.lead"], limit=3).merge_opportunity()


def archive(e):
    one(e["product.template"], ("sale_ok", "=", True)).action_archive()


def message(e):
    one(e["sale.order"]).message_post(body="Hello", subtype_xmlid="mail.mt_comment", partner_ids=[2])


def contact(e):
    parent = one(e["res.partner"], ("is_company", "=", True))
    create(e["res.partner"], {"name": "New Contact", "parent_id": parent.id, "category_id": [[0, 0, {"name": "Fresh"}]]})


SCENARIOS = (
    lead, variant, variant_deleted, category, street, confirm, deliver, invoice, pay, lines, order_deleted, employee, task,
    leave, purchase, merge, archive, message, contact,
)
for scenario in SCENARIOS:
    case(scenario.__name__, scenario)
env.cr.rollback()
