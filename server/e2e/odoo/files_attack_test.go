package odoo_test

import (
	"bytes"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// TestRealFilesAttack: files as large as may be, and a crowd that sends to one link.
func TestRealFilesAttack(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	order := o.ID("order")
	room := func(t *testing.T, name string) string {
		t.Helper()
		link, _ := kit.Must(t, session, "request_upload", kit.Args{"model": "sale.order", "id": order, "name": name})["link"].(string)
		return link
	}

	t.Run("the largest file", func(t *testing.T) {
		content := bytes.Repeat([]byte("0123456789abcdef"), access.MaxFile/16)
		if status, _, body := fetch(t, "PUT", room(t, "large.bin"), content); status != 201 {
			t.Fatalf("sent: %d %.300s", status, body)
		}
		list, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "sale.order", "id": order})["files"].([]any)
		file, _ := list[0].(map[string]any)
		link, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "sale.order", "id": order, "attachment_id": file["id"]})["link"].(string)
		if status, _, body := fetch(t, "GET", link, nil); status != 200 || !bytes.Equal(body, content) {
			t.Errorf("fetched: %d with %d bytes", status, len(body))
		}
	})
	t.Run("a crowd that sends", func(t *testing.T) {
		link := room(t, "crowd.txt")
		statuses := make(chan int, 20)
		for range cap(statuses) {
			go func() {
				status, _, _ := fetch(t, "PUT", link, []byte("one of many"))
				statuses <- status
			}()
		}
		got := map[int]int{}
		for range cap(statuses) {
			got[<-statuses]++
		}
		if got[201] != 1 || got[201]+got[404]+got[409] != cap(statuses) {
			t.Errorf("%v", got)
		}
	})
}
