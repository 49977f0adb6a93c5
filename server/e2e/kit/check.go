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
	var out bytes.Buffer
	err := app.Run(t.Context(), []string{"check"}, append([]string{"DOORMAN_LISTEN=127.0.0.1:0"}, environ...), &out, &out)
	return out.String(), fmt.Sprint(err)
}
