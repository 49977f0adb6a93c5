package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"doorman/odoo"
)

// notUs is an address that no client and no proxy has (RFC 5737): what believes it, believes anybody.
const notUs = "203.0.113.7"

// running asks the service that runs, by its public URL and so through the proxies before it: whether it works, has the key of
// this check, and whom it takes for the caller.
func (p *prober) running(ctx context.Context) []finding {
	const part = "Service"
	c := p.config
	if c.public == nil {
		return nil
	}
	if !p.reached {
		return p.untrusted()
	}
	var state struct {
		Ready   *bool  `json:"ready"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
		Asked   *told  `json:"asked"`
	}
	got, err := p.get(ctx, c.public.String()+"/readyz",
		askedHeader, askProof(odoo.Key(c.OdooKey.Reveal()), time.Now()), "X-Forwarded-For", notUs)
	if err != nil || json.Unmarshal(got.body, &state) != nil || state.Ready == nil {
		return []finding{{wrong, part, c.public.String() + "/readyz does not answer as Doorman does.",
			"Configure the proxy to pass on every path unchanged."}}
	}
	var found []finding
	if !*state.Ready {
		found = append(found, finding{wrong, part, "It is running, but accepts no calls: " + state.Message, state.Hint})
	}
	switch {
	case state.Asked == nil:
		return append(found, finding{doubt, part, "The running service is an older version, or its proxy drops the header " + askedHeader + ".",
			"Restart it with this version, then check again."})
	case !state.Asked.Key:
		return append(found, finding{wrong, part, "The running service uses a different service key than this configuration.",
			"Restart it with this configuration, or run this check with its key."})
	}
	if len(found) == 0 {
		found = append(found, finding{fine, part, "It runs, and takes calls.", ""})
	}
	return append(found, p.callers(state.Asked)...)
}

// untrusted is what can be said of a proxy without the service.
func (p *prober) untrusted() []finding {
	c := p.config
	if c.public.Scheme != "https" || len(c.trustedProxies) > 0 {
		return nil
	}
	return []finding{{doubt, "Proxy", "No proxy is trusted, but there must be one: the service itself does not speak https.",
		"Set DOORMAN_TRUSTED_PROXIES to its address; without it, IP restrictions, the audit and the limits on guessing take the proxy for every caller."}}
}

// callers judges whom the service takes for the caller. This check said that it comes from notUs.
func (p *prober) callers(a *told) []finding {
	const part = "Proxy"
	c := p.config
	proxied := c.public.Scheme == "https" // the service itself does not speak it
	switch {
	case a.Client == notUs:
		return []finding{{wrong, part, "Callers can pretend to come from any address: the proxy passes on the X-Forwarded-For that a client sends, " +
			"or more than proxies are trusted. IP restrictions and limits on guessing are then useless.",
			"Configure the proxy to set X-Forwarded-For to the address that it sees (nginx: proxy_set_header X-Forwarded-For $remote_addr), and " +
				"list only the proxies in DOORMAN_TRUSTED_PROXIES."}}
	case a.Client == a.Peer && proxied:
		return []finding{{wrong, part, "The service takes its proxy, " + a.Peer + ", for every caller.",
			"Set DOORMAN_TRUSTED_PROXIES to " + a.Peer + " or its network; without it, IP restrictions, the audit and the limits on guessing take the proxy for every caller."}}
	case a.Client != a.Peer:
		return []finding{{fine, part, "It is trusted, and reports who calls: this check comes from " + a.Client + ".", ""}}
	}
	return nil
}

// transport says where Odoo was reached by a way that was not meant to be needed.
func (p *prober) transport(way string) []finding {
	c := p.config
	var found []finding
	if auto, picked, fell := strings.Cut(way, "/"); fell && auto == odoo.TransportAuto && picked != odoo.TransportDoorman {
		found = append(found, finding{doubt, "Transport", "POST /doorman/jsonrpc does not get through to Odoo, so " + picked + " is used: slower, and in part on its way out of Odoo.",
			"Let the proxy before Odoo pass on /doorman/jsonrpc with the header X-Odoo-Database, and let Odoo's dbfilter allow " + c.OdooDB + "."})
	}
	if u := p.odooURL(); u != nil && u.Scheme == "http" && !isNear(u.Hostname()) {
		found = append(found, finding{doubt, "Transport", "Odoo is on another machine and is called over plain http: the service's key is sent unencrypted.",
			"Set DOORMAN_ODOO_URL to an https address, or keep both in a private network."})
	}
	return found
}

// isNear reports a host that is this machine, or a name of a network of containers: without a dot nobody outside is meant.
func isNear(host string) bool {
	if isLoopback(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err != nil && !strings.Contains(host, ".")
}

// keyFile looks at who may read the service's key.
func (p *prober) keyFile(context.Context) []finding {
	path := p.config.OdooKeyFile
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return []finding{{wrong, "Key file", err.Error() + ".", "DOORMAN_ODOO_KEY_FILE names the file that holds the service key."}}
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return []finding{{doubt, "Key file", fmt.Sprintf("Everybody on this machine can read %s (mode %04o).", path, mode),
			"chmod 640 " + path + ", with the service's group."}}
	}
	return nil
}

// get fetches a page with these headers: a name and its value each.
func (p *prober) get(ctx context.Context, address string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := p.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	return readAnswer(response)
}
