package localodoo

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeMachine is a machine of files, programs on PATH and answers of commands.
type fakeMachine struct {
	files    map[string]string
	programs []string
	answers  map[string]string // "docker info" -> output; absent: the command fails
	uid      int
}

func (f fakeMachine) machine() machine {
	return machine{
		getenv: func(string) string { return "" },
		lookPath: func(name string) (string, error) {
			if slices.Contains(f.programs, name) {
				return "/usr/bin/" + name, nil
			}
			return "", os.ErrNotExist
		},
		readFile: func(name string) ([]byte, error) {
			text, ok := f.files[name]
			if !ok {
				return nil, os.ErrNotExist
			}
			return []byte(text), nil
		},
		glob: func(pattern string) (found []string, err error) {
			for name := range f.files {
				if ok, _ := path.Match(pattern, name); ok {
					found = append(found, name)
				}
			}
			slices.Sort(found)
			return found, nil
		},
		output: func(_ context.Context, name string, args ...string) (string, error) {
			for call, answer := range f.answers {
				if strings.HasPrefix(strings.Join(append([]string{name}, args...), " "), call) {
					return answer, nil
				}
			}
			return "", errors.New("no answer")
		},
		uid: f.uid,
	}
}

// debian is a Debian machine with everything installed.
func debian() fakeMachine {
	installed := ""
	for _, name := range append(releasePackages["bookworm"], neededPackages...) {
		installed += name + " installed\n"
	}
	return fakeMachine{
		files: map[string]string{
			"/etc/os-release":                        "ID=debian\nVERSION_CODENAME=\"bookworm\"\n",
			"/etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
			keyrings[0]:                              "key",
			"/usr/lib/postgresql/9.6/bin/initdb":     "",
			"/usr/lib/postgresql/15/bin/initdb":      "",
		},
		programs: []string{"apt-get", "apt-cache", "dpkg-deb", "dpkg-query"},
		answers:  map[string]string{"dpkg-query": installed},
	}
}

func TestChoose(t *testing.T) {
	rows := []struct {
		name    string
		change  func(*fakeMachine)
		want    way
		refused []string // parts of the error
	}{
		{"Debian with everything, not root", func(*fakeMachine) {}, way{packages: true}, nil},
		{"Debian, packages missing, root", func(f *fakeMachine) { f.answers = nil; f.uid = 0 }, way{packages: true}, nil},
		{"Debian, packages missing, sudo", func(f *fakeMachine) { f.answers = map[string]string{"sudo -n true": ""} }, way{packages: true}, nil},
		{"Debian, packages missing, no sudo, docker", func(f *fakeMachine) {
			f.answers = map[string]string{"docker info": "28.0\n"}
			f.programs = append(f.programs, "docker")
		}, way{engine: "docker"}, nil},
		{"Debian, packages missing, no sudo, nothing", func(f *fakeMachine) { f.answers = nil }, way{},
			[]string{"sudo apt-get install", "python3-lxml", "docker is not installed", "podman is not installed"}},
		{"Ubuntu with podman", func(f *fakeMachine) {
			f.files["/etc/os-release"] = "ID=ubuntu\nVERSION_CODENAME=noble\n"
			f.programs = append(f.programs, "podman")
			f.answers["podman info"] = "5.0"
		}, way{engine: "podman"}, nil},
		{"no apt-get, docker installed but its service does not answer", func(f *fakeMachine) {
			f.programs = []string{"docker"}
		}, way{}, []string{"(1) Debian packages: apt-get is not installed", "(2) a container engine: docker is installed but its service does not answer"}},
		{"no apt-get, docker exits 0 and says nothing, podman answers", func(f *fakeMachine) {
			f.programs = []string{"docker", "podman"}
			f.answers = map[string]string{"docker info": "\n", "podman info": "5.0"}
		}, way{engine: "podman"}, nil},
		{"no keyring", func(f *fakeMachine) { delete(f.files, keyrings[0]) }, way{}, []string{"debian-archive-keyring"}},
		{"no source for the release", func(f *fakeMachine) {
			f.files["/etc/apt/sources.list.d/debian.sources"] = "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n"
		}, way{}, []string{`none of apt's sources names the Debian archive of "bookworm"`}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := debian()
			f.uid = 1000
			row.change(&f)
			got, err := f.machine().choose(t.Context())
			if got != row.want || (err == nil) != (row.refused == nil) {
				t.Fatalf("got %+v, %v", got, err)
			}
			for _, part := range row.refused {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not say %q: %v", part, err)
				}
			}
		})
	}
}

func TestNewestPostgres(t *testing.T) {
	if got := debian().machine().newestPostgres(); got != "/usr/lib/postgresql/15/bin" {
		t.Errorf("got %s", got)
	}
}

