package mcperr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"doorman/server/access"
)

// Suggest returns up to three of the known names that are closest to an unknown name, the closest first.
func Suggest(name string, known []string) []string {
	type match struct {
		name     string
		distance int
	}
	name = strings.ToLower(Clip(name, 64))
	var matches []match
	for _, k := range known {
		d := Distance(name, k)
		if strings.Contains(k, name) || strings.Contains(name, k) {
			d = min(d, 2)
		}
		if d <= max(2, len(name)/3) {
			matches = append(matches, match{k, d})
		}
	}
	slices.SortFunc(matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, m := range matches[:min(3, len(matches))] {
		out = append(out, m.name)
	}
	return out
}

// Hint says which names may have been meant; what they are names of is in the plural, such as "parameters".
func Hint(name string, known []string, what string) string {
	if names := Suggest(name, known); len(names) > 0 {
		return fmt.Sprintf(access.SayDidYouMean, strings.Join(names, ", "))
	}
	if len(known) == 0 {
		return "There are no " + what + "."
	}
	if len(known) <= 12 {
		return "The " + what + " are " + strings.Join(known, ", ") + "."
	}
	return "Look at the tool's description for the " + what + " there are."
}

// Distance is the Levenshtein distance between two short names.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(row[j]+1, row[j-1]+1, cost)
		}
	}
	return row[len(b)]
}
