package repo_test

import (
	"regexp"
	"strings"
	"testing"
)

// numbers are limits that pages tell: where, the words around them, and the lines of code that they come from. Each group of
// the words is the number of the line at its place.
var numbers = []struct {
	page, words string
	code        [][2]string // file, line
}{
	{"docs/approvals.md", `At most (\d+) requests of one connection wait at a time; one is at most ([\d,]+) characters long`, [][2]string{
		{"addon/doorman/policy/approval_states.py", `MAX_PENDING = (\d+)`}, {"addon/doorman/gateway/approvals.py", `MAX_SHOWN = ([\d_]+)`},
	}},
	{"docs/approvals.md", `tick them \((\d+) at most\)`, [][2]string{{"addon/doorman/models/approval/one_click.py", `MANY_AT_ONCE = (\d+)`}}},
	{"docs/notices.md", `decide on it by then \((\d+) at most\)`, [][2]string{{"addon/doorman/models/approval/ask.py", `MAX_ASKED = (\d+)`}}},
	{"docs/notices.md", `adds up to (\d+) fields`, [][2]string{{"addon/doorman/models/notices/words.py", `MAX_VALUES = (\d+)`}}},
	{"docs/notices.md", `The webhook has (\d+) seconds`, [][2]string{{"addon/doorman/policy/webhooks.py", `TIMEOUT = (\d+)`}}},
	{"docs/notices.md", `after (\d+), (\d+) and (\d+) minutes, then given`, [][2]string{
		{"addon/doorman/models/notices/webhook.py", `AGAIN = \((\d+),`}, {"addon/doorman/models/notices/webhook.py", `AGAIN = \(\d+, (\d+)`},
		{"addon/doorman/models/notices/webhook.py", `AGAIN = \(\d+, \d+, (\d+)\)`},
	}},
	{"docs/notices.md", `talkative, (five) times an hour`, [][2]string{{"addon/doorman/models/notices/use.py", `MOST = (\d+)`}}},
	{"docs/invites.md", `name up to (\d+) addresses`, [][2]string{{"addon/doorman/wizards/doorman_invite_wizard.py", `MAX_ADDRESSES = (\d+)`}}},
	{"docs/invites.md", `After (\d+) failed tries in (ten) minutes`, [][2]string{
		{"addon/doorman/policy/guesses.py", `GUESSES = (\d+)`}, {"addon/doorman/policy/guesses.py", `WINDOW_MINUTES = (\d+)`},
	}},
	{"docs/invites.md", `newest first: .limit. \(100, at most (\d+)\)`, [][2]string{{"server/access/shared.go", `MaxInvites\s+= ([\d_]+)`}}},
	{"docs/api.md", `archived ones as well: .limit. \(100, at most (\d+)\)`, [][2]string{{"server/access/shared.go", `MaxConnections\s+= ([\d_]+)`}}},
	{"docs/api.md", `the last (\d+) if left out, at most (\d+)\).*?.limit. \(100, at most ([\d,]+)\)`, [][2]string{
		{"addon/doorman/models/connection/rest_usage.py", `DAYS = (\d+)`}, {"server/access/shared.go", `MaxUsageDays\s+= ([\d_]+)`},
		{"server/access/shared.go", `MaxUsageRows\s+= ([\d_]+)`},
	}},
	{"docs/api.md", `the body is at most (\d+) KiB`, [][2]string{{"server/api/input.go", `maxBody = (\d+) << 10`}}},
	{"docs/oauth.md", `at most (\d+) OAuth connections`, [][2]string{{"addon/doorman/models/oauth/consent.py", `MAX_CONNECTIONS = (\d+)`}}},
	{"docs/oauth.md", `open at a time \(([\d,]+) requests, ([\d,]+) registrations`, [][2]string{
		{"addon/doorman/models/oauth/doorman_oauth_request.py", `MAX_OPEN = ([\d_]+)`}, {"addon/doorman/models/oauth/doorman_oauth_client.py", `MAX_UNUSED = ([\d_]+)`},
	}},
	{"docs/oauth.md", `Code: (\d+) seconds, request: (\d+) minutes`, [][2]string{
		{"addon/doorman/models/oauth/doorman_oauth_token.py", `CODE_SECONDS = (\d+)`}, {"addon/doorman/models/oauth/doorman_oauth_request.py", `MINUTES = (\d+)`},
	}},
	{"docs/audit.md", `keeps up to ([\d,]+) such records`, [][2]string{{"addon/doorman/tools/seen_records.py", `MOST_SEEN = ([\d_]+)`}}},
	{"docs/audit.md", `repeats up to ([\d,]+) rows`, [][2]string{{"server/app/audit.go", `exportPage = ([\d_]+)`}}},
	{"docs/audit.md", `stream, up to ([\d,]+) rows`, [][2]string{{"server/api/audit.go", `maxAudit\s+= ([\d_]+)`}}},
	{"docs/audit.md", `asked for ([\d,]+) at a time`, [][2]string{{"addon/doorman/models/audit/chain.py", `MOST_VERIFIED = ([\d_]+)`}}},
	{"docs/connections.md", `newest ([\d,]+) rows of the audit`, [][2]string{{"addon/doorman/models/audit/doorman_overview.py", `SAMPLE = ([\d_]+)`}}},
	{"docs/connections.md", `works once, within (\d+) hours`, [][2]string{{"addon/doorman/models/connection/doorman_pickup.py", `LINK_HOURS = (\d+)`}}},
	{"docs/tools.md", `At most (\d+) models, (\d+) seconds in all, 1\.5 seconds per model`, [][2]string{
		{"addon/doorman/tools/search_everywhere.py", `MAX_MODELS = (\d+)`}, {"addon/doorman/tools/search_everywhere.py", `DEADLINE = (\d+)`},
	}},
	{"docs/tools.md", `at most (\d+) useful fields`, [][2]string{{"addon/doorman/tools/default_fields.py", `MOST = (\d+)`}}},
	{"docs/tools.md", `up to ([\d,]+) rows as CSV`, [][2]string{{"server/access/shared.go", `MaxExportRows\s+= ([\d_]+)`}}},
	{"docs/tools.md", `At most ([\d,]+) rows, (\d+) columns, (\d+) MB and (\d+) seconds \((\d+) of computing\)`, [][2]string{
		{"server/access/shared.go", `MaxExportRows\s+= ([\d_]+)`}, {"server/access/shared.go", `MaxExportFields\s+= ([\d_]+)`},
		{"server/access/shared.go", `MaxFile\s+= (\d+) << 20`}, {"addon/doorman/tools/exports.py", `PATIENCE, COMPUTING = (\d+),`},
		{"addon/doorman/tools/exports.py", `PATIENCE, COMPUTING = \d+, (\d+)`},
	}},
	{"docs/tools.md", `A page has up to ([\d,]+) characters, or ([\d,]+) bytes`, [][2]string{
		{"addon/doorman/tools/file_text.py", `MAX_PAGE, MAX_PAGE_BYTES = ([\d_]+),`}, {"addon/doorman/tools/file_text.py", `MAX_PAGE, MAX_PAGE_BYTES = [\d_]+, ([\d_]+)`},
	}},
	{"docs/tools.md", `with at most (\d+) MB of memory, (\d+) seconds of computing, (\d+) in all`, [][2]string{
		{"addon/doorman/readers/__main__.py", `MEMORY, SECONDS = (\d+) \*`}, {"addon/doorman/readers/__main__.py", `MEMORY, SECONDS = .*, (\d+)`},
		{"addon/doorman/tools/file_text.py", `PATIENCE = (\d+)`},
	}},
	{"docs/tools.md", `A connection has at most (\d+) links open, with (\d+) MB`, [][2]string{
		{"addon/doorman/gateway/files.py", `MAX_OPEN = (\d+)`}, {"addon/doorman/gateway/files.py", `MAX_KEPT_BYTES = (\d+) \*`},
	}},
	{"docs/tools.md", `At most (\d+) at a time, and ([\d,]+) characters in all`, [][2]string{
		{"server/access/shared.go", `MaxCustomTools\s+= ([\d_]+)`}, {"addon/doorman/models/custom_tool/doorman_own_tool.py", `MAX_LETTERS = ([\d_]+)`},
	}},
	{"docs/tools.md", `(\d+) seconds with all steps, (\d+) MB, ([\d,]+) steps, (\d+) of which change something, ([\d,]+) characters`, [][2]string{
		{"addon/doorman_code/python_run.py", `SECONDS, MEMORY = (\d+)`}, {"addon/doorman_code/python_run.py", `SECONDS, MEMORY = \d+, (\d+)`},
		{"addon/doorman_code/python_run.py", `MAX_STEPS, MAX_CHANGES = ([\d_]+)`}, {"addon/doorman_code/python_run.py", `MAX_STEPS, MAX_CHANGES = [\d_]+, (\d+)`},
		{"addon/doorman_code/python_run.py", `MAX_RESULT = ([\d_]+)`},
	}},
	{"docs/tools.md", `Long texts come in pages: ([\d,]+) characters of each in a list of records, ([\d,]+) for`, [][2]string{
		{"server/mcp/tools/texts.go", `maxText = ([\d_]+)`}, {"server/mcp/tools/texts.go", `maxPage = ([\d_]+)`},
	}},
	{"docs/install.md", `keeps working for the overlap \((\d+) minutes`, [][2]string{{"addon/doorman/policy/credentials.py", `SERVICE_OVERLAP_MINUTES, MAX_SERVICE_OVERLAP_MINUTES = (\d+)`}}},
}

// words are numbers that stand there as words.
var words = map[string]string{"five": "5", "ten": "10"}

// TestNumbersInPages: a limit that is changed in the code is changed where people read it.
func TestNumbersInPages(t *testing.T) {
	t.Parallel()
	all := pages(t)
	plain := strings.NewReplacer(",", "", "_", "")
	for _, row := range numbers {
		said := regexp.MustCompile(row.words).FindStringSubmatch(strings.Join(strings.Fields(all[row.page]), " "))
		if said == nil || len(said) != len(row.code)+1 {
			t.Errorf("%s has nothing like %s, with %d numbers", row.page, row.words, len(row.code))
			continue
		}
		for i, line := range row.code {
			got := said[i+1]
			if word := words[got]; word != "" {
				got = word
			}
			if is := found(t, line[0], line[1]); plain.Replace(is) != plain.Replace(got) {
				t.Errorf("%s says %s: %s, in %s it is %s", row.page, row.words, said[i+1], line[0], is)
			}
		}
	}
}
