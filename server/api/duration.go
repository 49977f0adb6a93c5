package api

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	"doorman/server/access"
)

// days is the part of a duration that Go does not have: a day is 24 hours.
var days = regexp.MustCompile(`^([0-9]{1,5})d(.*)$`)

// parseDuration reads a Go duration ("72h", "1h30m") that may begin with days ("3d", "1d12h"). There is no sign.
func parseDuration(s string) (time.Duration, bool) {
	if len(s) > 50 || len(s) == 0 || s[0] == '-' || s[0] == '+' {
		return 0, false
	}
	var whole time.Duration
	if found := days.FindStringSubmatch(s); found != nil {
		n, err := strconv.Atoi(found[1])
		if err != nil || found[2] != "" && (found[2][0] == '-' || found[2][0] == '+') {
			return 0, false
		}
		whole, s = time.Duration(n)*24*time.Hour, found[2] // 99999 days are far from an overflow
		if s == "" {
			return whole, true
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxDuration {
		return 0, false
	}
	return whole + d, true
}

// maxDuration keeps the sum of days and the rest from passing what a Duration holds, 292 years, and becoming negative.
const maxDuration = 10 * 366 * 24 * time.Hour

// duration reads one in units of unit, from least to most; a part of a unit is refused rather than rounded.
func duration(raw json.RawMessage, unit, least, most time.Duration) (int64, bool) {
	s, ok := asText(raw, 1, access.MaxPolicyText)
	if !ok {
		return 0, false
	}
	d, ok := parseDuration(s)
	return int64(d / unit), ok && d%unit == 0 && d >= least && d <= most
}

// linkSeconds is how long a link works.
func linkSeconds(name string, raw json.RawMessage) (any, *problem) {
	if n, ok := duration(raw, time.Second, time.Second, maxLink); ok {
		return n, nil
	}
	return nil, invalid(`%s must be a duration such as "72h", "3d" or "1d12h", of whole seconds, from "1s" to "365d".`, name)
}

// keyHours is how long the keys of an invite work; Odoo counts it in hours.
func keyHours(name string, raw json.RawMessage) (any, *problem) {
	if n, ok := duration(raw, time.Hour, 0, access.MaxInviteKeyHours*time.Hour); ok {
		return n, nil
	}
	return nil, invalid(`%s must be a duration of whole hours such as "12h" or "90d", to "3650d"; "0h" means no end.`, name)
}
