import json

from odoo.tests import tagged

from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestCascadeOrder(WriteCase):
    def test_order_does_not_tell_of_changes(self):
        """What goes along is told in one order, wherever PostgreSQL keeps its rows."""
        partners = self.env["res.partner"]
        parent = partners.create({"name": "Cascade"})
        children = partners.create(
            [{"name": f"Below {n}", "parent_id": parent.id} for n in range(3)]
        )
        self.env.flush_all()

        def told():
            answer = self.call(
                "res.partner", "unlink", parent.ids, more={"dry_run": True}
            )
            self.assertIn("value", answer)
            return json.dumps(answer["value"], sort_keys=True)

        before = told()
        self.assertIn("Below 0", before)
        # A new version of the row, behind the others.
        self.env.cr.execute(
            "UPDATE res_partner SET color = 7 WHERE id = %s", [children[0].id]
        )
        self.env.invalidate_all()
        self.assertEqual(told(), before)
