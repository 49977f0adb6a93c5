package odoo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestKeyNeverPrints(t *testing.T) {
	t.Parallel()
	c := Config{Key: "hunter2hunter2"}
	js, _ := json.Marshal(map[string]any{"key": c.Key})
	for _, s := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q %x %X", c, c, c, c.Key, c.Key, c.Key, c.Key),
		string(js), c.Key.String(), c.Key.GoString(),
	} {
		if strings.Contains(s, "hunter2") || strings.Contains(strings.ToLower(s), "68756e746572") {
			t.Errorf("printed: %s", s)
		}
	}
}
