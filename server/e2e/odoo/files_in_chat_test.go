package odoo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// exported is what Odoo's own export gives of the same records to the same user, as CSV.
const exported = `
from odoo.addons.web.controllers.export import CSVExport
records = env["res.partner.category"].with_user(admin).with_context(import_compat=False, lang=admin.lang)
rows = records.search([("name", "=like", "Bulk %")]).export_data(["name", "parent_id/name", "create_date"])["datas"]
out["csv"] = CSVExport().from_data([], ["Name", "Category/Name", "Created on"], rows)`

// TestRealFilesInChat: what an AI tool that can only chat does with files, on Odoo's own documents.
func TestRealFilesInChat(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	order := o.ID("order")

	t.Run("a quotation is printed, sent back and read", func(t *testing.T) {
		printed := kit.Must(t, session, "get_report", kit.Args{"model": "sale.order", "ids": []int64{order}, "report": "sale.report_saleorder"})
		_, _, pdf := fetch(t, "GET", printed["link"].(string), nil)
		if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Fatalf("no PDF: %.60q", pdf)
		}
		args := kit.Args{"model": "sale.order", "id": order, "name": "quotation.pdf"}
		if len(pdf) <= access.MaxInline {
			args["base64"] = base64.StdEncoding.EncodeToString(pdf)
		}
		sent := kit.Must(t, session, "request_upload", args)
		id := sent["attachment_id"]
		if link, ok := sent["link"].(string); ok {
			_, _, body := fetch(t, "PUT", link, pdf)
			_, _ = fmt.Sscanf(string(body), `{"attachment_id":%d`, &id)
			list, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "sale.order", "id": order})["files"].([]any)
			id = list[0].(map[string]any)["id"]
		}
		read := kit.Must(t, session, "get_attachment", kit.Args{"model": "sale.order", "id": order, "attachment_id": id, "text": true})
		text, _ := read["text"].(string)
		kit.Wants(t, text, o.Text("number"), "Zyxw Trading", "Thing", "7.00")
	})
	t.Run("a text comes along", func(t *testing.T) {
		args := kit.Args{"model": "crm.lead", "id": o.ID("lead"), "name": "offer.csv", "text": "item,price\nGrüße,7\n", "idempotency_key": "offer-1"}
		first, again := kit.Must(t, session, "request_upload", args), kit.Must(t, session, "request_upload", args)
		if first["attachment_id"] == nil || first["attachment_id"] != again["attachment_id"] || again["replayed"] != true {
			t.Errorf("%v, then %v", first, again)
		}
		read := kit.Must(t, session, "get_attachment", kit.Args{"model": "crm.lead", "id": o.ID("lead"), "attachment_id": first["attachment_id"], "text": true})
		if read["text"] != args["text"] {
			t.Errorf("%v", read)
		}
		if strings.Contains(s.Log(), "Gr") || strings.Contains(s.Log(), "offer.csv") {
			t.Error("the file is in the service's log")
		}
	})
	t.Run("a product's picture", func(t *testing.T) {
		product := o.ID("product")
		args := kit.Args{"model": "product.template", "id": product, "field": "image_1920", "base64": onePixel}
		sent := kit.Must(t, session, "request_upload", args)
		kit.Wants(t, kit.Text(t, sent), `"field":"image_1920"`, `"model":"product.template"`)
		back := kit.Must(t, session, "get_attachment", kit.Args{"model": "product.template", "id": product, "field": "image_1920"})
		if _, header, body := fetch(t, "GET", back["link"].(string), nil); header.Get("Content-Type") != "image/png" || !bytes.HasPrefix(body, []byte("\x89PNG")) {
			t.Errorf("%v %.20q", header, body)
		}
		// Nobody who is not logged in sees it: Odoo shows its placeholder for what there is not.
		nothing := fmt.Sprintf("%s/web/image/product.template/%d/image_1920", o.Server.URL(), 1<<30)
		if _, there := public(t, o, nothing); !reflect.DeepEqual(there, second(public(t, o, fmt.Sprintf("%s/web/image/product.template/%d/image_1920", o.Server.URL(), product)))) {
			t.Error("the picture is public")
		}
	})
	t.Run("two thousand rows", func(t *testing.T) {
		o.Python(t, `env["res.partner.category"].create([{"name": "Bulk %04d" % i} for i in range(2000)])`)
		own := o.Python(t, "admin = env.ref('base.user_admin')"+exported)
		told := kit.Must(t, session, "export_records", kit.Args{
			"model": "res.partner.category", "domain": `[["name","=like","Bulk %"]]`, "fields": []string{"name", "parent_id/name", "create_date"},
		})
		if told["rows"] != 2000.0 {
			t.Errorf("%v", told)
		}
		link, _ := told["link"].(string)
		status, header, body := fetch(t, "GET", link, nil)
		if status != 200 || header.Get("Content-Type") != "text/csv" {
			t.Fatalf("%d %v", status, header)
		}
		got, want := rows(t, string(body)), rows(t, own["csv"].(string))
		if len(got) != 2001 || !reflect.DeepEqual(got[1:], want[1:]) {
			t.Errorf("%d rows, Odoo's own export has %d", len(got), len(want))
		}
		if status, _, _ := fetch(t, "GET", link, nil); status != 404 {
			t.Errorf("a second time: %d", status)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, row := range []struct {
			who, tool string
			args      kit.Args
			kind      string
		}{
			{"seller", "export_records", kit.Args{"model": "res.partner", "fields": []string{"name"}}, "forbidden"},
			{"orders", "export_records", kit.Args{"model": "sale.order", "fields": []string{"partner_id/bank_ids/acc_number"}}, "not_allowed"},
			{"admin", "export_records", kit.Args{"model": "res.users", "fields": []string{"password"}}, "not_allowed"},
			{"admin", "export_records", kit.Args{"model": "ir.config_parameter", "fields": []string{"value"}}, "not_allowed"},
			{"reader", "request_upload", kit.Args{"model": "crm.lead", "id": o.ID("lead"), "name": "x", "text": "x"}, "read_only"},
			{"seller", "request_upload", kit.Args{"model": "product.template", "id": o.ID("product"), "field": "image_1920", "base64": onePixel}, "forbidden"},
			{"admin", "request_upload", kit.Args{"model": "res.company", "id": 1, "field": "logo", "base64": onePixel}, "not_allowed"},
			{"admin", "request_upload", kit.Args{"model": "sale.order", "id": order, "field": "amount_total", "text": "7"}, "invalid_input"},
			{"admin", "update_records", kit.Args{"model": "product.template", "ids": []int64{o.ID("product")}, "values": `{"image_1920":"eA=="}`}, "invalid_input"},
		} {
			content, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(row.who)), row.tool, row.args)
			if failed != row.kind {
				t.Errorf("%s %s %v: %s %v", row.who, row.tool, row.args, failed, content)
			}
		}
	})
	t.Run("a link of another database", func(t *testing.T) {
		told := kit.Must(t, session, "export_records", kit.Args{"model": "crm.lead", "fields": []string{"name"}})
		link, _ := told["link"].(string)
		beside := kit.RealOdooWith(t, tradeModules, 0, `connection("key", admin)`)
		other := kit.Serve(t, beside.Environ()...)
		if status, _, body := fetch(t, "GET", strings.Replace(link, s.URL, other.URL, 1), nil); status != 404 {
			t.Errorf("%d %.200s", status, body)
		}
		if status, _, _ := fetch(t, "GET", link, nil); status != 200 {
			t.Errorf("where it belongs: %d", status)
		}
	})
}

// onePixel is a PNG, in base64.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func rows(t *testing.T, text string) [][]string {
	t.Helper()
	found, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// public asks Odoo for an address as somebody who is not logged in.
func public(t *testing.T, o *kit.Odoo, url string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Odoo-Database", o.DB)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var b bytes.Buffer
	_, _ = b.ReadFrom(answer.Body)
	return answer.StatusCode, b.Bytes()
}

func second(_ int, body []byte) []byte { return body }
