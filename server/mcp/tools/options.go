package tools

import (
	"fmt"
	"unicode/utf8"

	"doorman/server/access"
)

// where are the parameters that say how, rather than what, to read.
type where struct {
	Language        string
	Company         int64
	IncludeArchived bool
}

func (w where) context() map[string]any {
	c := languageContext(w.Language)
	if w.Company > 0 {
		c["allowed_company_ids"] = []int64{w.Company}
	}
	if w.IncludeArchived {
		c["active_test"] = false
	}
	return c
}

func languageContext(lang string) map[string]any {
	if lang == "" {
		return map[string]any{}
	}
	return map[string]any{"lang": lang}
}

// how are the parameters that all these tools share.
type how struct {
	DryRun   bool
	Key      string
	Language string
	Company  int64
}

// request builds the call on a model that was opened.
func (h how) request(model, method string, ids []int64, kwargs map[string]any) access.Request {
	return access.Request{
		Model: model, Method: method, IDs: ids, Kwargs: withHTML(kwargs), DryRun: h.DryRun, IdempotencyKey: h.Key,
		Context: where{Language: h.Language, Company: h.Company}.context(),
	}
}

func checkKey(key string) *access.Error {
	if utf8.RuneCountInString(key) <= access.MaxIdempotencyKey {
		return nil
	}
	return access.NewError(access.InvalidInput, fmt.Sprintf("The idempotency_key is longer than %d characters.", access.MaxIdempotencyKey),
		"Use any short text that is new for each change, such as a UUID.")
}
