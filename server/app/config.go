package app

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/rs/zerolog"

	"doorman/odoo"
	"doorman/server/access"
	"doorman/server/limit"
	"doorman/server/publicurl"
	"doorman/server/secret"
)

// Config is the service's configuration, from the environment. Nothing else of ours reads the environment; OpenTelemetry's SDK
// reads its own variables there, see tracing.go.
type Config struct {
	OdooURL       string        `env:"DOORMAN_ODOO_URL"`
	OdooDB        string        `env:"DOORMAN_ODOO_DB"`
	OdooKey       secret.Text   `env:"DOORMAN_ODOO_KEY"`
	OdooKeyFile   string        `env:"DOORMAN_ODOO_KEY_FILE"`
	OdooTransport string        `env:"DOORMAN_ODOO_TRANSPORT" envDefault:"auto"`
	OdooTimeout   time.Duration `env:"DOORMAN_ODOO_TIMEOUT" envDefault:"30s"`
	OdooInFlight  int           `env:"DOORMAN_ODOO_MAX_IN_FLIGHT" envDefault:"16"`
	OdooWorkers   int           `env:"DOORMAN_ODOO_WORKERS" envDefault:"0"`
	OdooBatch     int           `env:"DOORMAN_ODOO_BATCH" envDefault:"8"`
	RedisURL      secret.Text   `env:"DOORMAN_REDIS_URL"`

	Listen         string        `env:"DOORMAN_LISTEN" envDefault:"127.0.0.1:8090"`
	StopDelay      time.Duration `env:"DOORMAN_STOP_DELAY" envDefault:"3s"`
	PublicURL      string        `env:"DOORMAN_PUBLIC_URL"`
	TrustedProxies []string      `env:"DOORMAN_TRUSTED_PROXIES"`
	AllowedOrigins []string      `env:"DOORMAN_ALLOWED_ORIGINS"`
	AllowedHosts   []string      `env:"DOORMAN_ALLOWED_HOSTS"`
	MetricsListen  string        `env:"DOORMAN_METRICS_LISTEN"`
	MetricsAllow   []string      `env:"DOORMAN_METRICS_ALLOW"`
	MaxBody        int64         `env:"DOORMAN_MAX_BODY" envDefault:"1048576"`
	LogLevel       string        `env:"DOORMAN_LOG_LEVEL" envDefault:"info"`

	// What follows is worked out from the above.
	public         *url.URL
	trustedProxies []netip.Prefix
	metricsAllow   []netip.Prefix // empty = not set
	tracesURL      string         // where spans go; "" = nowhere
	logLevel       zerolog.Level
	redis          *limit.Redis // nil = the limits are counted in this process
}

var transports = []string{"auto", "doorman", "json2", "jsonrpc", "xmlrpc"}

// loadConfig reads the configuration. The error names every problem at once: an administrator wants to fix them all
// before the next try.
func loadConfig(environ []string) (*Config, error) {
	variables, telemetry := map[string]string{}, map[string]string{}
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); {
		case value == "":
		case strings.HasPrefix(name, "DOORMAN_"):
			variables[name] = value
		case strings.HasPrefix(name, "OTEL_"):
			telemetry[name] = value
		}
	}
	c := &Config{}
	unread := map[string]string{}
	if err := env.ParseWithOptions(c, env.Options{Environment: variables}); err != nil {
		if unread, err = unreadable(err); err != nil {
			return nil, err
		}
	}
	problems := slices.Concat(unknownVariables(variables), c.checkOdoo(), c.checkRedis(), c.checkHTTP(), c.checkMetrics())
	// What could not be read has not been checked either: its field is 0.
	problems = slices.DeleteFunc(problems, func(problem error) bool {
		name, _, _ := strings.Cut(problem.Error(), " ")
		return unread[name] != ""
	})
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		problems = append(problems, fmt.Errorf("%s is %q: %s", name, variables[name], unread[name]))
	}
	tracesURL, wrong := tracesURL(telemetry)
	c.tracesURL, problems = tracesURL, append(problems, wrong...)
	if len(problems) > 0 {
		return nil, configError(problems)
	}
	return c, nil
}

