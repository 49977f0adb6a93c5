package odoo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealFiles: files on their way past the model, on Odoo's own documents.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	lead, order, invoice := o.ID("lead"), o.ID("order"), o.ID("invoice")
	linkOf := func(t *testing.T, content map[string]any) string {
		t.Helper()
		link, _ := content["link"].(string)
		if !strings.HasPrefix(link, s.URL+"/files/dmf_") {
			t.Fatalf("no link in %v", content)
		}
		return link
	}

	t.Run("a file", func(t *testing.T) {
		list, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "crm.lead", "id": lead})["files"].([]any)
		// Other tests on this database may have attached theirs.
		var file map[string]any
		for _, one := range list {
			if one, _ := one.(map[string]any); one["name"] == "plan.txt" {
				file = one
			}
		}
		if file == nil {
			t.Fatalf("files %v", list)
		}
		one := kit.Must(t, session, "get_attachment", kit.Args{"model": "crm.lead", "id": lead, "attachment_id": file["id"], "text": true})
		if one["text"] != "12345" || one["name"] != "plan.txt" {
			t.Errorf("%v", one)
		}
		link := linkOf(t, one)
		status, header, body := fetch(t, "GET", link, nil)
		if status != 200 || string(body) != "12345" || header.Get("Content-Disposition") != "attachment; filename=plan.txt" {
			t.Errorf("%d %v %s", status, header, body)
		}
		if status, _, body := fetch(t, "GET", link, nil); status != 404 || !bytes.Contains(body, []byte("no longer works")) {
			t.Errorf("a second time: %d %s", status, body)
		}
		if strings.Contains(s.Log(), strings.TrimPrefix(link, s.URL)) {
			t.Error("the link is in the service's log")
		}
	})
	t.Run("sent", func(t *testing.T) {
		content := []byte("%PDF-1.4 contract")
		sum := sha256.Sum256(content)
		room := kit.Must(t, session, "request_upload", kit.Args{
			"model": "sale.order", "id": order, "name": "contract.pdf", "size": len(content), "sha256": hex.EncodeToString(sum[:]),
		})
		link := linkOf(t, room)
		if status, _, body := fetch(t, "PUT", link, []byte("%PDF-1.4 another!")); status != 422 || !bytes.Contains(body, []byte("sha256")) {
			t.Errorf("another file: %d %s", status, body)
		}
		status, _, body := fetch(t, "PUT", link, content)
		var told struct {
			ID   int64 `json:"attachment_id"`
			Type string
		}
		if err := json.Unmarshal(body, &told); err != nil || status != 201 || told.ID == 0 || told.Type != "application/pdf" {
			t.Fatalf("%d %s", status, body)
		}
		back := kit.Must(t, session, "get_attachment", kit.Args{"model": "sale.order", "id": order, "attachment_id": told.ID})
		if _, _, body := fetch(t, "GET", linkOf(t, back), nil); !bytes.Equal(body, content) {
			t.Errorf("came back as %q", body)
		}
		if status, _, _ := fetch(t, "PUT", link, content); status != 404 {
			t.Errorf("a second time: %d", status)
		}
	})
	t.Run("printed", func(t *testing.T) {
		for _, row := range []kit.Args{
			{"model": "account.move", "ids": []int64{invoice}, "report": "account.report_invoice"},
			{"model": "sale.order", "ids": []int64{order}, "report": "sale.report_saleorder"},
			{"model": "account.move", "ids": []int64{invoice}, "report": "account.report_invoice_with_payments", "language": "fr_FR"},
		} {
			printed := kit.Must(t, session, "get_report", row)
			if printed["type"] != "application/pdf" || printed["size"].(float64) < 5_000 {
				t.Errorf("%v: %v", row, printed)
			}
			status, header, body := fetch(t, "GET", linkOf(t, printed), nil)
			if status != 200 || !bytes.HasPrefix(body, []byte("%PDF-")) || header.Get("Content-Type") != "application/pdf" {
				t.Errorf("%d %v %.40q", status, header, body)
			}
		}
		content, failed := kit.Call(t, session, "get_report", kit.Args{"model": "sale.order", "ids": []int64{order}, "report": "Qotation"})
		if failed != "invalid_input" || !strings.Contains(kit.Text(t, content), "sale.report_saleorder") {
			t.Errorf("%s %v", failed, content)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, row := range []struct {
			who, tool string
			args      kit.Args
			kind      string
		}{
			{"reader", "request_upload", kit.Args{"model": "res.partner", "id": o.ID("partner"), "name": "x"}, "read_only"},
			{"orders", "get_attachment", kit.Args{"model": "res.partner", "id": o.ID("partner")}, "not_allowed"},
			{"orders", "get_report", kit.Args{"model": "sale.order", "ids": []int64{order}}, "not_allowed"},
			{"seller", "get_attachment", kit.Args{"model": "account.move", "id": invoice}, "forbidden"},
			{"seller", "request_upload", kit.Args{"model": "account.move", "id": invoice, "name": "x"}, "forbidden"},
			{"admin", "request_upload", kit.Args{"model": "res.users", "id": 2, "name": "x"}, "not_allowed"},
			{"admin", "get_attachment", kit.Args{"model": "res.users", "id": 2, "field": "password"}, "not_allowed"},
			{"admin", "get_attachment", kit.Args{"model": "ir.config_parameter", "id": 1}, "not_allowed"},
		} {
			content, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(row.who)), row.tool, row.args)
			if failed != row.kind {
				t.Errorf("%s %s %v: %s %v", row.who, row.tool, row.args, failed, content)
			}
		}
	})
	t.Run("a crowd at one link", func(t *testing.T) {
		list, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "crm.lead", "id": lead})["files"].([]any)
		file, _ := list[0].(map[string]any)
		link := linkOf(t, kit.Must(t, session, "get_attachment", kit.Args{"model": "crm.lead", "id": lead, "attachment_id": file["id"]}))
		statuses := make(chan int, 20)
		for range cap(statuses) {
			go func() {
				status, _, _ := fetch(t, "GET", link, nil)
				statuses <- status
			}()
		}
		got := map[int]int{}
		for range cap(statuses) {
			got[<-statuses]++
		}
		if got[200] != 1 || got[404] != cap(statuses)-1 {
			t.Errorf("%v", got)
		}
	})
}

// fetch asks for an address as any program would.
func fetch(t *testing.T, method, url string, body []byte) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, nil, nil
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, nil, nil
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, answer.Header, got
}
