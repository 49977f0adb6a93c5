package office_test

import "doorman/server/e2e/kit"

// formJobs need what a form fills in when a value changes.
var formJobs = []job{
	{
		name: "a part is made, the rest later", as: "admin", calls: 8, bytes: 16_000,
		words: "Make a manufacturing order for the product Walnut Stool, quantity to produce 5, and confirm it. 3 are done (quantity producing): produce those, and create a backorder for the rest.",
		do: func(w *worker) {
			model := w.model("manufacturing", "Manufacturing Order")
			w.describe(model, "product, quantity to produce, quantity producing")
			r := w.press(w.create(model, kit.Args{"product_id": "Walnut Stool", "product_qty": 5}), "Confirm")
			_, id := w.subject(r)
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"qty_producing": 3}})
			w.fill(w.press(w.actions(model, id), "Produce"), "Create backorder", nil)
		},
		holds: []fact{
			{"mrp.production", `[["product_id.name","=","Walnut Stool"],["product_qty","!=",3]]`, "state qty_produced product_qty", "confirmed 0 2"},
			{"stock.move", `[["raw_material_production_id.product_id.name","=","Walnut Stool"],["state","=","done"]]`, "quantity", "12 | 12"},
		},
	},
	{
		name: "a vendor's terms, and what they take back", as: "admin", calls: 17, bytes: 18_000,
		words: "Make a purchase order to the vendor Hemlock Mill: an order line with the product Oak Desk, quantity 4, unit price 70. Confirm it and receive all. Create and confirm the bill, bill date 6 February 2031. 1 is broken (quantity 1): reverse the bill by a credit note with that in its invoice lines, and confirm it.",
		do: func(w *worker) {
			orders := w.model("purchase order", "Purchase Order")
			lines := w.relation(w.describe(orders, "vendor, order line"), "order_line")
			w.describe(lines, "product, quantity, unit price")
			r := w.create(orders, kit.Args{"partner_id": "Hemlock Mill", "order_line": []kit.Args{{"product_id": "Oak Desk", "product_qty": 4, "price_unit": 70}}})
			confirmed := w.press(r, "Confirm Order")
			w.press(w.press(confirmed, "Receive"), "Validate")
			bill := w.press(w.actions(w.subject(confirmed)), "Create Bills")
			line := w.relation(w.describe("account.move", "date, invoice lines"), "invoice_line_ids")
			model, id := w.subject(bill)
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"invoice_date": w.date("6 February 2031")}})
			back := w.fill(w.press(w.press(bill, "Confirm"), "Credit Note"), "Reverse", nil)
			_, note := w.subject(back)
			found := w.search(model, 1, []any{is("id", note)}, "invoice_line_ids")
			w.do("update_records", kit.Args{"model": line, "ids": []any{at(found, 0, "invoice_line_ids", "ids", 0)}, "values": kit.Args{"quantity": 1}})
			w.press(back, "Confirm")
		},
		holds: []fact{
			{"account.move", `[["partner_id.name","=","Hemlock Mill"],["move_type","=","in_invoice"]]`, "state amount_total invoice_date_due amount_residual", "posted 280 2031-03-08 210"},
			{"account.move", `[["partner_id.name","=","Hemlock Mill"],["move_type","=","in_refund"]]`, "state amount_total", "posted 70"},
		},
	},
	{
		name: "a variant, by the name that replies tell", as: "admin", calls: 11, bytes: 15_500,
		words: "Make the product Birch Tray, sales price 20, with an attribute Wood of the values Oak and Ash. Then a sales order for the customer Larch Design with an order line: the product Birch Tray (Ash), quantity 2.",
		do: func(w *worker) {
			attributes := w.model("attribute", "Product Attribute")
			w.describe(attributes, "values")
			w.create(attributes, kit.Args{"name": "Wood", "value_ids": []kit.Args{{"name": "Oak"}, {"name": "Ash"}}})
			products := w.model("product", "Product")
			lines := w.relation(w.describe(products, "name, sales price, attribute"), "attribute_line_ids")
			w.describe(lines)
			w.create(products, kit.Args{"name": "Birch Tray", "list_price": 20, "attribute_line_ids": []kit.Args{{"attribute_id": "Wood", "value_ids": []string{"Oak", "Ash"}}}})
			orders := w.model("sales order", "Sales Order")
			lines = w.relation(w.describe(orders, "customer, order line"), "order_line")
			w.describe(lines, "product, quantity")
			w.create(orders, kit.Args{"partner_id": "Larch Design", "order_line": []kit.Args{{"product_id": "Birch Tray (Ash)", "product_uom_qty": 2}}})
		},
		holds: []fact{{"sale.order.line", `[["product_id.name","=","Birch Tray"]]`, "product_id product_uom_qty", "Birch Tray (Ash) 2"}},
	},
	{
		name: "no: stock out of nothing", as: "admin", calls: 2, bytes: 2_500, refused: "not_allowed",
		words: "Set the quantity of the stock.quant of Oak Desk (product_id.name) in stock (location_id.usage: internal) to 500.",
		do: func(w *worker) {
			found := w.search("stock.quant", 1, []any{is("product_id.name", "Oak Desk"), is("location_id.usage", "internal")})
			w.try("update_records", kit.Args{"model": "stock.quant", "ids": []any{at(found, 0, "id")}, "values": kit.Args{"quantity": 500}})
		},
		holds: []fact{{"stock.quant", `[["quantity","=",500],["product_id.name","=","Oak Desk"]]`, "id", ""}},
	},
}
