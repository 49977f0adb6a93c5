package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(100, toolcall.Tool{
		Tool:  access.Tool{Name: "get_attachment", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Get a file", Category: "read", Idempotent: true,
		Description: "A record's files: a list; or one as a download link for one use, or its text.",
		Output:      outputSchema("files:objects", "name:string", "text:string", "link:string"),
	}, getAttachment)
	add(110, toolcall.Tool{
		Tool:  access.Tool{Name: "get_report", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Print records", Category: "read", Idempotent: true,
		Description: "Records as Odoo prints them (invoice, ...): a PDF, as a download link for one use.",
		Output:      outputSchema("name:string", "link:string"),
	}, getReport)
	add(180, toolcall.Tool{
		Tool:  access.Tool{Name: "request_upload", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Attach a file", Category: "write",
		Description: "A link for one use to which a file is sent with PUT; it becomes an attachment of the record. At most 20 MB.",
		Output:      outputSchema("link:string", "expires_at:string", "note:string"),
	}, requestUpload)
}

type attachmentArgs struct {
	Model      string `json:"model"`
	ID         int64  `json:"id"`
	Attachment int64  `json:"attachment_id,omitempty" jsonschema:"default: list the record's files"`
	Field      string `json:"field,omitempty" jsonschema:"or a binary field"`
	Text       bool   `json:"text,omitempty"`
	Company    int64  `json:"company_id,omitempty"`
}

type reportArgs struct {
	Model    string `json:"model"`
	IDs      idList `json:"ids" jsonschema:"at most 50"`
	Report   string `json:"report,omitempty" jsonschema:"name; default: the only one"`
	Language string `json:"language,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

type uploadArgs struct {
	Model   string `json:"model"`
	ID      int64  `json:"id"`
	Name    string `json:"name" jsonschema:"of the file"`
	Size    int64  `json:"size,omitempty" jsonschema:"bytes, checked"`
	SHA256  string `json:"sha256,omitempty" jsonschema:"hex, checked"`
	Company int64  `json:"company_id,omitempty"`
}

// fileAnswer is what Odoo says of a file, or of the room for one.
type fileAnswer struct {
	Files  json.RawMessage `json:"files"`
	More   bool            `json:"more"`
	File   *fileTold       `json:"file"`
	Upload *fileTold       `json:"upload"`
	URL    string          `json:"url"`
	Text   *string         `json:"text"`
	Cut    bool            `json:"text_cut"`
	Ticket int64           `json:"ticket"`
}

type fileTold struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// fileResult is what the client gets: a link for one use, never the bytes.
type fileResult struct {
	Model     string          `json:"model"`
	Files     json.RawMessage `json:"files,omitempty"`
	More      bool            `json:"has_more,omitempty"`
	Name      string          `json:"name,omitempty"`
	Type      string          `json:"type,omitempty"`
	Size      int64           `json:"size,omitempty"`
	URL       string          `json:"url,omitempty"`
	Text      *string         `json:"text,omitempty"`
	Cut       bool            `json:"text_cut,omitempty"`
	Link      string          `json:"link,omitempty"`
	ExpiresAt string          `json:"expires_at,omitempty"`
	Note      string          `json:"note,omitempty"`
}

func getAttachment(ctx context.Context, call *toolcall.Call, args attachmentArgs) (any, error) {
	bad := checkOne(args.Model, args.ID, "")
	if bad == nil && (args.Attachment < 0 || args.Attachment > 1<<31-1) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%d is not the id of an attachment.", args.Attachment), "Leave attachment_id out for a list.")
	}
	if bad != nil {
		return nil, bad
	}
	kwargs := map[string]any{}
	if args.Attachment > 0 {
		kwargs["attachment"] = args.Attachment
	}
	if args.Field != "" {
		kwargs["field"] = args.Field
	}
	if args.Text {
		kwargs["text"] = true
	}
	return aboutFile(ctx, call, access.Request{
		Model: args.Model, Method: "get_attachment", IDs: []int64{args.ID}, Kwargs: kwargs, Context: where{Company: args.Company}.context(),
	})
}

func getReport(ctx context.Context, call *toolcall.Call, args reportArgs) (any, error) {
	bad := toolcall.CheckModel(args.Model)
	if bad == nil {
		bad = toolcall.CheckLanguage(args.Language)
	}
	if bad == nil && (len(args.IDs) == 0 || slices.ContainsFunc(args.IDs, func(id int64) bool { return id <= 0 || id > 1<<31-1 })) {
		bad = access.NewError(access.InvalidInput, "The parameter ids is missing, or holds what is not a record id.", "Name the records to print; search_records finds them.")
	}
	if bad != nil {
		return nil, bad
	}
	kwargs := map[string]any{}
	if name := trimmed(args.Report); name != "" {
		kwargs["report"] = name
	}
	return aboutFile(ctx, call, access.Request{
		Model: args.Model, Method: "get_report", IDs: args.IDs, Kwargs: kwargs,
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
}

func requestUpload(ctx context.Context, call *toolcall.Call, args uploadArgs) (any, error) {
	bad := checkOne(args.Model, args.ID, "")
	if bad == nil && trimmed(args.Name) == "" {
		bad = access.NewError(access.InvalidInput, "The parameter name is missing.", `Name the file, e.g. "contract.pdf".`)
	}
	if bad == nil && (args.Size < 0 || args.Size > access.MaxFile) {
		bad = access.NewError(access.TooLarge, fmt.Sprintf("A file has at most %d bytes.", access.MaxFile), "A person has to upload it in Odoo.")
	}
	if bad != nil {
		return nil, bad
	}
	kwargs := map[string]any{"name": args.Name}
	if args.Size > 0 {
		kwargs["size"] = args.Size
	}
	if args.SHA256 != "" {
		kwargs["sha256"] = args.SHA256
	}
	return aboutFile(ctx, call, access.Request{
		Model: args.Model, Method: "request_upload", IDs: []int64{args.ID}, Kwargs: kwargs, Context: where{Company: args.Company}.context(),
	})
}

// aboutFile asks Odoo about a file, and for a link to it. That are two round trips: what the first one answers may have
// waited for a person's approval, and is kept until then; no link is.
func aboutFile(ctx context.Context, call *toolcall.Call, r access.Request) (any, error) {
	if err := call.Begin(ctx, r.Model); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	var answer fileAnswer
	if err := json.Unmarshal(reply.Value, &answer); err != nil {
		return nil, err
	}
	result := &fileResult{Model: r.Model, Files: answer.Files, More: answer.More, URL: answer.URL, Text: answer.Text, Cut: answer.Cut}
	told := answer.File
	if told == nil {
		told = answer.Upload
	}
	if told != nil {
		result.Name, result.Type, result.Size = told.Name, told.Type, told.Size
	}
	if answer.Ticket == 0 {
		return result, nil
	}
	link, err := call.OpenLink(ctx, answer.Ticket)
	if err != nil {
		return nil, err
	}
	result.Link, result.ExpiresAt = link.URL, toolcall.Moment(link.ExpiresAt)
	result.Note = "The link works once. Fetch the file with GET, or give the link to your user."
	if answer.Upload != nil {
		result.Size = 0
		result.Note = "The link works once. Send the file's bytes to it with PUT (curl -T FILE LINK); the answer has the attachment's id."
	}
	return result, nil
}
