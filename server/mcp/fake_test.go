package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
	"doorman/server/mcp/tools"
)

const goodKey = "dmk_good"

// fakeGateway is Odoo in memory: one connection, one model.
type fakeGateway struct {
	mu       sync.Mutex
	snapshot *access.Snapshot
	used     int // today, as resolve says
	calls    []access.Request
	fences   []access.Fence
	resolves int
	events   []access.Event
	// call and fields answer instead of the default, if set.
	call    func(access.Fence, access.Request) (access.Reply, error)
	resolve func(access.Proof) (access.Resolution, error)
	fields  func(access.Fence) (access.Reply, error)
	record  func([]access.Event) error
	// waits says which calls wait for a person, if set; asked are those that were put before one. approve and status answer
	// instead of the default, if set.
	waits   func(access.Request) bool
	asked   []access.Request
	polls   int
	approve func(access.Fence, access.Request) (access.Reply, error)
	status  func(access.Fence, int64, access.Audit) (access.Reply, error)
	// links are the proofs of the links that were opened, by ticket; link answers instead of the default, if set.
	links map[int64]access.Proof
	link  func() (access.Reply, error)
}

func newFake() *fakeGateway {
	return &fakeGateway{snapshot: &access.Snapshot{
		Connection: access.Connection{
			ID: 7, Version: 1, Name: "test", Status: access.StatusConnected,
			Policy: access.Policy{
				Scopes: []access.Scope{access.ScopeMetadata, access.ScopeSearch}, RateMinute: 100, RateDay: 1000,
			},
		},
		User:     access.User{ID: 2, Login: "ann", Lang: "en_US", Groups: "g1"},
		Settings: access.Settings{Enabled: true, Version: 1, Floor: []string{"ir.rule"}},
		Registry: "1",
	}}
}

func (f *fakeGateway) Hello(context.Context) (access.Hello, error) {
	return access.Hello{Enabled: true}, nil
}

func (f *fakeGateway) Resolve(_ context.Context, p access.Proof) (access.Resolution, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resolves++
	if f.resolve != nil {
		return f.resolve(p)
	}
	if p != access.ProofOf(goodKey) {
		return access.Resolution{}, access.Invalid()
	}
	s := *f.snapshot
	return access.Resolution{Snapshot: &s, UsedToday: f.used}, nil
}

// change is what an administrator does in Odoo: the snapshot is another one from now on.
func (f *fakeGateway) change(how func(*access.Snapshot)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := *f.snapshot
	s.Connection.Version++
	how(&s)
	f.snapshot = &s
}

func (f *fakeGateway) resolveCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.resolves
}

func (f *fakeGateway) Call(_ context.Context, fence access.Fence, r access.Request) (access.Reply, error) {
	f.mu.Lock()
	f.calls = append(f.calls, r)
	f.fences = append(f.fences, fence)
	answer := f.call
	switch waits := f.waits != nil && !r.DryRun && f.waits(r); {
	case waits && r.AskNobody:
		answer = func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, access.NewError(access.PendingApproval, "This needs approval.", "")
		}
	case waits:
		f.asked = append(f.asked, r)
		if answer = f.approve; answer == nil {
			answer = asksTwelve
		}
	case answer == nil:
		answer = f.answer
	}
	f.mu.Unlock()
	return answer(fence, r)
}

// byTool is a connection whose calls of some tools wait for a person.
func (f *fakeGateway) byTool(tools ...string) {
	f.snapshot.Connection.Policy.Approvals = true
	f.waits = func(r access.Request) bool { return slices.Contains(tools, r.Audit.Tool) }
}

