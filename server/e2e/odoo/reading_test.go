package odoo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// TestRealReading: bounds, requests, companies and languages of the tools, on Odoo's own documents.
func TestRealReading(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	admin, first := kit.Connect(t, s.MCP, o.Text("admin")), kit.Connect(t, s.MCP, o.Text("first"))
	t.Run("bounds", func(t *testing.T) { readingBounds(t, o, admin) })
	t.Run("requests", func(t *testing.T) { fileRequests(t, o, proxy, admin) })
	t.Run("languages", func(t *testing.T) { readingLanguages(t, o, admin) })
	t.Run("companies", func(t *testing.T) { readingCompanies(t, o, admin, first) })
}

// fileRequests: a file that gets a link takes two requests to Odoo, one that looks and one that opens the link.
func fileRequests(t *testing.T, o *kit.Odoo, proxy *kit.Proxy, session *sdk.ClientSession) {
	lead, invoice := o.ID("lead"), []int64{o.ID("invoice")}
	for _, row := range []struct {
		name, tool string
		args       kit.Args
		want       int64
	}{
		{"a record's files", "get_attachment", kit.Args{"model": "crm.lead", "id": lead}, 1},
		{"a file's text, and its link", "get_attachment", kit.Args{"model": "crm.lead", "id": lead, "attachment_id": o.ID("plan"), "text": true}, 2},
		{"a file's link", "get_attachment", kit.Args{"model": "crm.lead", "id": lead, "attachment_id": o.ID("plan")}, 2},
		{"a report's link", "get_report", kit.Args{"model": "account.move", "ids": invoice, "report": "account.report_invoice"}, 2},
		{"an upload's link", "request_upload", kit.Args{"model": "crm.lead", "id": lead, "name": "x.txt"}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			kit.Must(t, session, row.tool, row.args) // may learn something first
			before := proxy.Requests()
			kit.Must(t, session, row.tool, row.args)
			if n := proxy.Requests() - before; n != row.want {
				t.Errorf("%d requests to Odoo, want %d", n, row.want)
			}
		})
	}
}

