package exact

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, raw, want, path, where string }{
		{"one of each", `{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}],"A":2}`, "", "", ""},
		{"emoji, whole and escaped", `["😀","\ud83d\ude00","\u0000","\ufffd"]`, "", "", ""},
		{"no JSON", `name = x`, "", "", ""},
		{"half of it", `{"a":1`, "", "", ""},
		{"more behind it", `{} {}`, "", "", ""},
		{"nothing", ``, "", "", ""},
		{"numbers of any size", `[1e400,9007199254740993,-0]`, "", "", ""},

		{"twice at the top", `{"a":1,"a":1}`, `The name "a" is given twice.`, "a", "."},
		{"twice, one escaped", `{"model":1,"\u006dodel":2}`, `The name "model" is given twice.`, "model", "."},
		{"twice, deep inside", `{"a":[{},{"b":{"c":1,"c":2}}]}`, `The name "c" is given twice.`, "a.1.b.c", ", in a.1.b."},
		{"an empty name twice", `{"":1,"":2}`, `The name "" is given twice.`, "", "."},
		{"twice in what is no JSON afterwards", `{"a":1,"a":1`, `The name "a" is given twice.`, "a", "."},
		{"half a pair", `{"a":"x\ud800"}`, "A text is not valid Unicode.", "a", ", in a."},
		{"the other half", `["\udc00"]`, "A text is not valid Unicode.", "0", "."},
		{"bytes that are not UTF-8", "{\"a\":\"\xff\"}", "A text is not valid Unicode.", "a", "."},
		{"a name that is half a pair", `{"\ud800":1}`, "A text is not valid Unicode.", "", "."},
		{"a long name", `{"` + strings.Repeat("x", 200) + `":1,"` + strings.Repeat("x", 200) + `":1}`, `The name "` + strings.Repeat("x", 60) + `..." is given twice.`, strings.Repeat("x", 200), "."},
	} {
		found := Find([]byte(row.raw))
		if found == nil {
			if row.want != "" {
				t.Errorf("%s: nothing found", row.name)
			}
			continue
		}
		if found.Err.Message != row.want || strings.Join(found.Path, ".") != row.path || !strings.HasSuffix(found.Err.Hint, row.where) {
			t.Errorf("%s: %q at %q, want %q at %q", row.name, found.Err.Message, found.Path, row.want, row.path)
		}
	}
}

// BenchmarkFind is what it costs a usual call, and one that brings a file along.
func BenchmarkFind(b *testing.B) {
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner","fields":["name","ref"],"limit":2}}}`
	for name, body := range map[string]string{"call": call, "file": `{"a":"` + strings.Repeat("QUJD", 1<<18) + `"}`} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			raw := []byte(body)
			for b.Loop() {
				if Find(raw) != nil {
					b.Fatal("found something")
				}
			}
		})
	}
}
