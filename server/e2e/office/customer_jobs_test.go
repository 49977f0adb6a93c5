package office_test

import "doorman/server/e2e/kit"

var customerJobs = []job{
	{
		name: "from a lead to a sale", as: "admin", calls: 11, bytes: 16_000,
		words: "Willow wants ten desks: make an opportunity of that lead, with a new customer, then a quotation with one of the order lines: product Oak Desk, quantity 10. Confirm it and mark the opportunity as won.",
		do: func(w *worker) {
			model := w.model("lead", "Lead")
			found := w.search(model, 1, []any{is("name", "Willow wants ten desks")})
			opened := w.press(w.actions(model, at(found, 0, "id")), "Convert to Opportunity")
			opportunity := w.fill(opened, "Create Opportunity", nil)
			quote := w.press(opportunity, "New Quotation")
			orders, values := at(quote, "result_model").(string), at(quote, "result_values").(map[string]any)
			w.describe(w.relation(w.describe(orders, "order lines"), "order_line"), "product, quantity")
			values["order_line"] = []kit.Args{{"product_id": "Oak Desk", "product_uom_qty": 10}}
			w.press(w.create(orders, values), "Confirm")
			w.press(opportunity, "Won")
		},
		holds: []fact{
			{"crm.lead", `[["name","=","Willow wants ten desks"]]`, "type stage_id probability partner_id order_ids", "opportunity Won 100 Willow Works 1 of them"},
			{"sale.order", `[["opportunity_id.name","=","Willow wants ten desks"]]`, "state amount_total partner_id", "sale 1500 Willow Works"},
		},
	},
	{
		name: "an opportunity is lost", as: "admin", calls: 5, bytes: 6_000,
		words: "We lost the opportunity (lead) Yew asks for shelves: they Bought elsewhere.",
		do: func(w *worker) {
			model := w.model("lead", "Lead")
			found := w.search(model, 1, []any{is("name", "Yew asks for shelves")})
			opened := w.press(w.actions(model, at(found, 0, "id")), "Lost")
			w.fill(opened, "Mark as Lost", kit.Args{"lost_reason_id": "Bought elsewhere"})
		},
		holds: []fact{{"crm.lead", `[["name","=","Yew asks for shelves"],["active","=",false]]`, "probability lost_reason_id", "0 Bought elsewhere"}},
	},
	{
		name: "another salesperson", as: "admin", calls: 4, bytes: 5_000,
		words: "Other leaves us: give all opportunities (lead) of that salesperson to Seller.",
		do: func(w *worker) {
			model := w.model("lead", "Lead")
			w.describe(model, "salesperson")
			found := w.search(model, 2, []any{is("user_id.name", "Other")})
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id"), at(found, 1, "id")}, "values": kit.Args{"user_id": "Seller"}})
		},
		holds: []fact{{"crm.lead", `[["name","like","Zelkova "]]`, "user_id", "Seller | Seller | Seller"}},
	},
	{
		name: "tags of a customer", as: "admin", calls: 5, bytes: 4_000,
		words: "Tag our contact Hornbeam Hotels as Hospitality and as Key account; the tags are new.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			tags := w.relation(w.describe(model, "tag"), "category_id")
			found := w.search(model, 1, []any{is("name", "Hornbeam Hotels")})
			made := w.create(tags, kit.Args{"name": "Hospitality"}, kit.Args{"name": "Key account"})
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "values": kit.Args{
				"category_id": [][]any{{4, at(made, "records", 0, "id"), 0}, {4, at(made, "records", 1, "id"), 0}},
			}})
		},
		holds: []fact{{"res.partner", `[["name","=","Hornbeam Hotels"],["category_id.name","=","Hospitality"]]`, "category_id", "2 of them"}},
	},
	{
		name: "archive a contact", as: "admin", calls: 3, bytes: 2_500,
		words: "Archive the contact Sorrel Old.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			found := w.search(model, 1, []any{is("name", "Sorrel Old")})
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "values": kit.Args{"active": false}})
		},
		holds: []fact{{"res.partner", `[["name","=","Sorrel Old"],["active","=",false]]`, "phone", "111"}},
	},
	{
		name: "two contacts moved", as: "admin", calls: 4, bytes: 1_500,
		words: "Each contact in Gent, Tamarind One and Tamarind Two, moved: their city is Antwerp now, the street of One is Main Street 1, that of Two is Quay 22.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			w.describe(model, "street")
			found := w.search(model, 2, []any{is("city", "Gent"), []any{"name", "like", "Tamarind"}}, "name")
			streets := map[any]string{"Tamarind One": "Main Street 1", "Tamarind Two": "Quay 22"}
			var rows []kit.Args
			for _, p := range found {
				rows = append(rows, kit.Args{"id": at(p, "id"), "city": "Antwerp", "street": streets[at(p, "name")]})
			}
			w.do("update_records", kit.Args{"model": model, "records": rows})
		},
		holds: []fact{{"res.partner", `[["name","like","Tamarind "]]`, "city street", "Antwerp Main Street 1 | Antwerp Quay 22"}},
	},
	{
		name: "a new customer with people", as: "seller", calls: 3, bytes: 5_500,
		words: "A new contact: the company Umber Paints with France as its country, email hello@umber.example, with two people, Ann Umber and Bea Umber.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			w.describe(model, "company, country, email, contact")
			w.create(model, kit.Args{
				"name": "Umber Paints", "is_company": true, "country_id": "France", "email": "hello@umber.example",
				"child_ids": []kit.Args{{"name": "Ann Umber"}, {"name": "Bea Umber"}},
			})
		},
		holds: []fact{{"res.partner", `[["name","=","Umber Paints"]]`, "is_company country_id email child_ids", "true France hello@umber.example 2 of them"}},
	},
	{
		name: "two opportunities become one", as: "admin", calls: 6, bytes: 8_000,
		words: "Each opportunity (lead) of the company Hemp House is the same request: merge them.",
		do: func(w *worker) {
			model := w.model("lead", "Lead")
			w.describe(model, "company")
			found := w.search(model, 2, []any{is("partner_name", "Hemp House")}, "name")
			ids := []any{at(found, 0, "id"), at(found, 1, "id")}
			merge := w.offered(w.actions(model, ids[0]), "Merge")
			w.fill(w.do("call_method", kit.Args{"model": model, "ids": ids, "method": at(merge, "method")}), "Merge", nil)
		},
		holds: []fact{{"crm.lead", `[["partner_name","=","Hemp House"],["active","in",[true,false]]]`, "type", "opportunity"}},
	},
	{
		name: "an archived contact comes back", as: "admin", calls: 3, bytes: 3_500,
		words: "The contact Old Orchard buys again: restore it (active).",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			w.search(model, 0, []any{is("name", "Old Orchard")}, "name")
			old := at(w.last, "nearest", 0, "records", 0)
			if at(old, "archived") != true {
				w.stopf("it is not told that it is archived: %v", w.last)
			}
			w.do("update_records", kit.Args{"model": model, "ids": []any{at(old, "id")}, "values": kit.Args{"active": true}})
		},
		holds: []fact{{"res.partner", `[["name","=","Old Orchard"]]`, "active", "true"}},
	},
	{
		name: "something to do for somebody", as: "admin", calls: 3, bytes: 3_000,
		words: "Seller must call Elm Interiors by 9 January 2031: an activity Call on the contact, summary Ask for the colour.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			found := w.search(model, 1, []any{is("name", "Elm Interiors")})
			w.do("schedule_activity", kit.Args{
				"model": model, "id": at(found, 0, "id"), "activity_type": "Call", "summary": "Ask for the colour",
				"date_deadline": w.date("9 January 2031"), "user": "Seller",
			})
		},
		holds: []fact{{"mail.activity", `[["summary","=","Ask for the colour"]]`, "user_id date_deadline activity_type_id", "Seller 2031-01-09 Call"}},
	},
	{
		name: "an activity is done", as: "seller", calls: 5, bytes: 3_500,
		words: "I called Elm Interiors, the activity is done (document name Elm Interiors).",
		do: func(w *worker) {
			model := w.model("activity", "Activity")
			w.describe(model, "name")
			found := w.search(model, 1, []any{is("res_name", "Elm Interiors")})
			w.press(w.actions(model, at(found, 0, "id")), "Mark Done")
		},
		holds: []fact{
			{"mail.activity", `[["summary","=","Ask for the colour"]]`, "id", ""},
			{"mail.message", `[["model","=","res.partner"],["mail_activity_type_id.name","=","Call"],["body","like","Ask for the colour"]]`, "author_id", "Seller"},
		},
	},
}
