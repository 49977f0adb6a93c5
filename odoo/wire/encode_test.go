package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// TestEncodeEvents: what the audit gets is whole even where the caller left gaps.
func TestEncodeEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	b, err := json.Marshal(EncodeEvents([]access.Event{{Time: at, Reason: access.RateLimited}}))
	if err != nil || !strings.Contains(string(b), `"time":"2026-01-02T02:04:05Z"`) || !strings.Contains(string(b), `"count":1`) {
		t.Errorf("%s, %v", b, err)
	}
	b, _ = json.Marshal(EncodeRequest(access.Request{Model: "m", Method: "f", IDs: []int64{}}))
	if !strings.Contains(string(b), `"ids":[]`) || !strings.Contains(string(b), `"kwargs":{}`) {
		t.Errorf("a call on no record is not a call on the model: %s", b)
	}
}
