package main

import (
	"encoding/json"
	"fmt"
)

// misspelt: each server's way to look for a name that may be wrong.
var misspelt = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		found := c.call("search_everywhere", args{"query": c.own("Vandenberge Interors"), "models": []string{"res.partner"}})
		if c.answer = at(found, "found", 0, "records", 0, "id"); c.answer == nil {
			c.answer = at(found, "nearest", 0, "id")
		}
	},
	nameIvnvxd: func(c *clerk) { c.answer = c.findID("res.partner", named(c.own("Vandenberge Interors"))) },
	nameErpipe: func(c *clerk) {
		found := c.call("search_records", args{"model": "res.partner", "query": c.own("Vandenberge Interors"), "fields": []string{"name"}})
		c.answer = at(found, "result", 0, "id")
	},
}

// tryOut answers with the whole reply, in which the old and the new value must be.
var tryOut = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading")))
		c.answer = inJSON(c.call("update_records", args{"model": "res.partner", "ids": []any{id}, "values": args{"phone": newPhone}, "dry_run": true}))
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading")))
		c.answer = inJSON(c.call("preview_write", args{"model": "res.partner", "operation": "write", "record_ids": []any{id}, "values": args{"phone": newPhone}}))
	},
}

func inJSON(v any) string {
	text, _ := json.Marshal(v) // it came as JSON
	return string(text)
}

var changePhone = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading")))
		c.call("update_records", args{"model": "res.partner", "ids": []any{id}, "values": args{"phone": newPhone}})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading")))
		c.call("update_record", args{"model": "res.partner", "record_id": id, "values": args{"phone": newPhone}})
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading")))
		c.write(args{"model": "res.partner", "operation": "write", "record_ids": []any{id}, "values": args{"phone": newPhone}})
	},
}

// ann is the new contact.
func ann(parent any) args {
	return args{"name": "Ann Ashdown", "email": "ann@example.com", "phone": "+32 2 555 88 88", "parent_id": parent}
}

var addContact = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		c.call("create_records", args{"model": "res.partner", "records": []any{ann(c.own("Trading House"))}})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading House")))
		c.call("create_record", args{"model": "res.partner", "values": ann(id)})
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("res.partner", named(c.own("Trading House")))
		c.write(args{"model": "res.partner", "operation": "create", "values": ann(id)})
	},
}

// sums asks for the totals of confirmed orders in groups, and returns the groups.
var sums = map[string]func(c *clerk, group string) []any{
	nameDoorman: func(c *clerk, group string) []any {
		list, _ := at(c.call("aggregate_records", args{
			"model": "sale.order", "group_by": []string{group}, "measures": []string{"amount_total:sum"}, "domain": confirmed, "limit": allAtOne,
		}), "groups").([]any)
		return list
	},
	nameIvnvxd: func(c *clerk, group string) []any {
		list, _ := at(c.call("aggregate_records", args{
			"model": "sale.order", "groupby": []string{group}, "aggregates": []string{"amount_total:sum"}, "domain": confirmed, "limit": allAtOne,
		}), "groups").([]any)
		return list
	},
	nameErpipe: func(c *clerk, group string) []any {
		list, _ := at(c.call("aggregate_records", args{
			"model": "sale.order", "group_by": []string{group}, "measures": []string{"amount_total:sum"}, "domain": confirmed, "limit": allAtOne,
		}), "rows").([]any)
		return list
	},
}

var confirmed = []any{[]any{"state", "=", "sale"}}

// byCustomerSums answers with the sum of each customer, by id.
var byCustomerSums = eachServer(func(c *clerk, server string) {
	answer := args{}
	for _, group := range sums[server](c, "partner_id") {
		id := at(group, "partner_id", "id")
		if id == nil {
			id = at(group, "partner_id", 0)
		}
		answer[fmt.Sprint(id)] = amount(at(group, "amount_total:sum"))
	}
	c.answer = answer
})

// byMonthSums answers with the sums alone.
var byMonthSums = eachServer(func(c *clerk, server string) {
	answer := []any{}
	for _, group := range sums[server](c, "date_order:month") {
		answer = append(answer, amount(at(group, "amount_total:sum")))
	}
	c.answer = answer
})

// amount is the number of an amount that may come with its currency.
func amount(v any) any {
	if number := at(v, "amount"); number != nil {
		return number
	}
	return v
}

// eachServer makes the scripts of a job that differ in one step only.
func eachServer(do func(c *clerk, server string)) map[string]func(*clerk) {
	scripts := map[string]func(*clerk){}
	for _, server := range serverNames {
		scripts[server] = func(c *clerk) { do(c, server) }
	}
	return scripts
}

var confirmQuotation = eachServer(func(c *clerk, server string) {
	id := c.findID("sale.order", byCustomer(c, "Quotation Customer"))
	press[server](c, "sale.order", id, "action_confirm", nil)
})

// orderLines are the lines of the new order, as commands.
func orderLines(desk, lamp any) []any {
	return []any{
		[]any{0, 0, args{"product_id": desk, "product_uom_qty": 5}},
		[]any{0, 0, args{"product_id": lamp, "product_uom_qty": 7}},
	}
}

