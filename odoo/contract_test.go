package odoo_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// transports are the four ways; auto is tested by itself.
var transports = []string{
	odoo.TransportDoorman, odoo.TransportJSON2, odoo.TransportJSONRPC, odoo.TransportXMLRPC,
}

// world is an Odoo that the contract runs against.
type world struct {
	credential string                           // of a connection that may do everything
	approvals  bool                             // whether some of that waits for a person
	revoke     func(t *testing.T) (cred string) // makes a connection and revokes it
	bump       func(t *testing.T, then func())  // raises the connection's version, runs then
	newClient  func(transport string) access.Gateway
}

func TestContractFake(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t)
			runContract(t, transport, world{
				credential: odootest.DefaultCredential,
				newClient:  func(transport string) access.Gateway { return newClient(t, s, transport) },
				revoke: func(*testing.T) string {
					s.Connect(odootest.Connection{Credential: "dmk_revoked"})
					s.Revoke("dmk_revoked")
					return "dmk_revoked"
				},
				bump: func(_ *testing.T, then func()) {
					s.Update(odootest.DefaultCredential, func(*access.Snapshot) {})
					then()
				},
			})
		})
	}
}

// newClient is a client for the fake, with its defaults.
func newClient(t testing.TB, s *odootest.Server, transport string, change ...func(*odoo.Config)) *odoo.Client {
	t.Helper()
	c := odoo.Config{
		URL: s.URL(), Database: s.Options().Database, Key: odoo.Key(s.Options().Key), Transport: transport,
		Timeout: 10 * time.Second,
	}
	for _, f := range change {
		f(&c)
	}
	client, err := odoo.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// runContract is what access.Gateway promises, by one transport.
func runContract(t *testing.T, transport string, w world) {
	ctx := t.Context()
	g := w.newClient(transport)
	proof := access.ProofOf(w.credential)

	t.Run("hello says who answers", func(t *testing.T) {
		h, err := g.Hello(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if h.OdooVersion == "" || h.AddonVersion == "" || h.Database == "" || h.Registry == "" || h.Settings == 0 || !h.Enabled {
			t.Errorf("Hello = %+v", h)
		}
	})
	t.Run("an unknown and a revoked credential get the same words", func(t *testing.T) {
		_, unknown := g.Resolve(ctx, access.ProofOf("dmk_nobody"))
		_, revoked := g.Resolve(ctx, access.ProofOf(w.revoke(t)))
		a, b := wantKind(t, unknown, access.Unauthenticated), wantKind(t, revoked, access.Unauthenticated)
		if a.Message != b.Message || a.Hint != b.Hint {
			t.Errorf("%v, but %v", a, b)
		}
	})
	t.Run("resolve gives a whole snapshot", func(t *testing.T) {
		r, err := g.Resolve(ctx, proof)
		if err != nil {
			t.Fatal(err)
		}
		s := r.Snapshot
		if s.Connection.ID == 0 || s.User.ID == 0 || s.User.Groups == "" || len(s.Connection.Policy.Scopes) == 0 || !s.Settings.Enabled {
			t.Errorf("Resolve = %+v", s)
		}
		if p := s.Connection.Policy; p.AllowedTools != nil || p.AllowedModels != nil || p.Companies != nil {
			t.Errorf("a policy without restrictions came with lists: %+v", p)
		} else if p.RateMinute < 1 || p.RateDay < 1 || p.Approvals != w.approvals || len(p.AllowedIPs)+len(p.BlockedIPs) > 0 {
			t.Errorf("rates, approval, addresses: %+v", p)
		}
		if !slices.Contains(s.Settings.Floor, "doorman.") || !slices.Contains(s.Settings.Floor, "ir.rule") || s.Settings.MissingModules == nil {
			t.Errorf("settings %+v", s.Settings)
		}
	})
	t.Run("calls", func(t *testing.T) { contractCalls(t, ctx, g, proof) })
	t.Run("refusals", func(t *testing.T) { contractRefusals(t, ctx, g, proof) })
	t.Run("an old fence is stale, and nothing is done", func(t *testing.T) {
		old := mustResolve(t, g, proof)
		w.bump(t, func() {
			r, err := g.Call(ctx, access.FenceOf(proof, old), searchRead(nil, "name"))
			if err != nil || r.Stale == nil || r.Value != nil {
				t.Fatalf("Call = %+v, %v", r, err)
			}
			if r.Stale.Connection.Version <= old.Connection.Version {
				t.Errorf("version %d after %d", r.Stale.Connection.Version, old.Connection.Version)
			}
			if r, err = g.Call(ctx, access.FenceOf(proof, r.Stale), searchRead(nil, "name")); err != nil || r.Value == nil {
				t.Errorf("with the fresh fence: %+v, %v", r, err)
			}
		})
	})
	t.Run("a fence of another registry is stale, and nothing is done", func(t *testing.T) {
		f := access.FenceOf(proof, mustResolve(t, g, proof))
		right := f.Registry
		f.Registry += "0"
		r, err := g.Call(ctx, f, searchRead(nil, "name"))
		if err != nil || r.Stale == nil || r.Value != nil || r.Stale.Registry != right {
			t.Fatalf("Call = %+v, %v", r, err)
		}
		if r, err = g.Fields(ctx, f, "res.partner", "en_US"); err != nil || r.Stale == nil || r.Value != nil {
			t.Fatalf("Fields = %+v, %v", r, err)
		}
	})
	t.Run("files", func(t *testing.T) { contractFiles(t, ctx, g, proof) })
	t.Run("upkeep", func(t *testing.T) { contractUpkeep(t, ctx, g) })
	t.Run("events and catalog", func(t *testing.T) { contractRecord(t, ctx, g) })
	t.Run("a cancelled call ends at once", func(t *testing.T) {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		_, err := g.Hello(gone)
		_ = wantKind(t, err, access.OdooTimeout)
	})
}

func contractCalls(t *testing.T, ctx context.Context, g access.Gateway, proof access.Proof) {
	fence := access.FenceOf(proof, mustResolve(t, g, proof))
	call := func(t *testing.T, r access.Request) []map[string]any {
		t.Helper()
		reply, err := g.Call(ctx, fence, r)
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal(reply.Value, &rows); err != nil {
			t.Fatalf("%s: %v", reply.Value, err)
		}
		return rows
	}
	rows := call(t, searchRead([]any{}, "name"))
	if len(rows) != 2 || rows[0]["name"] == "" {
		t.Errorf("search_read = %v", rows)
	}
	id := int64(rows[0]["id"].(float64))
	rows = call(t, access.Request{Model: "res.partner", Method: "read", IDs: []int64{id}, Kwargs: map[string]any{"fields": []string{"name"}}})
	if len(rows) != 1 {
		t.Errorf("read = %v", rows)
	}
	if rows = call(t, searchRead([]any{[]any{"name", "=", "nobody — ёж 🦔 <&\"'\\ \u2028"}}, "name")); len(rows) != 0 {
		t.Errorf("odd characters matched %v", rows)
	}
	rows = call(t, access.Request{Model: "res.partner", Method: "formatted_read_group", Kwargs: map[string]any{
		"groupby": []string{"country_id"}, "aggregates": []string{"__count"},
	}})
	if len(rows) == 0 || rows[0]["__count"] == nil {
		t.Errorf("formatted_read_group = %v", rows)
	}
	reply, err := g.Call(ctx, fence, access.Request{Model: "res.partner", Method: "search_count", Kwargs: map[string]any{"domain": []any{}}})
	if err != nil || string(reply.Value) == "0" {
		t.Errorf("search_count = %s, %v", reply.Value, err)
	}
	fields, err := g.Fields(ctx, fence, "res.partner", "en_US")
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Label, Order string
		Fields       map[string]map[string]any
	}
	if err := json.Unmarshal(fields.Value, &meta); err != nil || meta.Label == "" || meta.Order == "" ||
		meta.Fields["name"]["type"] != "char" || meta.Fields["country_id"]["relation"] != "res.country" {
		t.Errorf("Fields = %.200s, %v", fields.Value, err)
	}
}

func contractRefusals(t *testing.T, ctx context.Context, g access.Gateway, proof access.Proof) {
	fence := access.FenceOf(proof, mustResolve(t, g, proof))
	for _, row := range []struct {
		name string
		req  access.Request
		want access.Kind
	}{
		{"a model that is not there", access.Request{Model: "no.such.model", Method: "search_count"}, access.UnknownModel},
		{"a field that is not there", searchRead([]any{}, "no_such_field"), access.UnknownField},
		{"a field in a domain", searchRead([]any{[]any{"no_such_field", "=", 1}}, "name"), access.UnknownField},
		{"a private method", access.Request{Model: "res.partner", Method: "_search"}, access.NotAllowed},
		{"a method that the addon does not know", access.Request{Model: "res.partner", Method: "toggle_active"}, access.NotAllowed},
		{"an operation that is none", access.Request{Method: "shutdown"}, access.NotAllowed},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := g.Call(ctx, fence, row.req)
			_ = wantKind(t, err, row.want)
		})
	}
	t.Run("a proof that opens nothing", func(t *testing.T) {
		f := fence
		f.Proof = access.ProofOf("dmk_nobody")
		_, err := g.Call(ctx, f, searchRead([]any{}, "name"))
		_ = wantKind(t, err, access.Unauthenticated)
	})
	t.Run("fields by a proof that opens nothing", func(t *testing.T) {
		f := fence
		f.Proof = access.ProofOf("dmk_nobody")
		_, err := g.Fields(ctx, f, "res.partner", "en_US")
		_ = wantKind(t, err, access.Unauthenticated)
	})
}

