package kit

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// PostOffice is a mail server that takes every email and keeps it.
type PostOffice struct {
	listener net.Listener

	mu    sync.Mutex
	mails []Letter
}

// Letter is an email as it arrived: to whom, by its envelope, and all of its text.
type Letter struct {
	To   []string
	Text string
}

// NewPostOffice starts one on a free port of this machine, until the test ends.
func NewPostOffice(t *testing.T) *PostOffice {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &PostOffice{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// Port is where it listens.
func (p *PostOffice) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// serve speaks as much of RFC 5321 as Python's smtplib asks for.
func (p *PostOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 4<<20)
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
	say("220 post office")
	var now Letter
	for lines.Scan() {
		word, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch {
		case word == "EHLO" || word == "HELO":
			say("250 post office")
		case strings.HasPrefix(strings.ToUpper(lines.Text()), "RCPT TO:"):
			now.To = append(now.To, strings.Trim(strings.TrimSpace(lines.Text()[len("RCPT TO:"):]), "<>"))
			say("250 ok")
		case word == "DATA":
			say("354 go on")
			var text strings.Builder
			for lines.Scan() && lines.Text() != "." {
				text.WriteString(lines.Text() + "\n")
			}
			now.Text = text.String()
			p.mu.Lock()
			p.mails = append(p.mails, now)
			p.mu.Unlock()
			now = Letter{}
			say("250 ok")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// Of are the emails that somebody got, those with these words in them.
func (p *PostOffice) Of(address, words string) (found []Letter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, mail := range p.mails {
		for _, to := range mail.To {
			if to == address && strings.Contains(mail.Text, words) {
				found = append(found, mail)
			}
		}
	}
	return found
}
