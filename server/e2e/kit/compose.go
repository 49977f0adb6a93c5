package kit

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Compose is docker-compose.yml as far as tests look at it.
type Compose struct {
	Services map[string]ComposeService `yaml:"services"`
}

// ComposeService is one of its services.
type ComposeService struct {
	Image       string            `yaml:"image"`
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	CapAdd      []string          `yaml:"cap_add"`
	SecurityOpt []string          `yaml:"security_opt"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	StopGrace   string            `yaml:"stop_grace_period"`
	HealthCheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

var interpolated = regexp.MustCompile(`\$\{(\w+)(?::-([^}]*))?\}`)

// ReadCompose reads docker-compose.yml of the repository with these variables: ${NAME} and ${NAME:-default}.
func ReadCompose(t testing.TB, variables map[string]string) Compose {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(AddonDir(t)), "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	text = interpolated.ReplaceAllFunc(text, func(found []byte) []byte {
		m := interpolated.FindSubmatch(found)
		if value, set := variables[string(m[1])]; set {
			return []byte(value)
		}
		return m[2]
	})
	var c Compose
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}
