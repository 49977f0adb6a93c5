package access

import "context"

// Gateway is Odoo as the service sees it: the addon's gateway methods and nothing else. Every error is an *Error.
//
// Implementations must be safe for concurrent use, honour ctx, and never retry a Call: it may have been done.
type Gateway interface {
	// Hello says who answers. It needs no client's proof.
	Hello(ctx context.Context) (Hello, error)

	// Resolve returns what holds for the connection behind a credential. An unknown, revoked or expired credential is
	// an error of kind Unauthenticated, whose text does not tell which.
	Resolve(ctx context.Context, p Proof) (*Snapshot, error)

	// Call runs one ORM call as the connection's user, inside one transaction with the fence and the audit row. A
	// fence that no longer holds gives Reply.Stale, and nothing was done.
	Call(ctx context.Context, f Fence, r Request) (Reply, error)

	// Fields returns the metadata of a model as the connection's user may see it: {label, order, fields by name}. The
	// service asks once per model, group set, language and registry, and keeps it.
	Fields(ctx context.Context, f Fence, model string, lang string) (Reply, error)

	// Record adds refusals that the service decided alone to the audit.
	Record(ctx context.Context, events []Event) error

	// SyncCatalog makes Odoo's tool catalog the one that this service serves.
	SyncCatalog(ctx context.Context, tools []CatalogTool) error
}
