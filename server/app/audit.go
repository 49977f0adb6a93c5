package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"doorman/odoo"
	"doorman/server/access"
	"doorman/server/audit"
)

const auditUsage = `Usage: doorman audit export [--to <where>] [--cursor <file>] [--after <n>] [--ca <file>]
       doorman audit verify [--head <n>:<digest>] [<file> ...]

export copies the audit from Odoo, one line of JSON per row, and finally prints the head of its chain.

  --to      a file to append to, syslog+tls://host:6514, syslog+tcp://host:601, syslog+udp://host:514, or
            otlp+https://host:4318 (OpenTelemetry logs); default: standard output
  --cursor  a file that remembers the position: run it again, by a timer, and it exports only new rows
  --after   start after this row of the chain, if there is no cursor yet
  --ca      CA certificates to verify a syslog+tls collector with, instead of the system's

verify checks whether rows fit their chain, and names the first that does not. Files are read in the order given, without
Odoo (- is standard input); without a file, Odoo checks its own rows against its chain.

  --head    a head that an export printed: the chain must still contain it

DOORMAN_ODOO_URL and DOORMAN_ODOO_DB select the Odoo database, as for serve. DOORMAN_ADMIN_KEY is the Odoo API key of an MCP auditor
or administrator (My Preferences > Security > API Keys). The exit code is 1 if something does not fit.`

// auditCommand is `doorman audit`.
func auditCommand(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return UsageError{auditUsage}
	}
	switch action, rest := args[0], args[1:]; action {
	case "export":
		return auditExport(ctx, rest, environ, stdout, stderr)
	case "verify":
		return auditVerify(ctx, rest, environ, stdout)
	case "help", "--help", "-help", "-h":
		return helpAsked{auditUsage}
	default:
		return UsageError{fmt.Sprintf("there is no command %q of audit\n\n%s", action, auditUsage)}
	}
}

// auditor is Odoo with an auditor's key.
type auditor struct {
	client *odoo.Client
	key    odoo.Key
}

// Page implements audit.Source.
func (a *auditor) Page(ctx context.Context, after int64, limit int) (*access.AuditPage, error) {
	page, err := a.client.AuditExport(ctx, a.key, after, limit)
	return page, inWords(err)
}

func newAuditor(environ []string) (*auditor, error) {
	c, err := loadAdminConfig(environ)
	if err != nil {
		return nil, err
	}
	key := odoo.Key(c.AdminKey.Reveal())
	client, err := odoo.New(odoo.Config{URL: c.OdooURL, Database: c.OdooDB, Key: key, Transport: "json2", Timeout: auditWithin})
	return &auditor{client, key}, err
}

// auditWithin is how long one piece may take: 50,000 rows to verify.
const auditWithin = 2 * time.Minute

func inWords(err error) error {
	if err == nil {
		return nil
	}
	e := access.AsError(err)
	return fmt.Errorf("%s %s", e.Message, e.Hint)
}

func auditExport(ctx context.Context, args, environ []string, stdout, stderr io.Writer) (err error) {
	var to, cursor, ca string
	after := int64(-1)
	flags := flag.NewFlagSet("audit export", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&to, "to", "", "")
	flags.StringVar(&cursor, "cursor", "", "")
	flags.StringVar(&ca, "ca", "", "")
	flags.Int64Var(&after, "after", -1, "")
	if err := parseAudit(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 || after < -1 {
		return UsageError{auditUsage}
	}
	odoo, err := newAuditor(environ)
	if err != nil {
		return err
	}
	export := audit.Exporter{Source: odoo, Cursor: cursor, Page: exportPage}
	if after > 0 {
		page, err := odoo.Page(ctx, after, 1)
		if err != nil {
			return err
		}
		export.Begin = &page.Before
	}
	if export.Sink, err = openSink(ctx, to, ca, stdout); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, export.Sink.Close()) }()
	result, err := export.Run(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stderr, "Rows exported: %d; the head is %d:%s\n", result.Rows, result.Head.N, result.Head.Digest)
	if result.Problem != nil {
		return fmt.Errorf("the audit in Odoo does not fit: %w", result.Problem)
	}
	return nil
}

// exportPage keeps an answer of Odoo's to some megabytes.
const exportPage = 1_000

