package api

import (
	"net/http"
	"time"

	"doorman/server/access"
)

// usage tells how much connections were used, by UTC day.
func (a *API) usage(_ http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	given, p := query(r, "limit", "offset", "from", "to", "connection", "user")
	if p != nil {
		return asked{}, p
	}
	args, p := page(given, access.MaxUsageRows)
	if p != nil {
		return asked{}, p
	}
	for name, argument := range map[string]string{"from": "first", "to": "last"} {
		if day, there := given[name]; there {
			if t, err := time.Parse(time.DateOnly, day); err != nil || t.Year() < 1 {
				return asked{}, invalid("%s must be a day such as 2027-01-31.", name)
			}
			args[argument] = day
		}
	}
	if p := filters(given, args, "connection"); p != nil {
		return asked{}, p
	}
	var found struct {
		Usage []Usage `json:"usage"`
		Total int64   `json:"total"`
		First string  `json:"first"`
		Last  string  `json:"last"`
	}
	return asked{"api_usage", args, &found, func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, usageListed{found.Usage, found.Total, found.First, found.Last})
	}}, nil
}
