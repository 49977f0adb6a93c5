package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const (
	defaultMessages = 10
	// maxMessage is how many letters of one message are given: beyond is mostly what is quoted below it.
	maxMessage = 6_000
)

type messagesArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Limit    int    `json:"limit,omitempty" jsonschema:"1 to 50; default 10"`
	Before   int64  `json:"before_id,omitempty" jsonschema:"only older ones, from next_before_id"`
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
	Cut         bool            `json:"text_cut,omitempty"`
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

func readMessages() *tool {
	return &tool{
		Tool:  access.Tool{Name: "read_messages", Scope: access.ScopeSearch, Risk: access.RiskLow},
		title: "Read messages", category: "read", idempotent: true,
		description: "A record's chatter as plain text, newest first: comments, notes, e-mails, changed fields, names of attached files.",
		input:       inputSchema[messagesArgs](),
		output:      outputSchema("model:string", "id:integer", "name:string", "messages:objects", "has_more:boolean", "next_before_id:integer", "note:string"),
		run:         runMessages,
	}
}

func runMessages(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[messagesArgs](raw)
	if bad == nil {
		bad = checkOne(args.Model, args.ID, args.Language)
	}
	if bad == nil && (args.Before < 0 || args.Before > 1<<31-1) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%d is no id of a message.", args.Before), "Take next_before_id of the last reply.")
	}
	if bad != nil {
		return nil, bad
	}
	if err := g.begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := map[string]any{"limit": clamp(args.Limit, defaultMessages, access.MaxMessages)}
	if args.Before > 0 {
		kwargs["before"] = args.Before
	}
	reply, err := g.call(ctx, access.Request{
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
	size := 0
	var last int64
	for _, row := range answer.Messages {
		body, err := json.Marshal(shapeMessage(row))
		if err != nil {
			return nil, err
		}
		if size += len(body) + 1; size > access.MaxReply && len(p.Messages) > 0 {
			p.HasMore, p.Note = true, "The reply was cut because it is large: go on with before_id."
			break
		}
		p.Messages = append(p.Messages, body)
		last = row.ID
	}
	if p.HasMore {
		p.Next = last
	}
	return p, nil
}

func shapeMessage(row messageRow) message {
	text := plainText(row.Body)
	m := message{
		ID: row.ID, Date: row.Date, Author: shapeMany2one(row.Author), Kind: messageKind(row), What: row.Subtype,
		Text: mcperr.Clip(text, maxMessage), Cut: row.Cut || len([]rune(text)) > maxMessage,
		Changes: filled(row.Tracking), Attachments: filled(row.Attachments),
	}
	if string(row.Author) == "false" {
		m.Author = null
		if s := filled(row.Email); s != nil {
			m.Author = s // somebody who is no contact
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

// checkOne checks the arguments of a tool for one record.
func checkOne(model string, id int64, language string) *access.Error {
	if bad := checkModel(model); bad != nil {
		return bad
	}
	if id <= 0 || id > 1<<31-1 {
		return access.NewError(access.InvalidInput, "The parameter id is missing, or no record id.", "Name one record; search_records finds it.")
	}
	return checkLanguage(language)
}
