package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"doorman/server/secret"
)

func TestNothingPrintsIt(t *testing.T) {
	t.Parallel()
	const value = "canary-4711"
	s := secret.New(value)
	holder := struct {
		Key  secret.Text
		Keys []secret.Text
		Map  map[secret.Text]secret.Text
	}{s, []secret.Text{s}, map[secret.Text]secret.Text{s: s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+verb+"\n", s, holder)
	}
	log := zerolog.New(&out)
	log.Info().Interface("holder", holder).Stringer("s", s).Any("any", s).Msg("x")
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, fmt.Errorf("wrapped: %w %v", fmt.Errorf("inner %v", s), holder))
	hex := fmt.Sprintf("%x", value)
	if strings.Contains(out.String(), value) || strings.Contains(out.String(), hex) {
		t.Fatalf("the secret was printed:\n%s", out.String())
	}
	if s.Reveal() != value || s.Empty() {
		t.Fatal("Reveal lost the value")
	}
}
