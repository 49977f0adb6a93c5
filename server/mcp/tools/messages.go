package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/markdown"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(80, toolcall.Tool{
		Tool:  access.Tool{Name: "read_messages", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Read messages", Category: "read", Idempotent: true,
		Description: "A record's chatter as Markdown, newest first: comments, notes, emails, changed fields, names of files.",
		Output:      outputSchema("name:string", "messages:objects", "has_more:boolean", "next_before_id:integer"),
	}, readMessages)
	add(160, toolcall.Tool{
		Tool:  access.Tool{Name: "post_message", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Post a message", Category: "write", OpenWorld: true,
		Description: "Post a note or a comment in a record's chatter, in your user's name.",
		Output:      outputSchema(writtenSchema("message_id:integer")...),
	}, postMessage)
}

const (
	defaultMessages = 10
	// maxMessage is how many letters of one message are given among others: beyond is mostly what is quoted below it.
	maxMessage = 6_000
	// messageCutNote says what to do about messages that were cut.
	messageCutNote = "Long messages were cut (text_cut): continue with limit 1, before_id one above the message's id, and text_offset."
)

type messagesArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Limit    int    `json:"limit,omitempty" jsonschema:"1 to 50; default 10"`
	Before   int64  `json:"before_id,omitempty" jsonschema:"only older ones, from next_before_id"`
	Offset   int    `json:"text_offset,omitempty"`
	Language string `json:"language,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// messageRow is one message, as Odoo gives it.
type messageRow struct {
	ID          int64           `json:"id"`
	Date        json.RawMessage `json:"date"`
	Author      json.RawMessage `json:"author_id"`
	Email       json.RawMessage `json:"email_from"`
	Subject     json.RawMessage `json:"subject"`
	Body        string          `json:"body"`
	Type        string          `json:"message_type"`
	Subtype     string          `json:"subtype"`
	Internal    bool            `json:"internal"`
	Cut         bool            `json:"cut"`
	Tracking    json.RawMessage `json:"tracking"`
	Attachments json.RawMessage `json:"attachments"`
}

// message is one message, as the client gets it.
type message struct {
	ID          int64           `json:"id"`
	Date        json.RawMessage `json:"date_utc"`
	Author      json.RawMessage `json:"author"`
	Kind        string          `json:"kind"`
	What        string          `json:"subtype,omitempty"`
	Subject     json.RawMessage `json:"subject,omitempty"`
	Text        string          `json:"text,omitempty"`
	Cut         *textCut        `json:"text_cut,omitempty"`
	Changes     json.RawMessage `json:"changes,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// messagePage is what read_messages answers.
type messagePage struct {
	Model    string            `json:"model"`
	ID       int64             `json:"id"`
	Name     string            `json:"name"`
	Messages []json.RawMessage `json:"messages"`
	HasMore  bool              `json:"has_more"`
	Next     int64             `json:"next_before_id,omitempty"`
	Note     string            `json:"note,omitempty"`
}

func readMessages(ctx context.Context, call *toolcall.Call, args messagesArgs) (any, error) {
	bad := checkOne(args.Model, args.ID, args.Language)
	if bad == nil && (args.Before < 0 || args.Before > 1<<31-1) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%d is not the id of a message.", args.Before), "Use next_before_id from the last reply.")
	}
	if bad == nil && (args.Offset < 0 || (args.Offset > 0 && args.Limit != 1)) {
		bad = access.NewError(access.InvalidInput, "text_offset continues a single message.", "Send limit 1, before_id one above the message's id, and its next_offset.")
	}
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := map[string]any{"limit": clamp(args.Limit, defaultMessages, access.MaxMessages)}
	if args.Before > 0 {
		kwargs["before"] = args.Before
	}
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "read_messages", IDs: []int64{args.ID}, Kwargs: kwargs,
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	return shapeMessages(reply.Value, args)
}

