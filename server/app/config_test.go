package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/server/app"
)

const canary = "canary-4711-key"

// good is a configuration that starts; each row changes it.
var good = []string{"DOORMAN_ODOO_URL=http://127.0.0.1:1", "DOORMAN_ODOO_DB=db", "DOORMAN_ODOO_KEY=" + canary, "DOORMAN_LISTEN=127.0.0.1:0"}

func TestConfigNamesEveryProblem(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	marked := filepath.Join(t.TempDir(), "marked")
	if err := os.WriteFile(marked, []byte("\ufeff"+canary), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name    string
		environ []string
		says    []string
	}{
		{"nothing at all", []string{}, []string{"DOORMAN_ODOO_URL is missing", "DOORMAN_ODOO_DB is missing", "DOORMAN_ODOO_KEY is missing"}},
		{"an empty value is none", []string{"DOORMAN_ODOO_URL="}, []string{"DOORMAN_ODOO_URL is missing"}},
		{"a URL without a scheme", append(good, "DOORMAN_ODOO_URL=odoo.example.com"), []string{"DOORMAN_ODOO_URL must look like"}},
		{"a URL with a password", append(good, "DOORMAN_ODOO_URL=https://u:"+canary+"@odoo.example.com"), []string{"DOORMAN_ODOO_URL must look like"}},
		{"a URL with a port that is none", append(good, "DOORMAN_ODOO_URL=http://odoo:99999"), []string{"DOORMAN_ODOO_URL must look like"}},
		{"a URL without a host", append(good, "DOORMAN_ODOO_URL=http://:8069"), []string{"DOORMAN_ODOO_URL must look like"}},
		{"a URL with a fragment", append(good, "DOORMAN_ODOO_URL=http://odoo:8069/#"+canary), []string{"DOORMAN_ODOO_URL must look like"}},
		{"a database with a space", append(good, "DOORMAN_ODOO_DB=my db"), []string{"DOORMAN_ODOO_DB must be of ASCII"}},
		{"a key with its line end", append(good, "DOORMAN_ODOO_KEY="+canary+"\n"), []string{"DOORMAN_ODOO_KEY contains a character"}},
		{"a key file with a byte order mark", append(good[:2:2], "DOORMAN_ODOO_KEY_FILE="+marked), []string{"DOORMAN_ODOO_KEY_FILE: the file contains more than a key"}},
		{"both kinds of key", append(good, "DOORMAN_ODOO_KEY_FILE=/x"), []string{"are both set"}},
		{"a key file that is not there", append(good[:2:2], "DOORMAN_ODOO_KEY_FILE=/does/not/exist"), []string{"DOORMAN_ODOO_KEY_FILE", "no such file"}},
		{"a key file that is empty", append(good[:2:2], "DOORMAN_ODOO_KEY_FILE="+empty), []string{"the file is empty"}},
		{"a transport nobody knows", append(good, "DOORMAN_ODOO_TRANSPORT=soap"), []string{`"soap": use one of auto`}},
		{"a timeout without a unit", append(good, "DOORMAN_ODOO_TIMEOUT=30"), []string{`DOORMAN_ODOO_TIMEOUT is "30": it must be a number with a unit, such as 30s`}},
		{"a number that is none", append(good, "DOORMAN_ODOO_WORKERS=many"), []string{`DOORMAN_ODOO_WORKERS is "many": it must be a whole number`}},
		{"a timeout of an hour", append(good, "DOORMAN_ODOO_TIMEOUT=1h"), []string{"between 1s and 5m"}},
		{"workers below none", append(good, "DOORMAN_ODOO_WORKERS=-1"), []string{"DOORMAN_ODOO_WORKERS", "0: as Odoo reports"}},
		{"an empty batch", append(good, "DOORMAN_ODOO_BATCH=0"), []string{"DOORMAN_ODOO_BATCH", "between 1"}},
		{"a batch that the addon refuses", append(good, "DOORMAN_ODOO_BATCH=33"), []string{"DOORMAN_ODOO_BATCH", "and 32"}},
		{"nothing in flight", append(good, "DOORMAN_ODOO_MAX_IN_FLIGHT=0"), []string{"between 1 and 1000"}},
		{"an address without a port", append(good, "DOORMAN_LISTEN=127.0.0.1"), []string{"DOORMAN_LISTEN must look like"}},
		{"open to the world without a public URL", append(good, "DOORMAN_LISTEN=0.0.0.0:0"), []string{"DOORMAN_PUBLIC_URL is missing"}},
		{"a public URL without https", append(good, "DOORMAN_PUBLIC_URL=http://mcp.example.com"), []string{"must be https"}},
		{"a public URL with a path", append(good, "DOORMAN_PUBLIC_URL=https://example.com/mcp"), []string{"without a path"}},
		{"a proxy that is not an address", append(good, "DOORMAN_TRUSTED_PROXIES=10.0.0.0/8,proxy"), []string{`"proxy" is not an address`}},
		{"a network across both versions of IP", append(good, "DOORMAN_TRUSTED_PROXIES=::ffff:0.0.0.0/90"), []string{"DOORMAN_TRUSTED_PROXIES", "name them separately"}},
		{"a pattern of hosts", append(good, "DOORMAN_ALLOWED_HOSTS=*.example.com"), []string{"DOORMAN_ALLOWED_HOSTS", "is not a host"}},
		{"a URL for a host", append(good, "DOORMAN_ALLOWED_HOSTS=http://doorman"), []string{"DOORMAN_ALLOWED_HOSTS", "is not a host"}},
		{"no host", append(good, "DOORMAN_ALLOWED_HOSTS=doorman,,x"), []string{"DOORMAN_ALLOWED_HOSTS", "is not a host"}},
		{"metrics without a port", append(good, "DOORMAN_METRICS_LISTEN=0.0.0.0"), []string{"DOORMAN_METRICS_LISTEN must look like"}},
		{"metrics where the service listens", append(good, "DOORMAN_LISTEN=127.0.0.1:8090", "DOORMAN_METRICS_LISTEN=127.0.0.1:8090"), []string{"a separate address"}},
		{"metrics for no network", append(good, "DOORMAN_METRICS_ALLOW=here"), []string{"DOORMAN_METRICS_ALLOW"}},
		{"traces to no URL", append(good, "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT must look like"}},
		{"traces by gRPC", append(good, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"), []string{`"grpc": Doorman sends http/protobuf`}},
		{"traces by gRPC alone", append(good, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4317", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"), []string{`OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is "grpc"`}},
		{"traces to a console", append(good, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "OTEL_TRACES_EXPORTER=console"), []string{`"console": use otlp or none`}},
		{"something other than an origin", append(good, "DOORMAN_ALLOWED_ORIGINS=app.example.com"), []string{"is not an origin"}},
		{"a body of nothing", append(good, "DOORMAN_MAX_BODY=1"), []string{"DOORMAN_MAX_BODY"}},
		{"a log level nobody knows", append(good, "DOORMAN_LOG_LEVEL=loud"), []string{`"loud": use trace`}},
		{"a log level that is a number", append(good, "DOORMAN_LOG_LEVEL=7"), []string{`"7": use trace`}},
		{"a log without its errors", append(good, "DOORMAN_LOG_LEVEL=disabled"), []string{`"disabled": use trace`}},
		{"a Redis of another scheme", append(good, "DOORMAN_REDIS_URL=http://u:"+canary+"@redis:6379"), []string{"DOORMAN_REDIS_URL", "must begin with redis://"}},
		{"a Redis without a host", append(good, "DOORMAN_REDIS_URL=redis://:"+canary+"@/0"), []string{"DOORMAN_REDIS_URL", "names no host"}},
		{"a Redis whose URL cannot be read", append(good, "DOORMAN_REDIS_URL=redis://:"+canary+"%zz@redis:6379"), []string{"DOORMAN_REDIS_URL", "%-encoded"}},
		{"a Redis database that is not a number", append(good, "DOORMAN_REDIS_URL=redis://u:"+canary+"@redis:6379/mine"), []string{"DOORMAN_REDIS_URL", "database number"}},
		{"a Redis that is only a host", append(good, "DOORMAN_REDIS_URL=redis:6379"), []string{"DOORMAN_REDIS_URL"}},
		{"a misspelt name", append(good, "DOORMAN_ODOO_DATABASE=x"), []string{"DOORMAN_ODOO_DATABASE is not a setting"}},
		{"several at once", append(good, "DOORMAN_LOG_LEVEL=loud", "DOORMAN_ODOO_TRANSPORT=soap", "DOORMAN_TRUSTED_PROXIES=x"), []string{"DOORMAN_LOG_LEVEL", "DOORMAN_ODOO_TRANSPORT", "DOORMAN_TRUSTED_PROXIES"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			ctx, stop := context.WithCancel(t.Context())
			stop() // a service that starts all the same ends at once
			err := app.Run(ctx, []string{"serve"}, row.environ, &out, &out)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range row.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in: %v", want, err)
				}
			}
			for line := range strings.Lines(err.Error()) {
				if listed, found := strings.CutPrefix(line, "  - "); found && !strings.HasPrefix(listed, "DOORMAN_") && !strings.HasPrefix(listed, "OTEL_") {
					t.Errorf("it names no setting: %s", line)
				}
			}
			if strings.Count(err.Error(), "DOORMAN_ODOO_TIMEOUT") > 1 {
				t.Errorf("one problem is told twice: %v", err)
			}
			if strings.Contains(err.Error()+out.String(), canary) {
				t.Errorf("a secret was printed: %v", err)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args []string
		says string // "" = no error
	}{
		{[]string{"version"}, ""},
		{[]string{"help"}, ""},
		{nil, "Usage"},
		{[]string{"sevre"}, `no command "sevre"`},
		{[]string{"serve", "--port", "1"}, "takes no arguments"},
		{[]string{"demo"}, `no command "demo"`},
		{[]string{"serve", "--help"}, ""},
		{[]string{"check", "-h"}, ""},
		{[]string{"health", "--help"}, ""},
		{[]string{"explain", "--help"}, ""},
		{[]string{"explain", "-h", "more"}, ""},
		{[]string{"explain"}, "needs --connection and --tool"},
		{[]string{"explain", "--connection", "1", "--tool", "x", "--record", "1"}, "--record needs --model"},
		{[]string{"audit", "--help"}, ""},
		{[]string{"audit", "export", "--help"}, ""},
		{[]string{"audit", "verify", "-h"}, ""},
		{[]string{"audit", "import"}, `no command "import" of audit`},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := app.Run(t.Context(), row.args, nil, &out, &out)
			if (err == nil) != (row.says == "") || (err != nil && !strings.Contains(err.Error(), row.says)) {
				t.Fatalf("got %v", err)
			}
			if err == nil && out.Len() == 0 {
				t.Fatal("it said nothing")
			}
		})
	}
}
