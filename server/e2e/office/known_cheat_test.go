package office_test

import (
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestNothingFromNowhere: a job that knows more than it was told fails; one that does not, and derives a date, goes well.
func TestNothingFromNowhere(t *testing.T) {
	t.Parallel()
	list := []any{map[string]any{"name": "call_method", "description": `a method (action_confirm), fields by "date_order:month", [4,7,0]`}}
	answers := reply{"model": "sale.order", "records": []any{map[string]any{"id": 41.0, "name": "S0041"}}, "partner_id": "Birch & Co"}
	for name, row := range map[string]struct {
		do   func(*worker)
		says string // "" = it goes well
	}{
		"an id of a reply":          {func(w *worker) { w.do("read_records", kit.Args{"ids": []int{41}}) }, ""},
		"an id from nowhere":        {func(w *worker) { w.do("read_records", kit.Args{"ids": []int{4}}) }, "nobody said 4"},
		"an id of an example":       {func(w *worker) { w.do("read_records", kit.Args{"ids": []int{7}}) }, "nobody said 7"},
		"a command":                 {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"partner_id": [][]any{{4, 41, 0}}}}) }, ""},
		"a command with a wrong id": {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"partner_id": [][]any{{4, 42, 0}}}}) }, "nobody said 42"},
		"a method of the tool":      {func(w *worker) { w.do("call_method", kit.Args{"method": "action_confirm"}) }, ""},
		"a method from nowhere":     {func(w *worker) { w.do("call_method", kit.Args{"method": "action_cancel"}) }, `nobody said "action_cancel"`},
		"half a word":               {func(w *worker) { w.do("x", kit.Args{"model": "sale"}) }, ""},
		"a part of a word":          {func(w *worker) { w.do("x", kit.Args{"model": "sal"}) }, `"sal"`},
		"two words put together":    {func(w *worker) { w.do("x", kit.Args{"model": "order.sale"}) }, `"order.sale"`},
		"a field of another":        {func(w *worker) { w.do("x", kit.Args{"fields": []string{"partner_id.name"}}) }, ""},
		"a field from nowhere":      {func(w *worker) { w.do("x", kit.Args{"fields": []string{"partner_id.email"}}) }, `"email"`},
		"a name of a value":         {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"email": true}}) }, `"email"`},
		"a name deep in values":     {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"records": []kit.Args{{"note": 1}}}}) }, `"note"`},
		"a domain": {func(w *worker) {
			w.do("x", kit.Args{"domain": []any{"|", []any{"name", "=", "Birch & Co"}, []any{"id", ">", 0}}})
		}, ""},
		"a domain with a field":      {func(w *worker) { w.do("x", kit.Args{"domain": []any{[]any{"active", "=", true}}}) }, `"active"`},
		"a domain with a value":      {func(w *worker) { w.do("x", kit.Args{"domain": []any{[]any{"name", "=", "Elm"}}}) }, `"Elm"`},
		"a number of the task":       {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"id": 12.5}}) }, ""},
		"a date of the task":         {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"name": w.date("3 December 2031")}}) }, ""},
		"the same without a helper":  {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"name": "2031-12-03"}}) }, `"2031-12-03"`},
		"a date from nowhere":        {func(w *worker) { w.date("4 December 2031") }, "does not say"},
		"a share":                    {func(w *worker) { w.do("x", kit.Args{"values": kit.Args{"id": w.share("5 %")}}) }, ""},
		"a time in a zone not said":  {func(w *worker) { w.moment("3 December 2031", "10:00", "Asia/Tokyo") }, `"Asia/Tokyo"`},
		"a time":                     {func(w *worker) { w.do("x", kit.Args{"name": w.moment("3 December 2031", "10:00", "Europe/Brussels")}) }, ""},
		"more calls than it may":     {func(w *worker) { w.do("x", nil); w.do("x", nil); w.do("x", nil) }, "took 4 calls"},
		"a button that is not there": {func(w *worker) { w.press(answers, "Confirm") }, `no button "Confirm"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := job{words: "Sell for 12.5 on 3 December 2031 at 10:00, Europe/Brussels, less 5 %.", calls: 2, bytes: 10_000}
			j.do = func(w *worker) {
				w.do("search_records", nil)
				row.do(w)
			}
			_, err := j.run(list, func(string, kit.Args) (reply, string) { return answers, "" }, nil)
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q", err, row.says)
			}
		})
	}
}