// adminConfig is what a command needs that a person gives in their own name: their key, and which Odoo.
type adminConfig struct {
	OdooURL  string      `env:"DOORMAN_ODOO_URL"`
	OdooDB   string      `env:"DOORMAN_ODOO_DB"`
	AdminKey secret.Text `env:"DOORMAN_ADMIN_KEY"`
}

// loadAdminConfig reads it. The key comes by the environment: arguments are seen by everybody on the machine.
func loadAdminConfig(environ []string) (*adminConfig, error) {
	c := &adminConfig{}
	if err := env.ParseWithOptions(c, env.Options{Environment: env.ToMap(environ)}); err != nil {
		return nil, err
	}
	problems := (&Config{OdooURL: c.OdooURL, OdooDB: c.OdooDB}).checkWhere()
	if c.AdminKey.Empty() {
		problems = append(problems, errors.New("DOORMAN_ADMIN_KEY is missing: the Odoo API key of an MCP administrator"))
	}
	if len(problems) > 0 {
		return nil, configError(problems)
	}
	return c, nil
}

// configError lists the problems, one a line.
func configError(problems []error) error {
	lines := []string{"the configuration has problems:"}
	for _, p := range problems {
		lines = append(lines, "  - "+p.Error())
	}
	return errors.New(strings.Join(lines, "\n"))
}

// unreadable takes the library's error apart: the settings that it could not read, by name, and the form that each has to
// have. Settings that hold secrets are texts, which can always be read. The error is of another kind.
func unreadable(err error) (map[string]string, error) {
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return nil, err
	}
	forms := map[string]string{}
	for _, one := range all.Errors {
		wrong, ok := errors.AsType[env.ParseError](one)
		if !ok {
			return nil, err
		}
		field, _ := reflect.TypeFor[Config]().FieldByName(wrong.Name)
		form := "it must be a whole number"
		if wrong.Type == reflect.TypeFor[time.Duration]() {
			form = "it must be a number with a unit, such as 30s or 2m"
		}
		forms[field.Tag.Get("env")] = form
	}
	return forms, nil
}

