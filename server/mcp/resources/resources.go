package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
	"doorman/server/observe"
)

// A resource is what a tool reads, under an address that a person can pick in their AI tool:
//
//	odoo://res.partner/7       as read_records reads it
//	odoo://res.partner/fields  as describe_model tells it
//
// Reading one is a call of that tool: decided, counted, recorded and shaped as such.
const (
	recordTemplate = "odoo://{model}/{id}"
	fieldsTemplate = "odoo://{model}/fields"

	// codeNoResource is what protocols before 2026-07-28 call a resource that is not there.
	codeNoResource = -32002
)

// resourceKind is one form of address.
type resourceKind struct {
	tool     string // whose call a read is
	template sdk.ResourceTemplate
}

var (
	recordResource = &resourceKind{"read_records", sdk.ResourceTemplate{
		URITemplate: recordTemplate, Name: "record", Title: "Odoo record", MIMEType: "application/json",
		Description: "One record, as read_records gives it: about 15 fields that matter. Example: odoo://res.partner/7",
	}}
	fieldsResource = &resourceKind{"describe_model", sdk.ResourceTemplate{
		URITemplate: fieldsTemplate, Name: "fields", Title: "Fields of an Odoo model", MIMEType: "application/json",
		Description: "The fields of a model, as describe_model lists them. Example: odoo://res.partner/fields",
	}}
	resourceKinds = []*resourceKind{recordResource, fieldsResource}
	// noKind is that of an address of no form.
	noKind = &resourceKind{}

	resourceURI = regexp.MustCompile(`^odoo://([a-z0-9_]+(?:\.[a-z0-9_]+)*)/(fields|[1-9][0-9]{0,9})$`)
)

// Resources answers the methods about resources.
type Resources struct {
	calls *toolcall.Runner
	names *namesCache
}

// Caches are those of the resources, to be watched.
func (r *Resources) Caches() []observe.Cache {
	return []observe.Cache{observe.CacheOf("model_names", r.names.cache)}
}

// New builds the resources, whose reads are calls.
func New(calls *toolcall.Runner) *Resources { return &Resources{calls: calls, names: newNamesCache()} }

// Templates are all forms of addresses.
func Templates() []*sdk.ResourceTemplate {
	var templates []*sdk.ResourceTemplate
	for _, kind := range resourceKinds {
		templates = append(templates, &kind.template)
	}
	return templates
}

// ToolOf returns the name of the tool that a read of an address is a call of; "" if the address is of no form.
func ToolOf(uri string) string {
	kind, _, _ := parseResource(uri)
	return kind.tool
}

// parseResource returns what an address stands for, as its kind and the arguments of that one's tool.
func parseResource(uri string) (kind *resourceKind, arguments json.RawMessage, bad *access.Error) {
	parts := resourceURI.FindStringSubmatch(uri)
	if parts == nil || len(parts[1]) > 128 {
		return noKind, nil, noResource(fmt.Sprintf("There is no resource %q.", mcperr.Clip(uri, 120)))
	}
	args := map[string]any{"model": parts[1]}
	kind = fieldsResource
	if parts[2] != "fields" {
		id, err := strconv.ParseInt(parts[2], 10, 32)
		if err != nil {
			return noKind, nil, noResource(fmt.Sprintf("%s is not a record id.", parts[2]))
		}
		kind, args["ids"] = recordResource, []int64{id}
	}
	arguments, err := json.Marshal(args)
	if err != nil {
		return noKind, nil, access.AsError(err)
	}
	return kind, arguments, nil
}

func noResource(message string) *access.Error {
	return access.NewError(access.NotFound, message,
		"A record is odoo://res.partner/7 (model and id), the fields of a model are odoo://res.partner/fields; the tools list_models and search_records find both.")
}

