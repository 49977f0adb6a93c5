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
	Resolve(ctx context.Context, p Proof) (Resolution, error)

	// Call runs one ORM call as the connection's user, inside one transaction with the fence and the audit row. A
	// fence that no longer holds gives Reply.Stale, and nothing was done. One that must be approved is undone and put
	// before a person, which gives Reply.Pending; the same one again while it waits is the same request. Where nobody is to
	// be asked (Request.AskNobody), that is an error of kind PendingApproval.
	Call(ctx context.Context, f Fence, r Request) (Reply, error)

	// ApprovalStatus answers how a request of this connection stands, as Reply.Approval. One that does not exist and one
	// of somebody else are the same error of kind NotFound.
	ApprovalStatus(ctx context.Context, f Fence, requestID int64, a Audit) (Reply, error)

	// Fields returns the metadata of a model as the connection's user may see it: {label, order, fields by name}. The
	// service asks once per model, group set, language and registry, and keeps it.
	Fields(ctx context.Context, f Fence, model string, lang string) (Reply, error)

	// FileLink opens a link to the file that a call announced by its ticket, for the bearer of the token behind p. Reply.Value is
	// {expires_in}, in seconds. An older link to the same file ends.
	FileLink(ctx context.Context, f Fence, ticket int64, p Proof) (Reply, error)

	// Record adds requests that the service answered alone to the audit.
	Record(ctx context.Context, events []Event) error

	// SyncCatalog makes Odoo's tool catalog the one that this service serves.
	SyncCatalog(ctx context.Context, tools []CatalogTool) error

	Upkeep
}

// Upkeep is what Odoo wants done from time to time: the jobs that Hello lists.
type Upkeep interface {
	// Upkeep runs the job of this name once: one transaction, which does what is due and nothing else. Several replicas may
	// ask at once. A name that is not listed is an error of kind NotFound.
	Upkeep(ctx context.Context, name string) (Progress, error)
}

// Files is the part of Odoo's gateway that follows links. The proof of a link's token is all that it takes: Odoo checks
// everything again that it checked when the link was made. A link that does not work (any more) is an error of kind
// NotFound, whatever the reason.
type Files interface {
	// FileOpen says what a link is for, if it works. It uses nothing up.
	FileOpen(ctx context.Context, p Proof) (Opened, error)

	// FileTake fetches a file and ends its link.
	FileTake(ctx context.Context, p Proof, a Audit) (File, error)

	// FilePut attaches a file to the record that its link is for, and ends the link; not if Odoo refuses the file.
	FilePut(ctx context.Context, p Proof, content []byte, a Audit) (Attached, error)
}