// answer is what there is to read.
func (f *fakeGateway) answer(_ access.Fence, r access.Request) (access.Reply, error) {
	switch r.Method {
	case "search_read", "read":
		return reply(`[{"id":1,"name":"Acme","active":true,"comment":"<p>Hi<br>there</p>","parent_id":[3,"Holding"],"child_ids":[4,5],"ref":false}]`), nil
	case "formatted_read_group":
		return reply(`{"groups":[{"parent_id":[3,"Holding"],"create_date:month":{"from":"2026-11-01T00:00:00+13:00","label":"November 2026"},"__count":2,"color:sum":false,"__extra_domain":[]}],"time_zone":"Pacific/Auckland"}`), nil
	case "fields_get":
		return reply(partnerFields), nil
	case "models":
		return reply(`[{"model":"res.partner","display_name":"Contact","create":true,"write":true,"unlink":false},{"model":"res.country","display_name":"Country"}]`), nil
	}
	return reply(`{"user":{"id":2},"companies":[]}`), nil
}

var pendingTwelve = access.Pending{
	RequestID: 12, ExpiresAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), URL: "https://odoo.example/odoo/doorman.approval/12",
}

func asksTwelve(access.Fence, access.Request) (access.Reply, error) {
	waits := pendingTwelve
	return access.Reply{Pending: &waits}, nil
}

func (f *fakeGateway) ApprovalStatus(_ context.Context, fence access.Fence, id int64, a access.Audit) (access.Reply, error) {
	f.mu.Lock()
	f.polls++
	answer := f.status
	f.mu.Unlock()
	if answer != nil {
		return answer(fence, id, a)
	}
	return access.Reply{}, access.NewError(access.NotFound, "This connection has no such approval request.", "")
}

func (f *fakeGateway) FileLink(_ context.Context, fence access.Fence, ticket int64, p access.Proof) (access.Reply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fences = append(f.fences, fence)
	if f.links == nil {
		f.links = map[int64]access.Proof{}
	}
	f.links[ticket] = p
	if f.link != nil {
		return f.link()
	}
	return reply(`{"expires_in":900}`), nil
}

func (f *fakeGateway) askedCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

func (f *fakeGateway) pollCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.polls
}

func (f *fakeGateway) Fields(_ context.Context, fence access.Fence, _, _ string) (access.Reply, error) {
	if f.fields != nil {
		return f.fields(fence)
	}
	return reply(partnerFields), nil
}

func (f *fakeGateway) Record(_ context.Context, events []access.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.record != nil {
		return f.record(events)
	}
	f.events = append(f.events, events...)
	return nil
}

func (f *fakeGateway) SyncCatalog(context.Context, []access.CatalogTool) error { return nil }

func (f *fakeGateway) Upkeep(context.Context, string) (p access.Progress, err error) { return }

// fakeLimiter notes what it is asked, and lets everything pass unless told otherwise.
type fakeLimiter struct {
	mu    sync.Mutex
	taken map[string]int
	asked []string // "key minute day"
	seeds []string // "key used day"
	after map[string]int
	err   error
}

func newLimiter() *fakeLimiter {
	return &fakeLimiter{taken: map[string]int{}, after: map[string]int{}}
}

// Take refuses a key beyond after[key], if that is set.
func (l *fakeLimiter) Take(_ context.Context, key string, minute, day int, _ time.Time) (access.Rate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return access.Rate{}, l.err
	}
	l.asked = append(l.asked, fmt.Sprint(key, " ", minute, " ", day))
	if most, limited := l.after[key]; limited && l.taken[key] >= most {
		return access.Rate{Limit: access.LimitMinute, Max: most, RetryAfter: 7 * time.Second}, nil
	}
	l.taken[key]++
	return access.Rate{Allowed: true}, nil
}

func (l *fakeLimiter) Seed(_ context.Context, key string, used int, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seeds = append(l.seeds, fmt.Sprint(key, " ", used, " ", now.Format(time.DateOnly)))
	return l.err
}

func (l *fakeLimiter) GiveBack(_ context.Context, key string, _ time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.taken[key]--
	}
	return l.err
}

func (l *fakeLimiter) Add(_ context.Context, key string, n int, _ time.Time) (int, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.taken[key] += n
	}
	return l.taken[key], 9 * time.Hour, l.err
}

func (l *fakeLimiter) count(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken[key]
}

func (l *fakeLimiter) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// clock is a time that moves only when told to.
type clock struct{ nanos atomic.Int64 }

