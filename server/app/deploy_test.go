package app

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"doorman/server/observe"
)

// dashboard is what a test needs of Grafana's model of one.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct {
			Name, Type string
			Definition string
		}
	}
	Panels []panel
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		RefID      string `json:"refId"`
		Expr       string
		Datasource struct{ UID string }
	}
}

func readDeployed(t *testing.T, path ...string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(readDeployed(t, "deploy", "grafana", "doorman.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// served are the metrics of the service, with their labels.
func served(t *testing.T) map[string][]string {
	t.Helper()
	m := newMetrics()
	m.watch([]observe.Cache{})
	all := make(chan *prometheus.Desc, 1000)
	m.registry.Describe(all)
	close(all)
	form := regexp.MustCompile(`fqName: "([^"]+)".*constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)
	found := map[string][]string{}
	for d := range all {
		parts := form.FindStringSubmatch(d.String())
		if parts == nil {
			t.Fatalf("not understood: %s", d)
		}
		labels := []string{"job", "instance"} // Prometheus adds these
		for _, l := range regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(parts[2], -1) {
			labels = append(labels, l[1])
		}
		if parts[3] != "" {
			labels = append(labels, strings.Split(parts[3], ",")...)
		}
		found[parts[1]] = labels
		if strings.HasSuffix(parts[1], "_seconds") && !strings.HasSuffix(parts[1], "_timestamp_seconds") || strings.HasSuffix(parts[1], "_calls") {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				found[parts[1]+part] = append(slices.Clone(labels), "le")
			}
		}
	}
	return found
}

var (
	metricName = regexp.MustCompile(`\b(?:doorman|process|go)_[a-z0-9_]+\b`)
	selector   = regexp.MustCompile(`\b((?:doorman|process|go)_[a-z0-9_]+)\{([^}]*)\}`)
	labelName  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// fits says what an expression asks for that is not there.
func fits(expr string, there map[string][]string) (missing []string) {
	for _, name := range metricName.FindAllString(expr, -1) {
		if there[name] == nil {
			missing = append(missing, name)
		}
	}
	for _, part := range selector.FindAllStringSubmatch(expr, -1) {
		for _, label := range labelName.FindAllStringSubmatch(part[2], -1) {
			if !slices.Contains(there[part[1]], label[1]) {
				missing = append(missing, part[1]+"{"+label[1]+"}")
			}
		}
	}
	return missing
}

// TestDashboardFits: it asks for what there is, and is one that Grafana takes.
func TestDashboardFits(t *testing.T) {
	t.Parallel()
	d, there := readDashboard(t), served(t)
	ids := map[int]bool{}
	if d.UID != "doorman" || len(d.Panels) < 15 {
		t.Fatalf("%q, %d panels", d.UID, len(d.Panels))
	}
	for i, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, other := range d.Panels[:i] {
			if p.GridPos.X < other.GridPos.X+other.GridPos.W && other.GridPos.X < p.GridPos.X+p.GridPos.W &&
				p.GridPos.Y < other.GridPos.Y+other.GridPos.H && other.GridPos.Y < p.GridPos.Y+p.GridPos.H {
				t.Errorf("%q lies on %q", p.Title, other.Title)
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || !strings.Contains(target.Expr, `job=~"$job", instance=~"$instance"`) {
				t.Errorf("%q does not follow what is chosen above: %s", p.Title, target.Expr)
			}
			for _, missing := range fits(target.Expr, there) {
				t.Errorf("%q: there is no %s", p.Title, missing)
			}
		}
	}
	for _, v := range d.Templating.List {
		for _, missing := range fits(v.Definition, there) {
			t.Errorf("%s: there is no %s", v.Name, missing)
		}
	}
}

// TestAlertsFit: the rules ask for what there is, and each is explained.
func TestAlertsFit(t *testing.T) {
	t.Parallel()
	rules, there := readDeployed(t, "deploy", "prometheus", "doorman.rules.yml"), served(t)
	for _, missing := range fits(rules, there) {
		t.Errorf("there is no %s", missing)
	}
	guide, tests := readDeployed(t, "docs", "operations.md"), readDeployed(t, "deploy", "prometheus", "doorman.rules.test.yml")
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(alerts) < 8 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, alert := range alerts {
		if !strings.Contains(guide, "| `"+alert[1]+"` |") {
			t.Errorf("docs/operations.md does not explain %s", alert[1])
		}
		if strings.Count(tests, alert[1]) < 2 {
			t.Errorf("doorman.rules.test.yml does not show %s silent and firing", alert[1])
		}
	}
}

// TestMetricsAreDocumented: all of ours, and no others.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	guide, there := readDeployed(t, "docs", "operations.md"), served(t)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(doorman_[a-z_]+)(?:\\{([a-z_,]*)\\})?` \\|").FindAllStringSubmatch(guide, -1) {
		documented[row[1]] = true
		labels := there[row[1]]
		if labels == nil {
			t.Errorf("docs/operations.md has %s, which is not there", row[1])
			continue
		}
		has := strings.Join(slices.Sorted(slices.Values(labels[2:])), ",")
		said := strings.Join(slices.Sorted(slices.Values(strings.Split(row[2], ","))), ",")
		if has != said {
			t.Errorf("%s has the labels %s, docs/operations.md says %s", row[1], has, said)
		}
	}
	for name, labels := range there {
		if strings.HasPrefix(name, "doorman_") && !slices.Contains(labels, "le") && !documented[name] {
			t.Errorf("docs/operations.md does not have %s", name)
		}
	}
}

// TestPromtool: Prometheus's own tool reads every expression, and tries out the alerts. It is there in `make test`, which fetches
// it and says by DOORMAN_TEST_PROMTOOL where.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := os.Getenv("DOORMAN_TEST_PROMTOOL")
	if promtool == "" {
		t.Skip("DOORMAN_TEST_PROMTOOL does not say where promtool is: make lint-rules")
	}
	run := func(dir string, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), promtool, args...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	rules := filepath.Join("..", "..", "deploy", "prometheus")
	run(rules, "check", "rules", "doorman.rules.yml")
	run(rules, "test", "rules", "doorman.rules.test.yml")
	// The expressions of the dashboard as rules, with Grafana's variables filled in.
	filled := strings.NewReplacer("$__rate_interval", "1m", "$job", "doorman", "$instance", ".*")
	text := &strings.Builder{}
	text.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			fmt.Fprintf(text, "      - record: panel:%d%s\n        expr: %q\n", p.ID, target.RefID, filled.Replace(target.Expr))
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dashboard.yml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run(dir, "check", "rules", "dashboard.yml")
}
