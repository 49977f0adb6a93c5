package tools

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(180, toolcall.Tool{
		Tool:  access.Tool{Name: "request_upload", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Attach a file", Category: "write",
		Description: "Attach a file to a record, or put it into a binary field: up to 64 KB as text or base64; otherwise up to 20 MB, sent with PUT to the one-time link in the reply.",
		Output: outputSchema(
			"attachment_id:integer", "changed:objects", "replayed:boolean", "link:string", "expires_at:string", "note:string",
		),
	}, requestUpload)
}

type uploadArgs struct {
	Model   string `json:"model"`
	ID      int64  `json:"id"`
	Name    string `json:"name,omitempty" jsonschema:"of the file"`
	Field   string `json:"field,omitempty" jsonschema:"binary field, e.g. \"image_1920\"; default: attach it"`
	Text    string `json:"text,omitempty" jsonschema:"the file, if it is text"`
	Base64  string `json:"base64,omitempty" jsonschema:"the file, if it is not"`
	Size    int64  `json:"size,omitempty" jsonschema:"bytes, checked"`
	SHA256  string `json:"sha256,omitempty" jsonschema:"hex, checked"`
	Key     string `json:"idempotency_key,omitempty"`
	Company int64  `json:"company_id,omitempty"`
}

// uploaded is a file that was sent along, as Odoo keeps it.
type uploaded struct {
	Model      string  `json:"model"`
	ID         int64   `json:"id"`
	Attachment int64   `json:"attachment_id,omitempty"`
	Field      string  `json:"field,omitempty"`
	Name       string  `json:"name,omitempty"`
	Type       string  `json:"type,omitempty"`
	Size       int64   `json:"size,omitempty"`
	Changed    changed `json:"changed,omitzero"`
	Replayed   bool    `json:"replayed,omitempty"`
	Note       string  `json:"note,omitempty"`
}

func requestUpload(ctx context.Context, call *toolcall.Call, args uploadArgs) (any, error) {
	content, bad := args.check()
	if bad != nil {
		return nil, bad
	}
	kwargs := map[string]any{}
	for name, value := range map[string]string{"name": trimmed(args.Name), "field": trimmed(args.Field), "sha256": args.SHA256, "raw": content} {
		if value != "" {
			kwargs[name] = value
		}
	}
	if args.Size > 0 {
		kwargs["size"] = args.Size
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	h := how{Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "request_upload", []int64{args.ID}, kwargs))
	if err != nil {
		return nil, err
	}
	if content == "" {
		return linked(ctx, call, args.Model, reply.Value)
	}
	result := &uploaded{}
	if json.Unmarshal(reply.Value, result) != nil { // which must not look like a failure
		result = &uploaded{Note: "It is done, but Odoo's answer could not be read: look at the record."}
	}
	result.Model, result.ID = args.Model, args.ID
	return result, nil
}

// check looks at the arguments.
//
// It returns the file that came along, in base64; "" = it is to come by a link.
func (args *uploadArgs) check() (content string, bad *access.Error) {
	if bad := checkOne(args.Model, args.ID, ""); bad != nil {
		return "", bad
	}
	if bad := checkKey(args.Key); bad != nil {
		return "", bad
	}
	if trimmed(args.Name) == "" && trimmed(args.Field) == "" {
		return "", access.NewError(access.InvalidInput, fmt.Sprintf(access.SayMissingParameter, "name"), `Name the file, e.g. "contract.pdf".`)
	}
	if args.Size < 0 || args.Size > access.MaxFile {
		return "", access.NewError(access.TooLarge, fmt.Sprintf(access.SayLargeFile, access.MaxFile), "A person has to upload it in Odoo.")
	}
	return args.inline()
}

// inline reads the file that came along.
func (args *uploadArgs) inline() (string, *access.Error) {
	file := []byte(args.Text)
	if args.Base64 != "" {
		if args.Text != "" {
			return "", access.NewError(access.InvalidInput, "Both text and base64 were sent.", "Send the file once.")
		}
		// Line breaks, and what a data URL begins with, are common slips that change nothing.
		digits := strings.Join(strings.Fields(args.Base64), "")
		if rest, ok := strings.CutPrefix(digits, "data:"); ok {
			_, digits, _ = strings.Cut(rest, ";base64,")
		}
		var err error
		if file, err = base64.StdEncoding.Strict().DecodeString(digits); err != nil || len(file) == 0 {
			return "", access.NewError(access.InvalidInput, "The parameter base64 is not valid base64.", "Encode the file's bytes, or send plain text in text.")
		}
	}
	if len(file) > access.MaxInline {
		return "", access.NewError(access.TooLarge,
			access.Words(access.SayLargeInline, "size", len(file), "most", access.MaxInline),
			access.SayInlineHint)
	}
	return base64.StdEncoding.EncodeToString(file), nil
}
