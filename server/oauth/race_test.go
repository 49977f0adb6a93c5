package oauth_test

import (
	"sync"
	"testing"
)

// TestRefusalsAtOnce: the refusal of one request is not written into that of another. The race detector watches.
func TestRefusalsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	var together sync.WaitGroup
	begin := make(chan struct{})
	for range 100 { // fewer than a network may guess
		together.Go(func() {
			<-begin
			s.post("/oauth/token", refreshing(client, "made-up")).refused(t, 400, "invalid_grant")
		})
	}
	close(begin)
	together.Wait()
}
