package office_test

import (
	"regexp"
	"strings"

	"doorman/server/e2e/kit"
)

var numberOnPaper = regexp.MustCompile(`Invoice number ([^ ,]+)`)

// paperJobs are about files and letters.
var paperJobs = []job{
	{
		name: "a PDF is read", as: "admin", calls: 7, bytes: 10_000,
		words: "The bill (journal entry) of our partner Vine Vintners has its paper with it, a PDF. Put the number of the vendor's invoice, as it stands there, into the reference.",
		do: func(w *worker) {
			model, found := invoiceOf(w, "Vine Vintners")
			w.describe(model, "reference")
			id := at(found, 0, "id")
			files := w.do("get_attachment", kit.Args{"model": model, "id": id})
			file := at(files, "files", 0, "id")
			read := w.do("get_attachment", kit.Args{"model": model, "id": id, "attachment_id": file, "text": true})
			text, _ := at(read, "text").(string)
			found1 := numberOnPaper.FindStringSubmatch(text)
			if found1 == nil {
				w.stopf("no number in %q", text)
			}
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"ref": found1[1]}})
		},
		holds: []fact{{"account.move", `[["partner_id.name","=","Vine Vintners"]]`, "ref", "VV-2031-77"}},
	},
	{
		name: "two thousand contacts as a file", as: "admin", calls: 2, bytes: 2_500,
		words: "Give me each contact with the zip 98765 as a csv file: name, city.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			told := w.do("export_records", kit.Args{"model": model, "domain": []any{is("zip", "98765")}, "fields": []string{"name", "city"}, "format": "csv"})
			rows := strings.Split(strings.TrimSpace(w.follow(at(told, "link").(string))), "\n")
			if first, last := rows[1], rows[len(rows)-1]; !strings.Contains(first, "Fair visitor 0000") || !strings.Contains(last, "Fair visitor 1999") {
				w.stopf("from %s to %s", first, last)
			}
			w.answer = len(rows) - 1 // and a line of names
		},
		holds: []fact{{want: "2000"}, {"res.partner", `[["zip","=","98765"]]`, "", theCount}},
	},
	{
		name: "a quotation is mailed once a person has agreed", as: "careful", calls: 5, bytes: 6_000,
		words: "Send Mulberry Inn, the customer, their quotation (sales order).",
		do: func(w *worker) {
			model := w.model("sales order", "Sales Order")
			w.describe(model, "customer")
			found := w.search(model, 1, []any{is("partner_id.name", "Mulberry Inn")})
			waits := w.do("send_document", kit.Args{"model": model, "id": at(found, 0, "id")})
			if at(waits, "status") != "pending_approval" {
				w.stopf("it does not wait: %v", waits)
			}
			w.people.approve()
			w.answer = at(w.do("approval_status", kit.Args{"request_id": at(waits, "request_id")}), "status")
		},
		holds: []fact{
			{want: "executed"},
			{"sale.order", `[["partner_id.name","=","Mulberry Inn"]]`, "state", "sent"},
			{letters, "inn@mulberry.example", "application/pdf", "1"},
		},
	},
	{
		name: "wait: a quotation that nobody has agreed to", as: "careful", calls: 4, bytes: 6_000,
		words: "Send Medlar Motel, the customer, their quotation (sales order).",
		do: func(w *worker) {
			model := w.model("sales order", "Sales Order")
			w.describe(model, "customer")
			found := w.search(model, 1, []any{is("partner_id.name", "Medlar Motel")})
			w.answer = at(w.do("send_document", kit.Args{"model": model, "id": at(found, 0, "id")}), "status")
		},
		holds: []fact{
			{want: "pending_approval"},
			{"sale.order", `[["partner_id.name","=","Medlar Motel"]]`, "state", "draft"},
			{letters, "motel@medlar.example", "", "0"},
		},
	},
}
