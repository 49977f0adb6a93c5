package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The same question for every way: two companies, two fields each.
const (
	searchModel  = "res.partner"
	searchDomain = `[["is_company","=",true]]`
	searchFields = `["name","email"]`
)

type partner struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func countPartners(list []partner) (int, error) {
	for _, p := range list {
		if p.ID == 0 || p.Name == "" {
			return 0, errors.New("a row without id or name")
		}
	}
	return len(list), nil
}

// jsonrpcRows reads a reply of Odoo's /jsonrpc, which reports errors with status 200.
func jsonrpcRows(reply []byte) (int, error) {
	var answer struct {
		Result []partner       `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return 0, err
	}
	if answer.Error != nil {
		return 0, errors.New("an error")
	}
	return countPartners(answer.Result)
}

// json2Rows reads a reply of JSON-2: the rows and nothing around them.
func json2Rows(reply []byte) (int, error) {
	var list []partner
	if err := json.Unmarshal(reply, &list); err != nil {
		return 0, err
	}
	return countPartners(list)
}

// mcpRows reads the result of a tools/call.
func mcpRows(reply []byte) (int, error) {
	var answer struct {
		Error  json.RawMessage `json:"error"`
		Result *struct {
			IsError bool `json:"isError"`
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
			Structured struct {
				Records []partner `json:"records"`
			} `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return 0, err
	}
	if answer.Error != nil || answer.Result == nil || answer.Result.IsError {
		return 0, errors.New("an error")
	}
	if len(answer.Result.Content) != 1 || answer.Result.Content[0].Text == "" {
		return 0, errors.New("no text content")
	}
	return countPartners(answer.Result.Structured.Records)
}

// mcpBody is the tools/call of search_records.
func mcpBody() []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records",`+
		`"arguments":{"model":%q,"domain":%q,"fields":%s,"limit":%d}}}`, searchModel, searchDomain, searchFields, wantRows)
}

// mcpWay calls search_records without a session, as the 2025 protocols allow: one request, nothing before it.
func mcpWay(name string, server *child, key string) *way {
	w := newWay(name, server.url, mcpBody(), mcpRows, map[string]string{
		"Authorization": "Bearer " + key, "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2025-11-25", "User-Agent": "doorman-bench/1",
	})
	w.server = server
	return w
}
