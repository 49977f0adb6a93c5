"""What stands beside fields."""

from lxml import etree

from odoo.tests import TransactionCase, tagged

# Read Only is what its switch is called.
MADE_OF_THE_NAME = ("read_only",)
# A label is shown beside what stands directly in these.
LABELLED = ("group", "list", "search", "graph", "pivot")


@tagged("post_install", "-at_install")
class TestLabels(TransactionCase):
    def test_somebody_wrote_each(self):
        """Odoo makes a label of a field's name where it has none: Like This."""
        looked_at, wrong = 0, set()
        for view in self.env["ir.ui.view"].search(
            [("model", "=like", "doorman.%"), ("mode", "=", "primary")]
        ):
            arch = self.env[view.model].get_view(view.id, view.type)["arch"]
            root = etree.fromstring(arch)
            for node in root.iter("field", "label"):
                field = self.labelled(view.model, root, node)
                if field is None:
                    continue
                looked_at += 1
                written = "string" in (field._args__ or ("string",))
                if not written and " " in field.string:
                    if field.name not in MADE_OF_THE_NAME:
                        wrong.add(f"{field} in {view.xml_id}: {field.string}")
        self.assertGreater(looked_at, 300)
        self.assertEqual(sorted(wrong), [])

    def labelled(self, model, root, node):
        """:return: our field whose own label a node shows, or None"""
        outer = [n.get("name") for n in node.iterancestors("field")]
        model = self.env[model]
        for name in reversed(outer):
            model = self.env[model._fields[name].comodel_name]
        name = node.get("for") if node.tag == "label" else node.get("name")
        field = model._fields.get(name)
        hidden = any(
            node.get(how) in ("1", "True") for how in ("invisible", "column_invisible")
        )
        shown = node.tag == "label" or node.getparent().tag in LABELLED
        if (
            field is None
            or hidden
            or not shown
            or node.get("string")
            or node.get("nolabel")
            or field.related
            or not model._name.startswith("doorman.")
        ):
            return None
        return field
