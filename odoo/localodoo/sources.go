package localodoo

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mirror is one archive that this machine's apt already trusts and reaches.
type mirror struct {
	uri      string
	suites   []string
	signedBy string // path of a keyring, "" when the source names none
}

// parseSources reads a deb822 file (`.sources`). Stanzas that are disabled or
// name no binary packages are left out.
func parseSources(text string) []mirror {
	var found []mirror
	for stanza := range strings.SplitSeq(dropComments(text), "\n\n") {
		fields := deb822(stanza)
		if strings.EqualFold(fields["enabled"], "no") || strings.EqualFold(fields["enabled"], "false") {
			continue
		}
		if !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		signed := fields["signed-by"]
		// A key block in the file itself is not a path.
		if !strings.HasPrefix(signed, "/") {
			signed = ""
		}
		for uri := range strings.FieldsSeq(fields["uris"]) {
			found = append(found, mirror{uri: uri, suites: strings.Fields(fields["suites"]), signedBy: signed})
		}
	}
	return found
}

// dropComments removes comment lines, which may stand inside a stanza, and makes
// blank lines empty, so that stanzas split at an empty line.
func dropComments(text string) string {
	var b strings.Builder
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// deb822 reads the fields of one stanza, names in lower case. A line that starts
// with a blank continues the field before it.
func deb822(stanza string) map[string]string {
	fields := map[string]string{}
	last := ""
	for line := range strings.SplitSeq(stanza, "\n") {
		if line == "" {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			fields[last] += "\n" + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		last = strings.ToLower(strings.TrimSpace(name))
		fields[last] = strings.TrimSpace(value)
	}
	return fields
}

// parseList reads the one-line format (`.list`):
// deb [option=value ...] uri suite component...
func parseList(text string) []mirror {
	var found []mirror
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb")
		// "deb-src" is not a source of programs.
		if !ok || rest == "" || !strings.ContainsAny(rest[:1], " \t[") {
			continue
		}
		rest = strings.TrimSpace(rest)
		m := mirror{}
		if strings.HasPrefix(rest, "[") {
			options, after, closed := strings.Cut(rest[1:], "]")
			if !closed {
				continue
			}
			for o := range strings.FieldsSeq(options) {
				if path, ok := strings.CutPrefix(o, "signed-by="); ok && strings.HasPrefix(path, "/") {
					m.signedBy = path
				}
			}
			rest = after
		}
		words := strings.Fields(rest)
		if len(words) < 2 {
			continue
		}
		m.uri, m.suites = words[0], words[1:2]
		found = append(found, m)
	}
	return found
}

// errNotDebian is the usual reason why packages do not work.
var errNotDebian = errors.New("this is not Debian, whose archive carries Odoo 19")

// debianMirror finds the archive of the running release among the machine's own
// sources. The same host carries the sid suite.
func (m machine) debianMirror() (mirror, error) {
	release := osRelease(m)
	if release["ID"] != "debian" {
		return mirror{}, errNotDebian
	}
	suites := []string{release["VERSION_CODENAME"], "stable", "oldstable", "testing", "unstable", "sid"}
	var all []mirror
	if text, err := m.readFile("/etc/apt/sources.list"); err == nil {
		all = append(all, parseList(string(text))...)
	}
	for pattern, parse := range map[string]func(string) []mirror{
		"/etc/apt/sources.list.d/*.list":    parseList,
		"/etc/apt/sources.list.d/*.sources": parseSources,
	} {
		files, err := m.glob(pattern)
		if err != nil {
			return mirror{}, err
		}
		for _, file := range files {
			if text, err := m.readFile(file); err == nil {
				all = append(all, parse(string(text))...)
			}
		}
	}
	for _, suite := range suites {
		for _, found := range all {
			if suite != "" && slices.Contains(found.suites, suite) {
				return found, nil
			}
		}
	}
	return mirror{}, fmt.Errorf("none of apt's sources names the Debian archive of %q", release["VERSION_CODENAME"])
}

// osRelease reads /etc/os-release.
func osRelease(m machine) map[string]string {
	fields := map[string]string{}
	text, err := m.readFile("/etc/os-release")
	if err != nil {
		return fields
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			fields[name] = strings.Trim(value, `"'`)
		}
	}
	return fields
}
