package app

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// signposts are the addresses that people and clients try for the MCP endpoint, and the status that each gets. Clients go
// on to guess, with the old transport, after 400, 404 or 405, and show the answer to their user after anything else.
var signposts = map[string]int{
	"/": http.StatusNotFound,
	// The two addresses of the transport that MCP gave up in March 2025: it will not come back.
	"/sse": http.StatusGone, "/sse/": http.StatusGone,
	"/messages": http.StatusGone, "/messages/": http.StatusGone, "/message": http.StatusGone,
}

// signpost says where the MCP endpoint is. It reads no body and knows nobody: what it says is in the client's own
// configuration, if that is right. Never 401: that would send a client to log in at an address where nothing is served.
func (s *service) signpost(status int) echo.HandlerFunc {
	return func(c echo.Context) error {
		url := s.config.public.String() + mcpPath
		message := "This is Doorman, an MCP server for Odoo. Its MCP endpoint is " + url + " (Streamable HTTP, POST)."
		if status == http.StatusGone {
			message = "The HTTP+SSE transport is not served here. The MCP endpoint is " + url + " (Streamable HTTP, POST): set your client to that address."
		}
		if !wantsJSON(c.Request()) {
			return c.String(status, message+"\n")
		}
		return c.JSON(status, map[string]any{"error": map[string]any{"status": status, "message": message}, "mcp_endpoint": url})
	}
}

// wantsJSON reports whether a client asks for JSON by its name, or sends it: people's browsers do neither.
func wantsJSON(r *http.Request) bool {
	named := strings.Contains(strings.ToLower(strings.Join(r.Header.Values("Accept"), ",")), "json")
	sent := strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/json")
	return named || sent
}
