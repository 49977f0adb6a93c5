package odootest_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// connect is a client of the fake, and a fence for its one connection.
func connect(t testing.TB, s *odootest.Server) (*odoo.Client, access.Proof, access.Fence) {
	t.Helper()
	c, err := odoo.New(odoo.Config{URL: s.URL(), Database: s.Options().Database, Key: odoo.Key(s.Options().Key)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p := access.ProofOf(odootest.DefaultCredential)
	r, err := c.Resolve(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return c, p, access.FenceOf(p, r.Snapshot)
}

func kind(err error) access.Kind {
	if err == nil {
		return ""
	}
	return access.AsError(err).Kind
}

// TestRevocation: each way in which a connection ends, and the fence that notices it.
func TestRevocation(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(s *odootest.Server)
		want   access.Kind // "" = stale
	}{
		{"revoked", func(s *odootest.Server) { s.Revoke(odootest.DefaultCredential) }, access.Unauthenticated},
		{"expired", func(s *odootest.Server) {
			s.Update(odootest.DefaultCredential, func(snap *access.Snapshot) { snap.Connection.ExpiresAt = time.Now().Add(-time.Second) })
		}, access.Unauthenticated},
		{"inactive", func(s *odootest.Server) {
			s.Update(odootest.DefaultCredential, func(snap *access.Snapshot) { snap.Connection.Status = access.StatusInactive })
		}, access.Unauthenticated},
		{"switched off", func(s *odootest.Server) { s.SetEnabled(false) }, access.Forbidden},
		{"policy changed", func(s *odootest.Server) {
			s.Update(odootest.DefaultCredential, func(snap *access.Snapshot) { snap.Connection.Policy.ReadOnly = true })
		}, ""},
		{"switched off and on", func(s *odootest.Server) { s.SetEnabled(false); s.SetEnabled(true) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t)
			c, _, fence := connect(t, s)
			row.change(s)
			r, err := c.Call(t.Context(), fence, access.Request{Model: "res.partner", Method: "unlink", IDs: []int64{1}})
			if kind(err) != row.want || (row.want == "") != (r.Stale != nil) {
				t.Errorf("%+v, %v", r, err)
			}
			if s.Effects() != 0 || s.Record("res.partner", 1) == nil {
				t.Error("it was done")
			}
		})
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	c, _, fence := connect(t, s)
	call := func(method string, ids []int64, kwargs map[string]any) (string, access.Kind) {
		r, err := c.Call(t.Context(), fence, access.Request{Model: "res.partner", Method: method, IDs: ids, Kwargs: kwargs})
		return string(r.Value), kind(err)
	}
	domain := func(d ...any) map[string]any { return map[string]any{"domain": d} }
	for _, row := range []struct {
		method string
		ids    []int64
		kwargs map[string]any
		want   string
		kind   access.Kind
	}{
		{"search_count", nil, domain(), "25", ""},
		{"search_count", nil, domain([]any{"name", "ilike", "PARTNER 0"}), "9", ""},
		{"search_count", nil, domain("|", []any{"id", "=", 1}, []any{"id", "in", []int{2, 3}}), "3", ""},
		{"search_count", nil, domain("!", []any{"id", ">", 2}), "2", ""},
		{"search_count", nil, domain([]any{"country_id", "=", "Belgium"}), "7", ""},
		{"search_count", nil, domain([]any{"country_id.name", "=", 1}), "7", ""},
		{"search_count", nil, domain([]any{"nope", "=", 1}), "", access.UnknownField},
		{"search_count", nil, domain([]any{"id", "~", 1}), "", access.InvalidInput},
		{"search_count", nil, domain("&", []any{"id", "=", 1}), "", access.InvalidInput},
		{"search_read", nil, map[string]any{"fields": []string{"name"}, "limit": 1, "order": "name desc"}, `[{"id":25,"name":"Partner 25"}]`, ""},
		{"search_read", nil, map[string]any{"order": "nope"}, "", access.UnknownField},
		{"read", []int64{1, 99}, map[string]any{"fields": []string{"email"}}, `[{"email":"partner1@example.com","id":1}]`, ""},
		{
			"formatted_read_group", nil,
			map[string]any{"groupby": []string{"is_company"}, "aggregates": []string{"__count", "color:sum"}},
			`[{"__count":16,"__extra_domain":[["is_company","=",false]],"color:sum":32,"is_company":false},` +
				`{"__count":9,"__extra_domain":[["is_company","=",true]],"color:sum":18,"is_company":true}]`, "",
		},
		{"write", []int64{1}, map[string]any{"vals": map[string]any{"name": "Renamed"}}, `{"change_id":1,"changed":[{"action":"updated","count":1,"fields":["name"],"ids":[1],"model":"res.partner","values":{"1":{"name":["Partner 01","Renamed"]}}}],"ids":[1],"names":["Partner 01"],"url":"http://odoo.example/odoo/res.partner/"}`, ""},
		{"write", []int64{1}, map[string]any{"vals": map[string]any{"name": "Renamed"}}, `{"changed":[],"ids":[1],"names":["Partner 01"],"url":"http://odoo.example/odoo/res.partner/"}`, ""},
		{"write", []int64{99}, map[string]any{"vals": map[string]any{"name": "x"}}, "", access.NotFound},
		{"write", []int64{1}, map[string]any{"vals": map[string]any{"nope": 1}}, "", access.UnknownField},
		{"create", nil, map[string]any{"vals_list": []any{map[string]any{"name": "New"}}}, `{"change_id":2,"changed":[{"action":"created","count":1,"fields":["name"],"ids":[26],"model":"res.partner"}],"ids":[26],"names":["New"],"url":"http://odoo.example/odoo/res.partner/"}`, ""},
		{"unlink", []int64{26}, nil, `{"changed":[{"action":"deleted","count":1,"fields":[],"ids":[26],"model":"res.partner"}],"ids":[26],"names":["New"]}`, ""},
		{"web_save", []int64{1}, nil, "", access.NotAllowed},
	} {
		got, k := call(row.method, row.ids, row.kwargs)
		if got != row.want || k != row.kind {
			t.Errorf("%s %v %v: %s %s", row.method, row.ids, row.kwargs, got, k)
		}
	}
	if s.Effects() != 4 || s.Record("res.partner", 1)["name"] != "Renamed" || s.Record("res.partner", 26) != nil {
		t.Errorf("%d effects, %v", s.Effects(), s.Record("res.partner", 1))
	}
}

func TestModelRule(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	s.Update(odootest.DefaultCredential, func(snap *access.Snapshot) { snap.Connection.Policy.AllowedModels = []string{"res.country"} })
	c, _, fence := connect(t, s)
	for model, want := range map[string]access.Kind{"res.country": "", "res.partner": access.NotAllowed, "no.such": access.NotAllowed} {
		_, err := c.Call(t.Context(), fence, access.Request{Model: model, Method: "search_count"})
		if kind(err) != want {
			t.Errorf("%s: %v", model, err)
		}
	}
}

func TestHandle(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{Handle: func(c odootest.Call) (any, *odootest.Problem, bool) {
		switch c.Method {
		case "action_post":
			return map[string]any{"done": c.IDs}, nil, true
		case "action_refuse":
			return nil, &odootest.Problem{Kind: "business_rule", Message: "Not now."}, true
		}
		return nil, nil, false
	}})
	c, _, fence := connect(t, s)
	r, err := c.Call(t.Context(), fence, access.Request{Model: "account.move", Method: "action_post", IDs: []int64{4}})
	if err != nil || string(r.Value) != `{"done":[4]}` || s.Effects() != 1 {
		t.Errorf("%s, %v, %d effects", r.Value, err, s.Effects())
	}
	_, err = c.Call(t.Context(), fence, access.Request{Model: "account.move", Method: "action_refuse", IDs: []int64{4}})
	if kind(err) != access.BusinessRule || s.Effects() != 1 {
		t.Errorf("%v, %d effects", err, s.Effects())
	}
	if a := s.Audit(); len(a) != 2 || a[1].Outcome != "business_rule" {
		t.Errorf("audit %+v", a)
	}
}

func TestAddModelAndSeen(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	s.AddModel("crm.lead", odootest.Model{
		Label: "Lead", Fields: []odootest.Field{{Name: "name", Type: "char", Label: "Name"}},
		Records: []odootest.Record{{"name": "A"}, {"id": 9, "name": "B"}},
	})
	c, _, fence := connect(t, s)
	r, err := c.Call(t.Context(), fence, access.Request{Model: "crm.lead", Method: "search_read", Kwargs: map[string]any{"fields": []string{"name"}}})
	if err != nil || string(r.Value) != `[{"id":1,"name":"A"},{"id":9,"name":"B"}]` {
		t.Errorf("%s, %v", r.Value, err)
	}
	if err := c.Record(t.Context(), []access.Event{{Reason: access.RateLimited, Count: 2}}); err != nil || len(s.Events()) != 1 {
		t.Errorf("%v, %v", err, s.Events())
	}
	if err := c.SyncCatalog(t.Context(), []access.CatalogTool{{Name: "t"}}); err != nil || len(s.Catalog()) != 1 {
		t.Errorf("%v, %v", err, s.Catalog())
	}
	if s.Count("call") != 1 || s.Total() != 4 || len(s.Requests()) != 4 {
		t.Errorf("%d calls of %d", s.Count("call"), s.Total())
	}
	if s.Reset(); s.Total() != 0 || s.Effects() != 0 {
		t.Error("not reset")
	}
}

// TestNeedsModule: what the catalog says needs a module is not there, as in an Odoo that has only the base addon.
func TestNeedsModule(t *testing.T) {
	s := odootest.New(t)
	c, proof, fence := connect(t, s)
	told := func() access.Settings {
		t.Helper()
		r, err := c.Resolve(t.Context(), proof)
		if err != nil {
			t.Fatal(err)
		}
		return r.Snapshot.Settings
	}
	if got := told(); len(got.MissingModules) != 0 || !slices.Equal(got.DisabledTools, []string{"run_python", "run_sql"}) {
		t.Errorf("before the catalog is known: %+v", got)
	}
	request := access.Request{Method: "run_sql", Kwargs: map[string]any{"query": "SELECT 1"}}
	if _, err := c.Call(t.Context(), fence, request); access.AsError(err).Kind != access.NotAllowed {
		t.Errorf("got %v", err)
	}
	err := c.SyncCatalog(t.Context(), []access.CatalogTool{
		{Name: "run_python"}, {Name: "run_sql", NeedsModule: "some_module"}, {Name: "other", NeedsModule: "some_module"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := told(); !slices.Equal(got.MissingModules, []string{"some_module"}) || !slices.Equal(got.DisabledTools, []string{"run_python"}) {
		t.Errorf("once it is known: %+v", got)
	}
	if _, err := c.Call(t.Context(), fence, request); access.AsError(err).Kind != access.NeedsModule {
		t.Errorf("got %v", err)
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	c, p, _ := connect(t, s)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 20 {
				r, err := c.Resolve(t.Context(), p)
				if err != nil {
					t.Error(err)
					return
				}
				method, kwargs := "search_read", map[string]any{"limit": 3}
				if i%4 == 0 {
					method, kwargs = "create", map[string]any{"vals_list": []any{map[string]any{"name": fmt.Sprint(i, j)}}}
				}
				if _, err := c.Call(t.Context(), access.FenceOf(p, r.Snapshot), access.Request{Model: "res.partner", Method: method, Kwargs: kwargs}); err != nil {
					t.Error(err)
				}
				if i == 1 && j == 10 {
					s.Inject(odootest.Fault{Kind: odootest.Slow, Delay: time.Millisecond, Times: 3})
					s.ClearFaults()
				}
			}
		})
	}
	wg.Wait()
	if s.Effects() != 4*20 {
		t.Errorf("%d effects", s.Effects())
	}
}

// BenchmarkCall is one call through the client to the fake: what both cost together, without Odoo.
func BenchmarkCall(b *testing.B) {
	for _, transport := range []string{odoo.TransportDoorman, odoo.TransportJSON2, odoo.TransportJSONRPC, odoo.TransportXMLRPC} {
		b.Run(transport, func(b *testing.B) {
			s := odootest.New(b)
			c, err := odoo.New(odoo.Config{URL: s.URL(), Database: s.Options().Database, Key: odoo.Key(s.Options().Key), Transport: transport})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			p := access.ProofOf(odootest.DefaultCredential)
			known, err := c.Resolve(b.Context(), p)
			if err != nil {
				b.Fatal(err)
			}
			r := access.Request{Model: "res.partner", Method: "search_read", Kwargs: map[string]any{"limit": 2, "fields": []string{"name"}}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Call(b.Context(), access.FenceOf(p, known.Snapshot), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
