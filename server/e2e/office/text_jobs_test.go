package office_test

import (
	"strings"

	"doorman/server/e2e/kit"
)

var textJobs = []job{
	{
		name: "the end of a long text", as: "admin", calls: 6, bytes: 75_000,
		words: "The last line of the description of the task House rules says who has the key. Bert Birch has it now: change the name there, and nothing else.",
		do: func(w *worker) {
			model := w.model("task", "Task")
			id := at(w.search(model, 1, []any{is("name", "House rules")}, "name"), 0, "id")
			args := kit.Args{"model": model, "ids": []any{id}, "fields": []string{"description"}}
			var text strings.Builder
			for {
				record := at(w.do("read_records", args), "records", 0)
				part, _ := at(record, "description").(string)
				text.WriteString(part)
				next := at(record, "text_cut", "description", "next_offset")
				if next == nil {
					break
				}
				args["text_offset"] = next
			}
			lines := strings.Split(text.String(), "\n")
			last := lines[len(lines)-1]
			who, _ := strings.CutPrefix(last, "The key is with ")
			name := w.derived(strings.Trim(who, "*."))
			w.do("update_records", kit.Args{"model": model, "ids": []any{id}, "values": kit.Args{"description": kit.Args{"replace": name, "with": "Bert Birch"}}})
		},
		holds: []fact{
			{"project.task", `[["description","like","The key is with <b>Bert Birch</b>."]]`, "name", "House rules"},
			{"project.task", `[["description","like","Anna Alder"]]`, "name", ""},
			{"project.task", `[["description","like","<p style=\"color: rgb(200, 0, 0);\">Rule 0 of the house"]]`, "name", "House rules"},
		},
	},
	{
		name: "a price in a table", as: "admin", calls: 3, bytes: 6_000,
		words: "What is the price for Walnut in the table in the notes of the contact Spruce Floors?",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			found := w.search(model, 1, []any{is("name", "Spruce Floors")}, "comment")
			text, _ := at(found, 0, "comment").(string)
			for line := range strings.Lines(text) {
				if cells := strings.Split(line, "|"); strings.Contains(line, "Walnut") && len(cells) > 2 {
					w.answer = strings.TrimSpace(cells[2])
				}
			}
		},
		holds: []fact{{want: "48.50"}},
	},
	{
		name: "a note with a list", as: "admin", calls: 4, bytes: 6_000,
		words: "Note on the contact Spruce Floors, as a list: measure the hall; send samples.",
		do: func(w *worker) {
			model := w.model("contact", "Contact")
			id := at(w.search(model, 1, []any{is("name", "Spruce Floors")}, "name"), 0, "id")
			w.said("measure the hall; send samples")
			w.do("post_message", kit.Args{"model": model, "id": id, "body": w.derived("- measure the hall\n- send samples")})
		},
		holds: []fact{{"mail.message", `[["body","like","<li>measure the hall</li>"],["body","like","<li>send samples</li>"]]`, "model", "res.partner"}},
	},
}
