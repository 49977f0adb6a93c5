package toolcall

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const (
	// modelTTL bounds how long a translated label, or the choices of a computed selection, may be old. What matters for
	// access is in the key.
	modelTTL = 10 * time.Minute
	modelMax = 512
)

// FieldInfo is what Odoo says of one field (fields_get).
type FieldInfo struct {
	Name       string `json:"-"`
	Type       string `json:"type"`
	Label      string `json:"string"`
	Help       string `json:"help"`
	Required   bool   `json:"required"`
	Readonly   bool   `json:"readonly"`
	Stored     bool   `json:"store"`
	Searchable bool   `json:"searchable"`
	Sortable   bool   `json:"sortable"`
	Groupable  bool   `json:"groupable"`
	Aggregator string `json:"aggregator"`
	Relation   string `json:"relation"`
	Selection  []any  `json:"selection"`
	Currency   string `json:"currency_field"`
	Exportable bool   `json:"default_export_compatible"`
}

// ModelInfo is a model as one set of groups sees it, in one language.
type ModelInfo struct {
	Name    string
	Label   string
	Order   string // Odoo's own order of the model
	Fields  map[string]*FieldInfo
	Names   []string // of all fields, sorted
	Default []string // the fields to read when none are named
	// Closed says, in a sentence, why this connection does not read a field that the user may read.
	Closed map[string]string
}

// MustHave refuses the name of a field that the model does not have, and suggests similar ones.
func (m *ModelInfo) MustHave(name string) *access.Error {
	if m.Fields[name] != nil {
		return nil
	}
	if why := m.Closed[name]; why != "" {
		return access.NewError(access.NotAllowed, why, access.SayLeaveOut)
	}
	hint := access.SayNoFieldHint
	if names := mcperr.Suggest(name, m.Names); len(names) > 0 {
		hint = fmt.Sprintf(access.SayDidYouMean, strings.Join(names, ", ")) + " describe_model lists all fields."
	}
	return &access.Error{
		Kind: access.UnknownField, Code: "unknown_field", Message: access.Words(access.SayNoField, "model", m.Name, "field", mcperr.Clip(name, 60)), Hint: hint,
	}
}

// modelKey is what the fields of a model depend on. Where a policy closes some, that is the connection and its version.
type modelKey struct {
	model, groups, lang, registry string
	connection, version           int64
}

func keyOf(s *access.Snapshot, model, lang string) modelKey {
	key := modelKey{model: model, groups: s.User.Groups, lang: lang, registry: s.Registry}
	if s.Connection.Policy.ClosesFields() {
		key.connection, key.version = s.Connection.ID, s.Connection.Version
	}
	return key
}

// modelCache keeps what is known of models. Two people with the same groups see the same fields, unless a policy closes
// some.
type modelCache struct {
	cache *otter.Cache[modelKey, *ModelInfo]
}

func newModelCache() *modelCache {
	return &modelCache{cache: otter.Must(&otter.Options[modelKey, *ModelInfo]{
		MaximumSize:      modelMax,
		StatsRecorder:    stats.NewCounter(),
		ExpiryCalculator: otter.ExpiryWriting[modelKey, *ModelInfo](modelTTL),
	})}
}

var (
	modelName = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`)
	langCode  = regexp.MustCompile(`^[a-zA-Z@_]{2,16}$`)
)

// CheckModel refuses what cannot be the name of a model, before anything is asked of Odoo.
func CheckModel(name string) *access.Error {
	if name == "" {
		return access.NewError(access.InvalidInput, fmt.Sprintf(access.SayMissingParameter, "model"), `Name a model, such as "res.partner"; list_models finds them.`)
	}
	if len(name) > 128 || !modelName.MatchString(name) {
		return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a model name.", mcperr.Clip(name, 60)), `Models are named like "res.partner"; list_models finds them.`)
	}
	return nil
}

// CheckLanguage refuses what cannot be the code of a language; none is fine.
func CheckLanguage(lang string) *access.Error {
	if lang == "" || langCode.MatchString(lang) {
		return nil
	}
	return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a language code.", mcperr.Clip(lang, 20)), `Use one of get_context's languages, such as "en_US".`)
}

// Open does what every tool on a model does first: the form of the arguments, the decision (as Begin), and the model's
// metadata, in a language; "" is the user's own. A steady state needs no round trip for it.
func (c *Call) Open(ctx context.Context, model, lang string) (*ModelInfo, error) {
	if bad := CheckModel(model); bad != nil {
		return nil, bad
	}
	if bad := CheckLanguage(lang); bad != nil {
		return nil, bad
	}
	if err := c.Begin(ctx, model); err != nil {
		return nil, err
	}
	s := c.who.Snapshot()
	lang = cmp.Or(lang, s.User.Lang)
	// Not by the cache's own loader: the question is asked with this caller's proof, and a caller whose key was just
	// revoked must not fail the others that wait for the same answer.
	if m, ok := c.runner.models.cache.GetIfPresent(keyOf(s, model, lang)); ok {
		return m, nil
	}
	reply, err := c.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		return c.runner.Gateway.Fields(ctx, f, model, lang)
	})
	if err != nil {
		return nil, err
	}
	m, err := ParseModel(model, reply.Value)
	if err != nil {
		return nil, err
	}
	// The snapshot may have been replaced on the way: what was read belongs to the one that holds now.
	s = c.who.Snapshot()
	c.runner.models.cache.Set(keyOf(s, model, lang), m)
	return m, nil
}

// ParseModel reads what Odoo says of a model: {label, order, fields by name, default: names of those to read when none are
// named}.
func ParseModel(name string, raw json.RawMessage) (*ModelInfo, error) {
	var answer struct {
		Label   string                     `json:"label"`
		Order   string                     `json:"order"`
		Default []string                   `json:"default"`
		Fields  map[string]json.RawMessage `json:"fields"`
		Closed  map[string]string          `json:"closed"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", name, err)
	}
	m := &ModelInfo{Name: name, Label: answer.Label, Order: answer.Order, Closed: answer.Closed, Fields: make(map[string]*FieldInfo, len(answer.Fields))}
	for field, attributes := range answer.Fields {
		f := &FieldInfo{Name: field}
		if err := unmarshalOdoo(attributes, f); err != nil {
			return nil, fmt.Errorf("metadata of %s.%s: %w", name, field, err)
		}
		m.Fields[field] = f
		m.Names = append(m.Names, field)
	}
	slices.Sort(m.Names)
	m.Default = chosenBy(m, answer.Default)
	return m, nil
}

// unmarshalOdoo decodes an object in which an empty text may be the word false, as Odoo writes it.
func unmarshalOdoo(raw json.RawMessage, into any) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	for key, value := range values {
		switch key {
		case "string", "help", "aggregator", "relation", "selection", "currency_field":
			if string(value) == "false" || string(value) == "null" {
				delete(values, key)
			}
		case "required", "readonly", "store", "searchable", "sortable", "groupable", "default_export_compatible":
			// A module may have written store="True": Python takes any value for a yes or a no.
			values[key] = truth(value)
		}
	}
	clean, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return json.Unmarshal(clean, into)
}

// truth is a value as Python would take it for true or false.
func truth(v json.RawMessage) json.RawMessage {
	switch string(v) {
	case "false", "null", `""`, "0", "[]", "{}":
		return json.RawMessage("false")
	}
	return json.RawMessage("true")
}
