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

    def test_only_what_was_asked_for_is_written(self):
        """What Odoo works out of it, it works out again."""
        self.acme.write({"email": "A <old@example.com>"})
        before = self.stored(self.acme, "email", "email_normalized")
        change = self.changed(self.write(self.acme, {"email": "new@example.com"}))
        self.assertEqual(self.kind_of(self.undo(change)), "ok")
        self.assertEqual(self.stored(self.acme, "email", "email_normalized"), before)

    def test_translations_come_back(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        tag = self.env["res.partner.category"].create({"name": "Old"})
        tag.with_context(lang="fr_FR").name = "Vieux"
        change = self.changed(self.write(tag, {"name": "New"}))
        french = self.changed(
            self.write(tag, {"name": "Nouveau"}, context={"lang": "fr_FR"})
        )
        for ident in (french, change):
            answer = self.undo(ident)
            self.assertEqual(self.kind_of(answer), "ok", answer)
        self.env.invalidate_all()
        self.assertEqual(tag.with_context(lang="en_US").name, "Old")
        self.assertEqual(tag.with_context(lang="fr_FR").name, "Vieux")

    def test_values_of_a_company_come_back(self):
        """One that had none goes back to what all have."""
        before = self.acme.barcode
        change = self.changed(self.write(self.acme, {"barcode": "12345"}))
        self.assertEqual(self.stored(self.acme, "barcode"), [("12345",)])
        answer = self.undo(change)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(self.stored(self.acme, "barcode"), [(before,)])

    def test_lines_of_an_order_of_commands(self):
        """Made, changed and taken out by one call, by way of another record."""
        old = self.env["res.partner"].create({"name": "K1", "parent_id": self.acme.id})
        commands = [[1, old.id, {"name": "K2"}], [0, 0, {"name": "K3"}]]
        change = self.changed(self.write(self.acme, {"child_ids": commands}))
        self.assertEqual(len(self.acme.child_ids), 2)
        answer = self.undo(change)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.env.invalidate_all()
        self.assertEqual(self.acme.child_ids, old)
        self.assertEqual(old.name, "K1")

    def test_copies_go(self):
        answer = self.call("res.partner", "copy", self.acme.ids)
        copy = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertTrue(copy.exists())
        self.assertEqual(self.kind_of(self.undo(self.changed(answer))), "ok")
        self.assertFalse(copy.exists())
        self.assertTrue(self.acme.exists())

    def test_an_undo_is_a_change_that_is_undone(self):
        change = self.changed(self.write(self.acme, {"name": "B"}))
        again = self.changed(self.undo(change))
        self.assertEqual(self.stored(self.acme, "name"), [("Acme",)])
        self.assertEqual(self.kind_of(self.undo(again)), "ok")
        self.assertEqual(self.stored(self.acme, "name"), [("B",)])

    def test_a_dry_run_tells_and_does_nothing(self):
        change = self.changed(self.write(self.acme, {"name": "B"}))
        answer = self.undo(change, more={"dry_run": True})
        [told] = answer["value"]["changes"]
        self.assertEqual(told["model"], "res.partner")
        self.assertEqual(told["before"]["name"], "B")
        self.assertEqual(told["after"]["name"], "Acme")
        self.assertEqual(self.stored(self.acme, "name"), [("B",)])
        self.assertNotIn("change_id", answer["value"])
        self.assertEqual(self.kind_of(self.undo(change)), "ok")

    def test_the_reply_and_the_audit_tell(self):
        change = self.changed(self.write(self.acme, {"name": "B"}))
        before = self.rows()
        self.assertEqual(before[0]["change_id"], change)
        answer = self.undo(change)
        [changed] = answer["value"]["changed"]
        values = changed["values"][str(self.acme.id)]
        self.assertEqual(values["name"], ["B", "Acme"])
        [row] = self.new_rows(before)
        self.assertEqual(row["outcome"], "ok")
        self.assertEqual(row["record_ids"], str(self.acme.id))
        self.assertIn("res.partner: 1 updated", row["changed"])
        self.assertEqual(row["change_id"], answer["value"]["change_id"])

    def test_asked_twice_with_a_key(self):
        change = self.changed(self.write(self.acme, {"name": "B"}))
        more = {"idempotency_key": "k"}
        first = self.undo(change, more=more)
        again = self.undo(change, more=more)
        self.assertTrue(again["value"]["replayed"])
        self.assertEqual(
            again["value"]["change_id"], first["value"]["change_id"], again
        )

    # ---- what stays ----

    def drawn(self):
        """A model whose new records draw a number."""
        sequence = self.env["ir.sequence"].create(
            {"name": "N", "code": "doorman.test", "prefix": "DM-"}
        )
        partners = type(self.env["res.partner"])
        original = partners.create

        def create(records, vals_list):
            for vals in vals_list:
                vals["ref"] = sequence.sudo().next_by_id()
            return original(records, vals_list)

        self.patch(partners, "create", create)

    def test_a_number_stays_used(self):
        self.drawn()
        answer = self.create({"name": "N"})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        change = self.changed(answer)
        refused = self.undo(change)["error"]
        self.assertEqual(refused["code"], "undo_incomplete", refused)
        self.assertIn(made.ref, refused["message"])
        self.assertTrue(made.exists())
        answer = self.undo(change, partly=True)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(len(answer["value"]["stays"]), 1, answer)
        self.assertFalse(made.exists())

    def test_what_odoo_made_besides_stays(self):
        partners = type(self.env["res.partner"])
        original, made = partners.write, []

        def write(records, vals):
            if vals.get("ref") == "1":
                made.append(records.env["res.partner"].create({"name": "Besides"}))
            return original(records, vals)

        self.patch(partners, "write", write)
        change = self.changed(self.write(self.acme, {"ref": "1"}))
        refused = self.undo(change)["error"]
        self.assertEqual(refused["code"], "undo_incomplete", refused)
        self.assertIn(f"res.partner {made[0].id}", refused["message"])
        self.assertEqual(self.stored(self.acme, "ref"), [("1",)])
        answer = self.undo(change, partly=True)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(self.stored(self.acme, "ref"), [(False,)])
        self.assertTrue(made[0].exists())

    def test_mail_stays(self):
        """An email that a change has sent is not called back."""
        partners = type(self.env["res.partner"])
        original = partners.write

        def write(records, vals):
            if vals.get("ref") == "mail":
                records.env["mail.mail"].sudo().create(
                    {"email_to": "out@example.com", "subject": "S", "body_html": "x"}
                )
            return original(records, vals)

        self.patch(partners, "write", write)
        change = self.changed(self.write(self.acme, {"ref": "mail"}))
        refused = self.undo(change)["error"]
        self.assertEqual(refused["code"], "undo_incomplete", refused)
        self.assertIn("out@example.com", refused["message"])
        self.assertEqual(self.kind_of(self.undo(change, partly=True)), "ok")

    # ---- what is kept ----

    def kept(self):
        self.env.cr.execute(
            "SELECT count(*), string_agg(kept::text, '') FROM doorman_undo"
        )
        return self.env.cr.fetchone()

    def test_the_setting_says_how_long(self):
        self.settings.undo_days = 0
        answer = self.write(self.acme, {"name": "B"})
        self.assertNotIn("change_id", answer["value"])
        self.assertEqual(self.kept()[0], 0)
        self.settings.undo_days = 3
        change = self.changed(self.write(self.acme, {"name": "C"}))
        for hours, kind in ((71, "ok"), (2, "not_found")):
            self.env.cr.execute(
                "UPDATE doorman_undo "
                "SET created = created - make_interval(hours => %s)",
                [hours],
            )
            answer = self.undo(change, more={"dry_run": True})
            self.assertEqual(self.kind_of(answer), kind, answer)
        self.run_job("purge_audit")
        self.assertEqual(self.kept()[0], 0)

    def test_credentials_are_not_kept(self):
        file = self.env["ir.attachment"].create(
            {
                "name": "a.txt",
                "raw": b"x",
                "res_model": "res.partner",
                "res_id": self.acme.id,
                "access_token": "s3cret",
            }
        )
        files = type(file)
        original = files.write

        def write(records, vals):
            return original(records, vals | {"access_token": "n3w"})

        self.patch(files, "write", write)
        change = self.changed(self.write(file, {"name": "b.txt"}))
        self.assertEqual(self.stored(file, "access_token"), [("n3w",)])
        kept = self.kept()[1]
        self.assertIn("a.txt", kept)
        self.assertNotIn("s3cret", kept)
        refused = self.undo(change)["error"]
        self.assertEqual(refused["code"], "undo_incomplete", refused)
        self.assertNotIn("s3cret", refused["message"])
