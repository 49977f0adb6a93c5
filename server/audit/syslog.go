package audit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

const (
	// priority is facility 13 (log audit) and severity 6 (informational), RFC 5424 section 6.2.1.
	priority = 13*8 + 6
	// maxDatagram is what one UDP packet may carry over IPv4; a longer message would be cut or lost without a word.
	maxDatagram  = 65_507
	dialTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
)

type syslog struct {
	conn     net.Conn
	framed   bool // octet counting, RFC 6587 section 3.4.1, as RFC 5425 has it for TLS
	hostname string
	now      func() time.Time
}

// DialSyslog connects to a collector: syslog+tls://host[:6514], syslog+tcp://host[:601] or syslog+udp://host[:514]. The
// certificate is held against the system's authorities, or those of caFile.
//
// A collector acknowledges nothing: what TCP has taken over may be lost if it dies, and a lost datagram is not noticed. The
// numbers in the lines tell.
func DialSyslog(ctx context.Context, address, caFile string) (Sink, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not an address such as syslog+tls://logs.example.com:6514", address)
	}
	kind := strings.TrimPrefix(u.Scheme, "syslog+")
	port, known := map[string]string{"tls": "6514", "tcp": "601", "udp": "514"}[kind]
	if !known || kind == u.Scheme {
		return nil, fmt.Errorf("%q: use syslog+tls, syslog+tcp or syslog+udp", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	target := net.JoinHostPort(u.Hostname(), port)
	dialer := &net.Dialer{Timeout: dialTimeout}
	s := &syslog{framed: kind != "udp", now: time.Now}
	s.hostname, _ = os.Hostname()
	switch kind {
	case "tls":
		config, e := tlsConfig(u.Hostname(), caFile)
		if e != nil {
			return nil, e
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		s.conn, err = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", target)
	default:
		s.conn, err = dialer.DialContext(ctx, kind, target)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func tlsConfig(host, caFile string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the file that the auditor names
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return config, nil
}

// Write sends a line as one message: the line itself is the message's text, so that what is collected can be verified.
func (s *syslog) Write(line []byte) error {
	text, err := s.message(line)
	if err != nil {
		return err
	}
	if s.framed {
		text = strconv.Itoa(len(text)) + " " + text
	} else if len(text) > maxDatagram {
		return errors.New("a row is too long for UDP: use syslog+tcp or syslog+tls")
	}
	if err := s.conn.SetWriteDeadline(s.now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err = s.conn.Write([]byte(text))
	return err
}

// timeOf is when the row of a line was written; the zero Time = the line has no row.
func timeOf(line []byte) time.Time {
	var told struct {
		Row struct {
			Time time.Time `json:"time"`
		} `json:"row"`
	}
	_ = json.Unmarshal(line, &told)
	return told.Row.Time
}

func (s *syslog) message(line []byte) (string, error) {
	at := timeOf(line)
	if at.IsZero() {
		at = s.now()
	}
	m := &rfc5424.SyslogMessage{}
	m.SetPriority(priority)
	m.SetVersion(1)
	m.SetTimestamp(at.UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
	m.SetHostname(s.hostname)
	m.SetAppname("doorman")
	m.SetMsgID("audit")
	m.SetMessage(string(line))
	return m.String()
}

func (s *syslog) Flush() error { return nil } // nothing is held back

func (s *syslog) Close() error { return s.conn.Close() }
