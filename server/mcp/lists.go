package mcp

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
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
// what a person picks from, and 300 models are no choice.
var worthListing = []string{
	"account.move", "account.payment", "calendar.event", "crm.lead", "event.event", "fleet.vehicle", "helpdesk.ticket",
	"hr.employee", "hr.expense", "hr.leave", "maintenance.request", "mrp.production", "product.product", "product.template",
	"project.project", "project.task", "purchase.order", "repair.order", "res.company", "res.partner", "sale.order",
	"stock.picking", "stock.quant",
}

// handlerOf returns what answers a method: the SDK, whose lists are the same for everybody, or one of ours, who know the
// caller.
func (s *Server) handlerOf(c *caller.Caller, method string, next sdk.MethodHandler) sdk.MethodHandler {
	switch method {
	case "resources/list":
		return func(ctx context.Context, _ string, req sdk.Request) (sdk.Result, error) {
			return s.listResources(ctx, c, req)
		}
	case "prompts/get":
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			result, err := s.getPrompt(c, req)
			if err != nil {
				return nil, err
			}
			return next(withPrepared(ctx, result), method, req)
		}
	}
	return next
}

type preparedKey struct{}

// withPrepared hands a result that is ready to the SDK's own handler, which only it can complete: it marks a result in a
// field that nobody else can write.
func withPrepared(ctx context.Context, result sdk.Result) context.Context {
	return context.WithValue(ctx, preparedKey{}, result)
}

// prepared is what the SDK is told to call: it gives the result that is ready, and nothing where none is.
func prepared[Request any, Result any](ctx context.Context, _ Request) (Result, error) {
	result, ok := ctx.Value(preparedKey{}).(Result)
	if !ok {
		return result, errors.New("the SDK was asked past the guard")
	}
	return result, nil
}

// cut takes out of a list what this connection may not use.
func (s *Server) cut(c *caller.Caller, result sdk.Result) {
	switch list := result.(type) {
	case *sdk.ListToolsResult:
		s.cutList(c, list)
	case *sdk.ListResourceTemplatesResult:
		wide := access.Widened(c.Snapshot())
		list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(t *sdk.ResourceTemplate) bool {
			return s.templateOf(wide, t.URITemplate) == nil && !s.fixtures.has(t.URITemplate)
		})
	case *sdk.ListPromptsResult:
		list.Prompts = slices.DeleteFunc(list.Prompts, func(p *sdk.Prompt) bool { return s.promptOf(c, p.Name) == nil && !s.fixtures.has(p.Name) })
	}
}

// templateOf finds a template whose tool may be used; nil if there is none.
func (s *Server) templateOf(snapshot *access.Snapshot, template string) *resourceKind {
	for _, kind := range resourceKinds {
		if kind.template.URITemplate == template && access.MayUse(snapshot, s.byName[kind.tool].Tool) {
			return kind
		}
	}
	return nil
}

// listResources lists the fields of the models that matter.
func (s *Server) listResources(ctx context.Context, c *caller.Caller, req sdk.Request) (sdk.Result, error) {
	cursor := ""
	if params, ok := req.GetParams().(*sdk.ListResourcesParams); ok && params != nil {
		cursor = params.Cursor
	}
	var models []openModel
	if s.mayUse(c, fieldsResource.tool) {
		session, _ := req.GetSession().(*sdk.ServerSession)
		all, failure := s.modelNames(ctx, c, session, "resources/list")
		if failure != nil {
			return nil, mcperr.RPC(failure)
		}
		models = all
		if c.Snapshot().Connection.Policy.AllowedModels == nil {
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
		list.Resources = append(list.Resources, &sdk.Resource{
			URI: "odoo://" + m.Model + "/fields", Name: m.Model + " fields", Title: cmp.Or(mcperr.Clip(m.Label, 100), m.Model) + ": fields",
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
		return "", mcperr.InvalidParams("%q is no cursor of this list. Start without one.", mcperr.Clip(cursor, 60))
	}
	return after, nil
}