func openSink(ctx context.Context, to, ca string, stdout io.Writer) (audit.Sink, error) {
	switch {
	case to == "" || to == "-":
		return audit.NewWriter(stdout), nil
	case strings.HasPrefix(to, "otlp+"):
		return audit.DialOTLP(ctx, to)
	case strings.Contains(to, "://"):
		return audit.DialSyslog(ctx, to, ca)
	}
	return audit.OpenFile(to)
}

func auditVerify(ctx context.Context, args, environ []string, stdout io.Writer) error {
	var heads []access.AuditLink
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("head", "", func(text string) error {
		head, err := parseHead(text)
		heads = append(heads, head)
		return err
	})
	if err := parseAudit(flags, args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		odoo, err := newAuditor(environ)
		if err != nil {
			return err
		}
		return odoo.verify(ctx, heads, stdout)
	}
	v := &audit.Verifier{Heads: heads}
	for _, name := range flags.Args() {
		if err := verifyFile(v, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := v.End(); err != nil {
		return err
	}
	at := v.At()
	_, err := fmt.Fprintf(stdout, "Rows that fit their chain: %d, from %d on; the last is %d:%s\n", v.Rows, v.First, at.N, at.Digest)
	if err == nil && v.Withheld > 0 {
		_, err = fmt.Fprintf(stdout, "%d of them are of companies that the exporting user does not see: their content could not be looked at\n", v.Withheld)
	}
	return err
}

func verifyFile(v *audit.Verifier, name string) error {
	if name == "-" {
		return v.Read(os.Stdin)
	}
	f, err := os.Open(name) //nolint:gosec // the file that the auditor names
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	return v.Read(f)
}

// verify has Odoo look at its own rows, piece by piece. All heads are asked for at the beginning.
func (a *auditor) verify(ctx context.Context, heads []access.AuditLink, stdout io.Writer) error {
	var from, first *access.AuditLink
	var check *access.AuditCheck
	for piece := 0; piece == 0 || check.More || piece < len(heads); piece++ {
		var head *access.AuditLink
		if piece < len(heads) {
			head = &heads[piece]
		}
		var err error
		if check, err = a.client.AuditVerify(ctx, a.key, from, head); err != nil {
			return inWords(err)
		}
		if check.Problem != nil {
			return problemInOdoo(check.Problem)
		}
		if first == nil {
			first = &check.Start
		}
		from = &check.At
	}
	_, err := fmt.Fprintf(stdout, "Rows that fit their chain: %d, from %d on; the head is %d:%s\n",
		check.At.N-first.N, first.N+1, check.At.N, check.At.Digest)
	return err
}

func problemInOdoo(p *access.AuditProblem) error {
	words := map[string]string{
		"changed":         "row %[1]d of the chain (id %[2]d) was changed, or is not in its place",
		"content_changed": "what row %[1]d of the chain (id %[2]d) says was asked and answered was changed",
		"removed":         "row %[1]d of the chain (id %[2]d) was removed",
		"link_removed":    "row %[1]d of the chain was removed with its link",
		"inserted":        "the audit row with the id %[2]d was put there later: it has no place in the chain",
		"rewritten":       "the chain was rewritten: at row %[1]d it is not the one of this head",
		"shortened":       "the chain ends before row %[1]d, which it had",
		"retained":        "row %[1]d is older than what Odoo keeps: verify with a later head, and the exported files for the rest",
	}[p.What]
	if words == "" {
		return fmt.Errorf("the audit does not fit its chain (%s, row %d)", p.What, p.N)
	}
	// Both are given to each text, which uses the one it needs.
	return errors.New(strings.NewReplacer("%[1]d", strconv.FormatInt(p.N, 10), "%[2]d", strconv.FormatInt(p.ID, 10)).Replace(words))
}

func parseHead(text string) (head access.AuditLink, err error) {
	n, digest, _ := strings.Cut(text, ":")
	if head.N, err = strconv.ParseInt(n, 10, 64); err == nil && head.N >= 0 {
		head.Digest = digest
		err = new(audit.Verifier).Begin(head)
	}
	if err != nil || head.N < 0 {
		return head, errors.New("a head looks like 1200:<64 hexadecimal digits>")
	}
	return head, nil
}

func parseAudit(flags *flag.FlagSet, args []string) error {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return helpAsked{auditUsage}
	case err != nil:
		return UsageError{err.Error() + "\n\n" + auditUsage}
	}
	return nil
}
