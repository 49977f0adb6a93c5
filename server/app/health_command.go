package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/caarlos0/env/v11"
)

// healthTime is how long the service may take to say that it lives.
const healthTime = 3 * time.Second

// toItself asks a service at its own address. A proxy of the environment (HTTP_PROXY) would ask another machine, and what
// answers with a redirect is not the service.
var toItself = &http.Client{
	Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// healthCommand is `doorman health`: it asks /healthz of the service that listens where this configuration says. An image
// without a shell and curl has nothing else to ask with.
func healthCommand(ctx context.Context, environ []string, stdout io.Writer) error {
	address, err := loadListen(environ)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := toItself.Do(request)
	if err != nil {
		return fmt.Errorf("no service at %s: %w", address, err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, answer.Status)
	}
	_, err = fmt.Fprintln(stdout, "ok")
	return err
}

// loadListen returns the address at which the service of this configuration can be asked: of this machine, where it listens
// on all addresses. The rest of the configuration does not matter.
func loadListen(environ []string) (string, error) {
	c, err := env.ParseAsWithOptions[struct {
		Listen string `env:"DOORMAN_LISTEN" envDefault:"127.0.0.1:8090"`
	}](env.Options{Environment: env.ToMap(environ)})
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", fmt.Errorf("DOORMAN_LISTEN: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port), nil
}
