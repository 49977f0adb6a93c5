package localodoo

import (
	"os"
	"path/filepath"
	"testing"
)

// tinyAddon writes an addon of one model, one record, a test that passes and one that fails, into a temp
// dir and returns its folder. mark makes its content, and so its cache key, its own.
func tinyAddon(t *testing.T, mark string) string {
	t.Helper()
	files := map[string]string{
		"tiny_one/__init__.py":         "from . import models\n",
		"tiny_one/__manifest__.py":     `{"name": "Tiny", "version": "19.0.1.0.0", "depends": ["base", "mail"], "license": "LGPL-3", "data": ["data.xml", "ir.model.access.csv"]}` + "\n",
		"tiny_one/ir.model.access.csv": "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\naccess_tiny,tiny,model_tiny_thing,base.group_user,1,1,1,1\n",
		"tiny_one/models.py": `from odoo import fields, models


class TinyThing(models.Model):
    _name = "tiny.thing"
    _description = "Tiny thing"

    name = fields.Char()
`,
		"tiny_one/data.xml":          `<odoo><record id="thing" model="tiny.thing"><field name="name">` + mark + `</field></record></odoo>`,
		"tiny_one/tests/__init__.py": "from . import test_tiny\n",
		"tiny_one/tests/test_tiny.py": `from odoo.tests import TransactionCase, tagged


class TestTiny(TransactionCase):
    def test_there_is_one(self):
        self.assertEqual(self.env["tiny.thing"].search_count([]), 1)


@tagged("-standard", "wrong")
class TestTinyWrong(TransactionCase):
    def test_wrong(self):
        self.assertEqual(self.env["tiny.thing"].search_count([]), 2)

`,
	}
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
