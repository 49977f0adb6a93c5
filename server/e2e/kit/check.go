package kit

import (
	"bytes"
	"fmt"
	"testing"

	"doorman/server/app"
)

// Check runs `doorman check` and returns what it prints, and what it says in the end.
func Check(t *testing.T, environ ...string) (printed, said string) {
	t.Helper()
	return run(t, []string{"check"}, append([]string{"DOORMAN_LISTEN=127.0.0.1:0"}, environ...))
}

// Explain runs `doorman explain` with its arguments, as Check does.
func Explain(t *testing.T, environ []string, args ...string) (printed, said string) {
	t.Helper()
	return run(t, append([]string{"explain"}, args...), environ)
}

func run(t *testing.T, args, environ []string) (printed, said string) {
	t.Helper()
	var out bytes.Buffer
	err := app.Run(t.Context(), args, environ, &out, &out)
	return out.String(), fmt.Sprint(err)
}
