import base64
import hashlib
import json
import logging
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy.shared import MAX_INLINE
from ..common import ApprovalCase, WriteCase
from .test_files import ACLS, PNG, FileMixin

HTML = b"<html><body><script>alert(1)</script></body></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
SECRET = b"the secret plan of Acme"


def sent(content):
    return base64.b64encode(content).decode()


class InlineMixin(FileMixin):
    def send(self, content, record=None, more=None, **kwargs):
        """A file that comes along with the call."""
        record = self.acme if record is None else record
        kwargs = {"name": "new.txt", "raw": sent(content)} | kwargs
        return self.call(
            record._name, "request_upload", record.ids, more=more, **kwargs
        )

    def attached(self, name="new.txt"):
        domain = [("res_model", "=", "res.partner"), ("name", "=", name)]
        return self.env["ir.attachment"].search(domain)


@tagged("post_install", "-at_install")
class TestFileSentAlong(InlineMixin, WriteCase):
    """request_upload with the file itself."""

    def test_it_becomes_an_attachment(self):
        before = self.rows()
        digest = hashlib.sha256(b"hello").hexdigest()
        value = self.send(b"hello", size=5, sha256=digest)["value"]
        file = self.env["ir.attachment"].browse(value["attachment_id"])
        self.assertEqual((file.raw, file.name), (b"hello", "new.txt"))
        self.assertEqual((file.res_model, file.res_id), ("res.partner", self.acme.id))
        self.assertEqual(file.create_uid, self.people["user"])
        self.assertFalse(file.public)
        self.assertEqual(value["type"], file.mimetype)
        self.assertEqual(value["size"], 5)
        self.assertNotIn("ticket", value)
        self.assertIn("ir.attachment", [c["model"] for c in value["changed"]])
        self.assertEqual(self.waits(), 0)
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["model"]), ("ok", "res.partner"))
        self.assertIn("ir.attachment: 1 created", row["changed"])

    def test_as_much_as_may_come(self):
        largest = b"x" * MAX_INLINE
        self.assertEqual(self.send(largest)["value"]["size"], MAX_INLINE)
        for content in (largest + b"x", b"x" * 70 * 1024):
            answer = self.send(content, name="large.txt")
            self.assertEqual(self.kind_of(answer), "too_large")
            self.assertIn("link", answer["error"]["hint"])
        self.assertFalse(self.attached("large.txt"))

    def test_what_is_no_file(self):
        for raw in ("", "*", "aGVsbG8", "aGVs\nbG8=", "aGVsbG8=\0", 5, ["aGVsbG8="]):
            with self.subTest(raw=raw):
                answer = self.send(b"", raw=raw)
                self.assertEqual(self.kind_of(answer), "invalid_input")
        for kwargs in ({"size": 4}, {"sha256": "0" * 64}, {"mimetype": "text/html"}):
            with self.subTest(kwargs=kwargs):
                answer = self.send(b"hello", **kwargs)
                self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertFalse(self.attached())

    def test_a_name_leads_nowhere(self):
        names = {
            "../../etc/passwd": "_.._etc_passwd",
            "..\\x.txt": "_x.txt",
            "a\u202etxt.exe": "a_txt.exe",
            "/web/assets/x.js": "_web_assets_x.js",
        }
        for name, kept in names.items():
            with self.subTest(name=name):
                value = self.send(b"x", name=name)["value"]
                file = self.env["ir.attachment"].browse(value["attachment_id"])
                self.assertEqual(file.name, kept)
                self.assertFalse(file.url)
                self.assertNotIn("..", file.store_fname or "")

    def test_what_a_browser_would_run_is_text(self):
        system = self.env.ref("base.group_system")
        self.people["user"].write({"group_ids": [Command.link(system.id)]})
        for name, content in (("x.html", HTML), ("x.svg", SVG), ("x.xhtml", HTML)):
            with self.subTest(name=name):
                value = self.send(content, name=name)["value"]
                self.assertEqual(value["type"], "text/plain")
        # What is no picture may be called one: it is served as what it is called, and
        # no browser runs that.
        value = self.send(HTML, name="x.png")["value"]
        self.assertEqual(value["type"], "image/png")

    @mute_logger(*ACLS)
    def test_who_may_not(self):
        country = self.env.ref("base.be")
        self.assertEqual(self.kind_of(self.send(b"x", country)), "forbidden")
        for record in (self.people["user2"], self.file()):
            kind = self.kind_of(self.send(b"x", record))
            self.assertIn(kind, ("not_allowed", "invalid_input"))
        self.allow_models("res.country")
        self.assertEqual(self.kind_of(self.send(b"x")), "not_allowed")
        self.connection.allowed_model_ids = [Command.clear()]
        self.connection.read_only = True
        self.assertEqual(self.kind_of(self.send(b"x")), "read_only")
        self.connection.read_only = False
        self.connection.scope_ids -= self.env.ref("doorman.scope_orm")
        self.assertEqual(self.kind_of(self.send(b"x")), "not_allowed")
        self.assertFalse(self.attached())

    def test_tried_out(self):
        value = self.send(SECRET, more={"dry_run": True})["value"]
        [change] = value["changes"]
        told = {"new_file": "new.txt", "type": "text/plain", "size": len(SECRET)}
        self.assertEqual(change["after"], told)
        self.assertNotIn("secret", json.dumps(value))
        self.assertFalse(self.attached())

    def test_once(self):
        key = {"idempotency_key": "upload-1"}
        first = self.send(b"hello", more=key)["value"]
        again = self.send(b"hello", more=key)["value"]
        self.assertEqual(again["attachment_id"], first["attachment_id"])
        self.assertTrue(again["replayed"])
        self.assertEqual(len(self.attached()), 1)
        other = self.send(b"HELLO", more=key)
        self.assertEqual(self.kind_of(other), "conflict")
        self.assertEqual(len(self.attached()), 1)

    def test_no_log_holds_it(self):
        """Neither the audit, with payloads, nor Odoo's log, whether it works or not."""
        self.settings.log_payloads = True
        before, logs = self.rows(), []
        # Whatever the level that Odoo was started with.
        with (
            patch.object(logging.Logger, "isEnabledFor", lambda _, n: n >= 20),
            patch.object(logging.Logger, "handle", lambda _, r: logs.append(r)),
        ):
            logging.getLogger("odoo").info("begins")
            self.send(SECRET)
            self.send(SECRET, size=1)
            self.send(SECRET, more={"dry_run": True})
            self.send(SECRET, more={"idempotency_key": "k"})
        rows = str(self.new_rows(before))
        self.assertIn("[withheld]", rows)
        said = "\n".join(record.getMessage() for record in logs)
        self.assertIn("begins", said)
        for text in (rows, said):
            self.assertNotIn(sent(SECRET), text)
            self.assertNotIn("secret plan", text)
        self.env.cr.execute("SELECT string_agg(answer, '') FROM doorman_idempotency")
        self.assertNotIn(sent(SECRET), str(self.env.cr.fetchone()))


