package wire

import (
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"doorman/server/access"
)

var ownName = regexp.MustCompile("^" + access.CustomToolName + "$")

// ownWire is an own tool as the addon writes it. What a decision rests on is a pointer, as in snapshotWire.
type ownWire struct {
	Name        string       `json:"name"`
	Revision    *int64       `json:"revision"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Scope       access.Scope `json:"scope"`
	Risk        access.Risk  `json:"risk"`
	Writes      *bool        `json:"writes"`
	DryRun      bool         `json:"dry_run"`
	Model       string       `json:"model"`
	Records     bool         `json:"records"`
	Parameters  []ownPart    `json:"parameters"`
}

type ownPart struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Required    bool     `json:"required"`
	Description string   `json:"description"`
	Model       string   `json:"model"`
	Choices     []string `json:"choices"`
}

// ownTools checks and converts them, without what would reach tools/list and no person sees. None is what an older addon says.
func ownTools(list []ownWire) ([]access.OwnTool, error) {
	// More than Odoo publishes is not the addon's answer, and every client would read it in every conversation.
	if len(list) > access.MaxCustomTools {
		return nil, Unusable("more own tools than Odoo publishes")
	}
	var out []access.OwnTool
	for _, w := range list {
		t, err := w.tool()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (w ownWire) tool() (access.OwnTool, error) {
	if !ownName.MatchString(w.Name) || w.Scope == "" || !w.Risk.Known() || w.Writes == nil || w.Revision == nil ||
		w.Model == "" || len(w.Parameters) > access.MaxCustomParameters || tooLong(w.Title) || tooLong(w.Description) {
		return access.OwnTool{}, Unusable("own tool " + strconv.Quote(Printable(w.Name)))
	}
	t := access.OwnTool{
		Tool:  access.Tool{Name: w.Name, Scope: w.Scope, Writes: *w.Writes, Risk: w.Risk},
		Title: personText(w.Title), Description: personText(w.Description),
		Revision: *w.Revision, Model: w.Model, OnRecords: w.Records, CanTry: w.DryRun,
	}
	for _, p := range w.Parameters {
		if !ownName.MatchString(p.Name) || !slices.Contains(access.OwnTypes, p.Type) || tooLong(p.Description) {
			return access.OwnTool{}, Unusable("parameter " + strconv.Quote(Printable(p.Name)) + " of own tool " + w.Name)
		}
		p.Description = personText(p.Description)
		for i, choice := range p.Choices {
			p.Choices[i] = personText(choice)
		}
		t.Parameters = append(t.Parameters, access.OwnParameter(p))
	}
	return t, nil
}

func tooLong(text string) bool { return utf8.RuneCountInString(text) > access.MaxCustomDescription }
