import re

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy import closed_fields
from ...policy.guard import Guard
from ..common import ApprovalCase, WriteCase
from .test_files import ACLS, FileMixin


@tagged("post_install", "-at_install")
class TestFilesAttack(FileMixin, WriteCase):
    """Ways past the rules for files that were tried from outside."""

    def make_system(self):
        system = self.env.ref("base.group_system")
        self.people["user"].write({"group_ids": [Command.link(system.id)]})

    def test_a_page_that_an_administrator_sends_is_text(self):
        """Odoo itself lets who may write views keep pages and drawings as they are: a
        browser would run them in its own address."""
        self.make_system()
        for name, content in (
            ("x.html", b"<html><script>1</script></html>"),
            ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ):
            with self.subTest(name=name):
                token = self.link(self.room(name=name))
                self.assertEqual(self.sent(token, content)["type"], "text/plain")

    def test_a_withheld_file_by_its_own_field(self):
        """The bytes of a field that is withheld, asked of the attachment they are."""
        self.make_system()
        file = self.file()
        self.env.cr.execute(
            "UPDATE ir_attachment SET res_field = 'image_1920' WHERE id = %s", [file.id]
        )
        self.env.invalidate_all()
        self.patch(closed_fields, "CREDENTIAL_FIELD", re.compile("^image_1920$"))
        for kwargs in ({}, {"field": "datas"}, {"field": "thumbnail"}):
            with self.subTest(kwargs=kwargs):
                answer = self.get(file, **kwargs)
                self.assertEqual(answer.get("error", {}).get("kind"), "not_allowed")
        for kind, method, ids, kwargs in (
            ("not_allowed", "read", file.ids, {"fields": ["index_content"]}),
            (
                "not_allowed",
                "search_count",
                None,
                {"domain": [["id", "=", file.id], ["index_content", "like", "12"]]},
            ),
        ):
            self.assertEqual(self.kind("ir.attachment", method, ids, **kwargs), kind)

    @mute_logger(*ACLS)
    def test_a_file_of_a_message(self):
        """What hangs on a message hangs on what the message is of."""
        message = self.acme.message_post(body="look")
        file = self.file(record=message)
        self.allow_models("ir.attachment", "mail.message")
        for ask in (
            lambda: self.get(file),
            lambda: self.get(message, attachment=file.id),
            lambda: self.call("ir.attachment", "read", file.ids, fields=["name"]),
        ):
            answer = ask()
            self.assertEqual(answer.get("error", {}).get("kind"), "not_allowed")
        self.allow_models("ir.attachment", "mail.message", "res.partner")
        self.assertEqual(self.get(file)["value"]["file"]["size"], 5)

    def test_nothing_is_made_to_hang_on_itself(self):
        """Odoo would follow it for ever, at everybody's next search for a file."""
        file = self.file()
        for model in ("ir.attachment", "mail.activity", "rating.rating"):
            if model in self.env:
                vals = {"res_model": model, "res_id": file.id}
                kind = self.kind("ir.attachment", "write", file.ids, vals=vals)
                self.assertEqual(kind, "not_allowed")
        kind = self.kind(
            "mail.activity",
            "create",
            vals_list=[{"res_model": "ir.attachment", "res_id": file.id}],
        )
        self.assertEqual(kind, "not_allowed")
        files = self.env["ir.attachment"].with_user(self.people["user2"])
        self.assertTrue(files.search([], limit=1))
        vals = {"res_model": "res.partner", "res_id": self.acme.id}
        self.assertEqual(self.kind("ir.attachment", "write", file.ids, vals=vals), "ok")

    def test_a_file_that_hangs_on_itself(self):
        file = self.file()
        file.write({"res_model": "ir.attachment", "res_id": file.id})
        guard = Guard(self.env, None)
        self.assertEqual(guard.records(self.env["ir.attachment"], file.ids), file)


@tagged("post_install", "-at_install")
class TestFilesAttackApproval(FileMixin, ApprovalCase):
    def test_a_rule_for_reading_files(self):
        """A rule for reading attachments or messages is for the tools that read them,
        too."""
        for model, ask in (
            ("ir.attachment", lambda: self.get(attachment=self.file().id)),
            ("ir.attachment", lambda: self.get()),
            (
                "mail.message",
                lambda: self.call("res.partner", "read_messages", self.acme.ids),
            ),
        ):
            with self.subTest(model=model), self.env.cr.savepoint() as savepoint:
                self.rule(reads=True, model_id=self.env["ir.model"]._get_id(model))
                answer = ask()
                self.assertIn("pending", answer)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()
