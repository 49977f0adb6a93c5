package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// guessing is an endpoint whose clients say where they are.
func guessing(t *testing.T, f *fakeGateway, at *clock) string {
	return endpoint(t, f, func(c *mcp.Config) {
		c.Now = at.now
		c.Identify = func(r *http.Request) (netip.Addr, string) { return netip.MustParseAddr(r.Header.Get("From")), "r" }
	}).URL
}

const searchCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":` + searchPartners + `}}`

func guess(t *testing.T, url, from, key string) answer {
	t.Helper()
	return send(t, url, listTools, "From", from, "Authorization", "Bearer "+key)
}

// TestGuessing: a client that tries keys asks Odoo about 120 of them in a minute.
func TestGuessing(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	url := guessing(t, f, at)
	if a := guess(t, url, "192.0.2.1", goodKey); a.status != 200 {
		t.Fatal(a.body)
	}
	refused, limited := 0, 0
	for i := range 1000 {
		switch a := guess(t, url, "192.0.2.1", fmt.Sprint("dmk_", i)); a.status {
		case 401:
			refused++
		case 429:
			limited++
			if a.header.Get("Retry-After") != "60" || a.kind() != "rate_limited" || !strings.Contains(a.body, "in 60 seconds") {
				t.Fatalf("%v %s", a.header, a.body)
			}
		default:
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if refused != 120 || limited != 880 || f.resolveCount() != 121 {
		t.Fatalf("%d refused, %d limited, Odoo was asked %d times", refused, limited, f.resolveCount())
	}
	for _, row := range []struct {
		name, from, key string
		status          int
	}{
		{"a key that is known as good", "192.0.2.1", goodKey, 200},
		{"another address", "192.0.2.2", "dmk_x", 401},
		{"the address in its IPv6 dress", "::ffff:192.0.2.1", "dmk_z", 429},
	} {
		if a := guess(t, url, row.from, row.key); a.status != row.status {
			t.Errorf("%s: %d %s", row.name, a.status, a.body)
		}
	}
	at.move(time.Minute)
	if a := guess(t, url, "192.0.2.1", "dmk_y"); a.status != 401 {
		t.Errorf("a minute later: %d %s", a.status, a.body)
	}
}

// TestGuessingLocksNobodyOut: whoever sends wrong keys from a network must not end the work of the others there, also
// not when Odoo has to be asked about them anew.
func TestGuessingLocksNobodyOut(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	url := guessing(t, f, at)
	if a := guess(t, url, "192.0.2.1", goodKey); a.status != 200 {
		t.Fatal(a.body)
	}
	for i := range 200 {
		guess(t, url, "192.0.2.1", fmt.Sprint("dmk_", i))
	}
	f.mu.Lock()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, access.NewError(access.Forbidden, "no", "") // what is remembered of the key is dropped
	}
	f.mu.Unlock()
	send(t, url, searchCall, "From", "192.0.2.1", "Authorization", "Bearer "+goodKey)
	before := f.resolveCount()
	if a := guess(t, url, "192.0.2.1", goodKey); a.status != 200 {
		t.Errorf("a key that was good a moment ago: %d %s", a.status, a.body)
	}
	if n := f.resolveCount() - before; n != 1 {
		t.Errorf("Odoo was asked %d times about it: the test shows nothing unless it is once", n)
	}
	if a := guess(t, url, "192.0.2.1", "dmk_new"); a.status != 429 {
		t.Errorf("a new wrong key: %d %s", a.status, a.body)
	}
}

// TestDeadKeyIsNotAskedAboutAgain: a key that the fence refuses is answered from memory for a second.
func TestDeadKeyIsNotAskedAboutAgain(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	f.call = func(access.Fence, access.Request) (access.Reply, error) { return access.Reply{}, access.Invalid() }
	url := guessing(t, f, at)
	began := time.Now()
	statuses := map[int]int{}
	for range 20 {
		statuses[send(t, url, searchCall, "From", "192.0.2.1", "Authorization", "Bearer "+goodKey).status]++
	}
	if n, most := f.resolveCount(), 1+int(time.Since(began)/time.Second); n > most || statuses[401] < 19-most {
		t.Errorf("Odoo was asked %d times, want %d at most; statuses %v", n, most, statuses)
	}
}

// TestGuessingByManyAddresses: an IPv6 customer has a /64, and is one source.
func TestGuessingByManyAddresses(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	url := guessing(t, f, at)
	for i := range 200 {
		guess(t, url, fmt.Sprintf("2001:db8:1:2::%x", i+1), fmt.Sprint("dmk_", i))
	}
	if n := f.resolveCount(); n != 120 {
		t.Fatalf("Odoo was asked %d times", n)
	}
	if a := guess(t, url, "2001:db8:1:3::1", "dmk_x"); a.status != 401 {
		t.Fatalf("the next /64: %d", a.status)
	}
}

// TestGuessingAtOnce: questions under way count, or a thousand at once would all pass.
func TestGuessingAtOnce(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	slow := &slowGateway{fakeGateway: f, arrived: make(chan struct{}, 1000), goOn: make(chan struct{})}
	server := endpoint(t, f, func(c *mcp.Config) { c.Gateway, c.Now = slow, at.now })
	var together sync.WaitGroup
	statuses := make(chan int, 300)
	for i := range 300 {
		together.Go(func() {
			statuses <- send(t, server.URL, listTools, "Authorization", fmt.Sprint("Bearer dmk_", i)).status
		})
	}
	// 180 are answered while Odoo has answered nobody; then Odoo answers the others.
	for range 180 {
		if s := <-statuses; s != 429 {
			t.Errorf("status %d", s)
		}
	}
	close(slow.goOn)
	together.Wait()
	close(statuses)
	for s := range statuses {
		if s != 401 {
			t.Errorf("status %d", s)
		}
	}
	if n := len(slow.arrived); n != 120 {
		t.Fatalf("Odoo was asked %d times", n)
	}
}

// slowGateway answers who somebody is only when told to.
type slowGateway struct {
	*fakeGateway
	arrived, goOn chan struct{}
}

func (s *slowGateway) Resolve(context.Context, access.Proof) (access.Resolution, error) {
	s.arrived <- struct{}{}
	<-s.goOn
	return access.Resolution{}, access.Invalid()
}

// TestWhatIsNoGuess: good keys never count, however many an office has, nor do questions that Odoo did not answer.
func TestWhatIsNoGuess(t *testing.T) {
	t.Parallel()
	for name, resolve := range map[string]func(*fakeGateway) (access.Resolution, error){
		"good keys": func(f *fakeGateway) (access.Resolution, error) { return access.Resolution{Snapshot: f.snapshot}, nil },
		"an outage": func(*fakeGateway) (access.Resolution, error) { return access.Resolution{}, errors.New("down") },
	} {
		f, at := newFake(), newClock()
		f.resolve = func(access.Proof) (access.Resolution, error) { return resolve(f) }
		url := guessing(t, f, at)
		for i := range 150 { // of which 120 would be too many
			if a := guess(t, url, "192.0.2.1", fmt.Sprint("dmk_", i)); a.status == 429 {
				t.Fatalf("%s: the one after %d was limited", name, i)
			}
		}
	}
}