func TestMissingPackages(t *testing.T) {
	f := debian()
	f.answers["dpkg-query"] = strings.Replace(f.answers["dpkg-query"], "python3-lxml installed", "python3-lxml not-installed", 1)
	delete(f.files, "/usr/lib/postgresql/15/bin/initdb")
	delete(f.files, "/usr/lib/postgresql/9.6/bin/initdb")
	if got := f.machine().missingPackages(t.Context()); !slices.Equal(got, []string{"python3-lxml", "postgresql"}) {
		t.Errorf("got %v", got)
	}
	// A release that does not have a package must not be asked for it at every start.
	f = debian()
	f.answers["dpkg-query"] = strings.Replace(f.answers["dpkg-query"], "python3-pypdf2 installed\n", "", 1)
	if got := f.machine().missingPackages(t.Context()); !slices.Equal(got, []string{"python3-pypdf2"}) {
		t.Errorf("on bookworm: %v", got)
	}
	f.files["/etc/os-release"] = "ID=debian\nVERSION_CODENAME=trixie\n"
	if got := f.machine().missingPackages(t.Context()); len(got) > 0 {
		t.Errorf("on trixie: %v", got)
	}
}

func TestParseSources(t *testing.T) {
	text := `Types: deb deb-src
# a comment inside a stanza
URIs: http://one.example/debian
 https://two.example/debian
Suites: bookworm
  bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/a.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm

types: deb
uris: http://three.example/debian
suites: sid
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
`
	got := parseSources(text)
	var uris []string
	for _, m := range got {
		uris = append(uris, m.uri+" "+strings.Join(m.suites, "+")+" "+m.signedBy)
	}
	want := []string{
		"http://one.example/debian bookworm+bookworm-updates /usr/share/keyrings/a.gpg",
		"https://two.example/debian bookworm+bookworm-updates /usr/share/keyrings/a.gpg",
		"http://three.example/debian sid ",
	}
	if !slices.Equal(uris, want) {
		t.Errorf("got %q", uris)
	}
}

func TestParseList(t *testing.T) {
	text := `# deb http://off.example/debian bookworm main
deb http://one.example/debian bookworm main contrib # why
deb-src http://src.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://two.example/debian sid main
deb [broken http://x.example y
deb
`
	got := parseList(text)
	if len(got) != 2 || got[0].uri != "http://one.example/debian" || got[0].suites[0] != "bookworm" ||
		got[1].uri != "http://two.example/debian" || got[1].suites[0] != "sid" || got[1].signedBy != "/k.gpg" {
		t.Errorf("got %+v", got)
	}
}

func TestDebianMirrorPrefersTheRelease(t *testing.T) {
	f := debian()
	f.files["/etc/apt/sources.list"] = "deb http://security.example/debian-security bookworm-security main\ndeb http://stable.example/debian stable main\n"
	got, err := f.machine().debianMirror()
	if err != nil || got.uri != "http://mirror.example/debian" {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestSidSourceVerifies(t *testing.T) {
	got := sidSource(mirror{uri: "http://mirror.example/debian"}, "/k.gpg")
	if got != "deb [signed-by=/k.gpg] http://mirror.example/debian sid main\n" {
		t.Errorf("got %q", got)
	}
	options := strings.Join(sidOptions("/c"), " ")
	for _, part := range []string{"Dir::Etc::SourceList=/c/sources.list", "Dir::Etc::SourceParts=/dev/null", "Dir::State::Lists=/c/lists"} {
		if !strings.Contains(options, part) {
			t.Errorf("%s is missing in %s", part, options)
		}
	}
	for _, bad := range []string{"AllowUnauthenticated", "AllowInsecure", "trusted"} {
		if strings.Contains(options+got, bad) {
			t.Errorf("%s switches the verification off", bad)
		}
	}
}

func TestCachedDebIsVerified(t *testing.T) {
	dir := t.TempDir()
	deb := filepath.Join(dir, "odoo-19_19.0-1.deb")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(deb, "the package")
	if _, _, ok := cachedDeb(dir, nil); ok {
		t.Error("a package without a recorded hash is used")
	}
	sum, err := sha256File(deb)
	if err != nil {
		t.Fatal(err)
	}
	write(deb+".sha256", sum+"\n")
	if path, version, ok := cachedDeb(dir, nil); !ok || path != deb || version != "19.0-1" {
		t.Errorf("an intact package is not used: %s %s %v", path, version, ok)
	}
	write(deb, "the package, damaged")
	if _, _, ok := cachedDeb(dir, nil); ok {
		t.Error("a damaged package is used")
	}
}