// unknownVariables finds misspelt names: DOORMAN_ODOO_DATABASE would otherwise be ignored without a word.
func unknownVariables(variables map[string]string) (problems []error) {
	params, err := env.GetFieldParams(&Config{})
	if err != nil {
		return []error{err}
	}
	// Of the demo and the tests, and of `doorman explain`, which may run in the same shell.
	known := []string{"DOORMAN_CACHE", "DOORMAN_ADMIN_KEY"}
	for _, p := range params {
		known = append(known, p.Key)
	}
	for name := range variables {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "DOORMAN_TEST_") {
			problems = append(problems, fmt.Errorf("%s is not a setting; docs/install.md lists all of them", name))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// checkWhere checks which Odoo it is.
func (c *Config) checkWhere() (problems []error) {
	if c.OdooURL == "" {
		problems = append(problems, errors.New("DOORMAN_ODOO_URL is missing: where Odoo answers, such as http://127.0.0.1:8070"))
	} else if odoo.CheckURL(c.OdooURL) != nil {
		problems = append(problems, errors.New("DOORMAN_ODOO_URL must look like https://odoo.example.com, without user, password, query or fragment"))
	}
	if c.OdooDB == "" {
		problems = append(problems, errors.New("DOORMAN_ODOO_DB is missing: the name of Odoo's database"))
	} else if !odoo.HeaderSafe(c.OdooDB) {
		problems = append(problems, errors.New("DOORMAN_ODOO_DB must be of ASCII characters without spaces: it is sent in a header"))
	}
	return problems
}

func (c *Config) checkOdoo() (problems []error) {
	problems = c.checkWhere()
	if !c.OdooKey.Empty() && c.OdooKeyFile != "" {
		problems = append(problems, errors.New("DOORMAN_ODOO_KEY and DOORMAN_ODOO_KEY_FILE are both set: set one"))
	} else if c.OdooKeyFile != "" {
		key, err := readKey(c.OdooKeyFile)
		if err != nil {
			problems = append(problems, fmt.Errorf("DOORMAN_ODOO_KEY_FILE: %w", err))
		}
		c.OdooKey = secret.New(string(key))
	} else if c.OdooKey.Empty() {
		problems = append(problems, errors.New("DOORMAN_ODOO_KEY is missing: create it in Odoo, Doorman > Configuration > Server Settings"))
	} else if !odoo.HeaderSafe(c.OdooKey.Reveal()) {
		problems = append(problems, errors.New("DOORMAN_ODOO_KEY contains a character that no key has, such as a space or a line break: copy the key alone"))
	}
	if !slices.Contains(transports, c.OdooTransport) {
		problems = append(problems, fmt.Errorf("DOORMAN_ODOO_TRANSPORT is %q: use one of %s", c.OdooTransport, strings.Join(transports, ", ")))
	}
	if c.OdooTimeout < time.Second || c.OdooTimeout > 5*time.Minute {
		problems = append(problems, errors.New("DOORMAN_ODOO_TIMEOUT must be between 1s and 5m"))
	}
	if c.OdooInFlight < 1 || c.OdooInFlight > 1000 {
		problems = append(problems, errors.New("DOORMAN_ODOO_MAX_IN_FLIGHT must be between 1 and 1000"))
	}
	if c.OdooWorkers < 0 || c.OdooWorkers > 1000 {
		problems = append(problems, errors.New("DOORMAN_ODOO_WORKERS must be between 1 and 1000, or 0: as Odoo reports"))
	}
	if c.OdooBatch < 1 || c.OdooBatch > access.MaxBatch {
		problems = append(problems, fmt.Errorf("DOORMAN_ODOO_BATCH must be between 1 (reads never share a request) and %d", access.MaxBatch))
	}
	return problems
}

// checkRedis makes the client, which does not connect yet. Its errors never quote the URL: it holds a password.
func (c *Config) checkRedis() (problems []error) {
	if c.RedisURL.Empty() {
		return nil
	}
	var err error
	if c.redis, err = limit.NewRedis(c.RedisURL.Reveal()); err != nil {
		problems = append(problems, fmt.Errorf("DOORMAN_REDIS_URL: %s", strings.TrimPrefix(err.Error(), "limit: ")))
	}
	return problems
}

func (c *Config) checkHTTP() (problems []error) {
	if c.StopDelay < 0 || c.StopDelay > 5*time.Minute {
		problems = append(problems, errors.New("DOORMAN_STOP_DELAY must be between 0s and 5m"))
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil && port == "" {
		err = errors.New("no port")
	}
	if err != nil {
		problems = append(problems, errors.New("DOORMAN_LISTEN must look like 127.0.0.1:8090 or 0.0.0.0:8090"))
	}
	if c.PublicURL == "" && err == nil {
		if !isLoopback(host) {
			problems = append(problems, errors.New("DOORMAN_PUBLIC_URL is missing: where AI tools reach this service, such as https://mcp.example.com"))
		}
		// Otherwise it is where the service listens, known once it does (listenOn).
	}
	if c.PublicURL != "" {
		if c.public, err = parsePublicURL(c.PublicURL); err != nil {
			problems = append(problems, err)
		}
	}
	if c.trustedProxies, err = parsePrefixes(c.TrustedProxies); err != nil {
		problems = append(problems, fmt.Errorf("DOORMAN_TRUSTED_PROXIES: %w", err))
	}
	for i, host := range c.AllowedHosts {
		if c.AllowedHosts[i] = strings.ToLower(strings.TrimSpace(host)); !isHostName(c.AllowedHosts[i]) {
			problems = append(problems, fmt.Errorf("DOORMAN_ALLOWED_HOSTS: %q is not a host such as doorman.tools.svc or doorman:8090", host))
		}
	}
	for i, origin := range c.AllowedOrigins {
		u, err := publicurl.Parse(strings.TrimSpace(origin))
		if err != nil || u.Path != "" {
			problems = append(problems, fmt.Errorf("DOORMAN_ALLOWED_ORIGINS: %q is not an origin such as https://app.example.com", origin))
			continue
		}
		c.AllowedOrigins[i] = u.String() // as browsers write it in the header
	}
	if c.MaxBody < 1024 || c.MaxBody > 64<<20 {
		problems = append(problems, errors.New("DOORMAN_MAX_BODY must be between 1024 and 67108864 bytes"))
	}
	if c.logLevel, err = zerolog.ParseLevel(c.LogLevel); err != nil || c.logLevel < zerolog.TraceLevel || c.logLevel > zerolog.ErrorLevel {
		problems = append(problems, fmt.Errorf("DOORMAN_LOG_LEVEL is %q: use trace, debug, info, warn or error", c.LogLevel))
	}
	return problems
}

func (c *Config) checkMetrics() (problems []error) {
	var err error
	if c.metricsAllow, err = parsePrefixes(c.MetricsAllow); err != nil {
		problems = append(problems, fmt.Errorf("DOORMAN_METRICS_ALLOW: %w", err))
	}
	if c.MetricsListen == "" {
		return problems
	}
	if _, port, err := net.SplitHostPort(c.MetricsListen); err != nil || port == "" {
		problems = append(problems, errors.New("DOORMAN_METRICS_LISTEN must look like 127.0.0.1:9091 or 0.0.0.0:9091"))
	} else if c.MetricsListen == c.Listen && port != "0" {
		problems = append(problems, errors.New("DOORMAN_METRICS_LISTEN equals DOORMAN_LISTEN: metrics need a separate address, or none"))
	}
	return problems
}

// hostForm is a name or an IPv4 address with or without a port: a pattern would let in what nobody thought of.
var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]{1,5})?$|^\[[0-9a-f:.]+\](:[0-9]{1,5})?$`)

func isHostName(s string) bool { return len(s) <= 253 && hostForm.MatchString(s) }

// listenOn starts to listen, and lets the public URL be that address where none is set.
func (c *Config) listenOn() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen) //nolint:noctx // it waits for nobody
	if err != nil {
		return nil, fmt.Errorf("DOORMAN_LISTEN: %w", err)
	}
	if c.public == nil {
		if c.public, err = parsePublicURL("http://" + listener.Addr().String()); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
	}
	return listener, nil
}

// parsePublicURL takes an origin, in any spelling: a path would make the OAuth issuer one with a path,
// which clients look for in places that a proxy may not pass on. Plain http is for this machine only: keys travel in every
// request.
func parsePublicURL(s string) (*url.URL, error) {
	u, err := publicurl.Parse(strings.TrimSpace(s))
	switch {
	case err != nil || u.Path != "":
		return nil, errors.New("DOORMAN_PUBLIC_URL must look like https://mcp.example.com, without a path")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("DOORMAN_PUBLIC_URL must be https: keys travel in every request (http only on this machine)")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// parsePrefixes takes addresses and networks, v4 and v6.
func parsePrefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		s = strings.TrimSpace(s)
		if addr, err := netip.ParseAddr(s); err == nil {
			addr = addr.Unmap() // as package clientip has them: an IPv4 address that is written as IPv6 would match nobody
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address or network, such as 10.0.0.0/8 or 2001:db8::/32", s)
		}
		if prefix.Addr().Is4In6() {
			if prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96); !prefix.IsValid() {
				return nil, fmt.Errorf("%q is a network of IPv4 and IPv6 addresses: name them separately", s)
			}
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}
