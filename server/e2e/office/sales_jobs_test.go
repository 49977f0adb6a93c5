package office_test

import "doorman/server/e2e/kit"

// is is a condition.
func is(field string, value any) []any { return []any{field, "=", value} }

var salesJobs = []job{
	{
		name: "sell, deliver, invoice, get paid", as: "admin", calls: 12, bytes: 18_000,
		words: "Make a sales order for the customer Birch Brothers: an order line with the product Oak Desk, quantity 5, unit price 120. Confirm it, deliver everything, invoice it and register the payment.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			lines := w.relation(w.describe(orders, "customer, order line"), "order_line")
			w.describe(lines, "product, quantity, unit price")
			r := w.create(orders, kit.Args{"partner_id": "Birch Brothers", "order_line": []kit.Args{{"product_id": "Oak Desk", "product_uom_qty": 5, "price_unit": 120}}})
			confirmed := w.press(r, "Confirm")
			w.press(w.actions("stock.picking", w.made(confirmed, "stock.picking")), "Validate")
			invoice := w.fill(w.press(confirmed, "Create Invoice"), "Create Draft", nil)
			w.fill(w.press(w.press(invoice, "Confirm"), "Pay"), "Create Payment", nil)
		},
		holds: []fact{
			{"sale.order", `[["partner_id.name","=","Birch Brothers"]]`, "state amount_total invoice_status delivery_status", "sale 600 invoiced full"},
			{"account.move", `[["partner_id.name","=","Birch Brothers"],["move_type","!=","entry"]]`, "move_type state amount_total amount_residual", "out_invoice posted 600 0"},
			{"stock.picking", `[["partner_id.name","=","Birch Brothers"]]`, "state", "done"},
		},
	},
	{
		name: "a quotation with two lines", as: "seller", calls: 4, bytes: 7_000,
		words: "A sales order as a quotation for the customer Elm Interiors. Order lines: product Oak Desk, quantity 2, unit price 145, and Brass Lamp, quantity 4. Their customer reference is EI-7, keep their quotation valid (expiration) until 15 January 2031.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			described := w.describe(orders, "customer, expiration, reference, order lines")
			w.describe(w.relation(described, "order_line"), "product, quantity, unit price")
			w.create(orders, kit.Args{
				"partner_id": "Elm Interiors", "client_order_ref": "EI-7", "validity_date": w.date("15 January 2031"),
				"order_line": []kit.Args{
					{"product_id": "Oak Desk", "product_uom_qty": 2, "price_unit": 145}, {"product_id": "Brass Lamp", "product_uom_qty": 4},
				},
			})
		},
		holds: []fact{
			{"sale.order", `[["partner_id.name","=","Elm Interiors"]]`, "state amount_total client_order_ref validity_date user_id", "draft 450 EI-7 2031-01-15 Seller"},
		},
	},
	{
		name: "a discount on a quotation", as: "admin", calls: 6, bytes: 6_500,
		words: "Give the customer Cedar and Sons a discount of 10 % on all lines of their sales order.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Cedar and Sons")})
			opened := w.press(w.actions(orders, at(found, 0, "id")), "Discount")
			w.fill(opened, "Apply", kit.Args{"discount_type": choice(w, opened, "discount_type", "On All Order Lines"), "discount_percentage": w.share("10 %")})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Cedar and Sons"]]`, "amount_total", "270"}},
	},
	{
		name: "the quotation once more", as: "admin", calls: 4, bytes: 4_000,
		words: "The customer Fir Furniture wants the same sales order once more, as a new quotation.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Fir Furniture")})
			w.do("copy_records", kit.Args{"model": orders, "ids": []any{at(found, 0, "id")}})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Fir Furniture"]]`, "state amount_total", "draft 240 | draft 240"}},
	},
	{
		name: "cancel a quotation", as: "seller", calls: 5, bytes: 5_500,
		words: "The customer Ginkgo House does not want it any more: cancel their sales order.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Ginkgo House")})
			w.press(w.actions(orders, at(found, 0, "id")), "Cancel")
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Ginkgo House"]]`, "state", "cancel"}},
	},
	{
		name: "a note on an order", as: "admin", calls: 4, bytes: 3_500,
		words: `Put a note on the sales order of the customer Dogwood Ltd: "They asked for delivery before noon."`,
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Dogwood Ltd")})
			w.do("post_message", kit.Args{"model": orders, "id": at(found, 0, "id"), "body": "They asked for delivery before noon."})
		},
		holds: []fact{{"mail.message", `[["model","=","sale.order"],["body","ilike","before noon"]]`, "subtype_id", "Note"}},
	},
	{
		name: "what changed on an order", as: "seller", calls: 4, bytes: 3_500,
		words: "What happened to the sales order of the customer Juniper Bank: its status changed, from what to what?",
		prepare: func(o *office) string {
			kit.AsAdmin(o.t, o.Odoo, "sale.order", "action_cancel", []int64{o.ID("juniper_id")})
			return ""
		},
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Juniper Bank")})
			r := w.do("read_messages", kit.Args{"model": orders, "id": at(found, 0, "id")})
			w.answer = at(r, "messages", 0, "changes")
		},
		holds: []fact{{want: "[map[field:Status new:Cancelled old:Sales Order]]"}},
	},
	{
		name: "what is still to deliver", as: "admin", calls: 3, bytes: 5_500,
		words: "Look at the sales order line with the product Brass Lamp of the customer Hornbeam Hotels: what quantity was ordered, and what was delivered?",
		do: func(w *worker) {
			lines := w.model("sales order line", "Sales Order Line")
			w.describe(lines, "product, customer, quantity, delivered")
			found := w.search(lines, 1, []any{is("order_partner_id.name", "Hornbeam Hotels"), is("product_id.name", "Brass Lamp")}, "product_uom_qty", "qty_delivered")
			w.answer = []any{at(found, 0, "product_uom_qty"), at(found, 0, "qty_delivered")}
		},
		holds: []fact{{want: "[10 0]"}},
	},
	{
		name: "sales a month by salesperson", as: "admin", calls: 3, bytes: 3_000,
		words: "The total of each sales order, summed by salesperson and month of the order date.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "salesperson, total, order date")
			r := w.do("aggregate_records", kit.Args{"model": orders, "group_by": []string{"user_id", "date_order:month"}, "measures": []string{"amount_total:sum"}})
			w.answer = sumOf(r, "amount_total:sum")
		},
		holds: []fact{{model: "sale.order", domain: "[]", fields: "amount_total", want: theSum}},
	},
}
