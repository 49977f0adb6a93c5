package repo_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

func text(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(repoRoot(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// found is what the first group of a pattern matches in a file.
func found(t *testing.T, path, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text(t, path))
	if match == nil {
		t.Fatalf("%s has nothing like %s", path, pattern)
	}
	return match[1]
}

// TestComposeIsHardened: a service that is added is closed like the others, and no password is written down.
func TestComposeIsHardened(t *testing.T) {
	t.Parallel()
	// Capabilities that a service cannot do without, and why, stand in the file.
	caps := map[string][]string{"secrets": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"}, "proxy": {"NET_BIND_SERVICE"}}
	pinned := regexp.MustCompile(`^[a-z]+:\d+\.\d+(\.\d+|-\d{8})?(-alpine)?$`)
	secret := regexp.MustCompile(`(?i)password|secret|key|token`)
	services := kit.ReadCompose(t, nil).Services
	if len(services) < 7 {
		t.Fatalf("only %d services", len(services))
	}
	for name, s := range services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s is not hardened: %+v", name, s)
		}
		if !slices.Equal(s.CapAdd, caps[name]) {
			t.Errorf("%s has the capabilities %v", name, s.CapAdd)
		}
		if !pinned.MatchString(s.Image) && s.Image != "doorman:compose" {
			t.Errorf("%s: %s is not one version", name, s.Image)
		}
		if s.User == "root" && name != "secrets" {
			t.Errorf("%s runs as root", name)
		}
		for variable := range s.Environment {
			if secret.MatchString(variable) && !strings.HasSuffix(variable, "_FILE") {
				t.Errorf("%s: %s holds a secret", name, variable)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is reached from everywhere: %s", name, port)
			}
		}
	}
}

// TestComposeInPublic: what puts the stack on the internet changes existing services, and only what it is for.
func TestComposeInPublic(t *testing.T) {
	t.Parallel()
	var over kit.Compose
	if err := yaml.Unmarshal([]byte(text(t, "deploy/compose/public.yml")), &over); err != nil {
		t.Fatal(err)
	}
	base := kit.ReadCompose(t, nil).Services
	for name, s := range over.Services {
		for variable := range s.Environment {
			if _, known := base[name].Environment[variable]; !known {
				t.Errorf("%s has no variable %s", name, variable)
			}
		}
		if len(s.Ports) > 0 && name != "proxy" {
			t.Errorf("%s is reached past the proxy: %v", name, s.Ports)
		}
	}
	// Both sides have to be told where people reach them.
	for name, service := range base {
		for variable, value := range service.Environment {
			if strings.Contains(value, "http://localhost") && over.Services[name].Environment[variable] == "" {
				t.Errorf("%s keeps %s=%s", name, variable, value)
			}
		}
	}
}

// TestComposeSettingsAreKept: settings of the compose stack are documented as lines of the file that every command reads. One that
// is typed before a single command would be gone with the next update.
func TestComposeSettingsAreKept(t *testing.T) {
	t.Parallel()
	used := text(t, "docker-compose.yml") + text(t, "deploy/compose/public.yml")
	setting := regexp.MustCompile(`(?m)^(?:# +)?([A-Z_]+)=(.*)$`)
	given := map[string]bool{}
	for _, where := range []string{
		found(t, "docs/install.md", "(?s)\n```ini\n(COMPOSE_FILE=.*?)```"), found(t, "deploy/compose/public.yml", `(?s)^(.*?)\nx-`),
		found(t, "docker-compose.yml", `(?s)^(.*?)\nx-`),
	} {
		where = strings.ReplaceAll(where, "rate limits:   ", "\n#   ")
		settings := setting.FindAllStringSubmatch(where, -1)
		if len(settings) != 3 {
			t.Errorf("%d settings, want 3:\n%s", len(settings), where)
		}
		for _, s := range settings {
			given[s[1]] = true
			if !strings.HasPrefix(s[1], "COMPOSE_") && !strings.Contains(used, "${"+s[1]+":") {
				t.Errorf("%s is not a setting of the compose stack", s[1])
			}
			if s[1] == "COMPOSE_FILE" {
				for file := range strings.SplitSeq(s[2], ":") {
					text(t, file)
				}
			}
		}
	}
	for _, needed := range regexp.MustCompile(`\$\{(\w+):\?`).FindAllStringSubmatch(used, -1) {
		if !given[needed[1]] {
			t.Errorf("the stack needs %s, which no page gives", needed[1])
		}
	}
	if !strings.Contains(text(t, ".gitignore"), "\n/.env\n") {
		t.Error("git would list .env as a change")
	}
	typed := regexp.MustCompile(`[A-Z_]+=\S+ +docker compose|docker compose -f`)
	for name, page := range pages(t) {
		if match := typed.FindString(page); match != "" {
			t.Errorf("%s: %s", name, match)
		}
	}
}

// TestStopTimes: wherever the service is killed some time after the order to stop, that is later than it may need.
func TestStopTimes(t *testing.T) {
	t.Parallel()
	duration := func(s string) time.Duration {
		t.Helper()
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	config := "server/app/config.go"
	delay := duration(found(t, config, `DOORMAN_STOP_DELAY" envDefault:"(\w+)"`))
	needs := delay + duration(found(t, config, `DOORMAN_ODOO_TIMEOUT" envDefault:"(\w+)"`)) + 5*time.Second
	for where, given := range map[string]time.Duration{
		"the systemd unit": duration(found(t, "deploy/systemd/doorman.service", `TimeoutStopSec=(\w+)`)),
		"compose":          duration(kit.ReadCompose(t, nil).Services["doorman"].StopGrace),
	} {
		if given < needs {
			t.Errorf("%s kills after %s; the service may need %s", where, given, needs)
		}
	}
	values := "deploy/helm/doorman/values.yaml"
	chart := duration(found(t, values, `stopDelaySeconds: (\d+)`)+"s") + duration(found(t, values, `timeoutSeconds: (\d+)`)+"s") + 5*time.Second
	if grace := duration(found(t, values, `\nterminationGracePeriodSeconds: (\d+)`) + "s"); grace < chart {
		t.Errorf("the chart kills after %s; the service may need %s", grace, chart)
	}
	// Proxies that find out by failing, or by asking, must have done so before the service closes.
	if left := duration(found(t, "deploy/nginx/doorman.conf", `fail_timeout=(\w+);`)); left >= delay {
		t.Errorf("nginx leaves a replica out for %s, with a stop delay of %s", left, delay)
	}
	if asked := duration(found(t, "deploy/caddy/Caddyfile", `health_interval (\w+)`)); 2*asked >= delay {
		t.Errorf("Caddy asks every %s, with a stop delay of %s", asked, delay)
	}
}

// TestProxyLimits: a limit of a proxy below the service's own would answer without saying what to do.
func TestProxyLimits(t *testing.T) {
	t.Parallel()
	megabytes := func(pattern string) int {
		n, err := strconv.Atoi(found(t, "deploy/nginx/doorman.conf", pattern))
		if err != nil {
			t.Fatal(err)
		}
		return n << 20
	}
	body, err := strconv.Atoi(found(t, "server/app/config.go", `DOORMAN_MAX_BODY" envDefault:"(\d+)"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := megabytes(`DOORMAN_MAX_BODY\.\n    client_max_body_size (\d+)m;`); got != body {
		t.Errorf("requests: %d bytes, the service takes %d", got, body)
	}
	if got := megabytes(`location /files/ \{\n\s+client_max_body_size (\d+)m;`); got != access.MaxFile {
		t.Errorf("files: %d bytes, the service takes %d", got, access.MaxFile)
	}
}

// TestDeploySettingsExist: a setting that is misspelt in deploy/ would keep the service from starting.
func TestDeploySettingsExist(t *testing.T) {
	t.Parallel()
	code := text(t, "server/app/config.go")
	named := regexp.MustCompile(`\bDOORMAN_[A-Z_]+\b`)
	// Of compose and Caddy, not of the service.
	others := []string{
		"DOORMAN_SITE", "DOORMAN_UPSTREAM", "DOORMAN_PROXY", "DOORMAN_EDGE", "DOORMAN_EDGE_OTHERS", "DOORMAN_VERSION", "DOORMAN_HOST",
	}
	n := 0
	for _, file := range files(t) {
		if !strings.HasPrefix(file, "deploy/") && file != "docker-compose.yml" && file != "Dockerfile" {
			continue
		}
		for _, name := range named.FindAllString(text(t, file), -1) {
			n++
			if !strings.Contains(code, `"`+name+`"`) && !slices.Contains(others, name) {
				t.Errorf("%s: %s is not a setting", file, name)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d were found", n)
	}
}

// TestOneHome: the addresses by which the project is published are all of one place. A project that moves changes them all.
func TestOneHome(t *testing.T) {
	t.Parallel()
	const home = "doorman-mcp/doorman"
	places := map[string]string{
		"deploy/server.json": `"url": "https://github.com/([^"]+)"`, "deploy/nfpm.yaml": `homepage: https://github.com/(\S+)`,
		"deploy/helm/doorman/Chart.yaml": `home: https://github.com/(\S+)`, "deploy/helm/doorman/values.yaml": `repository: ghcr.io/(\S+)`,
		"Dockerfile": `image.source="https://github.com/([^"]+)"`, "addon/doorman/__manifest__.py": `"website": "https://github.com/([^"]+)"`,
		"addon/doorman_code/__manifest__.py": `"website": "https://github.com/([^"]+)"`,
	}
	for file, pattern := range places {
		if got := found(t, file, pattern); got != home {
			t.Errorf("%s is of %s", file, got)
		}
	}
	// The registry compares these two, and takes a name below an account of GitHub's only from that account.
	name := "io.github." + home
	if got := found(t, "Dockerfile", `io.modelcontextprotocol.server.name="([^"]+)"`); got != name {
		t.Errorf("the image is of %s", got)
	}
	if got := found(t, "deploy/server.json", `"name": "(io\.[^"]+)"`); got != name {
		t.Errorf("server.json is of %s", got)
	}
}

// TestRegistryEntry: server.json as the registry's schema 2025-12-11 has it, as far as people get it wrong; its own tool checks
// the rest at a release.
func TestRegistryEntry(t *testing.T) {
	t.Parallel()
	var entry struct {
		Name, Title, Description, Version string
		Packages                          []struct {
			RegistryType, Identifier, Version string
			Transport                         struct{ Type, URL string }
			EnvironmentVariables              []struct{ Name string }
		}
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(text(t, "deploy/server.json")))).Decode(&entry); err != nil {
		t.Fatal(err)
	}
	if n := len(entry.Description); n == 0 || n > 100 {
		t.Errorf("the description has %d characters, of 1 to 100", n)
	}
	if n := len(entry.Title); n == 0 || n > 100 {
		t.Errorf("the title has %d characters, of 1 to 100", n)
	}
	if len(entry.Packages) != 1 {
		t.Fatalf("%d packages", len(entry.Packages))
	}
	p := entry.Packages[0]
	// An image's version is in its identifier, and nowhere else.
	if p.RegistryType != "oci" || p.Version != "" || !strings.HasSuffix(p.Identifier, ":"+entry.Version) {
		t.Errorf("the package %+v is not version %s", p, entry.Version)
	}
	if p.Transport.Type != "streamable-http" || !strings.HasSuffix(p.Transport.URL, "/mcp") {
		t.Errorf("the transport is %+v", p.Transport)
	}
	if addon := found(t, "addon/doorman/__manifest__.py", `"version": "19\.0\.([^"]+)"`); entry.Version != addon {
		t.Errorf("version %s, the addon has %s", entry.Version, addon)
	}
	if chart := found(t, "deploy/helm/doorman/Chart.yaml", `appVersion: "([^"]+)"`); entry.Version != chart {
		t.Errorf("version %s, the chart is for %s", entry.Version, chart)
	}
}

// TestStorePage: what Odoo's Apps page shows is in the addon, as it is today in the documentation, and nothing leads elsewhere,
// which that page takes out.
func TestStorePage(t *testing.T) {
	t.Parallel()
	const dir = "addon/doorman/static/description/"
	page := text(t, dir+"index.html")
	images := regexp.MustCompile(`src="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(images) < 3 {
		t.Fatalf("only %d images", len(images))
	}
	for _, image := range images {
		if text(t, dir+image[1]) != text(t, "docs/img/"+image[1]) {
			t.Errorf("%s is not that of docs/img: copy it", image[1])
		}
	}
	if strings.Contains(page, "href=") || strings.Contains(page, "<script") || strings.Contains(page, "http") {
		t.Error("the page has a link or a script")
	}
	// The first image is the one in lists, if its name says so.
	banner := found(t, "addon/doorman/__manifest__.py", `"images": \["([^"]+main_screenshot\.png)"`)
	text(t, "addon/doorman/"+banner)
}
