package app

import (
	"net/url"
	"strings"
	"testing"
)

// TestCallers: whom the service takes for the caller says what is wrong with the proxy. https means that there is one.
func TestCallers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		public, client, peer string
		want                 string
	}{
		{"https://mcp.example.com", "10.0.0.5", "10.0.0.5", "FAIL The service takes its proxy, 10.0.0.5"},
		{"https://mcp.example.com", notUs, "10.0.0.5", "FAIL Callers can pretend"},
		{"https://mcp.example.com", notUs, notUs, "FAIL Callers can pretend"},
		{"https://mcp.example.com", "192.0.2.1", "10.0.0.5", "ok It is trusted"},
		{"http://mcp.example.com", "192.0.2.1", "10.0.0.5", "ok It is trusted"},
		{"http://mcp.example.com", "192.0.2.1", "192.0.2.1", ""},
	} {
		public, err := url.Parse(row.public)
		if err != nil {
			t.Fatal(err)
		}
		p := &prober{config: &Config{public: public}}
		var got string
		for _, f := range p.callers(&told{Key: true, Client: row.client, Peer: row.peer}) {
			got += string(f.grade) + " " + f.said
		}
		if !strings.HasPrefix(got, row.want) || row.want == "" && got != "" {
			t.Errorf("%+v: %q", row, got)
		}
	}
}

// TestTransports: which ways to Odoo are doubtful.
func TestTransports(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		way, odoo string
		want      string
	}{
		{"auto/doorman", "https://odoo.example.com", ""},
		{"doorman", "https://odoo.example.com", ""},
		{"json2", "https://odoo.example.com", ""}, // it was asked for
		{"auto/json2", "https://odoo.example.com", "so json2 is used"},
		{"auto/jsonrpc", "https://odoo.example.com", "so jsonrpc is used"},
		{"doorman", "http://odoo.example.com", "unencrypted"},
		{"doorman", "http://192.0.2.1:8069", "unencrypted"},
		{"doorman", "http://[2001:db8::1]:8069", "unencrypted"},
		{"doorman", "http://odoo:8069", ""},
		{"doorman", "http://127.0.0.1:8069", ""},
		{"doorman", "http://localhost:8069", ""},
		{"doorman", "http://[::1]:8069", ""},
	} {
		p := &prober{config: &Config{OdooURL: row.odoo, OdooDB: "d"}}
		var got string
		for _, f := range p.transport(row.way) {
			got += f.said
		}
		if !strings.Contains(got, row.want) || row.want == "" && got != "" {
			t.Errorf("%+v: %q", row, got)
		}
	}
}
