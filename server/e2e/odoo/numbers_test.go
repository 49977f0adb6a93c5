package odoo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// numbers: a colleague in Auckland who works in French, one in Los Angeles, orders in two currencies, and a salesperson
// who sees only their own. What Odoo itself makes of it is worked out as the same people.
const numbers = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
env["base.language.install"].create({"lang_ids": [Command.set(env.ref("base.lang_fr").ids)], "overwrite": False}).lang_install()
company = env.company
own = company.currency_id
foreign = env.ref("base.EUR") if own.name == "USD" else env.ref("base.USD")
foreign.active = True
env["res.currency.rate"].search([]).unlink()
env["res.currency.rate"].create({"currency_id": foreign.id, "company_id": company.id, "name": "2020-01-01", "rate": 0.8})
every = ("base.group_user", "sales_team.group_sale_manager", "product.group_product_manager", "doorman.group_user")
auckland, angeles = user("auckland", *every), user("angeles", *every)
auckland.write({"tz": "Pacific/Auckland", "lang": "fr_FR"})
angeles.write({"tz": "America/Los_Angeles"})
seller = user("seller", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
for person in (auckland, angeles, seller):
    connection(person.login, person, scope_ids=scopes)
partner = env["res.partner"].create({"name": "Two Currencies"})
lists = {c: env["product.pricelist"].create({"name": c.name, "currency_id": c.id}) for c in (own, foreign)}
product = env["product.product"].create({"name": "Garden chair", "list_price": 1, "taxes_id": False})
product.product_tmpl_id.with_context(lang="fr_FR").name = "Chaise de jardin"
def order(currency, price, when, person):
    return env["sale.order"].create({"partner_id": partner.id, "pricelist_id": lists[currency].id, "date_order": when, "user_id": person.id,
        "order_line": [Command.create({"product_id": product.id, "price_unit": price, "tax_ids": False})]})
order(own, 100, "2026-01-31 23:30:00", auckland)
order(foreign, 8, "2026-01-31 23:30:00", seller)
order(own, 5, "2026-05-05 12:00:00", seller)
orders = env["sale.order"].search([("partner_id", "=", partner.id)])
total = sum(o.currency_id._convert(o.amount_total, own, company, o.date_order, round=False) for o in orders)
out.update(partner=partner.id, product=product.product_tmpl_id.id, own=own.name, foreign=foreign.name, total=total)
`

// TestRealNumbers: numbers, days and names as the user of a connection sees them in Odoo.
func TestRealNumbers(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, numbers)
	s := kit.Serve(t, o.Environ()...)
	auckland, angeles := kit.Connect(t, s.MCP, o.Text("auckland")), kit.Connect(t, s.MCP, o.Text("angeles"))
	seller := kit.Connect(t, s.MCP, o.Text("seller"))
	t.Run("days", func(t *testing.T) { realDays(t, o, auckland, angeles) })
	t.Run("currencies", func(t *testing.T) { realCurrencies(t, o, angeles) })
	t.Run("whose", func(t *testing.T) { realOwn(t, o, seller, angeles) })
	t.Run("names", func(t *testing.T) { realNames(t, o, auckland, angeles) })
}

func sums(o *kit.Odoo, groupBy ...string) kit.Args {
	return kit.Args{
		"model": "sale.order", "domain": fmt.Sprintf(`[["partner_id","=",%d]]`, o.ID("partner")),
		"group_by": groupBy, "measures": []string{"amount_total:sum"},
	}
}

func realDays(t *testing.T, o *kit.Odoo, auckland, angeles *sdk.ClientSession) {
	for _, row := range []struct {
		session *sdk.ClientSession
		spec    string
		want    string
	}{
		{auckland, "date_order:day", `"date_order:day":{"from":"2026-02-01T00:00:00+13:00","label":"01 févr. 2026"}`},
		{angeles, "date_order:day", `"date_order:day":{"from":"2026-01-31T00:00:00-08:00","label":"31 Jan 2026"}`},
		{auckland, "date_order:month", `"from":"2026-02-01T00:00:00+13:00","label":"février 2026"`},
		{angeles, "date_order:month", `"from":"2026-01-01T00:00:00-08:00","label":"January 2026"`},
		{auckland, "date_order:day_of_week", `"date_order:day_of_week":{"label":"dimanche","value":0}`},
		{angeles, "date_order:day_of_week", `"date_order:day_of_week":{"label":"Saturday","value":6}`},
		{auckland, "date_order:hour_number", `"date_order:hour_number":12`},
		{angeles, "date_order:hour_number", `"date_order:hour_number":15`},
		{auckland, "date_order:day", `"time_zone":"Pacific/Auckland"`},
	} {
		if text := kit.Text(t, kit.Must(t, row.session, "aggregate_records", sums(o, row.spec))); !strings.Contains(text, row.want) {
			t.Errorf("%s: no %s in %s", row.spec, row.want, text)
		}
	}
	for session, zone := range map[*sdk.ClientSession]string{auckland: "Pacific/Auckland", angeles: "America/Los_Angeles"} {
		began := time.Now().Truncate(time.Second)
		told := kit.Must(t, session, "get_context", nil)
		ended := time.Now()
		local, _ := told["now_local"].(string)
		now, err := time.Parse(time.RFC3339, local)
		if err != nil || now.Before(began) || now.After(ended) {
			t.Fatalf("%s: %v, %v: asked at %s, answered at %s", zone, told, err, began, ended)
		}
		// The same instant, as Python's own time zones have it.
		want := o.Python(t, fmt.Sprintf(`
import datetime, pytz
now = datetime.datetime.fromtimestamp(%d, pytz.timezone(%q))
out.update(day=now.strftime("%%A"), local=now.isoformat())`, now.Unix(), zone))
		if told["weekday"] != want["day"] || local != want["local"] {
			t.Errorf("%s: %v %v, want %v", zone, told["weekday"], local, want)
		}
	}
}

func realCurrencies(t *testing.T, o *kit.Odoo, session *sdk.ClientSession) {
	own, foreign := o.Text("own"), o.Text("foreign")
	page := kit.Must(t, session, "aggregate_records", sums(o))
	text := kit.Text(t, page)
	kit.Wants(t, text, fmt.Sprintf(`"%s":105`, own), fmt.Sprintf(`"%s":8`, foreign), fmt.Sprintf(`"currency_of":{"amount_total:sum":%q}`, own), "converted to "+own)
	group := page["groups"].([]any)[0].(map[string]any)
	if got := group["amount_total:sum"]; got != o.Out["total"] || got == 113.0 {
		t.Errorf("the sum is %v, and Odoo's %v", got, o.Out["total"])
	}
	by := kit.Must(t, session, "aggregate_records", sums(o, "currency_id"))
	if text := kit.Text(t, by); strings.Contains(text, "by_currency") || !strings.Contains(text, fmt.Sprintf(`"amount_total:sum":%q`, foreign)) {
		t.Errorf("by currency: %s", text)
	}
	ask := sums(o, "user_id")
	ask["measures"], ask["order"] = []string{"amount_total:avg"}, "amount_total:avg desc"
	if content, failed := kit.Call(t, session, "aggregate_records", ask); failed != "invalid_input" {
		t.Errorf("sorted by averages over currencies: %s %v", failed, content)
	}
}

func realOwn(t *testing.T, o *kit.Odoo, seller, all *sdk.ClientSession) {
	const own = "Only this user's own records"
	page := kit.Must(t, seller, "aggregate_records", sums(o))
	kit.Wants(t, kit.Text(t, page), own, `"count":2`)
	if text := kit.Text(t, kit.Must(t, all, "aggregate_records", sums(o))); strings.Contains(text, own) || !strings.Contains(text, `"count":3`) {
		t.Errorf("who sees all: %s", text)
	}
	kit.Wants(t, fmt.Sprint(kit.Must(t, seller, "get_context", nil)["own_only"]), "model:sale.order")
	if told := fmt.Sprint(kit.Must(t, all, "get_context", nil)["own_only"]); strings.Contains(told, "sale.order") {
		t.Errorf("who sees all sees only %s", told)
	}
}

// realNames: a French colleague's product is read, found and changed in French; the English name stays.
func realNames(t *testing.T, o *kit.Odoo, french, english *sdk.ClientSession) {
	id := []int64{o.ID("product")}
	ask := kit.Args{"model": "product.template", "ids": id, "fields": []string{"name"}}
	find := func(word string) kit.Args {
		return kit.Args{"model": "product.template", "domain": fmt.Sprintf(`[["name","ilike",%q]]`, word), "fields": []string{"name"}}
	}
	kit.Wants(t, kit.Text(t, kit.Must(t, french, "read_records", ask)), `"name":"Chaise de jardin"`)
	kit.Wants(t, kit.Text(t, kit.Must(t, french, "search_records", find("chaise"))), `"name":"Chaise de jardin"`)
	if total := kit.Must(t, french, "search_records", find("garden chair"))["total"]; total != 0.0 {
		t.Errorf("found by its English name in French: %v", total)
	}
	kit.Must(t, french, "update_records", kit.Args{"model": "product.template", "ids": id, "values": kit.Args{"name": "Fauteuil de jardin"}})
	kit.Wants(t, kit.Text(t, kit.Must(t, french, "read_records", ask)), `"name":"Fauteuil de jardin"`)
	kit.Wants(t, kit.Text(t, kit.Must(t, english, "read_records", ask)), `"name":"Garden chair"`)
	out := o.Python(t, fmt.Sprintf(`
product = env["product.template"].browse(%d)
out["names"] = [product.with_context(lang=lang).name for lang in ("en_US", "fr_FR")]`, o.ID("product")))
	if got := fmt.Sprint(out["names"]); got != "[Garden chair Fauteuil de jardin]" {
		t.Errorf("in Odoo: %s", got)
	}
}
