package mcp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"doorman/server/access"
)

// linkPrefix begins the token of a link to a file, so that scanners for leaked secrets know one when they see it.
const linkPrefix = "dmf_"

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

func getAttachment() *tool {
	return &tool{
		Tool:  access.Tool{Name: "get_attachment", Scope: access.ScopeSearch, Risk: access.RiskLow},
		title: "Get a file", category: "read", idempotent: true,
		description: "A record's files: a list; or one as a download link for one use, or its text.",
		input:       inputSchema[attachmentArgs](),
		output:      outputSchema("files:objects", "name:string", "text:string", "link:string"),
		run:         runAttachment,
	}
}

func getReport() *tool {
	return &tool{
		Tool:  access.Tool{Name: "get_report", Scope: access.ScopeSearch, Risk: access.RiskLow},
		title: "Print records", category: "read", idempotent: true,
		description: "Records as Odoo prints them (invoice, ...): a PDF, as a download link for one use.",
		input:       inputSchema[reportArgs](),
		output:      outputSchema("name:string", "link:string"),
		run:         runReport,
	}
}

func requestUpload() *tool {
	return &tool{
		Tool:  access.Tool{Name: "request_upload", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		title: "Attach a file", category: "write",
		description: "A link for one use to which a file is sent with PUT; it becomes an attachment of the record. At most 20 MB.",
		input:       inputSchema[uploadArgs](),
		output:      outputSchema("link:string", "expires_at:string", "note:string"),
		run:         runUpload,
	}
}

func runAttachment(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[attachmentArgs](raw)
	if bad == nil {
		bad = checkOne(args.Model, args.ID, "")
	}
	if bad == nil && (args.Attachment < 0 || args.Attachment > 1<<31-1) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%d is no id of an attachment.", args.Attachment), "Leave attachment_id out for a list.")
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
	return g.aboutFile(ctx, access.Request{
		Model: args.Model, Method: "get_attachment", IDs: []int64{args.ID}, Kwargs: kwargs, Context: where{Company: args.Company}.context(),
	})
}

func runReport(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[reportArgs](raw)
	if bad == nil {
		bad = checkModel(args.Model)
	}
	if bad == nil {
		bad = checkLanguage(args.Language)
	}
	if bad == nil && (len(args.IDs) == 0 || slices.ContainsFunc(args.IDs, func(id int64) bool { return id <= 0 || id > 1<<31-1 })) {
		bad = access.NewError(access.InvalidInput, "The parameter ids is missing, or holds what is no record id.", "Name the records to print; search_records finds them.")
	}
	if bad != nil {
		return nil, bad
	}
	kwargs := map[string]any{}
	if name := trimmed(args.Report); name != "" {
		kwargs["report"] = name
	}
	return g.aboutFile(ctx, access.Request{
		Model: args.Model, Method: "get_report", IDs: args.IDs, Kwargs: kwargs,
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
}

func runUpload(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[uploadArgs](raw)
	if bad == nil {
		bad = checkOne(args.Model, args.ID, "")
	}
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
	return g.aboutFile(ctx, access.Request{
		Model: args.Model, Method: "request_upload", IDs: []int64{args.ID}, Kwargs: kwargs, Context: where{Company: args.Company}.context(),
	})
}

// aboutFile asks Odoo about a file, and for a link to it. That are two round trips: what the first one answers may have
// waited for a person's approval, and is kept until then; no link is.
func (g *governed) aboutFile(ctx context.Context, r access.Request) (any, error) {
	if err := g.begin(ctx, r.Model); err != nil {
		return nil, err
	}
	reply, err := g.call(ctx, r)
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
	if err := g.link(ctx, answer.Ticket, result); err != nil {
		return nil, err
	}
	result.Note = "The link works once. Fetch the file with GET, or give the link to your user."
	if answer.Upload != nil {
		result.Size = 0
		result.Note = "The link works once. Send the file's bytes to it with PUT (curl -T FILE LINK); the answer has the attachment's id."
	}
	return result, nil
}

// link opens a link. Its token is thrown here, and Odoo learns no more than its hash.
func (g *governed) link(ctx context.Context, ticket int64, result *fileResult) error {
	token := newLinkToken()
	reply, err := g.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		reply, err := g.server.gateway.FileLink(ctx, f, ticket, access.ProofOf(token))
		g.done = true // the call itself has left its row
		return reply, err
	})
	if err != nil {
		return err
	}
	var opened struct {
		Seconds int `json:"expires_in"`
	}
	if err := json.Unmarshal(reply.Value, &opened); err != nil {
		return err
	}
	result.Link = g.server.filesURL + token
	result.ExpiresAt = moment(g.server.now().Add(time.Duration(opened.Seconds) * time.Second))
	return nil
}

func newLinkToken() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails, see crypto/rand
	return linkPrefix + base64.RawURLEncoding.EncodeToString(random)
}
