package upgrade_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// dump is what a database holds of Doorman's: the rows of each table, by column.
type dump map[string][]map[string]any

// besides are what Doorman keeps in tables of Odoo's own, as queries of rows.
var besides = map[string]string{
	"res_users_apikeys of connections": `SELECT id, name, user_id, scope, expiration_date, index, key FROM res_users_apikeys WHERE name LIKE 'Doorman%'`,
	"members of Doorman's groups": `SELECT d.name, r.uid FROM res_groups_users_rel r JOIN ir_model_data d ON d.model = 'res.groups' AND d.res_id = r.gid
		WHERE d.module = 'doorman'`,
	"messages":   `SELECT id, model, res_id, body, author_id, date FROM mail_message WHERE model LIKE 'doorman.%'`,
	"activities": `SELECT id, res_model, res_id, user_id, summary, date_deadline, active FROM mail_activity WHERE res_model LIKE 'doorman.%'`,
	"settings":   `SELECT key, value FROM ir_config_parameter WHERE key NOT IN ('base.module_update', 'base_setup.show_effect')`,
}

// takeDump reads it all. Secrets are in it as they are kept: as hashes.
func takeDump(t *testing.T, o *kit.Odoo) dump {
	t.Helper()
	ask := func(sql string) string {
		t.Helper()
		out, err := o.Host.Psql(t.Context(), o.DB, sql)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	queries := maps.Clone(besides)
	for table := range strings.Lines(ask(`SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'doorman\_%' ORDER BY 1`)) {
		table = strings.TrimSpace(table)
		queries[table] = fmt.Sprintf("SELECT * FROM %q", table)
	}
	d := dump{}
	for name, query := range queries {
		var rows []map[string]any
		if err := json.Unmarshal([]byte(ask("SELECT coalesce(json_agg(row_to_json(t)), '[]') FROM ("+query+") t")), &rows); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d[name] = rows
	}
	return d
}

// size is how many rows there are.
func (d dump) size() (n int) {
	for _, rows := range d {
		n += len(rows)
	}
	return n
}

// sameAs fails the test for what is not as it was, but for what may change.
func (d dump) sameAs(t *testing.T, before dump, allowed may) {
	t.Helper()
	for _, difference := range d.differences(before, allowed) {
		t.Error(difference)
	}
}

// differences are what is not as it was, in words.
func (d dump) differences(before dump, allowed may) (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, table := range slices.Sorted(maps.Keys(before)) {
		rows, still := d[table]
		if !still {
			if allowed.Gone[table] == "" {
				say("the table %s is gone, with %d rows", table, len(before[table]))
			}
			continue
		}
		if len(before[table]) == 0 {
			continue
		}
		columns := slices.DeleteFunc(slices.Sorted(maps.Keys(before[table][0])), func(column string) bool {
			return allowed.Columns[table+"."+column] != ""
		})
		was, is := counted(before[table], columns), counted(rows, columns)
		for row, n := range was {
			if is[row] < n {
				say("%s: gone, or altered: %.400s", table, row)
			}
		}
		for row, n := range is {
			if was[row] < n && allowed.Rows[table] == "" {
				say("%s: new, or altered: %.400s", table, row)
			}
		}
	}
	return found
}

// counted is how often each row is there, as far as these columns go. A column that a row does not have is not null: it
// is missing.
func counted(rows []map[string]any, columns []string) map[string]int {
	counts := map[string]int{}
	for _, row := range rows {
		var text strings.Builder
		for _, column := range columns {
			value, there := row[column]
			if !there {
				fmt.Fprintf(&text, "%s missing ", column)
				continue
			}
			body, _ := json.Marshal(value)
			fmt.Fprintf(&text, "%s=%s ", column, body)
		}
		counts[text.String()]++
	}
	return counts
}

// TestDumpSeesEverything: what the comparison must not miss, and what it may.
func TestDumpSeesEverything(t *testing.T) {
	t.Parallel()
	row := func(pairs ...any) map[string]any {
		r := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			r[pairs[i].(string)] = pairs[i+1]
		}
		return r
	}
	before := dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "two")}, "b": {row("p", "q")}}
	for _, c := range []struct {
		name    string
		after   dump
		allowed may
		fails   bool
	}{
		{"the same", dump{"a": {row("id", 2.0, "x", "two"), row("id", 1.0, "x", "one")}, "b": {row("p", "q")}}, may{}, false},
		{"a new column, a new table", dump{"a": {row("id", 1.0, "x", "one", "y", nil), row("id", 2.0, "x", "two", "y", 3.0)}, "b": {row("p", "q")}, "c": {row("k", "v")}}, may{}, false},
		{"a row less", dump{"a": {row("id", 1.0, "x", "one")}, "b": {row("p", "q")}}, may{}, true},
		{"a row more", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "two"), row("id", 3.0, "x", "")}, "b": {row("p", "q")}}, may{}, true},
		{"a row more that may be", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "two"), row("id", 3.0, "x", "")}, "b": {row("p", "q")}}, may{Rows: map[string]string{"a": "why"}}, false},
		{"another value", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "zwei")}, "b": {row("p", "q")}}, may{}, true},
		{"another value that may be", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "zwei")}, "b": {row("p", "q")}}, may{Columns: map[string]string{"a.x": "why"}}, false},
		{"another value of a row that may only be new", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "zwei")}, "b": {row("p", "q")}}, may{Rows: map[string]string{"a": "why"}}, true},
		{"null in place of a value", dump{"a": {row("id", 1.0, "x", nil), row("id", 2.0, "x", "two")}, "b": {row("p", "q")}}, may{}, true},
		{"a column less", dump{"a": {row("id", 1.0), row("id", 2.0)}, "b": {row("p", "q")}}, may{}, true},
		{"a table less", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "two")}}, may{}, true},
		{"a table less that may be", dump{"a": {row("id", 1.0, "x", "one"), row("id", 2.0, "x", "two")}}, may{Gone: map[string]string{"b": "why"}}, false},
	} {
		if found := c.after.differences(before, c.allowed); len(found) > 0 != c.fails {
			t.Errorf("%s: found %q, want some: %v", c.name, found, c.fails)
		}
	}
}
