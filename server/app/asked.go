package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorman/odoo"
)

const (
	// askedHeader comes with /readyz from `doorman check`: the time, and a proof of the service's key that holds for it.
	askedHeader = "X-Doorman-Check"
	// askedFor is how far the time in it may be from the service's.
	askedFor = time.Minute
)

// told is what /readyz tells `doorman check` beyond what it tells everybody. It holds no secret, but addresses of a network
// that strangers need not know.
type told struct {
	Key    bool   `json:"key"`              // the service that runs has the same key as the check
	Client string `json:"client,omitempty"` // whom it takes for the caller
	Peer   string `json:"peer,omitempty"`   // whose connection it is: the caller's, or the last proxy's
	Public string `json:"public,omitempty"` // its own public URL
}

// askProof is the value of askedHeader: a time, and HMAC-SHA-256 over it with the service's key (RFC 2104).
func askProof(key odoo.Key, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("doorman check " + stamp))
	return stamp + "." + hex.EncodeToString(mac.Sum(nil))
}

// asked returns what only `doorman check` is told; nil = somebody else asks.
func (s *service) asked(c echo.Context) *told {
	proof := c.Request().Header.Get(askedHeader)
	if proof == "" {
		return nil
	}
	stamp, _, _ := strings.Cut(proof, ".")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	at := time.Unix(seconds, 0)
	if err != nil || time.Since(at).Abs() > askedFor || !hmac.Equal([]byte(proof), []byte(askProof(s.key(), at))) {
		return &told{}
	}
	client, _ := identify(c.Request())
	return &told{Key: true, Client: client.String(), Peer: peerOf(c.Request()), Public: s.config.public.String()}
}

// peerOf is the address at the other end of a request's connection; "" = a socket without one.
func peerOf(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return peer.Addr().Unmap().WithZone("").String()
}
