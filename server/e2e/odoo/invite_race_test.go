package odoo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"doorman/server/e2e/kit"
)

// crowd is how many people want the same invite at the same instant.
const crowd = 50

// inviteRounds is how often each race is run: twice, or as DOORMAN_TEST_ROUNDS says.
func inviteRounds() int {
	if n, err := strconv.Atoi(os.Getenv("DOORMAN_TEST_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return 2
}

// taken is what the database knows of an invite.
type taken struct {
	State                     string
	Uses, Acceptances, People int
	Connections, Live, Keys   int
}

// takenOf reads it.
func takenOf(t testing.TB, o *kit.Odoo, id int64) (got taken) {
	t.Helper()
	text, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf(`
		SELECT json_build_object('State', i.state, 'Uses', i.current_uses,
			'Acceptances', (SELECT count(*) FROM doorman_invite_acceptance a WHERE a.invite_id = i.id),
			'People', (SELECT count(DISTINCT user_id) FROM doorman_invite_acceptance a WHERE a.invite_id = i.id),
			'Connections', (SELECT count(*) FROM doorman_connection c WHERE c.invite_id = i.id),
			'Live', (SELECT count(*) FROM doorman_connection c WHERE c.invite_id = i.id AND c.state IN ('awaiting', 'connected', 'idle')),
			'Keys', (SELECT count(*) FROM doorman_connection c JOIN res_users_apikeys k ON k.id = c.api_key_id AND k.user_id = c.user_id WHERE c.invite_id = i.id))
		  FROM doorman_invite i WHERE i.id = %d`, id))
	if err != nil {
		t.Fatal(err)
	}
	start, end := strings.Index(text, "{"), strings.LastIndex(text, "}")
	if start < 0 || end < start {
		t.Fatalf("no such invite: %s", text)
	}
	if err := json.Unmarshal([]byte(text[start:end+1]), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// stampede is people who want to accept.
type stampede struct {
	t      *testing.T
	o      *kit.Odoo
	admin  organizer
	guests []*guest
}

// opened lets everybody open a link, and returns the page with the button that each sees.
func (r *stampede) opened(token string, guests []*guest) []seenPage {
	r.t.Helper()
	pages := make([]seenPage, len(guests))
	var group errgroup.Group
	group.SetLimit(8)
	for i, v := range guests {
		group.Go(func() (err error) {
			pages[i], err = v.open(r.t.Context(), token)
			if err == nil && (pages[i].status != http.StatusOK || !strings.Contains(pages[i].text, `id="accept"`)) {
				err = fmt.Errorf("guest %d sees %d %s", i, pages[i].status, pages[i].text)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		r.t.Fatal(err)
	}
	return pages
}

// accept lets everybody press the button at the same instant, and something else happen meanwhile, which is told of
// everyone who has an answer.
func (r *stampede) accept(offers []seenPage, guests []*guest, meanwhile func(answered <-chan struct{})) []seenPage {
	r.t.Helper()
	pages := make([]seenPage, len(guests))
	start, answered := make(chan struct{}), make(chan struct{}, len(guests))
	var together sync.WaitGroup
	for i, v := range guests {
		together.Go(func() {
			<-start
			var err error
			if pages[i], err = v.press(r.t.Context(), offers[i], "accept", nil); err != nil {
				r.t.Errorf("guest %d: %v", i, err)
			}
			answered <- struct{}{}
		})
	}
	together.Go(func() { <-start; meanwhile(answered) })
	close(start)
	together.Wait()
	return pages
}

// sort tells the pages with a key from those of a link that no longer works; there is nothing else.
func (r *stampede) sort(what string, pages []seenPage) (keys map[string]bool, gone int) {
	r.t.Helper()
	keys = map[string]bool{}
	for i, p := range pages {
		switch {
		case p.status == http.StatusOK && p.key() != "":
			keys[p.key()] = true
		case p.status == http.StatusNotFound && strings.Contains(p.text, "This link does not work"):
			gone++
		default:
			r.t.Errorf("%s: guest %d sees %d %s", what, i, p.status, p.text)
		}
	}
	return keys, gone
}

// TestRealInviteRace: whoever comes at the same instant, an invite is accepted as often as it says, by people who are
// different; each has one key, and nothing is left of the others' attempts.
func TestRealInviteRace(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 4, peoplesKeys+fmt.Sprintf(`
from odoo.http import get_default_session, root
guests = env["res.users"].with_context(no_reset_password=True).create([{"name": f"Guest {n}", "login": f"guest{n}",
    "email": f"guest{n}@example.com", "group_ids": [Command.set([env.ref("base.group_user").id])]} for n in range(%d)])
guests[0].password = "guest-password"
env.flush_all()
def seat(person):
    "The cookie of somebody who has logged in: Odoo takes its time over each password."
    session = root.session_store.new()
    session.update(get_default_session(), db=env.cr.dbname)
    session.update(uid=person.id, login=person.login, context=dict(person.with_user(person).context_get()),
                   session_token=person.with_user(person)._compute_session_token(session.sid))
    root.session_store.save(session)
    return session.sid
out["seats"] = [seat(guest) for guest in guests]`, crowd))
	s := kit.Serve(t, o.Environ()...)
	kit.KnowsItself(t, o, s)
	r := &stampede{t: t, o: o, admin: organizer{t, s.URL, o.Text("admin_key")}}
	for _, sid := range o.Out["seats"].([]any) {
		v, err := seated(o, sid.(string))
		if err != nil {
			t.Fatal(err)
		}
		r.guests = append(r.guests, v)
	}
	rounds := inviteRounds()
	for _, uses := range []int{1, 5, crowd - 1, crowd} {
		t.Run(fmt.Sprint("a crowd for ", uses), func(t *testing.T) {
			r.t, r.admin.t = t, t
			for range rounds {
				r.crowdFor(uses)
			}
		})
	}
	t.Run("the same person twice", func(t *testing.T) {
		r.t, r.admin.t = t, t
		for range rounds {
			r.samePersonTwice()
		}
	})
	t.Run("accept and revoke", func(t *testing.T) {
		r.t, r.admin.t = t, t
		for round := range 5 * rounds {
			r.acceptAndRevoke(round)
		}
	})
	t.Run("accept and expire", func(t *testing.T) {
		r.t, r.admin.t = t, t
		for round := range 5 * rounds {
			r.acceptAndExpire(round)
		}
	})
	kit.NoErrors(t, o)
}

func (r *stampede) crowdFor(uses int) {
	id, token := r.admin.make(fmt.Sprintf(`{"scopes":["mcp:search"],"max_uses":%d}`, uses))
	start := time.Now()
	offers := r.opened(token, r.guests)
	asked := time.Now()
	keys, gone := r.sort("the crowd", r.accept(offers, r.guests, func(<-chan struct{}) {}))
	n := min(crowd, uses)
	want := taken{State: "used_up", Uses: n, Acceptances: n, People: n, Connections: n, Live: n, Keys: n}
	if got := takenOf(r.t, r.o, id); got != want || len(keys) != n || gone != crowd-n {
		r.t.Errorf("%+v, %d keys and %d that came too late; want %+v", got, len(keys), gone, want)
	}
	r.t.Logf("%d uses: opened in %s, accepted in %s", uses, asked.Sub(start).Round(time.Millisecond), time.Since(asked).Round(time.Millisecond))
}

// samePersonTwice: one has the key, the other sees that it was accepted; there is one use.
func (r *stampede) samePersonTwice() {
	other, err := logIn(r.t.Context(), r.o, "guest0", "guest-password")
	if err != nil {
		r.t.Fatal(err)
	}
	both := []*guest{r.guests[0], other}
	id, token := r.admin.make(`{"scopes":["mcp:search"],"max_uses":5}`)
	pages := r.accept(r.opened(token, both), both, func(<-chan struct{}) {})
	keys, mine := 0, 0
	for _, p := range pages {
		if p.key() != "" {
			keys++
		} else if p.status == http.StatusOK && strings.Contains(p.text, "You have accepted this invite") {
			mine++
		}
	}
	want := taken{State: "active", Uses: 1, Acceptances: 1, People: 1, Connections: 1, Live: 1, Keys: 1}
	if got := takenOf(r.t, r.o, id); got != want || keys != 1 || mine != 1 {
		r.t.Errorf("%+v, %d keys, %d told: want %+v; %+v", got, keys, mine, want, pages)
	}
}

// acceptAndRevoke: who was in before the link and all that came of it ended is out again, who comes after is not let in:
// in no order is anything left that works.
func (r *stampede) acceptAndRevoke(round int) {
	some := r.guests[:5]
	id, token := r.admin.make(`{"scopes":["mcp:search"],"max_uses":50}`)
	var ended map[string]any
	keys, _ := r.sort("accept and revoke", r.accept(r.opened(token, some), some, func(answered <-chan struct{}) {
		for range round % len(some) { // the race is to be met at every point
			<-answered
		}
		ended = r.admin.mustRevoke(id, "?connections=revoke")
	}))
	n := len(keys)
	want := taken{State: "revoked", Uses: n, Acceptances: n, People: n, Connections: n}
	if got := takenOf(r.t, r.o, id); got != want || ended["revoked_connections"] != float64(n) {
		r.t.Errorf("%d keys: %+v, want %+v; %v were ended", n, got, want, ended["revoked_connections"])
	}
	r.t.Logf("%d of %d were in before", n, len(some))
}

// acceptAndExpire: nobody is let in once the time is over, and nothing is half done.
func (r *stampede) acceptAndExpire(round int) {
	some := r.guests[:5]
	id, token := r.admin.make(`{"scopes":["mcp:search"],"max_uses":50}`)
	late := r.guests[crowd-1:]
	offers := r.opened(token, append(late[:1:1], some...))
	keys, _ := r.sort("accept and expire", r.accept(offers[1:], some, func(<-chan struct{}) {
		if err := r.endsIn(r.t.Context(), id, time.Duration(round%20)*50*time.Millisecond); err != nil {
			r.t.Error(err)
		}
	}))
	n := len(keys)
	want := taken{State: "active", Uses: n, Acceptances: n, People: n, Connections: n, Live: n, Keys: n}
	got := takenOf(r.t, r.o, id)
	if got.State == "expired" { // by the service's own job
		want.State = got.State
	}
	if got != want {
		r.t.Errorf("%d keys: %+v, want %+v", n, got, want)
	}
	kit.Await(r.t, "the time is over", func() error {
		over, err := r.o.Host.Psql(r.t.Context(), r.o.DB, fmt.Sprintf(
			"SELECT 'over=' || (clock_timestamp() at time zone 'utc' >= expires_at) FROM doorman_invite WHERE id = %d", id))
		return kit.Unless(err == nil && strings.Contains(over, "over=true"), over, err)
	})
	// Before the job has said so; and who looks at the page still has the button.
	if tooLate, gone := r.sort("too late", r.accept(offers[:1], late, func(<-chan struct{}) {})); len(tooLate) > 0 || gone != 1 {
		r.t.Error("accepted after the end")
	}
	kit.Await(r.t, "the job says so", func() error { // another run of it may be under way
		if err := kit.RunJob(r.t.Context(), r.o, "expire_invites"); err != nil {
			return err
		}
		got := takenOf(r.t, r.o, id)
		return kit.Unless(got.State == "expired", got)
	})
	r.t.Logf("%d of %d were in before", n, len(some))
}

// endsIn lets an invite end so long from now.
func (r *stampede) endsIn(ctx context.Context, id int64, d time.Duration) error {
	_, err := r.o.Host.Psql(ctx, r.o.DB, fmt.Sprintf(
		"UPDATE doorman_invite SET expires_at = clock_timestamp() at time zone 'utc' + interval '%d milliseconds' WHERE id = %d", d.Milliseconds(), id))
	return err
}
