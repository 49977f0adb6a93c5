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

// Misfit says why an addon that answers hello like this is not one that this service can work with, as an error of kind
// Updating; nil if it is, or if the answer is none at all, which DecodeHello finds out.
func Misfit(hello json.RawMessage) *access.Error {
	var w struct {
		Interface *int    `json:"interface"`
		Addon     string  `json:"addon_version"`
		Code      *string `json:"code_version"`
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
		return misfit("its addon in Odoo is older than the service", "puts the addon of the service's version into Odoo and runs odoo -u doorman",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, Printable(w.Addon), speaks))
	case speaks > access.Interface:
		return misfit("the service is older than its addon in Odoo", "updates the service to the addon's version",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, Printable(w.Addon), speaks))
	case w.Code == nil || *w.Code == w.Addon:
		return nil
	case newer(*w.Code, w.Addon):
		return misfit("the addon's code is newer than its database", "runs odoo -u doorman",
			fmt.Sprintf("code %s, database %s", Printable(*w.Code), Printable(w.Addon)))
	}
	return misfit("the addon's code is older than its database", "puts the newer addon into every Odoo server and restarts them",
		fmt.Sprintf("code %s, database %s", Printable(*w.Code), Printable(w.Addon)))
}

// misfit is what every call is refused with until service, addon and database are of one version.
func misfit(what, cure, detail string) *access.Error {
	return &access.Error{
		Kind: access.Updating, Message: "Doorman is being updated: " + what + ".",
		Hint:       "Try again in a minute. If it stays like this, an administrator " + cure + ".",
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
