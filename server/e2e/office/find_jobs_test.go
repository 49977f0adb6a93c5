package office_test

import (
	"fmt"
	"slices"
	"strings"

	"doorman/server/e2e/kit"
)

// findJobs are about what things are called and counted in.
var findJobs = []job{
	{
		name: "a French colleague's product", as: "colette", calls: 2, bytes: 4_000,
		words: "Le produit bureau en chene s'appelle maintenant Bureau en chêne massif : change son nom.",
		do: func(w *worker) {
			found, _ := at(w.do("search_everywhere", kit.Args{"query": "bureau en chene"}), "found").([]any)
			i := slices.IndexFunc(found, func(one any) bool { return at(one, "label") == "Produit" })
			if i < 0 {
				w.stopf("no Produit in %v", found)
			}
			w.do("update_records", kit.Args{"model": at(found, i, "model"), "ids": []any{at(found, i, "records", 0, "id")}, "values": kit.Args{"name": "Bureau en chêne massif"}})
		},
		holds: []fact{{"product.template", `[["name","=","Oak Desk"]]`, "list_price", "150"}},
		also: map[string][]fact{
			"colette": {{"product.template", `[["name","like","en chêne"]]`, "name list_price", "Bureau en chêne massif 150"}},
		},
	},
	{
		name: "two currencies", as: "admin", calls: 3, bytes: 5_000,
		words: "What do the invoices (journal entry) of our partner Alder Abroad come to, in each currency? Add up their total.",
		do: func(w *worker) {
			model := w.model("journal entry", "Journal Entry")
			w.describe(model, "partner, total")
			r := w.do("aggregate_records", kit.Args{"model": model, "measures": []string{"amount_total:sum"}, "domain": []any{is("partner_id.name", "Alder Abroad")}})
			sums, _ := at(r, "groups", 0, "by_currency", "amount_total:sum").(map[string]any)
			var told []string
			for currency, sum := range sums {
				told = append(told, fmt.Sprint(currency, " ", sum))
			}
			slices.Sort(told)
			w.answer = strings.Join(told, ", ")
		},
		holds: []fact{
			{want: "EUR 160, USD 250"},
			{"account.move", `[["partner_id.name","=","Alder Abroad"]]`, "currency_id amount_total", "EUR 100 | USD 250 | EUR 60"},
		},
	},
	{
		name: "a misspelt customer", as: "admin", calls: 2, bytes: 4_000,
		words: "What is the phone number of our customer Magnolla Restaurnat?",
		do: func(w *worker) {
			found := w.do("search_everywhere", kit.Args{"query": "Magnolla Restaurnat"})
			near := at(found, "nearest", 0)
			r := w.do("read_records", kit.Args{"model": at(near, "model"), "ids": []any{at(near, "id")}})
			w.answer = at(r, "records", 0, "phone")
		},
		holds: []fact{{"res.partner", `[["name","=","Magnolia Restaurant"]]`, "phone", theFact}},
	},
	{
		name: "a phone number", as: "admin", calls: 1, bytes: 3_000,
		words: "Who has just called? The display said 003225552000.",
		do: func(w *worker) {
			w.answer = at(w.do("search_everywhere", kit.Args{"query": "003225552000"}), "found", 0, "records", 0, "name")
		},
		holds: []fact{{"res.partner", `[["phone","=","+32 2 555 20 00"]]`, "name", theFact}},
	},
}
