package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(165, toolcall.Tool{
		Tool:  access.Tool{Name: "send_document", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		Title: "Send a document", Category: "execute", OpenWorld: true,
		Description: "Email a record's document (quotation, invoice, ...) with its PDF, as its Send button would. " +
			"dry_run shows who would get what.",
		Output: outputSchema(writtenSchema("message_id:integer", "sent:object")...),
	}, sendDocument)
}

type documentArgs struct {
	Model    string     `json:"model"`
	ID       int64      `json:"id"`
	Template string     `json:"template,omitempty" jsonschema:"by name; default: the button's own"`
	Subject  string     `json:"subject,omitempty" jsonschema:"instead of the template's"`
	Body     string     `json:"body,omitempty" jsonschema:"Markdown, instead of the template's"`
	Partners idList     `json:"partner_ids,omitempty" jsonschema:"contacts, instead of the document's own"`
	Emails   stringList `json:"emails,omitempty" jsonschema:"addresses, likewise"`
	DryRun   bool       `json:"dry_run,omitempty"`
	Key      string     `json:"idempotency_key,omitempty"`
	Company  int64      `json:"company_id,omitempty"`
}

// documentResult is what was sent, and to whom.
type documentResult struct {
	*written
	MessageID int64           `json:"message_id,omitempty"`
	Sent      json.RawMessage `json:"sent,omitempty"`
}

func sendDocument(ctx context.Context, call *toolcall.Call, args documentArgs) (any, error) {
	if bad := args.check(); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := map[string]any{}
	for name, value := range map[string]string{"template": trimmed(args.Template), "subject": trimmed(args.Subject)} {
		if value != "" {
			kwargs[name] = value
		}
	}
	if trimmed(args.Body) != "" {
		kwargs["body"] = args.Body
		kwargs = withMessage(kwargs, args.Body)
	}
	if len(args.Partners) > 0 {
		kwargs["partner_ids"] = args.Partners
	}
	if len(args.Emails) > 0 {
		kwargs["emails"] = args.Emails
	}
	h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "send_document", []int64{args.ID}, kwargs))
	if err != nil {
		return nil, err
	}
	result := documentResult{written: shapeWritten(reply.Value, &toolcall.ModelInfo{Name: args.Model}, args.DryRun)}
	if args.DryRun {
		result.Note = "Nothing was sent: this is what would be sent."
	}
	if len(result.Changed) == 0 {
		result.Changed = nil // what was sent is told in sent: "nothing changed" would be misleading
	}
	var answer struct {
		MessageID int64           `json:"message_id"`
		Sent      json.RawMessage `json:"sent"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		result.MessageID, result.Sent = answer.MessageID, filled(answer.Sent)
	}
	return result, nil
}

func (args *documentArgs) check() *access.Error {
	if bad := checkOne(args.Model, args.ID, ""); bad != nil {
		return bad
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{
		{"template", args.Template, access.MaxTemplateName}, {"subject", args.Subject, access.MaxSubject}, {"body", args.Body, access.MaxMessageBody},
	} {
		if n := utf8.RuneCountInString(text.value); n > text.most {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%s has %d characters, more than %d.", text.name, n, text.most), "Shorten it.")
		}
	}
	if len(args.Partners) > 0 {
		if bad := checkDistinct(args.Partners); bad != nil {
			return bad
		}
	}
	if n := len(args.Partners) + len(args.Emails); n > access.MaxRecipients {
		return access.NewError(access.InvalidInput, access.Words(access.SayManyPeople, "most", access.MaxRecipients, "number", n), "Name fewer.")
	}
	for _, email := range args.Emails {
		if utf8.RuneCountInString(email) > access.MaxAddress {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not an email address.", mcperr.Clip(email, 40)), `Write it like "ada@example.com".`)
		}
	}
	return checkKey(args.Key)
}
