package tools

import (
	"fmt"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

// checkOne checks the arguments of a tool for one record.
func checkOne(model string, id int64, language string) *access.Error {
	if bad := toolcall.CheckModel(model); bad != nil {
		return bad
	}
	if id <= 0 || id > 1<<31-1 {
		return access.NewError(access.InvalidInput, "The parameter id is missing or is not a record id.", "Specify one record; use search_records to find it.")
	}
	return toolcall.CheckLanguage(language)
}

// checkIDs checks ids, of which there must be some.
func checkIDs(ids idList) *access.Error {
	if bad := checkReadIDs(ids); bad != nil {
		return bad
	}
	for _, id := range ids {
		if id <= 0 || id > 1<<31-1 {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%d is not a record id.", id), "Ids are whole numbers from 1.")
		}
	}
	return nil
}

// checkReadIDs checks ids that are only read. Odoo's reports, which are views of the database, have some below zero, and
// some that are long.
func checkReadIDs(ids idList) *access.Error {
	switch {
	case len(ids) == 0:
		return access.NewError(access.InvalidInput, fmt.Sprintf(access.SayMissingParameter, "ids"), "Specify the ids of the records; use search_records to find them.")
	case len(ids) > maxRows:
		return access.NewError(access.InvalidInput, fmt.Sprintf("%d ids exceed the limit of %d.", len(ids), maxRows), "Send them in several calls.")
	}
	for _, id := range ids {
		if id == 0 || id > 1<<53 || id < -1<<53 {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%d is not a record id.", id), "Ids are whole numbers from 1.")
		}
	}
	return nil
}

// checkDistinct checks ids, each of which may be named once.
func checkDistinct(ids idList) *access.Error {
	if bad := checkIDs(ids); bad != nil {
		return bad
	}
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return access.NewError(access.InvalidInput, fmt.Sprintf("The id %d is listed twice.", id), "List each record once.")
		}
		seen[id] = true
	}
	return nil
}

// clamp returns n within 1..maximum, or the default for none.
func clamp(n, byDefault, maximum int) int {
	if n <= 0 {
		return byDefault
	}
	return min(n, maximum)
}

// trimmed is a text argument without the blanks around it.
func trimmed(s string) string { return strings.TrimSpace(s) }