// readingBounds: how much one call reads, what it says of the rest, and that pages neither miss nor repeat.
func readingBounds(t *testing.T, o *kit.Odoo, session *sdk.ClientSession) {
	t.Run("at most 15 fields, and how many are left out", func(t *testing.T) {
		page := kit.Must(t, session, "read_records", kit.Args{"model": "sale.order", "ids": []int64{o.ID("order")}})
		record := kit.Only(t, page)
		if n := len(record); n < 8 || n > 15 {
			t.Errorf("%d fields: %v", n, record)
		}
		if left, is := page["fields_left_out"].(float64); !is || left < 50 || page["other_fields"] != "describe_model" {
			t.Errorf("%v left out, ask %v", page["fields_left_out"], page["other_fields"])
		}
		page = kit.Must(t, session, "read_records", kit.Args{"model": "sale.order", "ids": []int64{o.ID("order")}, "fields": []string{"name"}})
		if _, told := page["fields_left_out"]; told || len(kit.Only(t, page)) != 2 {
			t.Errorf("named fields: %v", page)
		}
	})
	t.Run("at most 100 records", func(t *testing.T) {
		page := kit.Must(t, session, "search_records", kit.Args{"model": "res.country", "limit": 5000, "fields": []string{"code"}})
		if len(page["records"].([]any)) != 100 || page["has_more"] != true || page["next_offset"] != 100.0 {
			t.Errorf("%v, %v, %v", page["total"], page["has_more"], page["next_offset"])
		}
		if page["total"] != float64(o.ID("countries")) {
			t.Errorf("%v countries in all, want %d", page["total"], o.ID("countries"))
		}
		kit.Wants(t, kit.Text(t, page), "limit was cut to 100")
		page = kit.Must(t, session, "search_records", kit.Args{"model": "res.country", "fields": []string{"code"}})
		if _, told := page["note"]; len(page["records"].([]any)) != 10 || told {
			t.Errorf("without a limit: %v records, %v", page["records"], page["note"])
		}
	})
	t.Run("pages", func(t *testing.T) {
		// By a field that many share, so that only the id keeps the order.
		seen, pages := map[float64]bool{}, 0
		for offset := any(0); offset != nil; pages++ {
			page := kit.Must(t, session, "search_records", kit.Args{
				"model": "res.country", "limit": 40, "offset": offset, "order": "currency_id", "fields": []string{"code"},
			})
			for _, r := range page["records"].([]any) {
				seen[r.(map[string]any)["id"].(float64)] = true
			}
			offset = page["next_offset"]
			if (offset != nil) != (page["has_more"] == true) {
				t.Fatalf("has_more %v, next_offset %v", page["has_more"], offset)
			}
		}
		if want := int(o.ID("countries")); len(seen) != want || pages != (want+39)/40 {
			t.Errorf("%d of %d countries in %d pages", len(seen), want, pages)
		}
	})
	t.Run("at most 200 groups", func(t *testing.T) {
		ask := kit.Args{"model": "res.partner.category", "group_by": []string{"name"}, "domain": `[["name","=like","Group %"]]`, "limit": 1000}
		page := kit.Must(t, session, "aggregate_records", ask)
		if len(page["groups"].([]any)) != 200 || page["has_more"] != true || page["next_offset"] != 200.0 {
			t.Errorf("%v groups, %v, %v", len(page["groups"].([]any)), page["has_more"], page["next_offset"])
		}
		ask["offset"] = page["next_offset"]
		if page = kit.Must(t, session, "aggregate_records", ask); page["total"] != 230.0 || page["has_more"] != false {
			t.Errorf("then %v groups, %v", page["total"], page["has_more"])
		}
	})
	t.Run("who, where and when", func(t *testing.T) {
		context := kit.Must(t, session, "get_context", nil)
		now, err := time.Parse("2006-01-02 15:04:05", context["now_utc"].(string))
		if err != nil || time.Since(now).Abs() > time.Minute {
			t.Errorf("now_utc %v", context["now_utc"])
		}
		kit.Wants(t, kit.Text(t, context), `"languages":["en_US","fr_FR"]`, `"tz":"Europe/Brussels"`, `"login":"admin"`,
			fmt.Sprintf(`"id":%d,"name":"Second Ltd"`, o.ID("second")))
	})
}

// toolCall is a tool with its arguments.
type toolCall struct {
	tool string
	args kit.Args
}

// elsewhere is a call of each tool that can be kept to a company, on what belongs to the first one.
func elsewhere(o *kit.Odoo) []toolCall {
	order, invoice := o.ID("order"), o.ID("invoice")
	return []toolCall{
		{"search_records", kit.Args{"model": "sale.order", "domain": []any{[]any{"id", "=", order}}, "fields": []string{"name"}}},
		{"read_records", kit.Args{"model": "sale.order", "ids": []int64{order}, "fields": []string{"name"}}},
		{"aggregate_records", kit.Args{"model": "sale.order", "domain": []any{[]any{"id", "=", order}}, "group_by": []string{"name"}}},
		{"search_everywhere", kit.Args{"query": o.Text("number"), "models": []string{"sale.order"}}},
		{"read_messages", kit.Args{"model": "sale.order", "id": order}},
		{"get_actions", kit.Args{"model": "sale.order", "id": order}},
		{"get_attachment", kit.Args{"model": "sale.order", "id": order}},
		{"get_report", kit.Args{"model": "account.move", "ids": []int64{invoice}, "report": "account.report_invoice"}},
		{"update_records", kit.Args{"model": "sale.order", "ids": []int64{order}, "values": kit.Args{"client_order_ref": "x"}}},
		{"delete_records", kit.Args{"model": "sale.order", "ids": []int64{order}}},
		{"call_method", kit.Args{"model": "sale.order", "ids": []int64{order}, "method": "action_confirm"}},
		{"post_message", kit.Args{"model": "sale.order", "id": order, "body": "x"}},
		{"schedule_activity", kit.Args{"model": "sale.order", "id": order}},
		{"request_upload", kit.Args{"model": "sale.order", "id": order, "name": "x.txt"}},
	}
}

