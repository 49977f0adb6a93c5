package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

var filesNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func filesEndpoint(t *testing.T, f *fakeGateway) string {
	t.Helper()
	f.change(func(s *access.Snapshot) {
		s.Connection.Policy.Scopes = append(s.Connection.Policy.Scopes, access.ScopeORM)
	})
	return endpoint(t, f, func(c *mcp.Config) {
		c.FilesURL, c.Now = "https://mcp.example/files/", func() time.Time { return filesNow }
	}).URL
}

// TestFileTools: what Odoo is asked, and what the client gets: never bytes, and a link whose token Odoo did not see.
func TestFileTools(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, tool, args, answer, kwargs, want string }{
		{
			"a list", "get_attachment", `{"model":"res.partner","id":1}`,
			`{"files":[{"id":4,"name":"a.txt","type":"text/plain","size":5}],"more":true}`, `{}`,
			`{"files":[{"id":4,"name":"a.txt","size":5,"type":"text/plain"}],"has_more":true,"model":"res.partner"}`,
		},
		{
			"one", "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4,"text":true}`,
			`{"file":{"name":"a.txt","type":"text/plain","size":5},"text":"","text_more":false,"text_next":0,"text_notes":[],"ticket":9}`, `{"attachment":4,"text":true}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"res.partner","name":"a.txt",` +
				`"note":"The link works once. Fetch the file with GET, or give the link to your user.","size":5,"text":"","type":"text/plain"}`,
		},
		{
			"a page", "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4,"offset":30000}`,
			`{"file":{"name":"a.pdf","type":"application/pdf","size":5},"text":"b","text_more":true,"text_next":60000,"text_notes":["2 pages without text."],"ticket":9}`,
			`{"attachment":4,"offset":30000,"text":true}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"res.partner","name":"a.pdf","next_offset":60000,` +
				`"note":"2 pages without text. The text continues: ask again with offset = next_offset. The link works once. Fetch the file with GET, or give the link to your user.",` +
				`"size":5,"text":"b","type":"application/pdf"}`,
		},
		{
			"sent along as text", "request_upload", `{"model":"res.partner","id":1,"name":"n.txt","text":"Grüße"}`,
			`{"attachment_id":71,"name":"n.txt","type":"text/plain","size":7,"changed":[]}`, `{"name":"n.txt","raw":"R3LDvMOfZQ=="}`,
			`{"attachment_id":71,"changed":[],"id":1,"model":"res.partner","name":"n.txt","size":7,"type":"text/plain"}`,
		},
		{
			"into a field", "request_upload", `{"model":"res.partner","id":1,"field":"image_1920","base64":"data:image/png;base64,aGVs\nbG8="}`,
			`{"field":"image_1920","name":"image_1920","type":"image/png","size":5,"replayed":true}`, `{"field":"image_1920","raw":"aGVsbG8="}`,
			`{"field":"image_1920","id":1,"model":"res.partner","name":"image_1920","replayed":true,"size":5,"type":"image/png"}`,
		},
		{
			"sent along, with an answer that cannot be read", "request_upload", `{"model":"res.partner","id":1,"name":"n.txt","text":"x"}`,
			`true`, `{"name":"n.txt","raw":"eA=="}`,
			`{"id":1,"model":"res.partner","note":"It is done, but Odoo's answer could not be read: look at the record."}`,
		},
		{
			"room in a field", "request_upload", `{"model":"res.partner","id":1,"field":"image_1920"}`,
			`{"upload":{"name":"image_1920","size":0,"sha256":""},"ticket":9}`, `{"field":"image_1920"}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"res.partner","name":"image_1920",` +
				`"note":"The link works once. Send the file's bytes to it with PUT (curl -T FILE LINK); the answer then says where it is."}`,
		},
		{
			"an export", "export_records", `{"model":"res.partner","fields":["name","parent_id.ref"],"domain":[["name","=","A"]],"format":"XLSX"}`,
			`{"file":{"name":"Contact (res.partner).xlsx","type":"application/x","size":70,"rows":0},"ticket":9}`,
			`{"domain":[["name","=","A"]],"fields":["name","parent_id.ref"],"format":"xlsx"}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"res.partner","name":"Contact (res.partner).xlsx",` +
				`"note":"The link works once. Fetch the file with GET, or give the link to your user.","rows":0,"size":70,"type":"application/x"}`,
		},
		{
			"a web address", "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4}`,
			`{"file":{"name":"Web","type":"","size":0},"url":"https://example.com"}`, `{"attachment":4}`,
			`{"model":"res.partner","name":"Web","url":"https://example.com"}`,
		},
		{
			"a report", "get_report", `{"model":"sale.order","ids":[1,2],"report":" Quotation ","language":"de_DE"}`,
			`{"file":{"name":"Quotation (2).pdf","type":"application/pdf","size":70000},"ticket":9}`, `{"report":"Quotation"}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"sale.order","name":"Quotation (2).pdf",` +
				`"note":"The link works once. Fetch the file with GET, or give the link to your user.","size":70000,"type":"application/pdf"}`,
		},
		{
			"room", "request_upload", `{"model":"res.partner","id":1,"name":"n.pdf","size":7,"sha256":"ab"}`,
			`{"upload":{"name":"n.pdf","size":7,"sha256":"ab"},"ticket":9}`, `{"name":"n.pdf","sha256":"ab","size":7}`,
			`{"expires_at":"2026-11-23T12:15:00Z","link":"LINK","model":"res.partner","name":"n.pdf",` +
				`"note":"The link works once. Send the file's bytes to it with PUT (curl -T FILE LINK); the answer then says where it is."}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := answering(row.answer)
			a := call(t, filesEndpoint(t, f), row.tool, row.args)
			if a.kind() != "" || f.callCount() != 1 {
				t.Fatalf("%d calls: %s", f.callCount(), a.body)
			}
			if kwargs, err := json.Marshal(f.last().Kwargs); err != nil || f.last().Method != row.tool || string(kwargs) != row.kwargs {
				t.Errorf("asked %s %s", f.last().Method, kwargs)
			}
			got, err := json.Marshal(a.Result.StructuredContent)
			if err != nil {
				t.Fatal(err)
			}
			var told struct{ Link string }
			if err := json.Unmarshal(got, &told); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(row.want, "LINK\"") {
				token := strings.TrimPrefix(told.Link, "https://mcp.example/files/")
				if f.links[9] != access.ProofOf(token) || len(token) != 47 {
					t.Errorf("link %q is not the one that was opened", told.Link)
				}
			} else if len(f.links) != 0 || told.Link != "" {
				t.Errorf("a link to nothing: %s", got)
			}
			if want := strings.Replace(row.want, `"LINK"`, `"`+told.Link+`"`, 1); string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestEachLinkIsAnother: two calls, two tokens.
func TestEachLinkIsAnother(t *testing.T) {
	t.Parallel()
	f := answering(`{"file":{"name":"a","type":"","size":5},"ticket":9}`)
	url := filesEndpoint(t, f)
	call(t, url, "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4}`)
	first := f.links[9]
	call(t, url, "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4}`)
	if first == f.links[9] {
		t.Error("the same token twice")
	}
}

// TestFileToolsRefused: before Odoo is asked.
func TestFileToolsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ tool, args, kind, says string }{
		{"get_attachment", `{"model":"res.partner"}`, "invalid_input", "id"},
		{"get_attachment", `{"id":1}`, "invalid_input", "model"},
		{"get_attachment", `{"model":"res.partner","id":1,"attachment_id":-1}`, "invalid_input", "attachment"},
		{"get_attachment", `{"model":"res.partner","id":1,"attachment_id":"four"}`, "invalid_input", "attachment_id"},
		{"get_attachment", `{"model":"res.partner","id":1,"base64":true}`, "invalid_input", "base64"},
		{"get_attachment", `{"model":"ir.rule","id":1}`, "not_allowed", "ir.rule"},
		{"get_report", `{"model":"res.partner"}`, "invalid_input", "ids"},
		{"get_report", `{"model":"res.partner","ids":[0]}`, "invalid_input", "ids"},
		{"get_report", `{"model":"res.partner","ids":[1],"language":"x;y"}`, "invalid_input", "language"},
		{"get_report", `{"model":"ir.rule","ids":[1]}`, "not_allowed", "ir.rule"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","size":-1}`, "too_large", "bytes"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","size":20971521}`, "too_large", "20971520"},
		{"request_upload", `{"model":"res.partner","id":0,"name":"a"}`, "invalid_input", "id"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","text":"` + strings.Repeat("x", 70<<10) + `"}`, "too_large", "65536"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","text":"` + strings.Repeat("x", access.MaxInline+1) + `"}`, "too_large", "65536"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","base64":"` + strings.Repeat("eHh4", 70<<10/3) + `"}`, "too_large", "65536"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","base64":"x"}`, "invalid_input", "base64"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","base64":"aGVsbG8"}`, "invalid_input", "base64"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","base64":"aGVsbG9="}`, "invalid_input", "base64"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","base64":"data:text/plain,hello"}`, "invalid_input", "base64"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","text":"a","base64":"aGVsbG8="}`, "invalid_input", "Both"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","text":5}`, "invalid_input", "text"},
		{"request_upload", `{"model":"res.partner","id":1,"name":"a","idempotency_key":"` + strings.Repeat("x", 65) + `"}`, "invalid_input", "idempotency_key"},
		{"get_attachment", `{"model":"res.partner","id":1,"offset":-1}`, "invalid_input", "offset"},
		{"export_records", `{"model":"res.partner"}`, "invalid_input", "fields"},
		{"export_records", `{"model":"res.partner","fields":["` + strings.Repeat(`a","`, 100) + `a"]}`, "invalid_input", "100"},
		{"export_records", `{"model":"res.partner","fields":["name"],"format":"ods"}`, "invalid_input", "csv"},
		{"export_records", `{"model":"res.partner","fields":["name"],"domain":[["nme","=",1]]}`, "unknown_field", "nme"},
		{"export_records", `{"model":"ir.rule","fields":["name"]}`, "not_allowed", "ir.rule"},
		{"request_upload", `{"model":"res.partner","id":1}`, "invalid_input", "name"},
		{"request_upload", `{"model":"ir.rule","id":1,"name":"a"}`, "not_allowed", "ir.rule"},
	} {
		t.Run(row.tool+row.args, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			a := call(t, filesEndpoint(t, f), row.tool, row.args)
			if a.kind() != row.kind || !strings.Contains(a.body, row.says) || f.callCount() != 0 {
				t.Errorf("%d calls: %s", f.callCount(), a.body)
			}
		})
	}
	t.Run("read only", func(t *testing.T) {
		t.Parallel()
		f := newFake()
		url := filesEndpoint(t, f)
		f.change(func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true })
		if a := call(t, url, "request_upload", `{"model":"res.partner","id":1,"name":"a"}`); a.kind() != "read_only" || f.callCount() != 0 {
			t.Errorf("%s", a.body)
		}
	})
}

// TestNoLinkNoFile: where the link cannot be opened, the model is not told that there is one.
func TestNoLinkNoFile(t *testing.T) {
	t.Parallel()
	f := answering(`{"file":{"name":"a","type":"","size":5},"ticket":9}`)
	f.link = func() (access.Reply, error) {
		return access.Reply{}, access.NewError(access.NotFound, "This file has already been fetched.", "Ask for a new one.")
	}
	a := call(t, filesEndpoint(t, f), "get_attachment", `{"model":"res.partner","id":1,"attachment_id":4}`)
	if a.kind() != "not_found" || strings.Contains(a.body, "/files/") {
		t.Error(a.body)
	}
}
