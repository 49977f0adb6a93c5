package transport

import (
	"context"
	"net/http"
	"testing"
	"time"

	"doorman/server/observe"
)

// TestTimeOfABatch: each of those who share a request is told its time in Odoo, and nobody else's.
func TestTimeOfABatch(t *testing.T) {
	t.Parallel()
	b := &batcher{told: func(int) {}, send: func(ctx context.Context, _ []byte) (incoming, error) {
		observe.Told(ctx, http.Header{"Server-Timing": {"total;dur=2, db;dur=1"}})
		return ok([]byte("[" + string(answerTo(1, "a")) + "," + string(answerTo(2, "b")) + "]")), nil
	}}
	seen := []*observe.Request{{}, {}}
	var readers []*read
	var trips []*observe.Trip
	for i, r := range seen {
		ctx, trip := observe.Depart(observe.With(t.Context(), r), "call")
		readers = append(readers, &read{ctx: ctx, id: int64(i + 1), body: []byte("{}"), done: make(chan struct{})})
		trips = append(trips, trip)
	}
	b.carry(context.WithoutCancel(readers[0].ctx), readers)
	for i, r := range readers {
		<-r.done
		trips[i].Arrive("ok")
		if _, took := seen[i].Told(); r.err != nil || took.Own != 2*time.Millisecond || took.Database != time.Millisecond {
			t.Errorf("reader %d: %v %+v", i, r.err, took)
		}
	}
}
