package limit_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/limit"
)

var guessedAt = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// guess shows a credential from ip, and reports whether Odoo may be asked about it.
func guess(t *testing.T, g *limit.Guesses, ip string, at time.Time, failed bool) bool {
	t.Helper()
	leave, refusal := g.Enter(netip.MustParseAddr(ip), at)
	if refusal != nil {
		if refusal.Kind != access.RateLimited || refusal.RetryAfter <= 0 || refusal.RetryAfter > time.Minute || refusal.Hint == "" {
			t.Fatalf("%+v", refusal)
		}
		return false
	}
	leave(failed, at)
	return true
}

// TestGuesses: 120 failures in 60 s and no more, by network; what was good does not count.
func TestGuesses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		failed bool
		from   func(i int) string // of 300 credentials
		asked  int
		then   string // one more, a second later
		let    bool
		after  time.Duration // or later still
		again  bool
	}{
		{"deny the 121st from an address", true, func(int) string { return "192.0.2.1" }, 120, "192.0.2.1", false, 58 * time.Second, false},
		{"allow it when the window is over", true, func(int) string { return "192.0.2.1" }, 120, "192.0.2.1", false, time.Minute, true},
		{"allow good ones without end", false, func(int) string { return "192.0.2.1" }, 300, "192.0.2.1", true, time.Second, true},
		{"allow the neighbour", true, func(int) string { return "192.0.2.1" }, 120, "192.0.2.2", true, time.Second, true},
		{"deny the address in its IPv6 dress", true, func(int) string { return "192.0.2.1" }, 120, "::ffff:192.0.2.1", false, time.Second, false},
		{"deny a /64 as one", true, func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }, 120, "2001:db8:1:2::ffff", false, time.Second, false},
		{"allow the next /64", true, func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }, 120, "2001:db8:1:3::1", true, time.Second, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g, asked := limit.NewGuesses(), 0
			for i := range 300 {
				if guess(t, g, row.from(i), guessedAt, row.failed) {
					asked++
				}
			}
			if asked != row.asked {
				t.Errorf("asked about %d, want %d", asked, row.asked)
			}
			at := guessedAt.Add(time.Second)
			if let := guess(t, g, row.then, at, false); let != row.let {
				t.Errorf("a second later: %v", let)
			}
			if let := guess(t, g, row.then, guessedAt.Add(row.after), false); let != row.again {
				t.Errorf("%v later: %v", row.after, let)
			}
		})
	}
}

// TestGuessesUnderWay count as failures until it is known: a thousand at once would all pass else.
func TestGuessesUnderWay(t *testing.T) {
	t.Parallel()
	g := limit.NewGuesses()
	ip := netip.MustParseAddr("192.0.2.1")
	var leaves []func(bool, time.Time)
	for range 1000 {
		leave, refusal := g.Enter(ip, guessedAt)
		if refusal == nil {
			leaves = append(leaves, leave)
		} else if refusal.RetryAfter != time.Second {
			t.Fatalf("told to come back in %v, but those under way may be good", refusal.RetryAfter)
		}
	}
	if len(leaves) != 120 {
		t.Fatalf("%d at once", len(leaves))
	}
	for i, leave := range leaves {
		leave(i%2 == 0, guessedAt) // half of them were good
	}
	asked := 0
	for range 1000 {
		if guess(t, g, "192.0.2.1", guessedAt, true) {
			asked++
		}
	}
	if asked != 60 {
		t.Errorf("60 had failed, and %d more were asked about", asked)
	}
}

// TestGuessesFromManyNetworks: who owns thousands of networks fills the table; the count that they then share is that of
// their provider, and not everybody's.
func TestGuessesFromManyNetworks(t *testing.T) {
	t.Parallel()
	g, asked := limit.NewGuesses(), 0
	for i := range 10_200 {
		if guess(t, g, fmt.Sprintf("2001:db8:1:%x::1", i), guessedAt, true) {
			asked++
		}
	}
	if asked != 10_120 {
		t.Errorf("asked about %d", asked)
	}
	for ip, want := range map[string]bool{"2001:db8:2:1::1": false, "2001:db9::1": true, "192.0.2.1": true} {
		if got := guess(t, g, ip, guessedAt, true); got != want {
			t.Errorf("from %s: %v, want %v", ip, got, want)
		}
	}
	// A minute later all of it is forgotten, and there is room again.
	if later := guessedAt.Add(time.Minute); !guess(t, g, "2001:db8:2:1::1", later, true) {
		t.Error("still limited after the window")
	}
}
