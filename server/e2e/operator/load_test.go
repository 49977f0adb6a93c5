//go:build linux

package operator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// made is how every record that the load makes is called; a number follows.
const made = "operated "

// bearable are the kinds of errors after which a client sends the same again while something is away.
var bearable = []string{"odoo_unavailable", "odoo_timeout", "unavailable", "updating", "conflict"}

// load are clients that create records, each with an idempotency key, and send the same again until they are told that it is done.
type load struct {
	t        *testing.T
	mcp, key string
	smooth   atomic.Int64 // the number of the phase in which no call may fail; 0 = some may
	begun    atomic.Int64
	done     atomic.Int64 // calls that were answered as done
	failed   atomic.Int64 // answers that were none
	stop     chan struct{}
	clients  sync.WaitGroup
}

func startLoad(t *testing.T, mcp, key string, clients int) *load {
	l := &load{t: t, mcp: mcp, key: key, stop: make(chan struct{})}
	for range clients {
		l.clients.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
					l.create(fmt.Sprint(made, l.begun.Add(1)))
				}
			}
		})
	}
	return l
}

// create makes one record, however often that has to be said.
func (l *load) create(name string) {
	deadline := time.Now().Add(4 * time.Minute)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		phase := l.smooth.Load()
		wrong, may := l.once(name)
		if wrong == "" {
			l.done.Add(1)
			return
		}
		l.failed.Add(1)
		if smooth := phase > 0 && phase == l.smooth.Load(); smooth || !may {
			l.t.Errorf("%s: %s", name, wrong)
		}
		if time.Now().After(deadline) {
			l.t.Errorf("%s: never answered, at last by %s", name, wrong)
			return
		}
	}
}

// once sends the call once. wrong is "" if it was answered as done, may whether a client can live with the answer.
func (l *load) once(name string) (wrong string, may bool) {
	reply, err := kit.TryPost(l.t.Context(), l.mcp, l.key, "tools/call", kit.ToolCall("create_records", kit.Args{
		"model": "res.partner", "records": []any{kit.Args{"name": name}}, "idempotency_key": name,
	}))
	if reply.Status >= http.StatusBadGateway {
		return fmt.Sprintf("HTTP %d %s", reply.Status, reply.Body), true
	}
	if err != nil {
		return err.Error(), false
	}
	content, failed := reply.Tool()
	if failed != "" {
		return kit.Sprint(content) + " " + failed, slices.Contains(bearable, failed) && content["code"] != "idempotency_key_reused"
	}
	if records, _ := content["records"].([]any); len(records) != 1 {
		return "an answer without the one record: " + kit.Sprint(content), false
	}
	return "", true
}

// smoothly does something during which no call may fail.
func (l *load) smoothly(phase int64, name string, do func()) {
	l.t.Helper()
	l.goesOn("before: " + name)
	l.smooth.Store(phase)
	do()
	l.goesOn("after: " + name)
	l.smooth.Store(0)
}

// goesOn waits until calls are answered.
func (l *load) goesOn(when string) {
	l.t.Helper()
	before := l.done.Load()
	kit.Await(l.t, "calls are answered "+when, func() error {
		return kit.Unless(l.done.Load() >= before+20, l.done.Load()-before, " since, and ", l.failed.Load(), " answers that were none")
	})
}

// end lets every client finish what it has begun, and holds what is there against what was answered: each record once, each
// with its audit row.
func (l *load) end(o *kit.Odoo) {
	l.t.Helper()
	close(l.stop)
	l.clients.Wait()
	want := l.done.Load()
	if got := counts(l.t, o); got != fmt.Sprintf("%d %d %d", want, want, want) || want != l.begun.Load() {
		l.t.Errorf("%d calls begun, %d answered as done; records, different ones, audit rows: %s", l.begun.Load(), want, got)
	}
	l.t.Logf("%d creates, %d answers that were none on the way", want, l.failed.Load())
}

// counts are the records that the load made, how many different ones, and the audit rows of calls that made one.
func counts(t *testing.T, o *kit.Odoo) string {
	t.Helper()
	out, err := o.Host.Psql(t.Context(), o.DB, `
SELECT count(*), count(DISTINCT name) FROM res_partner WHERE name LIKE '`+made+`%';
SELECT count(*) FROM doorman_audit WHERE tool = 'create_records' AND outcome = 'ok' AND coalesce(reason, '') = ''`)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.FieldsFunc(out, func(r rune) bool { return r == '|' || r == '\n' }), " ")
}
