package main

import (
	"encoding/base64"
	"maps"
)

// byCustomer is the domain of a server's own document of a customer.
func byCustomer(c *clerk, name string) []any {
	return []any{[]any{"partner_id.name", "=", c.own(name)}}
}

// named is the domain of what has a name.
func named(name string) []any { return []any{[]any{"name", "ilike", name}} }

// find searches one record with the tool that all servers have under this name, and returns the whole row.
func (c *clerk) find(model string, domain []any, fields ...string) any {
	value := c.call("search_records", args{"model": model, "domain": domain, "fields": fields, "limit": 2})
	for _, key := range rowsIn {
		if row := at(value, key, 0); row != nil {
			return row
		}
	}
	return nil
}

// findID is find for its id.
func (c *clerk) findID(model string, domain []any) any {
	return at(c.find(model, domain, "name"), "id")
}

// write changes or creates with odoo-mcp: a call that checks, and one that does what was checked.
func (c *clerk) write(arguments args) any {
	checked := c.call("validate_write", arguments)
	done := c.call("execute_approved_write", args{"approval": at(checked, "approval"), "confirm": true})
	if list, ok := at(done, "result").([]any); ok {
		return at(list, 0)
	}
	return at(done, "result")
}

// press calls a method of one record.
var press = map[string]func(c *clerk, model string, id any, method string, more args) any{
	nameDoorman: func(c *clerk, model string, id any, method string, more args) any {
		arguments := args{"model": model, "ids": []any{id}, "method": method}
		if more != nil {
			arguments["kwargs"] = more
		}
		return c.call("call_method", arguments)
	},
	nameIvnvxd: func(c *clerk, model string, id any, method string, more args) any {
		arguments := args{"model": model, "method": method, "arguments": []any{[]any{id}}}
		if more != nil {
			arguments["keyword_arguments"] = more
		}
		return c.call("call_model_method", arguments)
	},
	nameErpipe: func(c *clerk, model string, id any, method string, more args) any {
		named := args{"ids": []any{id}}
		maps.Copy(named, more)
		return c.call("execute_method", args{"model": model, "method": method, "kwargs": named})
	},
}

// forAll is a script that is the same for all servers.
func forAll(do func(*clerk)) map[string]func(*clerk) {
	return map[string]func(*clerk){nameDoorman: do, nameIvnvxd: do, nameErpipe: do}
}

const (
	newPhone = "+32 2 555 77 77"
	noteText = "They asked for delivery before noon."
	fileText = "Loading bay 4, ring twice.\n"
	allAtOne = 100 // groups that are wanted at most
)

// fileBytes is the attached file as the tools that take bytes want it.
func fileBytes() string { return base64.StdEncoding.EncodeToString([]byte(fileText)) }

// jobs are the office jobs, in the order in which they are done.
var jobs = []job{
	{
		name: "find a customer by name, read the phone number",
		do: forAll(func(c *clerk) {
			c.answer = at(c.find("res.partner", named(c.own("Trading")), "name", "phone"), "phone")
		}),
		holds: `answer, partner("Trading House").phone`,
	},
	{name: "find a customer whose name is misspelt", do: misspelt, holds: `answer, partner("Vandenberghe Interiors").id`},
	{name: "say what a change would do, before it is done", do: tryOut, cannot: map[string]string{nameIvnvxd: "no dry run"}, holds: `
		[answer and partner("Trading House").phone in answer, answer and "+32 2 555 77 77" in answer, partner("Trading House").phone == "+32 2 555 77 77"], [True, True, False]`},
	{name: "change the phone number of a customer", do: changePhone, holds: `partner("Trading House").phone, "+32 2 555 77 77"`},
	{name: "add a contact to a customer", do: addContact, holds: `
		[[p.name, p.email, p.phone] for p in partner("Trading House").child_ids], [["Ann Ashdown", "ann@example.com", "+32 2 555 88 88"]]`},
	{name: "sum of orders by customer", do: byCustomerSums, holds: `
		{str(k): round(v, 2) for k, v in (answer or {}).items()},
		{str(p.id): round(total, 2) for p, total in env["sale.order"].with_user(user)._read_group([("state", "=", "sale")], ["partner_id"], ["amount_total:sum"])}`},
	{name: "sum of orders by month", do: byMonthSums, holds: `
		sorted(round(v, 2) for v in answer or []),
		sorted(round(total, 2) for month, total in env["sale.order"].with_user(user)._read_group([("state", "=", "sale")], ["date_order:month"], ["amount_total:sum"]))`},
	{name: "confirm a quotation", do: confirmQuotation, holds: `orders("Quotation Customer").mapped("state"), ["sale"]`},
	{name: "make an order of two products, and confirm it", do: makeOrder, holds: `
		[(o.state, o.amount_untaxed, [(l.product_id.name, l.product_uom_qty) for l in o.order_line]) for o in orders("Order Customer")],
		[("sale", 5 * 150 + 7 * 40, [("Bench Oak Desk", 5), ("Bench Brass Lamp", 7)])]`},
	{name: "post an internal note on an order", do: postNote, holds: `
		[(m.author_id.id, m.subtype_id.get_external_id()[m.subtype_id.id]) for m in orders("Note Customer").message_ids if "before noon" in m.body],
		[(user.partner_id.id, "mail.mt_note")]`},
	{name: "schedule a to-do for oneself on an order", do: scheduleToDo, holds: `
		[(a.summary, a.date_deadline, a.user_id.id) for a in orders("Note Customer").activity_ids], [("Call back", "2031-05-05", user.id)]`},
	{name: "attach a small text file to an order", do: attachFile, holds: `
		[(a.name, a.raw.decode()) for a in env["ir.attachment"].search([("res_model", "=", "sale.order"), ("res_id", "=", orders("Note Customer").id)])],
		[("loading.txt", "Loading bay 4, ring twice.\n")]`},
	{name: "invoice an order", do: invoiceOrder, holds: `
		[(i.state, i.amount_untaxed) for i in orders("Invoice Customer").invoice_ids], [("draft", 600)]`},
	{name: "read a long text whole (400 clauses, 42 KB)", do: readWhole, holds: `
		re.findall(r"Clause (\d+): the buyer pays within (\d+) days, and the seller delivers (\d+) pieces", answer or ""),
		re.findall(r"Clause (\d+): the buyer pays within (\d+) days, and the seller delivers (\d+) pieces", partner("Contract Holder").comment)`},
}
