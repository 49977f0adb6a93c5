package odoo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorman/server/access"
)

// roundTrip answers in place of the network.
type roundTrip func(body []byte) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	time.Sleep(10 * time.Millisecond)
	return f(body)
}

func reply(status int, body []byte) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// TestOneLostBatchIsOneFailure: one worker that dies takes one request along, however many reads shared it. Odoo is still
// there for everybody else.
func TestOneLostBatchIsOneFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k", RoundTripper: roundTrip(func(body []byte) (*http.Response, error) {
			var id int64
			switch {
			case body[0] == '[':
				return nil, io.ErrUnexpectedEOF
			case bytes.Contains(body, []byte(`"hello"`)):
				_, _ = fmt.Sscanf(string(body), `{"id":%d`, &id)
				return reply(200, fmt.Appendf(nil, `{"id":%d,"result":{"workers":1}}`, id))
			default:
				_, _ = fmt.Sscanf(string(body), `{"id":%d`, &id)
				return reply(200, fmt.Appendf(nil, `{"id":%d,"result":{"value":1,"registry":"1"}}`, id))
			}
		})})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Raw(t.Context(), c, "hello", nil); err != nil {
			t.Fatal(err)
		}
		read := func() error {
			_, err := c.Call(t.Context(), access.Fence{Connection: 1}, access.Request{Model: "res.partner", Method: "search_count"})
			return err
		}
		var reads sync.WaitGroup
		var lost atomic.Int64
		for range 9 {
			reads.Go(func() {
				if read() != nil {
					lost.Add(1)
				}
			})
			synctest.Wait()
		}
		reads.Wait()
		if lost.Load() != 8 {
			t.Fatalf("%d reads lost: they did not share a request", lost.Load())
		}
		time.Sleep(time.Second) // the crowd is over
		if err := read(); err != nil {
			t.Errorf("after one lost request: %v", err)
		}
	})
}
