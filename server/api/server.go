package api

import "net/http"

// server tells whether AI tools get in at all.
func (a *API) server(_ http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	return aboutServer("api_server", map[string]any{})
}

// switchOff shuts every AI tool out. Odoo refuses to open again by this way: a person does that, in Odoo.
func (a *API) switchOff(w http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	values, p := readBody(w, r, serverFields, "enabled")
	if p != nil {
		return asked{}, p
	}
	return aboutServer("api_switch_off", map[string]any{"values": values})
}

func aboutServer(method string, args map[string]any) (asked, *problem) {
	var found struct {
		Server Server `json:"server"`
	}
	return asked{method, args, &found, func(w http.ResponseWriter) { writeJSON(w, http.StatusOK, found.Server) }}, nil
}