// newClock starts at noon.
func newClock() *clock {
	c := &clock{}
	c.set(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	return c
}

func (c *clock) set(t time.Time)      { c.nanos.Store(t.UnixNano()) }
func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) move(d time.Duration) { c.nanos.Add(int64(d)) }

func (f *fakeGateway) callCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

func (f *fakeGateway) last() access.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[len(f.calls)-1]
}

func reply(value string) access.Reply {
	return access.Reply{Value: json.RawMessage(value)}
}

const partnerFields = `{"label":"Contact","order":"complete_name ASC, id DESC","default":["id","name","parent_id","no_such_field","ref","name","active"],"fields":{
"id":{"type":"integer","string":"ID","store":true,"sortable":true,"searchable":true,"groupable":true,"help":false},
"name":{"type":"char","string":"Name","store":true,"required":true,"sortable":true,"searchable":true,"groupable":true},
"active":{"type":"boolean","string":"Active","store":true,"sortable":true,"searchable":true,"groupable":true},
"comment":{"type":"html","string":"Notes","store":true,"sortable":false,"searchable":true,"groupable":false},
"parent_id":{"type":"many2one","string":"Company","relation":"res.partner","store":true,"sortable":true,"searchable":true,"groupable":true},
"child_ids":{"type":"one2many","string":"Contacts","relation":"res.partner","store":true,"sortable":false,"searchable":true,"groupable":false},
"ref":{"type":"char","string":"Reference","store":true,"sortable":true,"searchable":true,"groupable":true},
"color":{"type":"integer","string":"Color","store":true,"sortable":true,"searchable":true,"groupable":true,"aggregator":"sum"},
"image_1920":{"type":"binary","string":"Image","store":true,"sortable":false,"searchable":true,"groupable":false},
"create_date":{"type":"datetime","string":"Created","store":true,"sortable":true,"searchable":true,"groupable":true},
"message_ids":{"type":"one2many","string":"Messages","relation":"mail.message","store":true}}}`

// endpoint serves a Server over HTTP.
func endpoint(t *testing.T, f *fakeGateway, change ...func(*mcp.Config)) *httptest.Server {
	t.Helper()
	c := mcp.Config{
		Gateway: f, Limiter: newLimiter(), Version: "test", ResourceMetadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
		Identify: identify,
	}
	for _, f := range change {
		f(&c)
	}
	server := httptest.NewServer(mcp.New(c))
	t.Cleanup(server.Close)
	return server
}

// answer is what came back of one JSON-RPC request.
type answer struct {
	status int
	header http.Header
	body   string
	Result struct {
		IsError           bool
		StructuredContent map[string]any
		Content           []struct{ Text string }
		Tools             []struct{ Name string }
	}
	Error struct {
		Code    int
		Message string
		Data    map[string]any
	}
}

// kind is the kind of a refusal, in a tool result or in an HTTP error; "" for success.
func (a answer) kind() string {
	content := a.Result.StructuredContent
	if a.Error.Message != "" {
		content = a.Error.Data
	} else if !a.Result.IsError {
		return ""
	}
	k, _ := content["kind"].(string)
	return k
}

// send posts a raw body with a key, as protocol 2025-11-25.
func send(t testing.TB, url, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	r.Header.Set("Authorization", "Bearer "+goodKey)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, r)
}

func do(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal([]byte(a.body), &a)
	return a
}

// call calls a tool with arguments given as JSON.
func call(t testing.TB, url, tool, args string) answer {
	t.Helper()
	a := send(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+tool+`","arguments":`+args+`}}`)
	asAnnounced(t, tool, a)
	return a
}

// asAnnounced holds an answer, also one that refuses, against the tool's output schema: clients do.
func asAnnounced(t testing.TB, tool string, a answer) {
	t.Helper()
	known := tools.Catalog().Tool(tool)
	if known == nil || known.Output == nil || a.Result.StructuredContent == nil {
		return
	}
	schema, err := known.Output.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(a.Result.StructuredContent); err != nil {
		t.Errorf("%s answers what its output schema does not have: %v: %s", tool, err, a.body)
	}
}

func identify(*http.Request) (netip.Addr, string) { return netip.MustParseAddr("192.0.2.1"), "req-1" }

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
