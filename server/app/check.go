package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorman/odoo"
	"doorman/server/access"
	"doorman/server/oauth"
)

const (
	// checkWithin is how long `doorman check` waits for one answer.
	checkWithin = 10 * time.Second
	// maxSkew is how far apart the clocks of the service and Odoo may be: tokens end by both.
	maxSkew = 30 * time.Second
	// maxProbe is how much of an answer is read, in bytes.
	maxProbe = 64 << 10
)

// grade is how bad a finding is.
type grade string

const (
	fine  grade = "ok"
	doubt grade = "warn" // works, or cannot be known from here
	wrong grade = "FAIL"
)

// finding is what `doorman check` found out about one part of an installation.
type finding struct {
	grade grade
	part  string
	said  string
	mend  string // what to do about it
}

// checkCommand is `doorman check`: it looks at everything that `doorman serve` with the same configuration depends on,
// and changes nothing. The error says how many findings keep it from working.
func checkCommand(ctx context.Context, environ []string, stdout io.Writer) error {
	c, err := loadConfig(environ)
	if err != nil {
		return err
	}
	p := &prober{config: c, client: &http.Client{
		Timeout: checkWithin,
		// From outside, as clients come: on a machine whose only way out is a proxy, through that.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.redis != nil {
		defer func() { _ = c.redis.Close() }()
	}
	failed := 0
	for _, look := range []func(context.Context) []finding{p.keyFile, p.odoo, p.web, p.public, p.running, p.redis} {
		for _, f := range look(ctx) {
			if err := f.print(stdout); err != nil {
				return err
			}
			if f.grade == wrong {
				failed++
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed == 1:
		return errors.New("check: one thing keeps this from working")
	case failed > 1:
		return fmt.Errorf("check: %d things keep this from working", failed)
	}
	return nil
}

func (f finding) print(w io.Writer) error {
	text := fmt.Sprintf("%-5s %-14s %s\n", f.grade, f.part, f.said)
	if f.mend != "" {
		text += fmt.Sprintf("%21s-> %s\n", "", f.mend)
	}
	_, err := io.WriteString(w, text)
	return err
}

// prober asks the parts, one after the other; what Odoo said of itself is known to those after it.
type prober struct {
	config *Config
	client *http.Client
	hello  *access.Hello
	// reached says that Doorman answers at the public URL.
	reached bool
}

// odoo asks the addon who it is, with the service's own key. Without a version of its own, so that Odoo does not take
// this for the service's heartbeat.
func (p *prober) odoo(ctx context.Context) []finding {
	c := p.config
	client, err := odoo.New(odoo.Config{
		URL: c.OdooURL, Database: c.OdooDB, Key: odoo.Key(c.OdooKey.Reveal()), Transport: c.OdooTransport, Timeout: checkWithin,
	})
	if err != nil {
		return []finding{{wrong, "Odoo", err.Error(), ""}}
	}
	hello, err := client.Hello(ctx)
	if err != nil {
		e := access.AsError(err)
		return []finding{{wrong, "Odoo", strings.TrimSuffix(e.Message, ".") + " (" + e.Detail + ").", e.Hint}}
	}
	p.hello = &hello
	found := []finding{{fine, "Odoo", fmt.Sprintf("%s, database %s (%s), addon %s, over %s",
		hello.OdooVersion, hello.Database, hello.CompanyName, hello.AddonVersion, client.Transport()), ""}}
	if !strings.HasPrefix(hello.OdooVersion, "19.") && !strings.HasPrefix(hello.OdooVersion, "saas~19.") {
		found = append(found, finding{doubt, "Odoo", "Doorman is tested with Odoo 19 only.", ""})
	}
	if len(hello.OtherMCP) > 0 {
		found = append(found, finding{doubt, "Other MCP", "AI tools can also reach this Odoo without Doorman: through " + strings.Join(hello.OtherMCP, ", ") + ".",
			"Uninstall the module in Apps, or block its address (/mcp) in front of Odoo."})
	}
	if len(hello.Services) > 1 {
		found = append(found, finding{doubt, "Service key", "Several services run with this Odoo's key: " + strings.Join(hello.Services, ", ") + ".",
			"Replicas of one service share one DOORMAN_PUBLIC_URL. Stop the others, or create a new service key for only one of them."})
	}
	found = append(found, p.transport(client.Transport())...)
	if !hello.Enabled {
		found = append(found, finding{doubt, "Master switch", "Access for AI tools is switched off in Odoo.",
			"Switch it on in Odoo: Doorman > Configuration > Server Settings."})
	}
	return found
}

// odooURL is where Odoo is called; nil = the configured address cannot be parsed, which is said elsewhere.
func (p *prober) odooURL() *url.URL {
	u, err := url.Parse(p.config.OdooURL)
	if err != nil {
		return nil
	}
	return u
}

// web looks whether people get to Odoo where Odoo says it is: consent pages, invites and approvals send them there.
func (p *prober) web(ctx context.Context) []finding {
	const part = "Odoo's pages"
	if p.hello == nil {
		return nil
	}
	const mend = "In Odoo, Settings > Technical > System Parameters: web.base.url is where people's browsers reach Odoo."
	u, err := url.Parse(p.hello.WebURL)
	if err != nil || u.Host == "" {
		return []finding{{wrong, part, "Odoo does not say where people reach it.", mend}}
	}
	var found []finding
	if isLoopback(u.Hostname()) && p.config.public != nil && !isLoopback(p.config.public.Hostname()) {
		return []finding{{wrong, part, p.hello.WebURL + " leads people back to their own machine: logins, invites and approvals do not work.", mend}}
	}
	if p.hello.WebURLFollows {
		found = append(found, finding{doubt, part, "Odoo changes web.base.url whenever an administrator logs in through another address.",
			"In Odoo, add the system parameter web.base.url.freeze with the value True."})
	}
	if u.Scheme != "https" && !isLoopback(u.Hostname()) {
		found = append(found, finding{doubt, part, p.hello.WebURL + " is not https: passwords are sent unencrypted.", mend})
	}
	got, err := p.get(ctx, p.hello.WebURL+"/web/health")
	switch {
	case err != nil:
		return append(found, finding{doubt, part, fmt.Sprintf("%s does not answer from here: %s.", p.hello.WebURL, probeError(err)),
			"If it answers in a browser, all is well. If not: " + mend})
	case got.status != http.StatusOK || !strings.Contains(string(got.body), `"pass"`):
		return append(found, finding{wrong, part, fmt.Sprintf("%s/web/health answers %d, which is not an Odoo.", p.hello.WebURL, got.status), mend})
	}
	found = append(found, finding{fine, part, p.hello.WebURL, ""})
	if at, err := http.ParseTime(got.header.Get("Date")); err == nil {
		if skew := time.Since(at).Abs(); skew > maxSkew {
			found = append(found, finding{wrong, "Clocks", fmt.Sprintf("This machine's clock and Odoo's are %s apart.", skew.Round(time.Second)),
				"Synchronize both with a time server: tokens and links expire by these clocks."})
		}
	}
	return found
}

// public looks whether the service is reached where AI tools are told to look for it.
func (p *prober) public(ctx context.Context) []finding {
	const part = "Public URL"
	c := p.config
	if c.public == nil {
		return []finding{{doubt, part, "Not set: only this machine can reach the service, at " + c.Listen + ".",
			"Set DOORMAN_PUBLIC_URL to where AI tools reach it, such as https://mcp.example.com."}}
	}
	base := c.public.String()
	mend := "Let " + base + " lead to the service (DOORMAN_LISTEN, " + c.Listen + "), with every path and the Host header as they are."
	got, err := p.get(ctx, base+"/healthz")
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return []finding{{wrong, part, fmt.Sprintf("The certificate of %s is not valid: %s.", base, certificate.Err), "AI tools refuse it as well: renew it."}}
	case err != nil:
		return []finding{{doubt, part, fmt.Sprintf("%s does not answer from here: %s.", base, probeError(err)),
			"Start the service, then check again. " + mend}}
	case got.status != http.StatusOK || string(got.body) != "ok\n" || got.header.Get("X-Request-Id") == "":
		return []finding{{wrong, part, fmt.Sprintf("%s/healthz answers %d, and not as Doorman does.", base, got.status), mend}}
	}
	p.reached = true
	return append([]finding{{fine, part, base, ""}}, p.paths(ctx, base, mend)...)
}

// paths looks whether a proxy passes on what is not at /mcp.
func (p *prober) paths(ctx context.Context, base, mend string) (found []finding) {
	got, err := p.get(ctx, base+mcpPath)
	if err != nil || got.status != http.StatusUnauthorized || !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
		found = append(found, finding{wrong, "Endpoint", base + mcpPath + " does not ask for a key, as Doorman does.", mend})
	}
	if p.hello == nil || !p.hello.OAuth.Enabled {
		return found
	}
	at := base + oauth.ResourceMetadataPath + mcpPath
	got, err = p.get(ctx, at)
	var metadata struct{ Resource string }
	if err != nil || got.status != http.StatusOK || json.Unmarshal(got.body, &metadata) != nil {
		return append(found, finding{wrong, "OAuth", at + " is not passed on: AI tools cannot find out how to log in.", mend})
	}
	if metadata.Resource != base+mcpPath {
		return append(found, finding{wrong, "OAuth", fmt.Sprintf("The running service calls itself %s.", metadata.Resource),
			"Restart it with the DOORMAN_PUBLIC_URL that this check uses."})
	}
	return append(found, finding{fine, "OAuth", "AI tools find out how to log in.", ""})
}

func (p *prober) redis(ctx context.Context) []finding {
	if p.config.redis == nil {
		return nil
	}
	if err := p.config.checkLimits(ctx); err != nil {
		e := access.AsError(err)
		return []finding{{wrong, "Redis", e.Message, e.Hint}}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	evicts, err := p.config.redis.Evicts(ctx)
	switch {
	case err != nil:
		return []finding{{fine, "Redis", "It works. This user cannot see whether it evicts keys when its memory is full.", ""}}
	case evicts:
		return []finding{{doubt, "Redis", "It evicts keys when its memory is full: request counts are lost, and limits become wrong.",
			"Set maxmemory-policy to noeviction, or use a separate Redis for Doorman."}}
	}
	return []finding{{fine, "Redis", "It works.", ""}}
}

// answer is what an address said, read to its end or to maxProbe bytes.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// readAnswer reads a page, and not all of a large one.
func readAnswer(response *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxProbe))
	return answer{response.StatusCode, response.Header, body}, errors.Join(err, response.Body.Close())
}

// probeError leaves out what the line says already: the method and the address.
func probeError(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}
