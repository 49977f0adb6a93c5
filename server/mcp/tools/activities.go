package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(170, toolcall.Tool{
		Tool:  access.Tool{Name: "schedule_activity", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Schedule an activity", Category: "write", OpenWorld: true,
		Description: "Give a user something to do on a record, by a date. They may get an email.",
		Output:      outputSchema(writtenSchema("activity_id:integer", "dry_run:boolean", "changes:objects")...),
	}, scheduleActivity)
}

type activityArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Type     string `json:"activity_type,omitempty" jsonschema:"by name, e.g. \"Call\"; default: to-do"`
	Summary  string `json:"summary,omitempty"`
	Note     string `json:"note,omitempty" jsonschema:"Markdown"`
	Deadline string `json:"date_deadline,omitempty" jsonschema:"e.g. \"2026-12-31\"; default: the type's own"`
	User     string `json:"user,omitempty" jsonschema:"login, full name or id; default: your user"`
	DryRun   bool   `json:"dry_run,omitempty"`
	Key      string `json:"idempotency_key,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// activityResult is where the activity is.
type activityResult struct {
	*written
	ActivityID int64 `json:"activity_id,omitempty"`
}

func scheduleActivity(ctx context.Context, call *toolcall.Call, args activityArgs) (any, error) {
	if bad := args.check(); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := map[string]any{}
	for name, value := range map[string]string{
		"activity_type": args.Type, "summary": args.Summary, "note": args.Note, "date_deadline": args.Deadline, "user": args.User,
	} {
		if value = trimmed(value); value != "" {
			kwargs[name] = value
		}
	}
	kwargs = withMessage(kwargs, trimmed(args.Note))
	h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "activity_schedule", []int64{args.ID}, kwargs))
	if err != nil {
		return nil, err
	}
	result := activityResult{written: shapeWritten(reply.Value, &toolcall.ModelInfo{Name: args.Model}, args.DryRun)}
	var answer struct {
		ID int64 `json:"activity_id"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		result.ActivityID = answer.ID
	}
	return result, nil
}

func (args *activityArgs) check() *access.Error {
	if bad := checkOne(args.Model, args.ID, ""); bad != nil {
		return bad
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{
		{"activity_type", args.Type, access.MaxTypeName}, {"summary", args.Summary, access.MaxSummary},
		{"note", args.Note, access.MaxNote}, {"user", args.User, access.MaxUserName},
	} {
		if n := utf8.RuneCountInString(text.value); n > text.most {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%s has %d characters, more than %d.", text.name, n, text.most), "Shorten it.")
		}
	}
	if day := trimmed(args.Deadline); day != "" {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a date.", mcperr.Clip(day, 20)), `Write it like "2026-12-31".`)
		}
	}
	return checkKey(args.Key)
}
