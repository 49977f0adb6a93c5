package app

import (
	"net/http"

	"github.com/google/uuid"
)

// maxRequestID is how long a request id of a client's may be.
const maxRequestID = 64

// requestIDOf takes over the id that a client, or a proxy, has given a request, so that their log and ours can be read side by
// side. It stands in the log, in the audit and in the answer: what is not plainly an id is replaced by one of ours.
func requestIDOf(r *http.Request) string {
	if values := r.Header.Values("X-Request-Id"); len(values) == 1 && plainID(values[0]) {
		return values[0]
	}
	return uuid.NewString()
}

// plainID reports whether s is a letter or digit, and then more of these, or one of "._:-", as UUIDs, ULIDs and the ids of proxies
// are written. What begins otherwise could be a formula where the audit is opened in a spreadsheet.
func plainID(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case '0' <= b && b <= '9', 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
		case i > 0 && (b == '.' || b == '_' || b == ':' || b == '-'):
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxRequestID
}
