package caller

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/observe"
)

// Caller is who stands behind one HTTP request. Its exported fields do not change.
type Caller struct {
	Proof     access.Proof
	IP        netip.Addr
	RequestID string

	// Unknown is the answer to every call while nobody can tell whose it is: Doorman is being updated. Then there is no
	// snapshot. Nil otherwise.
	Unknown *access.Error

	// Members are those of the request, by their exact names; nil if it is a batch, or not one JSON object.
	Members map[string]json.RawMessage

	// Flaw is what is ambiguous in the arguments of a tool call, which must not be carried out; nil = nothing is.
	Flaw *access.Error

	// Streams says that the request asked for progress and its client reads streams: only they have room before the answer.
	Streams bool

	userAgent string

	hungUp    context.Context // ends when the client's connection does; nil = never
	withdrawn context.Context // ends when the client takes the request back; nil = never

	// dead is why the credential opens nothing any more, found out while the request ran; nil = it does.
	dead atomic.Pointer[access.Error]

	// counted says that Authenticate has counted a request that is not a tool call, see AdmitOther.
	counted atomic.Bool

	mu       sync.Mutex
	snapshot *access.Snapshot // replaced when Odoo says that it is stale
	asked    bool             // Odoo said what holds while this request ran: a refusal need not ask again
}

// Snapshot is what holds for the caller's connection, as far as is known now.
func (c *Caller) Snapshot() *access.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot
}

func (c *Caller) replace(s *access.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshot, c.asked = s, true
}

func (c *Caller) hasAsked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// Audit is what an audit row says of this request beyond what Odoo knows. A nil session is one that the SDK has not made
// yet.
func (c *Caller) Audit(session *sdk.ServerSession, method, tool string) access.Audit {
	client := c.userAgent
	if session != nil {
		if p := session.InitializeParams(); p != nil && p.ClientInfo != nil && p.ClientInfo.Name != "" {
			client = strings.TrimSpace(p.ClientInfo.Name + " " + p.ClientInfo.Version)
		}
	}
	return access.Audit{
		RequestID: c.RequestID, IP: c.IP.Unmap().String(), Client: mcperr.Clip(client, 120),
		// As long as the body, if the sender likes; and kept until Odoo has it.
		Method: mcperr.Clip(method, 60), Tool: tool,
	}
}

// Line is what the log says of the caller and of what was asked for, without its outcome.
func (c *Caller) Line(a access.Audit) observe.Line {
	line := observe.Line{Client: a.Client, Method: a.Method, Tool: a.Tool}
	if s := c.Snapshot(); s != nil {
		line.Connection, line.User = s.Connection.ID, s.User.ID
	}
	return line
}

// ModernProtocol is the first version without sessions: what a server wants of a client's user is part of its answer
// there (input_required). In an older one the SDK would ask by a request of its own, which a stateless server cannot send.
const ModernProtocol = "2026-07-28"

// Modern reports whether a request is of the protocol 2026-07-28 or a later one.
func Modern(session *sdk.ServerSession) bool {
	if session == nil {
		return false
	}
	p := session.InitializeParams()
	return p != nil && p.ProtocolVersion >= ModernProtocol
}

type callerKey struct{}

func withCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Of returns the caller of a request. There is none only where Authenticate was not passed, and then there is nobody to
// act as: the error refuses.
func Of(ctx context.Context) (*Caller, *access.Error) {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok && c != nil {
		return c, nil
	}
	return nil, access.Invalid()
}
