package toolcall

import (
	"cmp"
	"fmt"
	"slices"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

// CustomMetric is what all custom tools are counted as: their names are an administrator's, as many as they like.
const CustomMetric = "own"

// Catalog is every tool: ours, which are the same for everybody, and how to make one of what an administrator
// has defined in Odoo for some connections.
type Catalog struct {
	list   []*Tool
	byName map[string]*Tool
	custom func(access.OwnTool) *Tool
}

// NewCatalog builds a catalog of tools in the order in which clients see them. custom makes a tool of what Odoo tells of
// one.
func NewCatalog(list []*Tool, custom func(access.OwnTool) *Tool) *Catalog {
	c := &Catalog{list: list, byName: make(map[string]*Tool, len(list)), custom: custom}
	for _, t := range list {
		c.byName[t.Name] = t
	}
	return c
}

// All returns our tools, in the order in which clients see them.
func (c *Catalog) All() []*Tool { return c.list }

// Tool returns one of our tools by its name; nil if there is none.
func (c *Catalog) Tool(name string) *Tool { return c.byName[name] }

// Find returns a tool of a connection by its name: one of ours, or one of its custom ones. Nil if there is none.
func (c *Catalog) Find(s *access.Snapshot, name string) *Tool {
	if t := c.byName[name]; t != nil {
		return t
	}
	for _, own := range s.OwnTools {
		if own.Name == name {
			return c.custom(own)
		}
	}
	return nil
}

// MayUse reports whether a connection's list would show one of our tools.
func (c *Catalog) MayUse(s *access.Snapshot, name string) bool {
	return c.byName[name] != nil && access.MayUse(s, c.byName[name].Tool)
}

// Usable returns those of our tools that a connection may use, in the catalog's order.
func (c *Catalog) Usable(s *access.Snapshot) []*Tool {
	var usable []*Tool
	for _, t := range c.list {
		if access.MayUse(s, t.Tool) {
			usable = append(usable, t)
		}
	}
	return usable
}

// Custom returns the custom tools that a connection's list shows. One that is called like one of ours is not among them:
// Odoo is about to give it another name.
func (c *Catalog) Custom(s *access.Snapshot) []*Tool {
	var list []*Tool
	for _, own := range s.OwnTools {
		if c.byName[own.Name] == nil && access.MayUse(s, own.Tool) && AllowsModel(s, own.Model) {
			list = append(list, c.custom(own))
		}
	}
	slices.SortFunc(list, func(a, b *Tool) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// AllowsModel reports whether the allow list of models has room for what works on one model only.
func AllowsModel(s *access.Snapshot, model string) bool {
	listed := s.Connection.Policy.AllowedModels
	return listed == nil || slices.Contains(listed, model)
}

// Unknown says that there is no tool of a name, and which ones have a similar one.
func (c *Catalog) Unknown(s *access.Snapshot, name string) *access.Error {
	var names []string
	for _, t := range append(c.Usable(access.Widened(s)), c.Custom(s)...) {
		names = append(names, t.Name)
	}
	return access.NewError(access.UnknownTool, fmt.Sprintf(access.SayUnknownTool, mcperr.Clip(name, 60)), mcperr.Hint(name, names, "tools"))
}

// MetricName is what a tool is counted as.
func (c *Catalog) MetricName(name string) string {
	if c.byName[name] == nil {
		return CustomMetric
	}
	return name
}

// Rows are our tools for Odoo's catalog.
func (c *Catalog) Rows() []access.CatalogTool {
	rows := make([]access.CatalogTool, 0, len(c.list))
	for _, t := range c.list {
		rows = append(rows, t.catalogRow())
	}
	return rows
}
