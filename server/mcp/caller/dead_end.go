package caller

import "net/http"

// deadEnd answers 401 in place of whatever the SDK would answer, once the request has shown that its credential is dead.
// Nothing has been sent by then but in a stream that has begun: its answer says it in words.
type deadEnd struct {
	http.ResponseWriter
	door   *Door
	caller *Caller

	begun bool // a status was sent
	dead  bool // it was ours: what the SDK writes is dropped
}

// WriteHeader sends the status, or 401 with its challenge.
func (w *deadEnd) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	if e := w.caller.dead.Load(); e != nil {
		w.dead = true
		for _, name := range []string{"Content-Type", "Content-Length", "Mcp-Session-Id"} {
			w.Header().Del(name)
		}
		w.door.challenge(w.ResponseWriter, true, e)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends b, unless the answer was 401.
func (w *deadEnd) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.dead {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher: streams need it.
func (w *deadEnd) Flush() {
	w.WriteHeader(http.StatusOK)
	if !w.dead {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *deadEnd) Unwrap() http.ResponseWriter { return w.ResponseWriter }
