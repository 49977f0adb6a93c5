package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorman/server/access"
)

// misfitRetry is what AI tools are told to wait. An update takes about that long.
const misfitRetry = 15 * time.Second

// copyRetry is the same for a copy of a database: a person has to look at it.
const copyRetry = time.Minute

// Origin tells of a hello's answer which database it comes from: the number that tells it from all others, and its name;
// "" = an addon that does not say.
func Origin(hello json.RawMessage) (id, name string) {
	var w struct {
		ID   string `json:"database_id"`
		Name string `json:"database"`
	}
	if json.Unmarshal(hello, &w) != nil {
		return "", "" // DecodeHello refuses what is not a hello
	}
	return w.ID, w.Name
}

// OtherDatabase refuses calls where another database answers than the one that answered first: a proxy or a filter of
// Odoo's leads to two that the service's key opens, or one was put in the place of the other.
func OtherDatabase(first, now string) *access.Error {
	return &access.Error{
		Kind: access.OdooUnavailable, Message: "A different Odoo database answers than before.",
		Hint: "If it has taken the other one's place, an administrator has to restart the service. If both are in use, each needs a service key " +
			"of its own, and DOORMAN_ODOO_DB names the one that is meant.",
		RetryAfter: copyRetry, Detail: fmt.Sprintf("it was %s, now it is %s", Printable(first), Printable(now)),
	}
}

// Misfit says why an addon that answers hello like this is not one that this service can work with, as an error of kind
// Updating, or OdooUnavailable of a copied database; nil if it is, or if the answer is none at all, which DecodeHello finds
// out.
func Misfit(hello json.RawMessage) *access.Error {
	var w struct {
		Interface *int    `json:"interface"`
		Addon     string  `json:"addon_version"`
		Code      *string `json:"code_version"`
		Database  string  `json:"database"`
		CopyOf    string  `json:"copy_of"`
	}
	if isNull(hello) || json.Unmarshal(hello, &w) != nil {
		return nil //nolint:nilerr // DecodeHello refuses what is not a hello
	}
	speaks := 1 // before there was a number
	if w.Interface != nil {
		speaks = *w.Interface
	}
	switch {
	case speaks < access.Interface:
		return misfit("its addon in Odoo is older than the service", "put the addon of the service's version into Odoo and run odoo -u doorman",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, Printable(w.Addon), speaks))
	case speaks > access.Interface:
		return misfit("the service is older than its addon in Odoo", "update the service to the addon's version",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, Printable(w.Addon), speaks))
	case w.CopyOf != "":
		return &access.Error{
			Kind: access.OdooUnavailable, Message: "This Odoo database is a copy of another one: AI tools are refused.",
			Hint:       "An MCP administrator has to choose in Doorman > Configuration > Server Settings what happens to its connections.",
			RetryAfter: copyRetry, Detail: fmt.Sprintf("%s is a copy of %s", Printable(w.Database), Printable(w.CopyOf)),
		}
	case w.Code == nil || *w.Code == w.Addon:
		return nil
	case newer(*w.Code, w.Addon):
		return misfit("the addon's code is newer than its database", "run odoo -u doorman",
			fmt.Sprintf("code %s, database %s", Printable(*w.Code), Printable(w.Addon)))
	}
	return misfit("the addon's code is older than its database", "put the newer addon into every Odoo server and restart them",
		fmt.Sprintf("code %s, database %s", Printable(*w.Code), Printable(w.Addon)))
}

// misfit is what every call is refused with until service, addon and database are of one version.
func misfit(what, cure, detail string) *access.Error {
	return &access.Error{
		Kind: access.Updating, Message: "Doorman is being updated: " + what + ".",
		Hint:       "Try again in a minute. If this continues, an administrator has to " + cure + ".",
		RetryAfter: misfitRetry, Detail: detail,
	}
}

// newer compares versions like 19.0.0.2.0, number by number.
func newer(a, b string) bool {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, errM := strconv.Atoi(x)
		n, errN := strconv.Atoi(y)
		if errM != nil || errN != nil {
			return strings.Compare(x, y)
		}
		return cmp.Compare(m, n)
	}) > 0
}
