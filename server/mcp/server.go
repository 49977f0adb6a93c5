package mcp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rs/zerolog"

	"doorman/server/access"
)

const instructions = `Doorman lets you work in this Odoo as one of its users, within what an administrator allows. ` +
	`Start with get_context (who you are, companies, language) and list_models; describe_model tells a model's fields. ` +
	`search_records finds, read_records reads by id, aggregate_records counts and sums. Dates and times are UTC. ` +
	`A failed call says in "kind" and "hint" how to mend it; do not repeat it unchanged.`

// Config is what the endpoint needs. Gateway and Identify are required.
type Config struct {
	Gateway  access.Gateway
	Identify Identify
	Log      zerolog.Logger
	Version  string
	// ResourceMetadata is the URL of the RFC 9728 document, for WWW-Authenticate.
	ResourceMetadata string
	Timeout          time.Duration    // deadline of one tool call; 0 = 30 s
	MaxBody          int64            // largest request body in bytes; 0 = 1 MiB
	Now              func() time.Time // nil = time.Now
	Observe          func(tool, outcome string, d time.Duration)
	CountRefusal     func(kind access.Kind)
}

// Server is the MCP endpoint. It keeps caches and nothing else.
type Server struct {
	gateway          access.Gateway
	identify         Identify
	log              zerolog.Logger
	resolver         *resolver
	meta             *metaCache
	recorder         *recorder
	tools            []*tool
	byName           map[string]*tool
	resourceMetadata string
	timeout          time.Duration
	maxBody          int64
	now              func() time.Time
	observe          func(tool, outcome string, d time.Duration)
	countRefusal     func(kind access.Kind)
	handler          http.Handler
}

// New builds the endpoint with every tool.
func New(c Config) *Server {
	s := &Server{
		gateway: c.Gateway, identify: c.Identify, log: c.Log,
		resolver: newResolver(c.Gateway), meta: newMetaCache(),
		tools: catalog(), byName: map[string]*tool{},
		resourceMetadata: c.ResourceMetadata, timeout: c.Timeout, maxBody: c.MaxBody, now: c.Now,
		observe: c.Observe, countRefusal: c.CountRefusal,
	}
	s.defaults()
	s.recorder = newRecorder(c.Gateway, func(n int) {
		s.log.Warn().Int("refusals", n).Msg("more refusals than can be kept while Odoo does not take them")
	})
	server := sdk.NewServer(&sdk.Implementation{Name: "doorman", Title: "Doorman for Odoo", Version: c.Version}, &sdk.ServerOptions{
		Instructions: instructions,
		// Said explicitly: the SDK would add logging, which is deprecated, and list changes, which a stateless server
		// cannot send.
		Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}},
		// Lists depend on who asks. The SDK's default says "public", and a shared cache would show one person's list
		// to another.
		SetCacheable: func(_ context.Context, _ sdk.Request, c *sdk.Cacheable) {
			c.CacheScope, c.TTLMs = "private", int((resolveTTL / time.Millisecond))
		},
	})
	for _, t := range s.tools {
		s.byName[t.Name] = t
		server.AddTool(t.definition(), s.handle(t))
	}
	server.AddReceivingMiddleware(s.guard)
	s.handler = s.authenticate(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, PropagateRequestCancellation: true, MaxRequestBodyBytes: s.maxBody,
		// Ours is the Host and Origin check of package app: this one refuses everything behind a proxy on the same machine.
		DisableLocalhostProtection: true,
	}))
	return s
}

func (s *Server) defaults() {
	if s.timeout <= 0 {
		s.timeout = 30 * time.Second
	}
	if s.maxBody <= 0 {
		s.maxBody = 1 << 20
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.observe == nil {
		s.observe = func(string, string, time.Duration) {}
	}
	if s.countRefusal == nil {
		s.countRefusal = func(access.Kind) {}
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run carries refusals into Odoo's audit until ctx ends; what is pending then is sent before it returns.
func (s *Server) Run(ctx context.Context) { s.recorder.run(ctx) }

// Catalog lists the tools for Odoo's catalog.
func (s *Server) Catalog() []access.CatalogTool {
	rows := make([]access.CatalogTool, 0, len(s.tools))
	for _, t := range s.tools {
		rows = append(rows, t.catalogRow())
	}
	return rows
}

// guard stands before every method of the SDK. What authenticate let through by the method it read in the body is
// looked at once more by the method that the SDK read: two parsers must not be played against each other.
func (s *Server) guard(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		c, refusal := callerOf(ctx)
		if refusal != nil {
			return nil, refusal
		}
		if method == "tools/call" {
			if params, ok := req.GetParams().(*sdk.CallToolParamsRaw); ok && s.byName[params.Name] == nil {
				return s.unknownTool(c, params.Name), nil
			}
			return next(ctx, method, req)
		}
		if d := access.Admit(s.now(), c.current(), c.ip); !d.Allowed() {
			s.refused(c, method, "", "", d.Err())
			return nil, &jsonrpc.Error{Code: int64(httpStatus(d.Err().Kind)), Message: d.Err().Message}
		}
		result, err := next(ctx, method, req)
		if list, ok := result.(*sdk.ListToolsResult); ok && err == nil {
			s.cutList(c, list)
		}
		return result, err
	}
}

// unknownTool answers a call of a tool that does not exist, in a form that the model reads.
func (s *Server) unknownTool(c *caller, name string) *sdk.CallToolResult {
	refusal := access.Admit(s.now(), c.current(), c.ip).Err()
	if refusal == nil {
		names := make([]string, 0, len(s.tools))
		for _, t := range s.tools {
			if access.MayUse(c.current(), t.Tool) {
				names = append(names, t.Name)
			}
		}
		refusal = access.NewError(access.UnknownTool, fmt.Sprintf("There is no tool %q.", clip(name, 60)), nearHint(name, names, "tools"))
	}
	s.refused(c, "tools/call", clip(name, 60), "", refusal)
	return errorResult(refusal)
}

// cutList takes the tools that this connection may not use out of tools/list, and puts the rest in the catalog's order.
func (s *Server) cutList(c *caller, list *sdk.ListToolsResult) {
	kept := make([]*sdk.Tool, 0, len(list.Tools))
	for _, known := range s.tools {
		i := slices.IndexFunc(list.Tools, func(t *sdk.Tool) bool { return t.Name == known.Name })
		if i >= 0 && access.MayUse(c.current(), known.Tool) {
			kept = append(kept, list.Tools[i])
		}
	}
	list.Tools = kept
}
