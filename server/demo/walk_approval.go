package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// walkApproval shows a call that waits for a person: nothing is done until she approves it, in her own Odoo session.
func walkApproval(ctx context.Context, say *teller, session *sdk.ClientSession, r *ready) error {
	say.line("delete_records: it wants to delete two contacts; this connection needs a person's approval for that")
	pending, err := askToDelete(ctx, session, r.walkTwins)
	if err != nil {
		return err
	}
	say.detail("%s: nothing is done yet. Request %d waits at %s", pending.Status, pending.RequestID, pending.URL)
	if left, err := twinsLeft(ctx, session, r); err != nil || left != len(r.walkTwins) {
		return fmt.Errorf("%d of the contacts are left: %w", left, err)
	}
	say.line("Ada Approver sees the activity in Odoo, reads what would be done, and clicks Approve ...")
	if _, err := inOdoo(ctx, r, "approver", "approver", "doorman.approval", "action_approve", []int64{pending.RequestID}); err != nil {
		return err
	}
	var status struct {
		Status  string `json:"status"`
		Summary string `json:"summary"`
		By      string `json:"decided_by"`
		Result  struct {
			Count int `json:"count"`
		} `json:"result"`
	}
	if err := called(ctx, session, "approval_status", map[string]any{"request_id": pending.RequestID}, &status); err != nil {
		return err
	}
	if status.Status != "executed" || status.Result.Count != len(r.walkTwins) {
		return fmt.Errorf("it was not done: %+v", status)
	}
	say.line("... and the AI tool gets the result from approval_status:")
	say.detail("%s by %s: %s", status.Status, status.By, status.Summary)
	if left, err := twinsLeft(ctx, session, r); err != nil || left != 0 {
		return fmt.Errorf("%d of the contacts are left: %w", left, err)
	}
	return nil
}

// waiting is a call that waits for a person.
type waiting struct {
	Status    string `json:"status"`
	RequestID int64  `json:"request_id"`
	URL       string `json:"approval_url"`
}

// askToDelete calls delete_records, which has to wait.
func askToDelete(ctx context.Context, session *sdk.ClientSession, contacts []int) (waiting, error) {
	var answer waiting
	if err := called(ctx, session, "delete_records", map[string]any{"model": "res.partner", "ids": contacts}, &answer); err != nil {
		return answer, err
	}
	if answer.Status != "pending_approval" {
		return answer, fmt.Errorf("it did not wait: %+v", answer)
	}
	return answer, nil
}

// leaveOne leaves a request for the person who looks around to decide on.
func leaveOne(ctx context.Context, say *teller, r *ready) error {
	session, err := connect(ctx, r.MCPURL, r.Key)
	if err != nil {
		return err
	}
	defer session.Close()
	pending, err := askToDelete(ctx, session, []int{r.spare})
	if err != nil {
		return err
	}
	say.line("One more request is left for you: log in to Odoo as approver, and decide")
	say.detail("request %d waits at %s", pending.RequestID, pending.URL)
	return nil
}

// twinsLeft counts the contacts that the walk deletes.
func twinsLeft(ctx context.Context, session *sdk.ClientSession, r *ready) (int, error) {
	var page struct {
		Records []json.RawMessage `json:"records"`
	}
	domain, err := json.Marshal([]any{[]any{"id", "in", r.walkTwins}})
	if err == nil {
		err = called(ctx, session, "search_records", map[string]any{"model": "res.partner", "domain": string(domain)}, &page)
	}
	return len(page.Records), err
}

// called calls a tool, and reads its answer.
func called(ctx context.Context, session *sdk.ClientSession, tool string, args map[string]any, into any) error {
	result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return err
	}
	return structured(result, into)
}

// inOdoo calls a method as a person, in an Odoo session of theirs, as their browser does.
func inOdoo(ctx context.Context, r *ready, login, password, model, method string, args ...any) (json.RawMessage, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar}
	if _, err := odooRPC(ctx, browser, r.OdooURL+"/web/session/authenticate",
		map[string]any{"db": r.OdooDB, "login": login, "password": password}); err != nil {
		return nil, err
	}
	return odooRPC(ctx, browser, r.OdooURL+"/web/dataset/call_kw",
		map[string]any{"model": model, "method": method, "args": args, "kwargs": map[string]any{}})
}

// odooRPC sends one JSON-RPC request to a route of Odoo's web client.
func odooRPC(ctx context.Context, browser *http.Client, url string, params map[string]any) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := browser.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct {
			Data struct{ Message string } `json:"data"`
		} `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("Odoo answers with status %d: %w", response.StatusCode, err)
	}
	if answer.Error != nil {
		return nil, errors.New(answer.Error.Data.Message)
	}
	return answer.Result, nil
}
