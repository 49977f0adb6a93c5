package office_test

import (
	"fmt"

	"doorman/server/e2e/kit"
)

// number is a number of the set-up, as the last word of a task.
func lastWord(name string) func(*office) string {
	return func(o *office) string { return fmt.Sprint(o.Out[name]) }
}

// denyJobs are tasks that somebody may not do. The facts say that nothing was done.
var denyJobs = []job{
	{
		name: "no: the invoice of a company that the connection is not for", as: "first", calls: 1, bytes: 1_000, refused: "forbidden",
		words: "What can be done with the invoice (account.move) with the id", prepare: lastWord("poplar"),
		do: func(w *worker) { w.try("get_actions", kit.Args{"model": "account.move", "id": w.tail()}) },
	},
	{
		name: "no: a salesperson posts an invoice", as: "seller", calls: 1, bytes: 500, refused: "forbidden",
		words: "Post the invoice (account.move, action_post) with the id", prepare: lastWord("draft"),
		do: func(w *worker) {
			w.try("call_method", kit.Args{"model": "account.move", "ids": []string{w.tail()}, "method": "action_post"})
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Quince Cafe"]]`, "state", "draft"}},
	},
	{
		name: "no: the order of another salesperson", as: "seller", calls: 1, bytes: 500, refused: "forbidden",
		words: "Set the note of the sale.order to hello: id", prepare: lastWord("order"),
		do: func(w *worker) {
			w.try("update_records", kit.Args{"model": "sale.order", "ids": []string{w.tail()}, "values": kit.Args{"note": "hello"}})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Kapok Ltd"],["note","ilike","hello"]]`, "id", ""}},
	},
	{
		name: "no: a status is not written", as: "admin", calls: 2, bytes: 3_000, refused: "not_allowed",
		words: "Set the state of the sale.order of Dogwood Ltd (partner_id.name) to sale.",
		do: func(w *worker) {
			found := w.search("sale.order", 1, []any{is("partner_id.name", "Dogwood Ltd")})
			w.try("update_records", kit.Args{"model": "sale.order", "ids": []any{at(found, 0, "id")}, "values": kit.Args{"state": "sale"}})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Dogwood Ltd"]]`, "state", "draft"}},
	},
	{
		name: "no: a confirmed order is not deleted", as: "admin", calls: 2, bytes: 3_000, refused: "business_rule",
		words: "Delete the sale.order of Hornbeam Hotels (partner_id.name).",
		do: func(w *worker) {
			found := w.search("sale.order", 1, []any{is("partner_id.name", "Hornbeam Hotels")})
			w.try("delete_records", kit.Args{"model": "sale.order", "ids": []any{at(found, 0, "id")}})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Hornbeam Hotels"]]`, "state", "sale"}},
	},
	{
		name: "wait: posting an invoice needs a person", as: "waits", calls: 1, bytes: 500,
		words: "Post the invoice (account.move, action_post) with the id", prepare: lastWord("draft"),
		do: func(w *worker) {
			r := w.do("call_method", kit.Args{"model": "account.move", "ids": []string{w.tail()}, "method": "action_post"})
			w.answer = at(r, "status")
		},
		holds: []fact{
			{want: "pending_approval"},
			{"account.move", `[["partner_id.name","=","Quince Cafe"]]`, "state", "draft"},
			{"doorman.approval", `[["connection_id.name","=","waits"]]`, "state tool", "pending call_method"},
		},
	},
	{
		name: "no: a connection that only reads", as: "reader", calls: 2, bytes: 2_500, refused: "read_only",
		words: "Archive (active) the res.partner Umber Paints.",
		do: func(w *worker) {
			found := w.search("res.partner", 1, []any{is("name", "Umber Paints")})
			w.try("update_records", kit.Args{"model": "res.partner", "ids": []any{at(found, 0, "id")}, "values": kit.Args{"active": false}})
		},
		holds: []fact{{"res.partner", `[["name","=","Umber Paints"]]`, "active", "true"}},
	},
	{
		name: "no: a model that the connection is not for", as: "orders", calls: 1, bytes: 500, refused: "not_allowed",
		words: "Find the crm.lead Zelkova one by its name.",
		do: func(w *worker) {
			w.try("search_records", kit.Args{"model": "crm.lead", "domain": []any{is("name", "Zelkova one")}})
		},
	},
	{
		name: "no: what lies behind a model that the connection is for", as: "orders", calls: 1, bytes: 500, refused: "not_allowed",
		words: "Find each sale.order by the email of its partner_id: birch.",
		do: func(w *worker) {
			w.try("search_records", kit.Args{"model": "sale.order", "domain": []any{is("partner_id.email", "birch")}})
		},
	},
	{
		name: "no: the wizard of another connection", as: "seller", calls: 1, bytes: 500, refused: "not_found",
		words: "Go on (method action_apply) with the wizard sale.order.discount, whose handle is", prepare: wizardOfAdmin,
		do: func(w *worker) {
			w.try("call_method", kit.Args{"model": "sale.order.discount", "wizard": w.tail(), "method": "action_apply"})
		},
		holds: []fact{{"sale.order", `[["partner_id.name","=","Dogwood Ltd"]]`, "amount_total", "120"}},
	},
	{
		name: "no: an employee approves their own time off", as: "ellen", calls: 2, bytes: 2_000, refused: "business_rule",
		words: "Approve (action_approve) my own time off (hr.leave) for exam.",
		do: func(w *worker) {
			found := w.search("hr.leave", 1, []any{is("name", "exam")})
			w.try("call_method", kit.Args{"model": "hr.leave", "ids": []any{at(found, 0, "id")}, "method": "action_approve"})
		},
		holds: []fact{{"hr.leave", `[["employee_id.name","=","Ellen"],["request_date_from","=","2031-05-12"]]`, "state", "confirm"}},
	},
	{
		name: "no: an employee reads invoices", as: "ellen", calls: 1, bytes: 1_000, refused: "forbidden",
		words: "Find the account.move of the partner_id Maple Clinic.",
		do: func(w *worker) {
			w.try("search_records", kit.Args{"model": "account.move", "domain": []any{is("partner_id", "Maple Clinic")}})
		},
	},
	{
		name: "no: a user is not made", as: "admin", calls: 1, bytes: 500, refused: "not_allowed",
		words: "Make a new res.users with the name and login mallory.",
		do: func(w *worker) {
			w.try("create_records", kit.Args{"model": "res.users", "records": []kit.Args{{"name": "mallory", "login": "mallory"}}})
		},
		holds: []fact{{"res.users", `[["login","=","mallory"]]`, "id", ""}},
	},
}

// wizardOfAdmin opens a wizard with the administrator's connection, and gives its handle.
func wizardOfAdmin(o *office) string {
	found, failed := o.calls["admin"]("search_records", kit.Args{"model": "sale.order", "domain": []any{is("partner_id.name", "Dogwood Ltd")}})
	if failed == "" {
		found, failed = o.calls["admin"]("call_method", kit.Args{
			"model": "sale.order", "ids": []any{at(found, "records", 0, "id")}, "method": "action_open_discount_wizard",
		})
	}
	handle, is := at(found, "wizard", "handle").(string)
	if failed != "" || !is {
		o.t.Fatalf("no wizard: %s %v", failed, found)
	}
	return handle
}
