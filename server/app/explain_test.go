package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"doorman/server/access"
)

func TestExplainArguments(t *testing.T) {
	for _, args := range [][]string{
		{}, {"--connection", "1"}, {"--tool", "x"}, {"--connection", "0", "--tool", "x"}, {"--connection", "x", "--tool", "x"},
		{"--connection", "1", "--tool", "x", "--record", "3"}, {"--connection", "1", "--tool", "x", "--model", "a", "--record", "3x"},
		{"--connection", "1", "--tool", "x", "--model", "a", "--record", "-3"}, {"--connection", "1", "--tool", "x", "--address", "here"},
		{"--connection", "1", "--tool", "x", "more"}, {"--unknown"},
	} {
		var out bytes.Buffer
		err := Run(context.Background(), append([]string{"explain"}, args...), nil, &out, &out)
		var usage UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "Usage: doorman explain") || out.Len() > 0 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestExplainConfiguration(t *testing.T) {
	args := []string{"explain", "--connection", "1", "--tool", "x"}
	err := Run(context.Background(), args, []string{"DOORMAN_ODOO_URL=nowhere"}, &bytes.Buffer{}, &bytes.Buffer{})
	for _, want := range []string{"DOORMAN_ODOO_URL must look like", "DOORMAN_ODOO_DB is missing", "DOORMAN_ADMIN_KEY is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s", err, want)
		}
	}
}

func TestExplainPrints(t *testing.T) {
	snapshot := func(change func(*access.Snapshot)) *access.Snapshot {
		s := &access.Snapshot{
			Connection: access.Connection{
				Status: access.StatusConnected, Policy: access.Policy{Scopes: []access.Scope{access.ScopeSearch, access.ScopeORM}},
			},
			Settings: access.Settings{Enabled: true},
		}
		change(s)
		return s
	}
	none := func(*access.Snapshot) {}
	steps := []access.ExplainedStep{
		{Step: "sign_in", Outcome: access.ExplainMay},
		{Step: "rights", Outcome: access.ExplainRefused, Message: "Not yours.", Hint: "Ask.", Code: "forbidden"},
	}
	for _, c := range []struct {
		name  string
		q     question
		found access.Explained
		want  []string
		never string
	}{
		{"Odoo refuses", question{tool: "update_records"}, access.Explained{Steps: steps, Snapshot: snapshot(none)},
			[]string{"ok      Service", "refused Odoo: the user's rights", "Not yours. (forbidden)", "-> Ask.", "\nRefused.\n", "network address and"}, ""},
		{"the service refuses", question{tool: "update_records"},
			access.Explained{Steps: steps, Snapshot: snapshot(func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true })},
			[]string{"refused Service", "(read_only_connection)", "\nRefused.\n"}, "Odoo:"},
		{"no such tool", question{tool: "nothing"}, access.Explained{Steps: steps, Snapshot: snapshot(none)},
			[]string{"refused Service", "There is no tool"}, "Odoo:"},
		{"no credential", question{tool: "update_records"}, access.Explained{Steps: steps[1:]}, []string{"refused Odoo"}, "Service"},
		{"a person", question{tool: "update_records"},
			access.Explained{Steps: []access.ExplainedStep{{Step: "approval", Outcome: access.ExplainWaits}}, Snapshot: snapshot(none)},
			[]string{"waits   Odoo: approval", "Needs approval."}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := c.q.print(&out, &c.found); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			if c.never != "" && strings.Contains(out.String(), c.never) {
				t.Errorf("%q in\n%s", c.never, out.String())
			}
		})
	}
}
