package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(100, toolcall.Tool{
		Tool:  access.Tool{Name: "get_attachment", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Get a file", Category: "read", Idempotent: true,
		Description: "A record's files: a list, or one as a one-time link, and its text in pages.",
		Output:      outputSchema("files:objects", "text:string", "next_offset:integer", "link:string"),
	}, getAttachment)
	add(110, toolcall.Tool{
		Tool:  access.Tool{Name: "get_report", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Print records", Category: "read", Idempotent: true,
		Description: "Records as Odoo prints them (invoice, ...): a PDF, as a one-time link.",
		Output:      outputSchema("link:string"),
	}, getReport)
}

type attachmentArgs struct {
	Model      string `json:"model"`
	ID         int64  `json:"id"`
	Attachment int64  `json:"attachment_id,omitempty"`
	Field      string `json:"field,omitempty" jsonschema:"or a binary field"`
	Text       bool   `json:"text,omitempty"`
	Offset     int    `json:"offset,omitempty"`
	Company    int64  `json:"company_id,omitempty"`
}

type reportArgs struct {
	Model    string `json:"model"`
	IDs      idList `json:"ids" jsonschema:"at most 50"`
	Report   string `json:"report,omitempty" jsonschema:"default: the only one"`
	Language string `json:"language,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// fileAnswer is what Odoo says of a file, or of the room for one.
type fileAnswer struct {
	Files  json.RawMessage `json:"files"`
	More   bool            `json:"more"`
	File   *fileTold       `json:"file"`
	Upload *fileTold       `json:"upload"`
	URL    string          `json:"url"`
	Text   *string         `json:"text"`
	Next   int             `json:"text_next"`
	Notes  []string        `json:"text_notes"`
	Ticket int64           `json:"ticket"`
}

type fileTold struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Rows *int   `json:"rows"` // of an export
}

// fileResult is what the client gets: a link for one use, never the bytes.
type fileResult struct {
	Model     string          `json:"model"`
	Files     json.RawMessage `json:"files,omitempty"`
	More      bool            `json:"has_more,omitempty"`
	Name      string          `json:"name,omitempty"`
	Type      string          `json:"type,omitempty"`
	Size      int64           `json:"size,omitempty"`
	Rows      *int            `json:"rows,omitempty"`
	URL       string          `json:"url,omitempty"`
	Text      *string         `json:"text,omitempty"`
	Next      int             `json:"next_offset,omitempty"`
	Link      string          `json:"link,omitempty"`
	ExpiresAt string          `json:"expires_at,omitempty"`
	Note      string          `json:"note,omitempty"`
}

func getAttachment(ctx context.Context, call *toolcall.Call, args attachmentArgs) (any, error) {
	bad := checkOne(args.Model, args.ID, "")
	if bad == nil && args.Offset < 0 {
		bad = access.NewError(access.InvalidInput, "The parameter offset must be 0 or more.", "Use next_offset from the last reply.")
	}
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
	if args.Text || args.Offset > 0 {
		kwargs["text"] = true
	}
	if args.Offset > 0 {
		kwargs["offset"] = args.Offset
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
		bad = access.NewError(access.InvalidInput, "The parameter ids is missing, or holds something other than record ids.", "Specify the records to print; use search_records to find them.")
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

// aboutFile asks Odoo about a file, and for a link to it.
func aboutFile(ctx context.Context, call *toolcall.Call, r access.Request) (any, error) {
	if err := call.Begin(ctx, r.Model); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	return linked(ctx, call, r.Model, reply.Value)
}

// linked tells of a file, with a link to it. What Odoo has answered may have waited for a person's approval, and is kept
// until then; no link is, so that it is asked for once the answer is there.
func linked(ctx context.Context, call *toolcall.Call, model string, raw json.RawMessage) (any, error) {
	var answer fileAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	result := &fileResult{Model: model, Files: answer.Files, More: answer.More, URL: answer.URL, Text: answer.Text, Next: answer.Next}
	told := answer.File
	if told == nil {
		told = answer.Upload
	}
	if told != nil {
		result.Name, result.Type, result.Size, result.Rows = told.Name, told.Type, told.Size, told.Rows
	}
	notes := answer.Notes
	if answer.Next > 0 {
		notes = append(notes, "The text continues: ask again with offset = next_offset.")
	}
	if answer.Ticket > 0 {
		link, err := call.OpenLink(ctx, answer.Ticket)
		if err != nil {
			return nil, err
		}
		result.Link, result.ExpiresAt = link.URL, toolcall.Moment(link.ExpiresAt)
		note := "The link works once. Fetch the file with GET, or give the link to your user."
		if answer.Upload != nil {
			result.Size = 0
			note = "The link works once. Send the file's bytes to it with PUT (curl -T FILE LINK); the answer then says where it is."
		}
		notes = append(notes, note)
	}
	result.Note = strings.Join(notes, " ")
	return result, nil
}
