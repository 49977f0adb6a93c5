package office_test

import "doorman/server/e2e/kit"

var stockJobs = []job{
	{
		name: "buy, receive a part, get the bill, pay", as: "admin", calls: 17, bytes: 23_500,
		words: "Make a purchase order to the vendor Hazel Timber: an order line with the product Pine Shelf, quantity 20, unit price 25. Confirm it. Only 12 came: receive those, the rest comes later. Bill what came, bill date 6 February 2031, and pay.",
		do: func(w *worker) {
			orders := w.model("purchase order", "Purchase Order")
			lines := w.relation(w.describe(orders, "vendor, order line"), "order_line")
			w.describe(lines, "product, quantity, unit price")
			r := w.create(orders, kit.Args{"partner_id": "Hazel Timber", "order_line": []kit.Args{{"product_id": "Pine Shelf", "product_qty": 20, "price_unit": 25}}})
			confirmed := w.press(r, "Confirm Order")
			move := w.made(confirmed, "stock.move")
			w.describe("stock.move", "quantity")
			w.do("update_records", kit.Args{"model": "stock.move", "ids": []any{move}, "values": kit.Args{"quantity": 12}})
			w.fill(w.press(w.press(confirmed, "Receive"), "Validate"), "Create Backorder", nil)
			bill := w.press(w.actions(w.subject(confirmed)), "Create Bills")
			w.describe("account.move", "date")
			model, id := w.subject(bill)
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"invoice_date": w.date("6 February 2031")}})
			w.fill(w.press(w.press(bill, "Confirm"), "Pay"), "Create Payment", nil)
		},
		holds: []fact{
			{"purchase.order", `[["partner_id.name","=","Hazel Timber"]]`, "state receipt_status", "purchase partial"},
			{"account.move", `[["partner_id.name","=","Hazel Timber"],["move_type","=","in_invoice"]]`, "state amount_total amount_residual invoice_date", "posted 300 0 2031-02-06"},
			{"stock.picking", `[["partner_id.name","=","Hazel Timber"]]`, "state", "done | assigned"},
		},
	},
	{
		name: "a customer sends something back", as: "admin", calls: 9, bytes: 11_000,
		words: "The customer Ivy Studio sends back 2 of the Brass Lamp that we delivered in the transfer for their sales order. Register the return, the goods are here.",
		do: func(w *worker) {
			orders := w.model("sales order", "Sales Order")
			w.describe(orders, "customer")
			found := w.search(orders, 1, []any{is("partner_id.name", "Ivy Studio")})
			delivery := w.press(w.actions(orders, at(found, 0, "id")), "Delivery")
			model, id := w.subject(delivery)
			opened := w.press(w.actions(model, id), "Return")
			back := w.fill(opened, "Return", kit.Args{"product_return_moves": []kit.Args{{"row": 0, "quantity": 2}}})
			w.press(back, "Validate")
		},
		holds: []fact{
			{"stock.picking", `[["partner_id.name","=","Ivy Studio"]]`, "state", "done | done"},
			{"sale.order.line", `[["order_id.partner_id.name","=","Ivy Studio"]]`, "qty_delivered", "4"},
		},
	},
	{
		name: "scrap", as: "admin", calls: 4, bytes: 9_000,
		words: "Scrap 3 Clear Varnish: the tins leak.",
		do: func(w *worker) {
			model := w.model("scrap", "Scrap")
			w.describe(model)
			w.press(w.create(model, kit.Args{"product_id": "Clear Varnish", "scrap_qty": 3}), "Validate")
		},
		holds: []fact{
			{"stock.scrap", `[["product_id.name","=","Clear Varnish"]]`, "state scrap_qty", "done 3"},
			{"product.product", `[["name","=","Clear Varnish"]]`, "qty_available", "77"},
		},
	},
	{
		name: "an inventory count", as: "admin", calls: 7, bytes: 9_500,
		words: "We counted the quantity of the product Pine Shelf on hand in stock (location usage is internal): there are 190. Correct (apply) that.",
		do: func(w *worker) {
			model := w.model("stock", "Quants")
			w.describe(model, "product, quantity, location")
			found := w.search(model, 1, []any{is("product_id.name", "Pine Shelf"), is("location_id.usage", "internal")})
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "values": kit.Args{"inventory_quantity": 190}})
			w.fill(w.press(w.actions(model, at(found, 0, "id")), "Apply"), "Update Quantities", nil)
		},
		holds: []fact{{"product.product", `[["name","=","Pine Shelf"]]`, "qty_available", "190"}},
	},
	{
		name: "make something", as: "admin", calls: 5, bytes: 9_500,
		words: "Make 3 of the product Walnut Stool (quantity to produce): a manufacturing order, produced at once.",
		do: func(w *worker) {
			model := w.model("manufacturing", "Manufacturing Order")
			w.describe(model, "product, quantity to produce")
			w.press(w.press(w.create(model, kit.Args{"product_id": "Walnut Stool", "product_qty": 3}), "Confirm"), "Produce All")
		},
		holds: []fact{
			{"mrp.production", `[["product_id.name","=","Walnut Stool"]]`, "state qty_produced", "done 3"},
			{"product.product", `[["name","in",["Walnut Stool","Steel Bolt M9"]]]`, "qty_available", "488 | 3"},
		},
	},
	{
		name: "new prices", as: "admin", calls: 4, bytes: 5_000,
		words: "New sales price of a product: Brass Lamp 44.5, Clear Varnish 13.",
		do: func(w *worker) {
			model := w.model("product", "Product")
			w.describe(model, "sales price")
			found := w.search(model, 2, []any{[]any{"name", "in", []string{"Brass Lamp", "Clear Varnish"}}}, "name")
			price := map[any]float64{"Brass Lamp": 44.5, "Clear Varnish": 13}
			var rows []kit.Args
			for _, p := range found {
				rows = append(rows, kit.Args{"id": at(p, "id"), "list_price": price[at(p, "name")]})
			}
			w.do("update_records", kit.Args{"model": model, "records": rows})
		},
		holds: []fact{{"product.template", `[["name","in",["Brass Lamp","Clear Varnish"]]]`, "list_price", "44.5 | 13"}},
	},
	{
		name: "how many there are", as: "seller", calls: 3, bytes: 4_000,
		words: "How many Steel Bolt M9 are on hand? Look at the product.",
		do: func(w *worker) {
			model := w.model("product", "Product Variant")
			w.describe(model, "on hand")
			found := w.search(model, 1, []any{is("name", "Steel Bolt M9")}, "qty_available")
			w.answer = at(found, 0, "qty_available")
		},
		holds: []fact{{"product.product", `[["name","=","Steel Bolt M9"]]`, "qty_available", theSum}},
	},
}