@tagged("post_install", "-at_install")
class TestFileIntoField(InlineMixin, WriteCase):
    """A binary field as target, and as source."""

    def test_a_picture(self):
        before = self.rows()
        value = self.send(PNG, field="image_1920", name="me.png")["value"]
        self.assertEqual((value["field"], value["type"]), ("image_1920", "image/png"))
        self.assertTrue(self.acme.image_1920)
        self.assertTrue(self.acme.image_128)
        [changed] = [c for c in value["changed"] if c["model"] == "res.partner"]
        self.assertEqual(changed["fields"], ["image_1920"])
        self.assertNotIn("set_off", changed)
        self.assertNotIn(sent(PNG), json.dumps(value))
        [row] = self.new_rows(before)
        self.assertIn("res.partner: 1 updated", row["changed"])
        # It is the field's own, and nobody's attachment.
        self.assertFalse(self.attached("me.png"))
        own = self.env["ir.attachment"].search(
            [("res_field", "=", "image_1920"), ("res_id", "=", self.acme.id)]
        )
        self.assertEqual(own.mapped("public"), [False] * len(own))
        # And back.
        answer = self.get(field="image_1920")
        content = self.taken(self.link(answer))
        self.assertEqual(content, base64.b64decode(self.acme.image_1920))

    def test_a_picture_by_a_link(self):
        answer = self.room(field="image_1920", name="me.png", size=len(PNG))
        token = self.link(answer)
        self.assertEqual(self.sent(token, b"x" * len(PNG)), "invalid_input")
        self.assertFalse(self.acme.image_1920)
        value = self.sent(token, PNG)
        self.assertEqual(value["field"], "image_1920")
        self.acme.invalidate_recordset()
        self.assertTrue(self.acme.image_1920)
        self.assertEqual(self.sent(token, PNG), "not_found")

    def test_a_field_needs_no_name(self):
        self.assertEqual(
            self.send(PNG, field="image_1920", name="")["value"]["size"], len(PNG)
        )

    def test_what_is_no_picture(self):
        for name, content in (
            ("me.png", HTML),
            ("me.png", SVG),
            ("me.svg", SVG),
            ("me.png", b"%PDF-1.4 hello"),
            ("me.png", b"just text"),
            ("me.png", PNG[:20]),
        ):
            with self.subTest(content=content):
                answer = self.send(content, field="image_1920", name=name)
                kind = self.kind_of(answer)
                self.assertIn(kind, ("invalid_input", "business_rule"))
        self.assertFalse(self.acme.image_1920)

    @mute_logger(*ACLS)
    def test_fields_that_take_none(self):
        for kind, field in (
            ("unknown_field", "image_19"),
            ("unknown_field", "../image_1920"),
            ("unknown_field", ["image_1920"]),
            ("unknown_field", "parent_id.image_1920"),
            ("invalid_input", "name"),
            ("invalid_input", "image_128"),  # worked out from the large one
            ("invalid_input", "avatar_1920"),
        ):
            with self.subTest(field=field):
                answer = self.send(PNG, field=field)
                self.assertEqual(self.kind_of(answer), kind)
        file = self.file()
        for field in ("datas", "raw", "db_datas", "thumbnail"):
            with self.subTest(field=field):
                kind = self.kind_of(self.send(PNG, file, field=field))
                self.assertEqual(kind, "invalid_input")
        for record in (self.env.company, self.people["user2"], self.people["user"]):
            answer = self.send(PNG, record, field="image_1920")
            self.assertIn(self.kind_of(answer), ("not_allowed", "unknown_field"))
        self.assertEqual(
            self.kind_of(self.send(PNG, self.env.company, field="logo")), "not_allowed"
        )

    def test_what_is_only_shown_is_not_filled_in(self):
        form = self.env["ir.ui.view"].create(
            {
                "name": "all of them",
                "model": "res.partner",
                "arch": "<form><field name='image_1920' readonly='1'/></form>",
            }
        )
        others = self.env["ir.ui.view"].search(
            [
                ("model", "=", "res.partner"),
                ("type", "=", "form"),
                ("mode", "=", "primary"),
                ("id", "!=", form.id),
            ]
        )
        self.assertTrue(self.send(PNG, field="image_1920").get("value"))
        others.active = False
        answer = self.send(PNG, field="image_1920")
        self.assertEqual(self.kind_of(answer), "not_allowed")
        self.assertIn("read-only", answer["error"]["message"])

    @mute_logger(*ACLS)
    def test_a_field_of_a_group(self):
        """A field that this user may not write, though they may write the record."""
        field = self.env["res.partner"]._fields["image_1920"]
        self.patch(field, "groups", "base.group_system")
        for ask in (
            lambda: self.send(PNG, field="image_1920"),
            lambda: self.room(field="image_1920"),
            lambda: self.get(field="image_1920"),
        ):
            self.assertEqual(self.kind_of(ask()), "forbidden")

    def test_it_is_an_update(self):
        """Who may only attach files does not change records."""
        tools = {}
        for name in ("request_upload", "update_records"):
            known = self.env["doorman.tool"].search([("name", "=", name)])
            tools[name] = known or self.tool(name)
        self.connection.allowed_tool_ids = [Command.set(tools["request_upload"].ids)]
        self.assertIn("value", self.send(b"x"))
        for ask in (self.send, lambda _content, **kwargs: self.room(**kwargs)):
            answer = ask(PNG, field="image_1920")
            self.assertEqual(self.kind_of(answer), "not_allowed")
        self.assertFalse(self.acme.image_1920)
        self.connection.allowed_tool_ids += tools["update_records"]
        self.assertIn("value", self.send(PNG, field="image_1920"))

    def test_errors_name_the_tool(self):
        cases = (
            self.create({"name": "x", "image_1920": sent(PNG)}),
            self.write(self.acme, {"image_1920": sent(PNG)}),
            self.create({"name": "x", "child_ids": [[0, 0, {"image_1920": "x"}]]}),
            self.create({"name": "x", "datas": "eA=="}, model="ir.attachment"),
            self.write(self.file(), {"datas": "eA=="}),
            self.write(self.file(), {"raw": "eA=="}),
            self.write(self.file(), {"db_datas": "eA=="}),
        )
        for answer in cases:
            with self.subTest(answer=answer):
                self.assertEqual(self.kind_of(answer), "not_allowed")
                self.assertIn("request_upload", answer["error"]["hint"])
        answer = self.call("ir.attachment", "read", self.file().ids, fields=["raw"])
        self.assertIn("get_attachment", answer["error"]["hint"])


