package office_test

import (
	"fmt"

	"doorman/server/e2e/kit"
)

// invoiceOf finds the invoices of a customer.
func invoiceOf(w *worker, name string, fields ...string) (model string, found []any) {
	model = w.model("journal entry", "Journal Entry")
	w.describe(model, "partner")
	return model, w.search(model, -1, []any{is("partner_id.name", name)}, fields...)
}

var moneyJobs = []job{
	{
		name: "a credit note", as: "admin", calls: 6, bytes: 9_000,
		words: "Credit the invoice (journal entry) of our partner Maple Clinic in full; the reason is: wrong address.",
		do: func(w *worker) {
			model, found := invoiceOf(w, "Maple Clinic")
			opened := w.press(w.actions(model, at(found, 0, "id")), "Credit Note")
			w.fill(opened, "Reverse", kit.Args{"reason": "wrong address"})
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Maple Clinic"],["move_type","=","out_refund"],["ref","like","wrong address"]]`, "amount_total", "1000"}},
	},
	{
		name: "a part of an invoice is paid", as: "admin", calls: 6, bytes: 9_500,
		words: "Our partner Nutmeg Bakery paid 300 of its invoice (journal entry) on 20 January 2031: register it.",
		do: func(w *worker) {
			model, found := invoiceOf(w, "Nutmeg Bakery")
			opened := w.press(w.actions(model, at(found, 0, "id")), "Pay")
			w.fill(opened, "Create Payment", kit.Args{"amount": 300, "payment_date": w.date("20 January 2031")})
		},
		holds: []fact{
			{"account.move", `[["partner_id.name","=","Nutmeg Bakery"],["move_type","=","out_invoice"]]`, "amount_residual payment_state", "500 partial"},
			{"account.payment", `[["partner_id.name","=","Nutmeg Bakery"]]`, "amount date", "300 2031-01-20"},
		},
	},
	{
		name: "what a customer owes and is overdue", as: "admin", calls: 3, bytes: 4_000,
		words: "How much does our partner Oleander School owe on invoices (journal entry) that were due before 1 January 2026 (posted is their status)? Look at the amount due.",
		do: func(w *worker) {
			model := w.model("journal entry", "Journal Entry")
			w.describe(model, "partner, due, status")
			r := w.do("aggregate_records", kit.Args{"model": model, "measures": []string{"amount_residual_signed:sum"}, "domain": []any{
				is("partner_id.name", "Oleander School"), []any{"invoice_date_due", "<", w.date("1 January 2026")}, is("state", "posted"),
			}})
			w.answer = sumOf(r, "amount_residual_signed:sum")
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Oleander School"],["invoice_date_due","<","2026-01-01"]]`, "amount_residual", theSum}},
	},
	{
		name: "the invoice of another company", as: "admin", calls: 7, bytes: 11_000,
		words: "In our company North Ltd: our partner Poplar Press paid its invoice (journal entry). Register that.",
		do: func(w *worker) {
			who := w.do("get_context", nil)
			var north any
			for _, c := range at(who, "companies").([]any) {
				if at(c, "name") == "North Ltd" {
					north = at(c, "id")
				}
			}
			model, found := invoiceOf(w, "Poplar Press")
			asked := kit.Args{"model": model, "id": at(found, 0, "id"), "company_id": north}
			press := kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "company_id": north}
			press["method"] = at(w.offered(w.do("get_actions", asked), "Pay"), "method")
			filled := w.filled(w.do("call_method", press), "Create Payment", nil)
			filled["company_id"] = north
			w.do("call_method", filled)
		},
		holds: []fact{{"account.payment", `[["partner_id.name","=","Poplar Press"]]`, "amount company_id", "333 North Ltd"}},
	},
	{
		name: "an invoice without an order", as: "admin", calls: 5, bytes: 10_500,
		words: "Invoice Larch Design for one Brass Lamp (the product) and a line with the label Setting up at a unit price of 75, as a journal entry for that partner of the type customer invoice dated 2 February 2031, and post it.",
		do: func(w *worker) {
			model := w.model("journal entry", "Journal Entry")
			types := w.describe(model, "type, partner, invoice")
			w.describe(w.relation(types, "invoice_line_ids"), "product, label, price")
			r := w.create(model, kit.Args{
				"move_type": selected(w, types, "move_type", "Customer Invoice"), "partner_id": "Larch Design", "invoice_date": w.date("2 February 2031"),
				"invoice_line_ids": []kit.Args{{"product_id": "Brass Lamp"}, {"name": "Setting up", "price_unit": 75}},
			})
			w.press(r, "Confirm")
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Larch Design"]]`, "move_type state amount_untaxed invoice_date", "out_invoice posted 115 2031-02-02"}},
	},
	{
		name: "the hours of a month", as: "admin", calls: 6, bytes: 6_000,
		words: "Bill Linden Lab, the customer, the hours of their sales order from 1 June 2031 to 30 June 2031.",
		do: func(w *worker) {
			model := w.model("sales order", "Sales Order")
			w.describe(model, "customer")
			found := w.search(model, 1, []any{is("partner_id.name", "Linden Lab")})
			opened := w.press(w.actions(model, at(found, 0, "id")), "Create Invoice")
			w.fill(opened, "Create Draft", kit.Args{"date_start_invoice_timesheet": w.date("1 June 2031"), "date_end_invoice_timesheet": w.date("30 June 2031")})
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Linden Lab"]]`, "amount_untaxed", "150"}},
	},
	{
		name: "back to draft, and cancelled", as: "admin", calls: 6, bytes: 8_000,
		words: "The invoice (journal entry) of our partner Rowan Farm was a mistake: set it back to draft and cancel it.",
		do: func(w *worker) {
			model, found := invoiceOf(w, "Rowan Farm")
			w.press(w.press(w.actions(model, at(found, 0, "id")), "Reset to Draft"), "Cancel")
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Rowan Farm"]]`, "state", "cancel"}},
	},
	{
		name: "a vendor's bill", as: "admin", calls: 9, bytes: 14_000,
		words: "The bill (journal entry) of our partner Vendor Vine has the number (reference) VV-2031-5, bill date 5 March 2031. Enter that, post it and pay it.",
		do: func(w *worker) {
			model, found := invoiceOf(w, "Vendor Vine")
			w.describe(model, "reference, date")
			r := w.do("update_records", kit.Args{"model": model, "ids": []any{at(found, 0, "id")}, "values": kit.Args{"ref": "VV-2031-5", "invoice_date": w.date("5 March 2031")}})
			w.fill(w.press(w.press(w.actions(model, at(r, "records", 0, "id")), "Confirm"), "Pay"), "Create Payment", nil)
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Vendor Vine"],["move_type","=","in_invoice"]]`, "state ref invoice_date amount_residual", "posted VV-2031-5 2031-03-05 0"}},
	},
}

// selected is the value of a field's choice, by its label, of a description.
func selected(w *worker, described reply, field, label string) any {
	fields, _ := at(described, "fields").([]any)
	for _, f := range fields {
		choices, _ := at(f, "selection").([]any)
		for _, c := range choices {
			if at(f, "name") == field && at(c, 1) == label {
				return at(c, 0)
			}
		}
	}
	w.stopf("no choice %q of %s in %s", label, field, fmt.Sprint(described))
	return nil
}
