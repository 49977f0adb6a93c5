from odoo.fields import Command
from odoo.tests import tagged

from ..common import WriteCase


class UndoCase(WriteCase):
    def undo(self, change, fence=None, more=None, **kwargs):
        request = self.request(
            None, "undo_change", None, change=change, more=more, **kwargs
        )
        return self.gateway.call(fence or self.fence(), request)

    def stored(self, records, *names):
        """What Odoo itself says that records hold."""
        self.env.invalidate_all()
        return [tuple(record[name] for name in names) for record in records]

    def changed(self, answer):
        """The id of a change that was done."""
        self.assertEqual(self.kind_of(answer), "ok", answer)
        return answer["value"]["change_id"]


@tagged("post_install", "-at_install")
class TestUndo(UndoCase):
    def test_values_come_back(self):
        self.acme.write({"phone": "1", "comment": "<p>Old <b>text</b></p>"})
        before = self.stored(self.acme, "name", "phone", "comment", "color", "active")
        change = self.changed(
            self.write(
                self.acme,
                {"name": "B", "phone": "2", "comment": "x", "color": 7},
            )
        )
        self.assertNotEqual(self.stored(self.acme, "name"), [before[0][:1]])
        answer = self.undo(change)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(
            self.stored(self.acme, "name", "phone", "comment", "color", "active"),
            before,
        )

    def test_links_come_back(self):
        tags = self.env["res.partner.category"].create(
            [{"name": "a"}, {"name": "b"}, {"name": "c"}]
        )
        country = self.env.ref("base.fr")
        self.acme.write(
            {"category_id": [Command.set(tags[:2].ids)], "country_id": country.id}
        )
        change = self.changed(
            self.write(
                self.acme,
                {"category_id": [[6, 0, tags[2:].ids]], "country_id": False},
            )
        )
        answer = self.undo(change)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(
            self.stored(self.acme, "category_id", "country_id"), [(tags[:2], country)]
        )

    def test_made_records_go(self):
        answer = self.create({"name": "N", "child_ids": [[0, 0, {"name": "K"}]]})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        lines = made.child_ids
        self.assertTrue(lines)
        answer = self.undo(self.changed(answer))
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertFalse((made | lines).exists())
