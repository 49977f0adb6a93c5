package oauth

import (
	"context"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"doorman/server/access"
)

const (
	maxForm   = 16 << 10
	maxSecret = 512
)

// form reads the parameters of a POST. They may come in the body alone: an address stands in logs and histories
// (RFC 6749 section 3.2, RFC 9700). Each may come once.
func form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, refuse(invalidRequest, "Send the parameters in the body, and none in the address.")
	}
	// A value may be quoted (RFC 9110 section 5.6.6); a parameter that is there twice is an error.
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || len(r.Header.Values("Content-Type")) != 1 {
		return nil, refuse(invalidRequest, "Send the parameters as application/x-www-form-urlencoded.")
	}
	charset, named := parameters["charset"]
	if named && !strings.EqualFold(charset, "utf-8") || len(parameters) > 1 || len(parameters) == 1 && !named {
		return nil, refuse(invalidRequest, "Send the parameters in UTF-8.")
	}
	body, err := readBody(w, r, maxForm)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(invalidRequest, "The parameters cannot be read.")
	}
	for name, list := range values {
		if len(list) > 1 {
			return nil, refuse(invalidRequest, "The parameter "+printableName(name)+" is there twice.")
		}
	}
	return sent(values), nil
}

// credentials are what a client shows of itself.
type credentials struct {
	id     string
	secret string
	basic  bool // in the Authorization header
}

// shown reads them: from the header or from the form, never from both (RFC 6749 section 2.3). An empty secret is none:
// libraries that do not know yet how to authenticate try Basic with an empty one.
func shown(r *http.Request, values url.Values) (c credentials, err error) {
	headers := r.Header.Values("Authorization")
	fromForm, inForm := values.Get("client_secret"), values.Has("client_secret")
	if values.Has("client_assertion") || values.Has("client_assertion_type") {
		return c, refuse(invalidClient, "Clients authenticate by none, client_secret_basic or client_secret_post.")
	}
	if len(headers) == 0 {
		c = credentials{id: values.Get("client_id"), secret: fromForm}
		if c.id == "" {
			return c, refuse(invalidClient, "The client_id is missing.")
		}
		return c, c.check()
	}
	c.basic = true
	if len(headers) > 1 {
		return c, refuse(invalidRequest, "There are two Authorization headers.")
	}
	var ok bool
	if c.id, c.secret, ok = parseBasic(headers[0]); !ok {
		return c, &Error{Code: invalidClient, Description: "The Authorization header is not Basic with a client id and a secret.", Basic: true}
	}
	switch {
	case inForm:
		return c, refuse(invalidRequest, "The client sends its secret in two ways.")
	case values.Has("client_id") && values.Get("client_id") != c.id:
		return c, refuse(invalidRequest, "The client_id in the form differs from the one in the header.")
	}
	return c, c.check()
}

// check refuses what no client of ours has, before anything is looked up or hashed.
func (c credentials) check() error {
	if len(c.id) > maxClientID || len(c.secret) > maxSecret {
		return &Error{Code: invalidClient, Description: errUnknownClient.Description, Basic: c.basic}
	}
	return nil
}

// maxBasic is the longest id and secret with every letter escaped, a colon between them, in base64.
const maxBasic = 4 * (maxClientID + maxSecret + 1)

// parseBasic reads an Authorization header: id and secret, each form-encoded before they were joined (RFC 6749 section
// 2.3.1), which plain Basic does not do.
func parseBasic(header string) (id, secret string, ok bool) {
	scheme, coded, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") || len(coded) > maxBasic {
		return "", "", false
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(coded)
	if err != nil {
		return "", "", false
	}
	rawID, rawSecret, found := strings.Cut(string(plain), ":")
	if !found || strings.ContainsFunc(string(plain), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", false
	}
	id, errID := url.QueryUnescape(rawID)
	secret, errSecret := url.QueryUnescape(rawSecret)
	short := len(id) <= maxClientID && len(secret) <= maxSecret
	return id, secret, errID == nil && errSecret == nil && id != "" && short
}

// authenticate finds out whether the client may speak here, and returns the proof of its secret, nil for one without.
// Whether the secret is right Odoo says, in the transaction that acts on it.
func (s *Server) authenticate(ctx context.Context, c credentials) (*access.Proof, error) {
	no := func(why string) (*access.Proof, error) {
		return nil, &Error{Code: invalidClient, Description: why, Basic: c.basic}
	}
	confidential := false
	switch {
	case ownClientID.MatchString(c.id):
		client, err := s.gateway.OAuthClient(ctx, c.id)
		if err != nil {
			e := asError(err)
			e.Basic = c.basic
			return nil, e
		}
		confidential = client.Confidential
	case !isDocument(c.id):
		return no(errUnknownClient.Description)
	}
	switch {
	case confidential && c.secret == "":
		return no("This client has to send its secret.")
	case !confidential && c.secret != "":
		return no("This client has no secret, and must not send one.")
	case !confidential:
		return nil, nil
	}
	proof := access.ProofOf(c.secret)
	return &proof, nil
}
