package access

import "context"

// Gateway is Odoo as the service sees it: the addon's gateway methods and nothing else. Every error is an *Error.
//
// Implementations must be safe for concurrent use, honour ctx, and never retry a Call or a RequestApproval: it may have
// been done.
type Gateway interface {
	// Hello says who answers. It needs no client's proof.
	Hello(ctx context.Context) (Hello, error)

	// Resolve returns what holds for the connection behind a credential. An unknown, revoked or expired credential is
	// an error of kind Unauthenticated, whose text does not tell which.
	Resolve(ctx context.Context, p Proof) (Resolution, error)

	// Call runs one ORM call as the connection's user, inside one transaction with the fence and the audit row. A
	// fence that no longer holds gives Reply.Stale, and nothing was done. A call that needs a person's approval is an
	// error of kind PendingApproval, and nothing was done either.
	Call(ctx context.Context, f Fence, r Request) (Reply, error)

	// RequestApproval puts a call before the person who must approve it, and answers Reply.Pending; the same request asked
	// for again while it waits is the same one. Reply.Value is the answer of a call with the same idempotency key that was
	// approved and done before. Bad arguments are an error, before anybody is asked.
	RequestApproval(ctx context.Context, f Fence, r Request) (Reply, error)

	// ApprovalStatus answers how a request of this connection stands, as Reply.Approval. One that does not exist and one
	// of somebody else are the same error of kind NotFound.
	ApprovalStatus(ctx context.Context, f Fence, requestID int64, a Audit) (Reply, error)

	// Fields returns the metadata of a model as the connection's user may see it: {label, order, fields by name}. The
	// service asks once per model, group set, language and registry, and keeps it.
	Fields(ctx context.Context, f Fence, model string, lang string) (Reply, error)

	// Record adds requests that the service answered alone to the audit.
	Record(ctx context.Context, events []Event) error

	// SyncCatalog makes Odoo's tool catalog the one that this service serves.
	SyncCatalog(ctx context.Context, tools []CatalogTool) error

	Upkeep
}

// Upkeep is what Odoo wants done from time to time. Each is one transaction, does what is due and nothing else, and may
// be asked for by several replicas at once.
type Upkeep interface {
	// FoldUse carries the audit into the connections' last use, number of requests and status.
	FoldUse(ctx context.Context) (Progress, error)

	// ExpireConnections ends the connections whose time is over.
	ExpireConnections(ctx context.Context) (Progress, error)

	// PurgeAudit deletes audit rows beyond their retention.
	PurgeAudit(ctx context.Context) (Progress, error)

	// RemindExpiry tells people which of their connections end soon.
	RemindExpiry(ctx context.Context) (Progress, error)

	// ExpireApprovals ends the requests for approval that nobody decided in time, or whose connection may no longer call.
	ExpireApprovals(ctx context.Context) (Progress, error)

	// RemindApprovals reminds approvers of requests whose time is half over.
	RemindApprovals(ctx context.Context) (Progress, error)

	// ExpireInvites says of the invite links whose time is over that it is. They stopped by the clock, not by this.
	ExpireInvites(ctx context.Context) (Progress, error)

	// RemindInvited tells, once, the holder of a key that came of an invite, and who made that invite, that it ends soon.
	RemindInvited(ctx context.Context) (Progress, error)
}