func contractRecord(t *testing.T, ctx context.Context, g access.Gateway) {
	err := g.Record(ctx, []access.Event{{
		Time: time.Now(), Model: "res.partner", Reason: access.RateLimited, Message: "Too many requests.", Count: 3,
		Audit: access.Audit{RequestID: "r1", IP: "192.0.2.1", Client: "test/1", Method: "tools/call", Tool: "search_records"},
	}, {
		Time: time.Now(), Served: true, Count: 2,
		Audit: access.Audit{RequestID: "r2", IP: "192.0.2.1", Client: "test/1", Method: "tools/list"},
	}})
	if err != nil {
		t.Errorf("Record: %v", err)
	}
	if err := g.Record(ctx, nil); err != nil {
		t.Errorf("Record of nothing: %v", err)
	}
	tool := access.CatalogTool{
		Name: "search_records", Title: "Search records", Description: "Finds records.", Category: "records",
		Scope: access.ScopeSearch, Risk: "low", InputSchema: json.RawMessage(`{"type":"object"}`),
	}
	for range 2 { // the second time nothing is new
		if err := g.SyncCatalog(ctx, []access.CatalogTool{tool}); err != nil {
			t.Errorf("SyncCatalog: %v", err)
		}
	}
}

// contractUpkeep: each job that hello lists may be run again and again, by any number of replicas; nothing else runs.
func contractUpkeep(t *testing.T, ctx context.Context, g access.Gateway) {
	hello, err := g.Hello(ctx)
	if err != nil || len(hello.Jobs) == 0 {
		t.Fatalf("no jobs: %+v, %v", hello, err)
	}
	for _, job := range hello.Jobs {
		if job.Name == "" || job.Every < time.Second || job.Timeout < time.Second {
			t.Errorf("%+v", job)
		}
		for range 2 {
			if p, err := g.Upkeep(ctx, job.Name); err != nil || p.Done < 0 || p.More {
				t.Errorf("%s = %+v, %v", job.Name, p, err)
			}
		}
	}
	for _, name := range []string{"", "no_such_job", "_fold_use", "__class__", "_alone", "sudo", "hello", "run_job", "FOLD_USE", "fold_use "} {
		_, err := g.Upkeep(ctx, name)
		if e := access.AsError(err); err == nil || e.Kind != access.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// searchRead asks for two partners.
func searchRead(domain []any, fields ...string) access.Request {
	if domain == nil {
		domain = []any{}
	}
	return access.Request{Model: "res.partner", Method: "search_read", Kwargs: map[string]any{
		"domain": domain, "fields": fields, "limit": 2, "order": "id",
	}}
}

func mustResolve(t testing.TB, g access.Gateway, p access.Proof) *access.Snapshot {
	t.Helper()
	r, err := g.Resolve(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r.Snapshot
}

// wantKind demands an *access.Error of a kind, and returns it.
func wantKind(t testing.TB, err error, kind access.Kind) *access.Error {
	t.Helper()
	var e *access.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want kind %s", err, err, kind)
	}
	if e.Kind != kind || e.Message == "" {
		t.Fatalf("error %v, want kind %s", e, kind)
	}
	return e
}