// readingCompanies: every tool that takes a company works in that one alone, and in none that the connection may not.
func readingCompanies(t *testing.T, o *kit.Odoo, admin, first *sdk.ClientSession) {
	number := o.Text("number")
	for _, row := range elsewhere(o) {
		t.Run(row.tool, func(t *testing.T) {
			row.args["company_id"] = o.ID("second")
			content, failed := kit.Call(t, admin, row.tool, row.args)
			if strings.Contains(kit.Text(t, content), number) || failed == "" && !strings.Contains("search_records aggregate_records search_everywhere", row.tool) {
				t.Errorf("reached a record of another company: %s %v", failed, content)
			}
			if content, failed = kit.Call(t, first, row.tool, row.args); failed != "not_allowed" {
				t.Errorf("a connection of the first company works in the second: %s %v", failed, content)
			}
			row.args["company_id"] = 99_999
			if content, failed = kit.Call(t, admin, row.tool, row.args); failed != "not_allowed" {
				t.Errorf("a company that does not exist: %s %v", failed, content)
			}
		})
	}
	out := o.Python(t, fmt.Sprintf(`
order = env["sale.order"].browse(%d)
out["left"] = [order.state, order.client_order_ref or "", len(order.activity_ids), order.exists().id]`, o.ID("order")))
	if got := fmt.Sprint(out["left"]); got != fmt.Sprintf("[draft  0 %d]", o.ID("order")) {
		t.Errorf("what is left: %s", got)
	}
	for _, row := range elsewhere(o)[:7] {
		row.args["company_id"] = int64(1)
		if content, failed := kit.Call(t, first, row.tool, row.args); failed != "" {
			t.Errorf("%s in its own company: %s %v", row.tool, failed, content)
		}
	}
}

// readingLanguages: what a tool answers in a second language, and what it writes in one.
func readingLanguages(t *testing.T, o *kit.Odoo, session *sdk.ClientSession) {
	germany := []int64{o.ID("germany")}
	for _, row := range []struct {
		tool string
		args kit.Args
		want string
	}{
		{"search_records", kit.Args{"model": "res.country", "domain": `[["code","=","DE"]]`, "fields": []string{"name"}}, `"name":"Allemagne"`},
		{"read_records", kit.Args{"model": "res.country", "ids": germany, "fields": []string{"name"}}, `"name":"Allemagne"`},
		{"aggregate_records", kit.Args{"model": "res.partner", "domain": []any{[]any{"id", "=", o.ID("partner")}}, "group_by": []string{"country_id"}}, `Allemagne`},
		{"search_everywhere", kit.Args{"query": "Allemagne", "models": []string{"res.country"}}, `Allemagne`},
		{"describe_model", kit.Args{"model": "res.country", "fields": []string{"name"}}, `"label":"Nom du pays"`},
		{"get_actions", kit.Args{"model": "sale.order", "id": o.ID("order")}, `Confirmer`},
	} {
		t.Run(row.tool, func(t *testing.T) {
			english := kit.Text(t, kit.Must(t, session, row.tool, row.args))
			row.args["language"] = "fr_FR"
			if french := kit.Text(t, kit.Must(t, session, row.tool, row.args)); !strings.Contains(french, row.want) || strings.Contains(english, row.want) {
				t.Errorf("in French: %s\nin English: %s", french, english)
			}
			row.args["language"] = "de_DE"
			if _, failed := kit.Call(t, session, row.tool, row.args); failed != "invalid_input" {
				t.Errorf("a language that is not installed: %q", failed)
			}
		})
	}
	t.Run("update_records", func(t *testing.T) {
		product := kit.Args{"model": "product.template", "ids": []int64{o.ID("product")}}
		kit.Must(t, session, "update_records", kit.Args{
			"model": "product.template", "ids": []int64{o.ID("product")}, "values": kit.Args{"name": "Chose"}, "language": "fr_FR",
		})
		product["fields"] = []string{"name"}
		kit.Wants(t, kit.Text(t, kit.Must(t, session, "read_records", product)), `"name":"Thing"`)
		product["language"] = "fr_FR"
		kit.Wants(t, kit.Text(t, kit.Must(t, session, "read_records", product)), `"name":"Chose"`)
	})
}
