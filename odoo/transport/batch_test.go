package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// workers is an Odoo with so many workers, each of which takes so long for a request. It answers every read with the
// read's own text.
type workers struct {
	free  chan struct{}
	takes time.Duration
	// answer, if set, is what a batch is answered with instead.
	answer func(ids []int64, good []byte) incoming

	mu       sync.Mutex
	requests [][]int64 // the ids of the reads in each, in the order of arrival
}

func newWorkers(n int, takes time.Duration) (*workers, *batcher) {
	w := &workers{free: make(chan struct{}, n), takes: takes}
	b := &batcher{send: w.send, most: 8, told: func(int) {}}
	b.learn(fmt.Appendf(nil, `{"workers": %d}`, n))
	return w, b
}

func (w *workers) send(ctx context.Context, body []byte) (incoming, error) {
	type request struct {
		ID   int64  `json:"id"`
		Text string `json:"text"`
	}
	var list []request
	alone := body[0] != '['
	if alone {
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return incoming{}, err
	}
	var ids []int64
	var answers [][]byte
	for _, r := range list {
		ids = append(ids, r.ID)
		answers = append(answers, answerTo(r.ID, r.Text))
	}
	w.mu.Lock()
	w.requests = append(w.requests, ids)
	w.mu.Unlock()
	select {
	case w.free <- struct{}{}:
		defer func() { <-w.free }()
	case <-ctx.Done():
		return incoming{}, networkFailure(ctx, ctx.Err(), true)
	}
	select {
	case <-time.After(w.takes):
	case <-ctx.Done():
		return incoming{}, networkFailure(ctx, ctx.Err(), true)
	}
	good := answers[0]
	if !alone {
		good = slices.Concat([]byte("["), bytes.Join(answers, []byte(",")), []byte("]"))
	}
	in := incoming{status: http.StatusOK, json: true, body: good}
	if !alone && w.answer != nil {
		in = w.answer(ids, good)
	}
	return in, nil
}

func answerTo(id int64, text string) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":%q}`, id, text)
}

// sizes are how many reads each request took.
func (w *workers) sizes() (out []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ids := range w.requests {
		out = append(out, len(ids))
	}
	return out
}

// ask sends a read and checks that the answer is its own.
func ask(ctx context.Context, b *batcher, id int64) error {
	raw, err := b.do(ctx, id, fmt.Appendf(nil, `{"id":%d,"text":"of %d"}`, id, id))
	if err != nil {
		return err
	}
	if want := fmt.Sprintf(`"of %d"`, id); string(raw) != want {
		return fmt.Errorf("read %d was answered %s", id, raw)
	}
	return nil
}

// askAtOnce sends reads 1 to n at the same instant and returns their errors, by id less one.
func askAtOnce(ctx context.Context, b *batcher, n int) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = ask(ctx, b, int64(i+1)) })
		synctest.Wait() // in order
	}
	all.Wait()
	return errs
}

// TestReadsShare: who waits for a worker shares the next request; who does not goes alone.
func TestReadsShare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name           string
		workers, reads int
		takes          time.Duration
		change         func(*batcher)
		want           []int
		within         time.Duration
	}{
		{"one alone", 2, 1, 10 * time.Millisecond, nil, []int{1}, 10 * time.Millisecond},
		{"as many as workers", 2, 2, 10 * time.Millisecond, nil, []int{1, 1}, 10 * time.Millisecond},
		{"those who wait share", 2, 6, 10 * time.Millisecond, nil, []int{1, 1, 4}, 21 * time.Millisecond},
		{"no more than may", 2, 12, 10 * time.Millisecond, nil, []int{1, 1, 8, 2}, 32 * time.Millisecond},
		{"a crowd at two free places", 2, 12, 10 * time.Millisecond, func(b *batcher) { b.crowd = time.Now() }, []int{8, 4}, 12 * time.Millisecond},
		{"one worker", 1, 4, 10 * time.Millisecond, nil, []int{1, 3}, 21 * time.Millisecond},
		{"slow ones hold nobody up", 2, 5, time.Second, nil, []int{1, 1, 3}, 2 * time.Second},
		{"none share", 2, 6, 10 * time.Millisecond, func(b *batcher) { b.most = 1 }, []int{1, 1, 1, 1, 1, 1}, 30 * time.Millisecond},
		{"workers not told", 2, 6, 10 * time.Millisecond, func(b *batcher) { b.learn([]byte(`{}`)) }, []int{1, 1, 1, 1, 1, 1}, 30 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorkers(row.workers, row.takes)
				if row.change != nil {
					row.change(b)
				}
				start := time.Now()
				if err := errors.Join(askAtOnce(t.Context(), b, row.reads)...); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > row.within {
					t.Errorf("took %s", took)
				}
				// Two that depart at the same instant arrive in any order.
				if got := w.sizes(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(row.want))) {
					t.Errorf("requests of %v reads, not of %v", got, row.want)
				}
				idle(t, b)
			})
		})
	}
}