// orderParts finds what the new order needs, by one search for the customer and one for both products.
func orderParts(c *clerk) args {
	customer := c.findID("res.partner", named(c.own("Order Customer")))
	found := c.call("search_records", args{
		"model": "product.product", "domain": []any{[]any{"name", "in", []any{"Bench Oak Desk", "Bench Brass Lamp"}}}, "fields": []string{"name"},
	})
	ids := args{}
	for _, key := range rowsIn {
		for i := range 2 {
			if name, ok := at(found, key, i, "name").(string); ok {
				ids[name] = at(found, key, i, "id")
			}
		}
	}
	return args{"partner_id": customer, "order_line": orderLines(ids["Bench Oak Desk"], ids["Bench Brass Lamp"])}
}

var makeOrder = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		made := c.call("create_records", args{"model": "sale.order", "records": []any{args{
			"partner_id": c.own("Order Customer"),
			"order_line": []any{args{"product_id": "Bench Oak Desk", "product_uom_qty": 5}, args{"product_id": "Bench Brass Lamp", "product_uom_qty": 7}},
		}}})
		press[nameDoorman](c, "sale.order", at(made, "records", 0, "id"), "action_confirm", nil)
	},
	nameIvnvxd: func(c *clerk) {
		made := c.call("create_record", args{"model": "sale.order", "values": orderParts(c)})
		press[nameIvnvxd](c, "sale.order", at(made, "record", "id"), "action_confirm", nil)
	},
	nameErpipe: func(c *clerk) {
		id := c.write(args{"model": "sale.order", "operation": "create", "values": orderParts(c)})
		press[nameErpipe](c, "sale.order", id, "action_confirm", nil)
	},
}

var postNote = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("post_message", args{"model": "sale.order", "id": id, "body": noteText})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("post_message", args{"model": "sale.order", "record_id": id, "body": noteText})
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("chatter_post", args{"model": "sale.order", "record_id": id, "body": noteText, "subtype_xmlid": "mail.mt_note"})
	},
}

// toDo are the arguments of Odoo's own method, which servers without a tool for it have to call. Left to itself that
// method gives the to-do to nobody, so they look up who they are.
func toDo(c *clerk) args {
	me := c.findID("res.users", []any{[]any{"login", "=", peerLogin}})
	return args{"act_type_xmlid": "mail.mail_activity_data_todo", "summary": "Call back", "date_deadline": "2031-05-05", "user_id": me}
}

var scheduleToDo = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("schedule_activity", args{"model": "sale.order", "id": id, "summary": "Call back", "date_deadline": "2031-05-05"})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		press[nameIvnvxd](c, "sale.order", id, "activity_schedule", toDo(c))
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		press[nameErpipe](c, "sale.order", id, "activity_schedule", toDo(c))
	},
}

var attachFile = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("request_upload", args{"model": "sale.order", "id": id, "name": "loading.txt", "text": fileText})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.call("upload_attachment", args{"model": "sale.order", "record_id": id, "name": "loading.txt", "data": fileBytes(), "mimetype": "text/plain"})
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Note Customer"))
		c.write(args{"model": "ir.attachment", "operation": "create", "values": args{
			"name": "loading.txt", "res_model": "sale.order", "res_id": id, "datas": fileBytes(),
		}})
	},
}

var invoiceOrder = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Invoice Customer"))
		opened := press[nameDoorman](c, "sale.order", id, "sale.action_view_sale_advance_payment_inv", nil)
		c.call("call_method", args{"model": "sale.advance.payment.inv", "wizard": at(opened, "wizard", "handle"), "method": "create_invoices"})
	},
	nameIvnvxd: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Invoice Customer"))
		wizard := c.call("create_record", args{"model": "sale.advance.payment.inv", "values": regularInvoice(id)})
		press[nameIvnvxd](c, "sale.advance.payment.inv", at(wizard, "record", "id"), "create_invoices", nil)
	},
	nameErpipe: func(c *clerk) {
		id := c.findID("sale.order", byCustomer(c, "Invoice Customer"))
		wizard := c.write(args{"model": "sale.advance.payment.inv", "operation": "create", "values": regularInvoice(id)})
		press[nameErpipe](c, "sale.advance.payment.inv", wizard, "create_invoices", nil)
	},
}

// regularInvoice are the values of Odoo's wizard, whose context these servers cannot pass on.
func regularInvoice(order any) args {
	return args{"advance_payment_method": "delivered", "sale_order_ids": []any{[]any{6, 0, []any{order}}}}
}

// readWhole answers with the text. Doorman gives long ones in pages and says where the next begins; the others at once.
var readWhole = map[string]func(*clerk){
	nameDoorman: func(c *clerk) {
		row := c.find("res.partner", named(c.own("Contract Holder")), "comment")
		text, next := textOf(row)
		for next != nil && c.err == nil {
			page := c.call("read_records", args{"model": "res.partner", "ids": []any{at(row, "id")}, "fields": []string{"comment"}, "text_offset": next})
			var more string
			more, next = textOf(at(page, "records", 0))
			text += more
		}
		c.answer = text
	},
	nameIvnvxd: wholeAtOnce,
	nameErpipe: wholeAtOnce,
}

func wholeAtOnce(c *clerk) {
	c.answer = at(c.find("res.partner", named(c.own("Contract Holder")), "comment"), "comment")
}

// textOf is the text of a row, or a page of it, and where the next page begins, or nil.
func textOf(row any) (text string, next any) {
	text, _ = at(row, "comment").(string)
	return text, at(row, "text_cut", "comment", "next_offset")
}