@tagged("post_install", "-at_install")
class TestFileSentAlongApproval(InlineMixin, ApprovalCase):
    def waiting_file(self, content, **kwargs):
        kwargs = {"name": "new.txt", "raw": sent(content)} | kwargs
        return self.waiting("res.partner", "request_upload", self.acme.ids, **kwargs)

    def test_a_person_reads_name_type_and_size(self):
        approval = self.waiting_file(SECRET)
        seen = self.by("approver", approval).read(
            ["summary", "changes_html", "arguments_html", "payload_text"]
        )
        for word in ("new.txt", "text/plain", str(len(SECRET))):
            self.assertIn(word, str(seen))
        self.assertNotIn(sent(SECRET), str(seen))
        self.assertIn(f"({len(SECRET)} bytes)", seen[0]["payload_text"])
        self.assertFalse(self.attached())
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertEqual(self.attached().raw, SECRET)
        self.assertEqual(self.attached().create_uid, self.people["user"])
        self.assertNotIn(sent(SECRET), approval.result)

    def test_rules_by_what_it_does(self):
        cases = (
            ("ir.attachment", {}, "pending_approval"),
            ("res.partner", {}, "pending_approval"),
            ("res.country", {}, "ok"),
            ("res.partner", {"field": "image_1920"}, "pending_approval"),
            ("ir.attachment", {"field": "image_1920"}, "ok"),
        )
        for model, kwargs, kind in cases:
            with self.subTest(model=model, kwargs=kwargs):
                with self.env.cr.savepoint() as savepoint:
                    self.rule(model_id=self.env["ir.model"]._get_id(model))
                    answer = self.send(PNG, name="me.png", **kwargs)
                    self.assertEqual(self.kind_of(answer), kind)
                    waits = kind == "pending_approval"
                    self.assertEqual(
                        bool(self.attached("me.png")),
                        not waits and "field" not in kwargs,
                    )
                    savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_all_caches()

    def test_a_picture_after_approval(self):
        self.rule(model_id=self.env["ir.model"]._get_id("res.partner"))
        self.assertEqual(
            self.kind_of(self.send(PNG, field="image_1920")), "pending_approval"
        )
        approval = self.env["doorman.approval"].search([], limit=1)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.acme.invalidate_recordset()
        self.assertTrue(self.acme.image_1920)

    def test_a_link_does_no_more_than_was_asked_for(self):
        """A rule for what the file sets off, which nobody knew when it was made."""
        answer = self.room()
        token = self.link(answer)
        attach = "odoo.addons.doorman.tools.uploads.attach"
        country = self.env.ref("base.be")

        def also(call, content):
            country.with_user(self.people["admin"]).sudo().name = "Changed"
            return original(call, content)

        from ...tools import uploads

        original = uploads.attach
        # The rule first: whatever changes the policy ends the link.
        self.rule(model_id=self.env["ir.model"]._get_id("res.country"))
        token = self.link(self.room())
        self.patch(uploads, "attach", also)
        with mute_logger(attach):
            self.assertEqual(self.sent(token), "not_allowed")
        self.assertFalse(self.attached())
        self.assertNotEqual(country.name, "Changed")
        self.patch(uploads, "attach", original)
        self.assertEqual(self.sent(token)["size"], 5)