// Read answers resources/read: admitted, counted and refused as a call of its tool.
func (r *Resources) Read(ctx context.Context, who *caller.Caller, session *sdk.ServerSession, params *sdk.ReadResourceParams) (*sdk.ReadResourceResult, error) {
	start := r.calls.Now()
	kind, arguments, unknown := parseResource(params.URI)
	rate, refusal := r.calls.Door.AdmitCall(ctx, who)
	if refusal == nil {
		refusal = unknown // said only now: guessing addresses counts too
	}
	if refusal != nil {
		r.calls.Door.TurnAway(ctx, who, caller.MethodRead, kind.tool, true, refusal)
		return nil, resourceError(session, params.URI, refusal)
	}
	text, failure := r.run(caller.WithRate(ctx, rate), who, kind, arguments, toolcall.Origin{Method: caller.MethodRead, Session: session, Params: params})
	outcome := "ok"
	if failure != nil {
		outcome = string(failure.Kind)
		r.calls.Door.CameToNothing(ctx, who, failure)
	}
	r.calls.Observe(kind.tool, outcome, r.calls.Now().Sub(start))
	if failure != nil {
		return nil, resourceError(session, params.URI, failure)
	}
	return &sdk.ReadResourceResult{
		Contents: []*sdk.ResourceContents{{URI: params.URI, MIMEType: kind.template.MIMEType, Text: text}},
	}, nil
}

// run runs the tool of a resource and returns its answer, as JSON.
func (r *Resources) run(
	ctx context.Context, who *caller.Caller, kind *resourceKind, arguments json.RawMessage, from toolcall.Origin,
) (string, *access.Error) {
	t := r.calls.Catalog.Tool(kind.tool)
	ctx, c, end := r.calls.Start(ctx, who, t, arguments, from)
	defer end()
	value, err := t.Run(ctx, c, arguments)
	if found, lists := value.(interface{ Empty() bool }); err == nil && lists && found.Empty() {
		missing := noRecord(arguments)
		c.Ended(string(missing.Kind))
		return "", missing
	}
	if err == nil {
		var text []byte
		if text, err = json.Marshal(value); err == nil {
			c.Ended("ok")
			return string(text), nil
		}
	}
	if p, waits := toolcall.Waits(err); waits {
		c.Ended(string(access.PendingApproval))
		return "", pendingRead(p)
	}
	e := access.AsError(err)
	if recorded := c.NoteFailure(e); recorded && kind == recordResource && e.Kind == access.Forbidden {
		// In Odoo's words this is another thing than a record that is not there. Here both are one, so that nobody can
		// count what is hidden from them.
		e = noRecord(arguments)
	}
	return "", e
}

// noRecord is for a record that is not there, and for one that is hidden.
func noRecord(arguments json.RawMessage) *access.Error {
	var asked struct {
		Model string
		IDs   []int64
	}
	_ = json.Unmarshal(arguments, &asked)
	return access.NewError(access.NotFound, fmt.Sprintf("There is no such record of %s that this connection can read.", asked.Model),
		"search_records finds those it may read.")
}

// pendingRead says that a person was asked first.
func pendingRead(p access.Pending) *access.Error {
	return access.NewError(access.PendingApproval, "Nothing was read yet: a person has to approve this at "+p.URL+".",
		fmt.Sprintf("Call the tool approval_status with request_id %d later; it returns the answer.", p.RequestID))
}

// resourceError is a refusal as the protocol has it: an error, in which the model may still read what to do.
func resourceError(session *sdk.ServerSession, uri string, e *access.Error) *jsonrpc.Error {
	return &jsonrpc.Error{Code: resourceCode(session, e.Kind), Message: mcperr.Sentence(e), Data: mcperr.Data(struct {
		URI string `json:"uri"`
		mcperr.JSON
	}{mcperr.Clip(uri, 300), mcperr.Body(e)})}
}

func resourceCode(session *sdk.ServerSession, kind access.Kind) int64 {
	switch kind {
	case access.NotFound, access.UnknownModel, access.NotAllowed, access.Forbidden, access.InvalidInput:
		if caller.Modern(session) {
			return jsonrpc.CodeInvalidParams
		}
		return codeNoResource
	case access.PendingApproval:
		return http.StatusForbidden
	}
	return int64(mcperr.HTTPStatus(access.NewError(kind, "", "")))
}