// idle checks that nothing is left behind once everybody has left.
func idle(t *testing.T, b *batcher) {
	t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.flying != 0 || len(b.waiting) != 0 || b.gathering {
		t.Errorf("left: %d under way, %d waiting, gathering: %v", b.flying, len(b.waiting), b.gathering)
	}
}

// TestNobodyWaitsLong: with every worker taken for a minute, a read is sent after its patience all the same.
func TestNobodyWaitsLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorkers(2, time.Minute)
		start := time.Now()
		go func() { _ = askAtOnce(t.Context(), b, 5) }()
		time.Sleep(patience - time.Millisecond)
		synctest.Wait()
		if got := w.sizes(); !slices.Equal(got, []int{1, 1}) {
			t.Fatalf("after %s: requests of %v reads", time.Since(start), got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := w.sizes(); !slices.Equal(got, []int{1, 1, 3}) {
			t.Errorf("after %s: requests of %v reads", time.Since(start), got)
		}
		time.Sleep(5 * time.Minute)
		idle(t, b)
	})
}

// TestACrowdGathers: while reads find no place, one that comes to a free place waits a moment for others; later it does
// not.
func TestACrowdGathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorkers(1, 10*time.Millisecond)
		if err := errors.Join(askAtOnce(t.Context(), b, 2)...); err != nil { // the second found no place
			t.Fatal(err)
		}
		if err := errors.Join(askAtOnce(t.Context(), b, 3)...); err != nil {
			t.Fatal(err)
		}
		if got := w.sizes(); !slices.Equal(got, []int{1, 1, 3}) {
			t.Errorf("requests of %v reads: those of a crowd did not gather", got)
		}
		time.Sleep(crowdLasts)
		start := time.Now()
		if err := ask(t.Context(), b, 9); err != nil || time.Since(start) != 10*time.Millisecond {
			t.Errorf("alone again after the crowd: %v after %s", err, time.Since(start))
		}
	})
}

// TestOwnAnswer: whatever a batch is answered with, nobody gets what was meant for another.
func TestOwnAnswer(t *testing.T) {
	t.Parallel()
	swap := func(list []json.RawMessage) []json.RawMessage { slices.Reverse(list); return list }
	for _, row := range []struct {
		name   string
		answer func(ids []int64, good []byte) incoming
		want   []Class // of the reads 2 to 5, which share a request; nil = all well
	}{
		{"the answers", func(_ []int64, good []byte) incoming { return ok(good) }, nil},
		{"swapped", func(_ []int64, good []byte) incoming { return ok(edit(good, swap)) }, all(Garbage)},
		{"two swapped", func(_ []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage { l[0], l[1] = l[1], l[0]; return l }))
		}, []Class{Garbage, Garbage, -1, -1}},
		{"one too few", func(_ []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage { return l[:3] }))
		}, all(Garbage)},
		{"one too many", func(_ []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage { return append(l, l[0]) }))
		}, all(Garbage)},
		{"the same for all", func(_ []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage { return []json.RawMessage{l[0], l[0], l[0], l[0]} }))
		}, []Class{-1, Garbage, Garbage, Garbage}},
		{"nulls", func([]int64, []byte) incoming { return ok([]byte(`[null,null,null,null]`)) }, all(Garbage)},
		{"one null", func(_ []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage { l[2] = []byte("null"); return l }))
		}, []Class{-1, -1, Garbage, -1}},
		{"an empty list", func([]int64, []byte) incoming { return ok([]byte(`[]`)) }, all(Garbage)},
		{"null", func([]int64, []byte) incoming { return ok([]byte(`null`)) }, all(Garbage)},
		{"one answer without a list", func(ids []int64, _ []byte) incoming { return ok(answerTo(ids[0], "x")) }, all(Garbage)},
		{"one answer to nobody", func([]int64, []byte) incoming { return ok(answerTo(0, "x")) }, all(Garbage)},
		{"cut short", func(_ []int64, good []byte) incoming { return ok(good[:len(good)/2]) }, all(Garbage)},
		{"a page", func([]int64, []byte) incoming { return incoming{status: 200, body: []byte("<html>")} }, all(Garbage)},
		{"the answers with status 500", func(_ []int64, good []byte) incoming {
			return incoming{status: 500, json: true, body: good}
		}, all(Garbage)},
		{"key refused", func([]int64, []byte) incoming {
			return incoming{status: 401, json: true, body: fault("odoo.exceptions.AccessDenied", 401)}
		}, all(KeyRefused)},
		{"too large for a proxy", func([]int64, []byte) incoming { return incoming{status: 413} }, nil},
		{"no Odoo", func([]int64, []byte) incoming { return incoming{status: 502} }, all(Gateway)},
		{"an addon that knows no batches", func([]int64, []byte) incoming {
			return incoming{status: 400, json: true, body: fault("ValueError", 400)}
		}, nil},
		{"one exception", func(ids []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage {
				l[1] = bytes.Replace(fault("odoo.exceptions.AccessError", 403), []byte("null"), fmt.Append(nil, ids[1]), 1)
				return l
			}))
		}, []Class{-1, Fault, -1, -1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorkers(1, time.Millisecond)
				w.answer = row.answer
				errs := askAtOnce(t.Context(), b, 5)
				if errs[0] != nil {
					t.Errorf("the one that went alone: %v", errs[0])
				}
				for i, err := range errs[1:] {
					var f *Failure
					switch want := wanted(row.want, i); {
					case want < 0 && err != nil:
						t.Errorf("read %d: %v", i+2, err)
					case want >= 0 && (!errors.As(err, &f) || f.Class != want || !f.Sent):
						t.Errorf("read %d: %#v, want class %d", i+2, err, want)
					}
				}
				idle(t, b)
			})
		})
	}
}

