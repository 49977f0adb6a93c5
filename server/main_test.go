package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestOnlyTheService: what is for demos, benchmarks and tests is in no program that people install, neither ours nor
// libraries'. localodoo alone would bring a package manager and a database server's start along.
func TestOnlyTheService(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	seen := false
	for _, p := range packages {
		seen = seen || p == "doorman/server/app"
		for _, banned := range []string{
			"doorman/odoo/localodoo", "doorman/odoo/odootest", "doorman/server/demo", "doorman/server/bench",
			"doorman/server/e2e", "doorman/server/app/apptest", "github.com/chromedp", "testing",
		} {
			if p == banned || strings.HasPrefix(p, banned+"/") {
				t.Errorf("the service's program holds %s", p)
			}
		}
	}
	if !seen {
		t.Fatalf("the list is not of the service: %v", packages)
	}
}
