package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"doorman/odoo"
	"doorman/server/access"
	"doorman/server/mcp"
)

const explainUsage = `Usage: doorman explain --connection 7 --tool update_records [--model res.partner] [--record 3] [--address 10.0.0.5]

Shows whether a connection can use a tool, and why. Nothing is carried out, and nobody is asked for approval.

  --connection  the connection's number: at the end of its address in Odoo
  --tool        name of a tool
  --model       technical name of a model
  --record      id of a record of that model; can be repeated
  --address     network address that the AI tool calls from

DOORMAN_ODOO_URL and DOORMAN_ODOO_DB select the Odoo database, as for serve. DOORMAN_ADMIN_KEY is the Odoo API key of an MCP
administrator (My Preferences > Security > API Keys).`

// question is what `doorman explain` is asked.
type question struct {
	connection  int64
	tool, model string
	records     []int64
	address     netip.Addr // invalid: not looked at
}

// explainCommand is `doorman explain`: the decisions that a call would take, of the service and of Odoo, by what takes
// them.
func explainCommand(ctx context.Context, args, environ []string, stdout io.Writer) error {
	q, err := readQuestion(args)
	if err != nil {
		return err
	}
	c, err := loadAdminConfig(environ)
	if err != nil {
		return err
	}
	key := odoo.Key(c.AdminKey.Reveal())
	client, err := odoo.New(odoo.Config{URL: c.OdooURL, Database: c.OdooDB, Key: key, Transport: "json2", Timeout: checkWithin})
	if err != nil {
		return err
	}
	found, err := client.Explain(ctx, key, q.connection, q.tool, q.model, q.records)
	if err != nil {
		e := access.AsError(err)
		return fmt.Errorf("%s %s", e.Message, e.Hint)
	}
	return q.print(stdout, found)
}

// print writes the steps in the order in which a call meets them: the service, then Odoo.
func (q *question) print(w io.Writer, found *access.Explained) error {
	lines := [][]string{}
	refused := false
	if found.Snapshot != nil {
		line, e := q.service(found.Snapshot)
		lines, refused = append(lines, line), e != nil
	}
	if !refused {
		for _, s := range found.Steps {
			lines = append(lines, []string{words[s.Outcome], "Odoo: " + stepWords[s.Step], s.Message, s.Hint, s.Code})
		}
	}
	for _, l := range lines {
		text := fmt.Sprintf("%-7s %-34s %s\n", l[0], l[1], strings.TrimSpace(l[2]+code(l[4])))
		if l[3] != "" {
			text += fmt.Sprintf("%42s -> %s\n", "", l[3])
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", verdicts[lines[len(lines)-1][0]])
	return err
}

func code(name string) string {
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}

// service is what the service itself decides, before it asks Odoo.
func (q *question) service(s *access.Snapshot) ([]string, *access.Error) {
	part := "Service: key, tool, scope, limits"
	tool, e := mcp.FindTool(s, q.tool)
	if e != nil {
		return []string{words[access.ExplainRefused], part, e.Message, e.Hint, string(e.Kind)}, e
	}
	said := "The number of requests was not checked."
	if !q.address.IsValid() {
		// A copy, without what an address would be held against.
		open := *s
		open.Connection.Policy.AllowedIPs, open.Connection.Policy.BlockedIPs = nil, nil
		s, said = &open, "The network address and the number of requests were not checked."
	}
	e = access.Decide(time.Now(), s, access.Call{Tool: tool, Model: q.model, IP: q.address, Rate: access.Rate{Allowed: true}}).Err()
	if e != nil {
		name := e.Code
		if name == "" {
			name = string(e.Kind)
		}
		return []string{words[access.ExplainRefused], part, e.Message, e.Hint, name}, e
	}
	return []string{words[access.ExplainMay], part, said, "", ""}, nil
}

var words = map[access.ExplainOutcome]string{
	access.ExplainMay: "ok", access.ExplainWaits: "waits", access.ExplainRefused: "refused",
}

var verdicts = map[string]string{
	"ok": "Allowed.", "waits": "Needs approval.", "refused": "Refused.",
}

var stepWords = map[string]string{
	"sign_in": "key or login", "tool": "tool", "policy": "policy (scopes, tools)", "companies": "companies",
	"model": "policy (models, rules)", "rights": "the user's rights", "approval": "approval",
}

// readQuestion reads the arguments.
func readQuestion(args []string) (*question, error) {
	q := &question{}
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Int64Var(&q.connection, "connection", 0, "")
	flags.StringVar(&q.tool, "tool", "", "")
	flags.StringVar(&q.model, "model", "", "")
	flags.Func("record", "", func(text string) error {
		var id int64
		if _, err := fmt.Sscanf(text, "%d", &id); err != nil || id <= 0 || fmt.Sprint(id) != text {
			return errors.New("a record's id is a number")
		}
		q.records = append(q.records, id)
		return nil
	})
	flags.Func("address", "", func(text string) (err error) {
		q.address, err = netip.ParseAddr(text)
		return err
	})
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, helpAsked{explainUsage}
	case err != nil:
		return nil, UsageError{err.Error() + "\n\n" + explainUsage}
	case flags.NArg() > 0:
		return nil, UsageError{fmt.Sprintf("explain takes no argument %q\n\n%s", flags.Arg(0), explainUsage)}
	case q.connection <= 0 || q.tool == "":
		return nil, UsageError{"explain needs --connection and --tool\n\n" + explainUsage}
	case len(q.records) > 0 && q.model == "":
		return nil, UsageError{"--record needs --model\n\n" + explainUsage}
	}
	slices.Sort(q.records)
	return q, nil
}