func ok(body []byte) incoming { return incoming{status: http.StatusOK, json: true, body: body} }

func all(c Class) []Class { return []Class{c, c, c, c} }

// edit changes a list of answers.
func edit(good []byte, change func([]json.RawMessage) []json.RawMessage) []byte {
	var list []json.RawMessage
	_ = json.Unmarshal(good, &list)
	out, _ := json.Marshal(change(list))
	return out
}

func fault(name string, status int) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"x","data":{"name":%q,"message":"y"}}}`, status, name)
}

// TestPutBack: what Odoo puts back is sent once more, alone, and nothing else is.
func TestPutBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorkers(1, time.Millisecond)
		w.answer = func(ids []int64, good []byte) incoming {
			return ok(edit(good, func(l []json.RawMessage) []json.RawMessage {
				for i := 1; i < len(l); i++ {
					l[i] = bytes.Replace(fault(putBack, 503), []byte("null"), fmt.Append(nil, ids[i]), 1)
				}
				return l
			}))
		}
		if err := errors.Join(askAtOnce(t.Context(), b, 4)...); err != nil {
			t.Error(err)
		}
		if got := w.sizes(); !slices.Equal(got, []int{1, 3, 1, 1}) {
			t.Errorf("requests of %v reads", got)
		}
		idle(t, b)
	})
}

// TestLeavingABatch: who goes away takes nobody along; the request ends with the last of them.
func TestLeavingABatch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		leave      []int64 // of the reads 2, 3, 4, which share a request
		when       time.Duration
		sent       bool
		wantServed []int // the sizes of the requests
		class      Class
		deadline   bool
	}{
		{"one, before it is sent", []int64{3}, 2 * time.Millisecond, false, []int{1, 2}, Cancelled, false},
		{"one, under way", []int64{3}, 15 * time.Millisecond, true, []int{1, 3}, Cancelled, false},
		{"the first, under way", []int64{2}, 15 * time.Millisecond, true, []int{1, 3}, Cancelled, false},
		{"all, before it is sent", []int64{2, 3, 4}, 2 * time.Millisecond, false, []int{1}, Cancelled, false},
		{"all, under way", []int64{2, 3, 4}, 15 * time.Millisecond, true, []int{1, 3}, Cancelled, false},
		{"one whose time is up before it is sent", []int64{3}, 2 * time.Millisecond, false, []int{1, 2}, Timeout, true},
		{"one whose time is up under way", []int64{3}, 15 * time.Millisecond, true, []int{1, 3}, Timeout, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorkers(1, 10*time.Millisecond)
				errs := make([]error, 5)
				var reads sync.WaitGroup
				start := time.Now()
				for id := int64(1); id <= 4; id++ {
					ctx, leave := context.WithCancel(t.Context())
					if slices.Contains(row.leave, id) {
						if row.deadline {
							ctx, leave = context.WithTimeout(t.Context(), row.when)
						} else {
							time.AfterFunc(row.when, leave)
						}
					}
					reads.Go(func() {
						defer leave()
						if errs[id] = ask(ctx, b, id); errs[id] != nil && time.Since(start) != row.when {
							t.Errorf("read %d left after %s", id, time.Since(start))
						}
					})
					synctest.Wait()
				}
				reads.Wait()
				for id := int64(1); id <= 4; id++ {
					var f *Failure
					if !slices.Contains(row.leave, id) {
						if errs[id] != nil {
							t.Errorf("read %d stayed: %v", id, errs[id])
						}
					} else if !errors.As(errs[id], &f) || f.Class != row.class || f.Sent != row.sent {
						t.Errorf("read %d left: %#v", id, errs[id])
					}
				}
				if got := w.sizes(); !slices.Equal(got, row.wantServed) {
					t.Errorf("requests of %v reads", got)
				}
				synctest.Wait()
				if len(row.leave) == 3 && len(w.free) != 0 {
					t.Error("the request went on without anybody to answer")
				}
				idle(t, b)
			})
		})
	}
}

// TestManyReadsShare: thousands of reads of many lengths, some of which go away, in any interleaving: each gets its own
// answer or its own end, and nothing is left.
func TestManyReadsShare(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			w, b := newWorkers(1+random.IntN(4), time.Duration(random.IntN(20))*time.Millisecond)
			b.most = 2 + random.IntN(15)
			w.answer = func(ids []int64, good []byte) incoming {
				if ids[0]%7 == 0 {
					return incoming{status: 502}
				}
				return ok(edit(good, func(l []json.RawMessage) []json.RawMessage {
					for i, id := range ids {
						if id%5 == 0 {
							l[i] = bytes.Replace(fault(putBack, 503), []byte("null"), fmt.Append(nil, id), 1)
						}
					}
					return l
				}))
			}
			var reads sync.WaitGroup
			for id := range int64(500) {
				time.Sleep(time.Duration(random.IntN(4)) * time.Millisecond)
				ctx, leave := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(200))*time.Millisecond)
				reads.Go(func() {
					defer leave()
					err := ask(ctx, b, id+1)
					var f *Failure
					if err != nil && (!errors.As(err, &f) || f.Class != Timeout && f.Class != Gateway) {
						t.Errorf("seed %d, read %d: %v", seed, id+1, err)
					}
				})
			}
			reads.Wait()
			idle(t, b)
		})
	}
}

// TestWhatMayShare: only short reads of records.
func TestWhatMayShare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method, orm string
		allow       bool
	}{
		{"call", "search_read", true},
		{"call", "search_count", true},
		{"call", "read", true},
		{"call", "formatted_read_group", true},
		{"call", "create", false},
		{"call", "write", false},
		{"call", "unlink", false},
		{"call", "call_method", false},
		{"call", "run_sql", false},
		{"call", "run_python", false},
		{"call", "get_attachment", false},
		{"call", "get_report", false},
		{"call", "context", false},
		{"call", "", false},
		{"approval_status", "search_read", false},
		{"fields", "search_read", false},
		{"hello", "", false},
		{"resolve", "", false},
		{"record", "", false},
	} {
		params := map[string]any{"request": map[string]any{"method": row.orm}}
		if mayShare(row.method, params) != row.allow {
			t.Errorf("%s of %q: %v", row.method, row.orm, !row.allow)
		}
	}
	if mayShare("call", map[string]any{}) {
		t.Error("a call of nothing")
	}
}

// TestPlaces: how many requests Odoo works on, by its own word or by the configuration's.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		hello   string
		workers int
		want    int
	}{
		{`{"workers": 4}`, 0, 4},
		{`{"workers": 0}`, 0, placesOfThreads},
		{`{"workers": -3}`, 0, placesOfThreads},
		{`{"workers": 4}`, 16, 16},
		{`{"workers": 0}`, 16, 16},
		{`{}`, 16, 0}, // an addon without batches
		{`{"workers": null}`, 0, 0},
		{`{"workers": "4"}`, 0, 2}, // not readable: as it was
		{`not JSON`, 0, 2},
	} {
		b := &batcher{workers: row.workers, places: 2}
		if b.learn([]byte(row.hello)); b.places != row.want {
			t.Errorf("%s with %d configured: %d places", row.hello, row.workers, b.places)
		}
	}
}

// TestLongReadsGoAlone: what is long to send would make the others wait.
func TestLongReadsGoAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorkers(1, 10*time.Millisecond)
		var reads sync.WaitGroup
		for id := range int64(3) {
			reads.Go(func() {
				body := fmt.Appendf(nil, `{"id":%d,"text":%q}`, id+1, strings.Repeat("x", batchBody))
				if _, err := b.do(t.Context(), id+1, body); err != nil {
					t.Error(err)
				}
			})
		}
		reads.Wait()
		if got := w.sizes(); !slices.Equal(got, []int{1, 1, 1}) {
			t.Errorf("requests of %v reads", got)
		}
		idle(t, b)
	})
}

// wanted is the class that read i is to end with; -1 = none. No list wants none of all.
func wanted(list []Class, i int) Class {
	if list == nil {
		return -1
	}
	return list[i]
}
