package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const (
	// metaTTL bounds how long a translated label, or the choices of a computed selection, may be old. What matters for
	// access is in the key.
	metaTTL = 10 * time.Minute
	metaMax = 512
)

// fieldInfo is what Odoo says of one field (fields_get).
type fieldInfo struct {
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

// modelInfo is a model as one set of groups sees it, in one language.
type modelInfo struct {
	Name   string
	Label  string
	Order  string // Odoo's own order of the model
	Fields map[string]*fieldInfo
	names  []string // sorted
	pick   []string // the fields to read when none are named
}

func (m *modelInfo) mustHave(name string) *access.Error {
	if m.Fields[name] != nil {
		return nil
	}
	hint := "Call describe_model for its fields."
	if names := mcperr.Suggest(name, m.names); len(names) > 0 {
		hint = "Did you mean " + strings.Join(names, ", ") + "? describe_model lists all fields."
	}
	return access.NewError(access.UnknownField, fmt.Sprintf("%s has no field %q, or it is withheld.", m.Name, mcperr.Clip(name, 60)), hint)
}

type metaKey struct{ model, groups, lang, registry string }

// metaCache keeps what is known of models. Two people with the same groups see the same fields.
type metaCache struct {
	cache *otter.Cache[metaKey, *modelInfo]
}

func newMetaCache() *metaCache {
	return &metaCache{cache: otter.Must(&otter.Options[metaKey, *modelInfo]{
		MaximumSize:      metaMax,
		ExpiryCalculator: otter.ExpiryWriting[metaKey, *modelInfo](metaTTL),
	})}
}

// modelInfo returns the metadata of the model of a governed call. A steady state needs no round trip for it.
func (g *governed) modelInfo(ctx context.Context, lang string) (*modelInfo, error) {
	s := g.caller.Snapshot()
	lang = cmp.Or(lang, s.User.Lang)
	key := metaKey{g.model, s.User.Groups, lang, s.Registry}
	// Not by the cache's own loader: the question is asked with this caller's proof, and a caller whose key was just
	// revoked must not fail the others that wait for the same answer.
	if m, ok := g.server.meta.cache.GetIfPresent(key); ok {
		return m, nil
	}
	reply, err := g.fields(ctx, g.model, lang)
	if err != nil {
		return nil, err
	}
	m, err := parseModel(g.model, reply.Value)
	if err != nil {
		return nil, err
	}
	// The snapshot may have been replaced on the way: what was read belongs to the one that holds now.
	s = g.caller.Snapshot()
	g.server.meta.cache.Set(metaKey{g.model, s.User.Groups, lang, s.Registry}, m)
	return m, nil
}

func parseModel(name string, raw json.RawMessage) (*modelInfo, error) {
	var answer struct {
		Label  string                     `json:"label"`
		Order  string                     `json:"order"`
		Fields map[string]json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", name, err)
	}
	m := &modelInfo{Name: name, Label: answer.Label, Order: answer.Order, Fields: make(map[string]*fieldInfo, len(answer.Fields))}
	for field, attributes := range answer.Fields {
		f := &fieldInfo{Name: field}
		if err := unmarshalOdoo(attributes, f); err != nil {
			return nil, fmt.Errorf("metadata of %s.%s: %w", name, field, err)
		}
		m.Fields[field] = f
		m.names = append(m.names, field)
	}
	slices.Sort(m.names)
	m.pick = pickFields(m)
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
