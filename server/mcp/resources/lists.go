package resources

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

const (
	// resourcePage is how many resources a page of the list has.
	resourcePage = 50
	// cursorMark is what a cursor of ours starts with: the form may change, and an old one is refused then.
	cursorMark = "1:"
)

// worthListing are the models whose fields are listed as resources, where the connection may use them: what people ask
// about. A connection that is limited to some models lists all of those. Anything else is read all the same: the list is
// what a person picks from, and 300 models are too many to choose from.
var worthListing = []string{
	"account.move", "account.payment", "calendar.event", "crm.lead", "event.event", "fleet.vehicle", "helpdesk.ticket",
	"hr.employee", "hr.expense", "hr.leave", "maintenance.request", "mrp.production", "product.product", "product.template",
	"project.project", "project.task", "purchase.order", "repair.order", "res.company", "res.partner", "sale.order",
	"stock.picking", "stock.quant",
}

// MayUse reports whether a connection may read by a template.
func (r *Resources) MayUse(snapshot *access.Snapshot, template string) bool {
	return r.templateOf(snapshot, template) != nil
}

// templateOf finds a template whose tool may be used; nil if there is none.
func (r *Resources) templateOf(snapshot *access.Snapshot, template string) *resourceKind {
	for _, kind := range resourceKinds {
		if kind.template.URITemplate == template && r.calls.Catalog.MayUse(snapshot, kind.tool) {
			return kind
		}
	}
	return nil
}

// List answers resources/list: the fields of the models that matter, from a cursor on.
func (r *Resources) List(ctx context.Context, who *caller.Caller, session *sdk.ServerSession, cursor string) (*sdk.ListResourcesResult, error) {
	var models []openModel
	if r.calls.Catalog.MayUse(who.Snapshot(), fieldsResource.tool) {
		all, failure := r.modelNames(ctx, who, session, "resources/list")
		if failure != nil {
			return nil, mcperr.RPC(failure)
		}
		models = all
		if who.Snapshot().Connection.Policy.AllowedModels == nil {
			models = slices.DeleteFunc(slices.Clone(all), func(m openModel) bool { return !slices.Contains(worthListing, m.Model) })
		}
	}
	page, next, err := pageOf(models, cursor, resourcePage, func(m openModel) string { return m.Model })
	if err != nil {
		return nil, err
	}
	list := &sdk.ListResourcesResult{
		Cacheable: sdk.Cacheable{CacheScope: "private", TTLMs: int(caller.SnapshotTTL.Milliseconds())},
		Resources: []*sdk.Resource{}, NextCursor: next,
	}
	for _, m := range page {
		label := mcperr.Clip(access.WithoutHidden(m.Label), 100)
		list.Resources = append(list.Resources, &sdk.Resource{
			URI: "odoo://" + m.Model + "/fields", Name: m.Model + " fields", Title: cmp.Or(label, m.Model) + ": fields",
			MIMEType: fieldsResource.template.MIMEType,
		})
	}
	return list, nil
}

// pageOf returns the page of a list after a cursor, and the cursor of the next one. The list is sorted by key, and so a
// cursor stays good when something is added or taken away.
func pageOf[T any](all []T, cursor string, size int, key func(T) string) (page []T, next string, err error) {
	if cursor != "" {
		after, err := openCursor(cursor)
		if err != nil {
			return nil, "", err
		}
		start := slices.IndexFunc(all, func(v T) bool { return key(v) > after })
		if start < 0 {
			return nil, "", nil
		}
		all = all[start:]
	}
	if len(all) > size {
		all = all[:size]
		next = base64.RawURLEncoding.EncodeToString([]byte(cursorMark + key(all[size-1])))
	}
	return all, next, nil
}

func openCursor(cursor string) (after string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	after, ours := strings.CutPrefix(string(raw), cursorMark)
	if err != nil || !ours || after == "" {
		return "", mcperr.NoCursor(cursor)
	}
	return after, nil
}
