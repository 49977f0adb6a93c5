package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"

	_ "embed"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page shows a refusal to the person whose browser is here, where it must not be sent to the client. It has no script, no
// form and no link that the request chose.
func (s *Server) page(w http.ResponseWriter, e *Error) {
	header := w.Header()
	noStore(header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+pageStyleHash+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	if e.RetryAfter > 0 {
		header.Set("Retry-After", seconds(e.RetryAfter))
	}
	status := e.status()
	if status == http.StatusUnauthorized {
		status = http.StatusBadRequest // nobody is asked for a password here
	}
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, map[string]any{"Error": e.Code, "Description": e.Description, "Style": template.CSS(pageStyle)}) //nolint:gosec // a constant of ours
}

// pageStyle is the page's only style; the policy names it by its hash.
const pageStyle = "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#f6f6f8}main{max-width:36rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:8px}h1{font-size:1.4rem;margin-top:0}"

var pageStyleHash = hashOf(pageStyle)

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