// shapeMessages turns Odoo's messages into ours, as many as fit.
func shapeMessages(raw json.RawMessage, args messagesArgs) (*messagePage, error) {
	var answer struct {
		Name     string       `json:"name"`
		Messages []messageRow `json:"messages"`
		HasMore  bool         `json:"has_more"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	p := &messagePage{Model: args.Model, ID: args.ID, Name: mcperr.Clip(answer.Name, 200), Messages: []json.RawMessage{}, HasMore: answer.HasMore}
	room, most := newBudget(), maxMessage
	if len(answer.Messages) == 1 {
		most = maxPage
	}
	var last int64
	var notes []string
	for _, row := range answer.Messages {
		m := shapeMessage(row, reading{args.Offset, most})
		if m.Cut != nil && len(notes) == 0 {
			notes = append(notes, messageCutNote)
		}
		body, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		if !room.take(body) && len(p.Messages) > 0 {
			p.HasMore, notes = true, append(notes, "The reply was cut because it is large: continue with before_id.")
			break
		}
		p.Messages = append(p.Messages, body)
		last = row.ID
	}
	p.Note = strings.Join(notes, " ")
	if p.HasMore {
		p.Next = last
	}
	return p, nil
}

func shapeMessage(row messageRow, texts reading) message {
	text := markdown.FromHTML(row.Body)
	part, next := pageOf(text, texts.offset, texts.most)
	m := message{
		ID: row.ID, Date: row.Date, Author: shapeMany2one(row.Author), Kind: messageKind(row), What: row.Subtype,
		Text: part, Changes: filled(row.Tracking), Attachments: filled(row.Attachments),
	}
	if length := utf8.RuneCountInString(text); next > 0 {
		m.Cut = &textCut{Length: length, Next: next}
	} else if row.Cut { // there is more than Odoo has sent
		m.Cut = &textCut{Length: length, Next: length}
	}
	if string(row.Author) == "false" {
		m.Author = null
		if s := filled(row.Email); s != nil {
			m.Author = s // somebody who is not a contact
		}
	}
	m.Subject = filled(row.Subject)
	return m
}

// messageKind is what a message is in one word.
func messageKind(row messageRow) string {
	switch {
	case row.Type == "notification":
		return "log"
	case row.Type == "comment" && row.Internal:
		return "note"
	}
	return row.Type // comment, email, email_outgoing, auto_comment, sms, ...
}

// filled is a value, or nothing where Odoo says that there is none.
func filled(v json.RawMessage) json.RawMessage {
	switch string(v) {
	case "", "false", "null", "[]", `""`:
		return nil
	}
	return v
}

type postArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Body     string `json:"body" jsonschema:"Markdown"`
	Kind     string `json:"kind,omitempty" jsonschema:"\"note\" (internal, the default) or \"comment\" (also emailed to followers, customers among them)"`
	Partners idList `json:"notify_partner_ids,omitempty" jsonschema:"contacts to notify as well"`
	Key      string `json:"idempotency_key,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// postResult is where the message is.
type postResult struct {
	*written
	MessageID int64 `json:"message_id,omitempty"`
}

func postMessage(ctx context.Context, call *toolcall.Call, args postArgs) (any, error) {
	if bad := args.check(); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := withMessage(map[string]any{"body": args.Body, "kind": "note"}, args.Body)
	if args.Kind != "" {
		kwargs["kind"] = args.Kind
	}
	if len(args.Partners) > 0 {
		kwargs["partner_ids"] = args.Partners
	}
	h := how{Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "message_post", []int64{args.ID}, kwargs))
	if err != nil {
		return nil, err
	}
	result := postResult{written: shapeWritten(reply.Value, &toolcall.ModelInfo{Name: args.Model}, false)}
	if len(result.Changed) == 0 {
		result.Changed = nil // messages are not told there: "nothing changed" would be misleading
	}
	var answer struct {
		MessageID int64 `json:"message_id"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		result.MessageID = answer.MessageID
	}
	return result, nil
}

func (args *postArgs) check() *access.Error {
	if bad := toolcall.CheckModel(args.Model); bad != nil {
		return bad
	}
	if bad := checkKey(args.Key); bad != nil {
		return bad
	}
	if args.ID <= 0 || args.ID > 1<<31-1 {
		return access.NewError(access.InvalidInput, "The parameter id is missing or is not a record id.", "Specify one record; use search_records to find it.")
	}
	if len(args.Partners) > 0 {
		if bad := checkDistinct(args.Partners); bad != nil {
			return bad
		}
	}
	switch n := utf8.RuneCountInString(args.Body); {
	case trimmed(args.Body) == "":
		return access.NewError(access.InvalidInput, fmt.Sprintf(access.SayMissingParameter, "body"), "Say what to post.")
	case n > access.MaxMessageBody:
		return access.NewError(access.InvalidInput, fmt.Sprintf("%d characters exceed the limit of %d.", n, access.MaxMessageBody), "Post a shorter message.")
	}
	if args.Kind != "" && args.Kind != "note" && args.Kind != "comment" {
		return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a kind of message.", mcperr.Clip(args.Kind, 20)), `It is "note" or "comment".`)
	}
	return nil
}
