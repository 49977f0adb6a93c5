package upgrade_test

// may is what an update may alter, each with its reason. Whatever else is not as it was fails the test.
type may struct {
	// Columns are "table.column": a column that is gone, or whose values differ.
	Columns map[string]string
	// Rows are tables that may get rows; none may lose one.
	Rows map[string]string
	// Gone are tables that are not there any more.
	Gone map[string]string
}

// mayChange is what the update to today's code alters, by the version that it comes from.
var mayChange = map[string]may{
	"0.1.0": {Columns: map[string]string{
		"doorman_audit.folded":                   "a mark says how far the counters have got",
		"doorman_settings.gateway_last_seen":     "each process of the service has a row of its own",
		"doorman_settings.gateway_version":       "likewise",
		"doorman_settings.gateway_url":           "likewise",
		"doorman_scope.write_date":               "every update loads its data file again",
		"doorman_scope.description":              "what it allows is said in plainer words",
		"doorman_scope.name":                     "likewise",
		"res_users_apikeys of connections.scope": "keys of connections have a scope of their own, which opens nothing else",
	}, Rows: map[string]string{
		"messages": "each connection notes that what leaves the company does not wait, as before",
	}},
}
