package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"doorman/odoo/localodoo"
)

// peersPart is what was measured of Doorman and other MCP servers for Odoo, on the same Odoo, as the same user.
type peersPart struct {
	Date       string            `json:"date"`
	Conditions string            `json:"conditions"`
	Versions   map[string]string `json:"versions"`
	Rates      []peerRate        `json:"rates"`
	Lists      []toolList        `json:"tool_lists"`
	Jobs       []jobResult       `json:"jobs"`
}

// toolList is what a server tells each conversation before the first question.
type toolList struct {
	Server       string  `json:"server"`
	Tools        int     `json:"tools"`
	Bytes        int     `json:"bytes"`        // of the tools, as they came
	Instructions int     `json:"instructions"` // bytes
	Memory       float64 `json:"memory_mb"`    // of the process, at the end
	OdooCalls    float64 `json:"odoo_calls_per_search"`
}

// comparePeers measures Doorman and the other servers.
//
// Errors: errNoPeers if the others cannot be had; else what went wrong. Whatever was started has ended by then.
func comparePeers(ctx context.Context, o options, tools *toolbox) (p *peersPart, err error) {
	venv, err := peerVenv(ctx, o.venv, "python3")
	if err != nil {
		return nil, err
	}
	versions, err := peerVersions(ctx, venv)
	if err != nil {
		return nil, err
	}
	p = &peersPart{Date: time.Now().Format(time.DateOnly), Versions: versions}
	load := loadAverage() // before we make any
	host, db, err := startReal(ctx, o, tools, peerModules...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	p.Conditions = conditions(host.Version(), runtime.NumCPU(), load, o)
	say("Adding a user and each server's documents ...")
	seed, err := seedReal(ctx, host, db, peerSeed)
	if err != nil {
		return nil, err
	}
	server, err := host.Serve(ctx, localodoo.ServeOptions{Workers: 2, Databases: []string{db}, LogFile: o.odooLog})
	if err != nil {
		return nil, err
	}
	rivals, err := startRivals(ctx, tools, venv, target{server.URL(), db, peerLogin, peerPassword, seed.APIKey}, seed)
	defer func() {
		for _, r := range rivals {
			r.stop()
		}
	}()
	if err != nil {
		return nil, err
	}
	return p, p.measure(ctx, o, office{host, db}, server.LogFile(), rivals, seed)
}

// measure fills in the results.
func (p *peersPart) measure(ctx context.Context, o options, where office, odooLog string, rivals []*rival, seed realSeed) (err error) {
	if p.Rates, err = measurePeers(ctx, rivals, seed, o.rounds, o.slice()); err != nil {
		return err
	}
	if err := where.checkAudit(ctx, p.Rates); err != nil {
		return err
	}
	for _, r := range rivals {
		list, err := r.list(ctx)
		if err != nil {
			return fmt.Errorf("%s: tools/list: %w", r.name, err)
		}
		if list.OdooCalls, err = r.odooCalls(ctx, seed, odooLog); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		p.Lists = append(p.Lists, list)
	}
	p.Jobs, err = doJobs(ctx, where, rivals)
	return err
}

// checkAudit makes sure that Doorman's calls were the full ones: each has left its audit row.
func (o office) checkAudit(ctx context.Context, rates []peerRate) error {
	calls := 0
	for _, r := range rates {
		if r.Server == nameDoorman {
			calls += r.Summary.Requests
		}
	}
	return enoughAudit(ctx, o.host, o.db, calls)
}

// startRivals starts Doorman and the others. With an error come those that had started: the caller stops them.
func startRivals(ctx context.Context, tools *toolbox, venv string, t target, seed realSeed) (rivals []*rival, err error) {
	service, err := startDoorman(ctx, tools.doorman, t.url, t.db, seed.ServiceKey)
	if err != nil {
		return nil, err
	}
	rivals = append(rivals, &rival{name: nameDoorman, server: service, key: seed.Key})
	for _, p := range peers {
		dir := filepath.Join(tools.dir, p.name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return rivals, err
		}
		c, err := startPeer(ctx, p, venv, dir, t)
		if err != nil {
			return rivals, err
		}
		rivals = append(rivals, &rival{name: p.name, server: c})
	}
	return rivals, nil
}

// list asks for all tools, page by page.
func (r *rival) list(ctx context.Context) (toolList, error) {
	out := toolList{Server: r.name, Instructions: len(r.sessions[0].instructions)}
	for cursor := ""; ; {
		params := "{}"
		if cursor != "" {
			params = fmt.Sprintf(`{"cursor":%q}`, cursor)
		}
		raw, err := r.sessions[0].ask(ctx, "tools/list", json.RawMessage(params))
		if err != nil {
			return out, err
		}
		var page struct {
			Tools      []json.RawMessage `json:"tools"`
			NextCursor string            `json:"nextCursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return out, err
		}
		if len(page.Tools) == 0 {
			return out, fmt.Errorf("no tools in %.200s", raw)
		}
		for _, tool := range page.Tools {
			out.Tools, out.Bytes = out.Tools+1, out.Bytes+len(tool)+1 // and the comma between them
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	m, err := r.server.memory()
	out.Memory = m.RSS
	return out, err
}

// odooCalls counts how many requests to Odoo one search takes, once everything is in the server's caches.
func (r *rival) odooCalls(ctx context.Context, seed realSeed, odooLog string) (float64, error) {
	const searches = 20
	before, err := r.asked(ctx, odooLog)
	if err != nil {
		return 0, err
	}
	w := r.way(questions[0], seed)
	for range searches {
		if _, err := w.send(ctx, 0, &bytes.Buffer{}); err != nil {
			return 0, err
		}
	}
	after, err := r.asked(ctx, odooLog)
	return (after - before) / searches, err
}

// asked is how many requests a server has sent to Odoo. Doorman counts them itself, without those that it sends by the clock;
// the others ask only when they are asked, and take other paths than Doorman.
func (r *rival) asked(ctx context.Context, odooLog string) (float64, error) {
	if r.name == nameDoorman {
		return odooRequests(ctx, r.server)
	}
	n, err := countRequests(odooLog)
	return float64(n), err
}

// countRequests counts the calls in Odoo's log that came by its public interfaces.
func countRequests(odooLog string) (n int, err error) {
	text, err := os.ReadFile(odooLog)
	for _, path := range []string{"/json/2/", "/jsonrpc", "/xmlrpc/"} {
		n += strings.Count(string(text), `"POST `+path)
	}
	return n, err
}

// loadAverage is the machine's load of the last minute, which tells whether it had other work; NaN where it is not known.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return math.NaN()
	}
	load := math.NaN()
	if _, err := fmt.Sscan(string(text), &load); err != nil {
		return math.NaN()
	}
	return load
}

// quiet is the load average, by core, up to which a machine counts as having nothing else to do.
const quiet = 0.25

// conditions says under what a run was made. A machine that had other work, or of which that is not known, is told.
func conditions(odoo string, cores int, load float64, o options) string {
	text := fmt.Sprintf("%s with 2 workers, PostgreSQL with fsync, %d cores, load average %.1f before the run, %d rounds of %g s",
		odoo, cores, load, o.rounds, o.seconds)
	if load <= quiet*float64(cores) {
		return text
	}
	return text + ". **The machine had other work**: the order of the servers and the jobs say something, absolute times do not"
}

// runPeers compares, prints the tables, and writes them where asked. Where the other servers cannot be had it says so, and
// ends without an error.
func runPeers(ctx context.Context, o options, compare func(context.Context) (*peersPart, error)) error {
	p, err := compare(ctx)
	if errors.Is(err, errNoPeers) {
		fmt.Printf("Skipped: %v\n", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("other servers: %w", err)
	}
	tables := p.markdown()
	fmt.Print("\n" + tables)
	if o.docs != "" {
		if err := replaceTables(o.docs, "peers", tables); err != nil {
			return err
		}
	}
	return writeJSON(o.json, results{Peers: p})
}
