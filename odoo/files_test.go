package odoo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"

	"doorman/odoo"
	"doorman/server/access"
)

// contractFiles: a file on its way into Odoo and out again, by one transport.
func contractFiles(t *testing.T, ctx context.Context, g access.Gateway, proof access.Proof) {
	files, fence := g.(access.Files), access.FenceOf(proof, mustResolve(t, g, proof))
	audit := access.Audit{RequestID: "r3", IP: "192.0.2.1", Client: "test/1", Method: "files/get", Tool: "get_attachment"}
	linked := func(method string, kwargs map[string]any) access.Proof {
		t.Helper()
		reply, err := g.Call(ctx, fence, access.Request{Model: "res.partner", Method: method, IDs: []int64{1}, Kwargs: kwargs})
		if err != nil {
			t.Fatal(err)
		}
		var told struct{ Ticket int64 }
		if err := json.Unmarshal(reply.Value, &told); err != nil || told.Ticket == 0 {
			t.Fatalf("%s answered %s, %v", method, reply.Value, err)
		}
		link := access.ProofOf("dmf_" + t.Name() + method)
		reply, err = g.FileLink(ctx, fence, told.Ticket, link)
		if err != nil || string(reply.Value) == "" {
			t.Fatalf("FileLink = %s, %v", reply.Value, err)
		}
		return link
	}
	sent := append([]byte("odd \x00\xff\r\n<&"), bytes.Repeat([]byte{7}, 300_000)...)
	up := linked("request_upload", map[string]any{"name": "new.bin"})
	opens := func(p access.Proof) error {
		_, err := files.FileOpen(ctx, p)
		return err
	}
	if opened, err := files.FileOpen(ctx, up); err != nil || opened.Fetch || opened.Name != "new.bin" {
		t.Fatalf("FileOpen = %+v, %v", opened, err)
	}
	_, err := files.FileTake(ctx, up, audit)
	_ = wantKind(t, err, access.NotFound)
	_, err = files.FilePut(ctx, up, nil, audit)
	_ = wantKind(t, err, access.InvalidInput)
	attached, err := files.FilePut(ctx, up, sent, audit)
	if err != nil || attached.ID == 0 || attached.Name != "new.bin" || attached.Size != int64(len(sent)) {
		t.Fatalf("FilePut = %+v, %v", attached, err)
	}
	_, err = files.FilePut(ctx, up, sent, audit)
	_ = wantKind(t, err, access.NotFound)
	_ = wantKind(t, opens(up), access.NotFound)

	down := linked("get_attachment", map[string]any{"attachment": attached.ID})
	opened, err := files.FileOpen(ctx, down)
	if err != nil || !opened.Fetch || opened.Name == "" || opened.Type == "" || opened.Size == 0 {
		t.Fatalf("FileOpen = %+v, %v", opened, err)
	}
	file, err := files.FileTake(ctx, down, audit)
	if err != nil || file.Name == "" || len(file.Content) == 0 {
		t.Fatalf("FileTake = %q, %d bytes, %v", file.Name, len(file.Content), err)
	}
	if file.Name == "new.bin" && !bytes.Equal(file.Content, sent) { // the fake has a file of its own
		t.Error("the file came back as another")
	}
	_, err = files.FileTake(ctx, down, audit)
	_ = wantKind(t, err, access.NotFound)

	for _, ticket := range []int64{0, -1, 1 << 30} {
		_, err := g.FileLink(ctx, fence, ticket, access.ProofOf("x"))
		if err == nil {
			t.Errorf("a link to file %d", ticket)
		}
	}
	nobody := fence
	nobody.Proof = access.ProofOf("dmk_nobody")
	_, err = g.FileLink(ctx, nobody, 1, access.ProofOf("x"))
	_ = wantKind(t, err, access.Unauthenticated)
}

// room is a link to send a file by.
func room(t *testing.T, c *odoo.Client, p access.Proof) access.Proof {
	t.Helper()
	fence := access.FenceOf(p, mustResolve(t, c, p))
	reply, err := c.Call(t.Context(), fence, access.Request{
		Model: "res.partner", Method: "request_upload", IDs: []int64{1}, Kwargs: map[string]any{"name": "golden.txt"}, Audit: access.Audit{Tool: "request_upload"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Ticket int64 }
	if err := json.Unmarshal(reply.Value, &told); err != nil {
		t.Fatal(err)
	}
	link := access.ProofOf("dmf_" + rand.Text())
	if _, err := c.FileLink(t.Context(), fence, told.Ticket, link); err != nil {
		t.Fatal(err)
	}
	return link
}

var fileCases = []goldenCase{
	{name: "request_upload", run: callCase(access.Request{
		Model: "res.partner", Method: "request_upload", IDs: []int64{1}, Kwargs: map[string]any{"name": "golden.txt"}, Audit: access.Audit{Tool: "request_upload"},
	})},
	{name: "file_link", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) { room(t, c, p) }},
	{name: "file_link_unknown", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		_, _ = c.FileLink(t.Context(), access.FenceOf(p, mustResolve(t, c, p)), 1<<30, p)
	}},
	{name: "file_open", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		_, _ = c.FileOpen(t.Context(), room(t, c, p))
	}},
	{name: "file_open_unknown", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) { _, _ = c.FileOpen(t.Context(), p) }},
	{name: "file_put", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		_, _ = c.FilePut(t.Context(), room(t, c, p), []byte("hello"), access.Audit{})
	}},
	{name: "file_put_empty", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		_, _ = c.FilePut(t.Context(), room(t, c, p), nil, access.Audit{})
	}},
	{name: "file_take", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		sent, err := c.FilePut(t.Context(), room(t, c, p), []byte("hello"), access.Audit{})
		if err != nil {
			t.Fatal(err)
		}
		fence := access.FenceOf(p, mustResolve(t, c, p))
		reply, err := c.Call(t.Context(), fence, access.Request{
			Model: "res.partner", Method: "get_attachment", IDs: []int64{1}, Kwargs: map[string]any{"attachment": sent.ID}, Audit: access.Audit{Tool: "get_attachment"},
		})
		if err != nil {
			t.Fatal(err)
		}
		var told struct{ Ticket int64 }
		if err := json.Unmarshal(reply.Value, &told); err != nil {
			t.Fatal(err)
		}
		link := access.ProofOf("dmf_" + rand.Text())
		if _, err := c.FileLink(t.Context(), fence, told.Ticket, link); err != nil {
			t.Fatal(err)
		}
		_, _ = c.FileTake(t.Context(), link, access.Audit{})
	}},
	{name: "file_take_unknown", run: func(t *testing.T, _ site, c *odoo.Client, p access.Proof) {
		_, _ = c.FileTake(t.Context(), p, access.Audit{})
	}},
}
