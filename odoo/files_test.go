package odoo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

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
	if err := files.FileOpen(ctx, up); err != nil {
		t.Fatal(err)
	}
	_, err := files.FileTake(ctx, up, audit)
	wantKind(t, err, access.NotFound)
	_, err = files.FilePut(ctx, up, nil, audit)
	wantKind(t, err, access.InvalidInput)
	attached, err := files.FilePut(ctx, up, sent, audit)
	if err != nil || attached.ID == 0 || attached.Name != "new.bin" || attached.Size != int64(len(sent)) {
		t.Fatalf("FilePut = %+v, %v", attached, err)
	}
	_, err = files.FilePut(ctx, up, sent, audit)
	wantKind(t, err, access.NotFound)
	wantKind(t, files.FileOpen(ctx, up), access.NotFound)

	down := linked("get_attachment", map[string]any{"attachment": attached.ID})
	wantKind(t, files.FileOpen(ctx, down), access.NotFound)
	file, err := files.FileTake(ctx, down, audit)
	if err != nil || file.Name == "" || len(file.Content) == 0 {
		t.Fatalf("FileTake = %q, %d bytes, %v", file.Name, len(file.Content), err)
	}
	if file.Name == "new.bin" && !bytes.Equal(file.Content, sent) { // the fake has a file of its own
		t.Error("the file came back as another")
	}
	_, err = files.FileTake(ctx, down, audit)
	wantKind(t, err, access.NotFound)

	for _, ticket := range []int64{0, -1, 1 << 30} {
		_, err := g.FileLink(ctx, fence, ticket, access.ProofOf("x"))
		if err == nil {
			t.Errorf("a link to file %d", ticket)
		}
	}
	nobody := fence
	nobody.Proof = access.ProofOf("dmk_nobody")
	_, err = g.FileLink(ctx, nobody, 1, access.ProofOf("x"))
	wantKind(t, err, access.Unauthenticated)
}
