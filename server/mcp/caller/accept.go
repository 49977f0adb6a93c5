package caller

import (
	"net/http"
	"strconv"
	"strings"
)

// Wants are the two forms of an answer, as a client's Accept header stands to them.
type Wants struct {
	JSON   bool // also by a wildcard, and where there is no header at all
	Stream bool // by its name: a wildcard does not mean that a client reads streams
}

// Accepted reads the Accept header (RFC 9110 section 12.5.1). A form with the quality 0 is one that the client refuses,
// whatever a wildcard next to it says.
func Accepted(header http.Header) Wants {
	values := header.Values("Accept")
	if strings.TrimSpace(strings.Join(values, "")) == "" {
		return Wants{JSON: true}
	}
	var w Wants
	best := -1 // how exactly JSON is named so far; the most exact name counts
	for one := range strings.SplitSeq(strings.Join(values, ","), ",") {
		kind, parameters, _ := strings.Cut(one, ";")
		good := quality(parameters) > 0
		exact := -1
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			exact = 2
		case "application/*":
			exact = 1
		case "*/*":
			exact = 0
		case "text/event-stream":
			w.Stream = good
		}
		if exact > best {
			best, w.JSON = exact, good
		}
	}
	return w
}

// quality is the weight among a media range's parameters: 1 where none can be read.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			return q
		}
	}
	return 1
}
