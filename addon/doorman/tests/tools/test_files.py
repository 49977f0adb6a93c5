import base64
import hashlib
import json
import secrets

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy.shared import MAX_FILE
from ...tools import file_text, files, uploads
from ..common import ApprovalCase, WriteCase, proof_of

ACLS = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.addons.base.models.ir_attachment",
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


class FileMixin:
    """Files of Acme, and links to them."""

    def file(self, name="a.txt", raw=b"12345", record=None, **vals):
        record = self.acme if record is None else record
        vals = {"res_model": record._name, "res_id": record.id} | vals
        return self.env["ir.attachment"].create({"name": name, "raw": raw} | vals)

    def get(self, record=None, **kwargs):
        record = self.acme if record is None else record
        return self.call(record._name, "get_attachment", record.ids, **kwargs)

    def room(self, record=None, **kwargs):
        record = self.acme if record is None else record
        kwargs = {"name": "new.txt"} | kwargs
        return self.call(record._name, "request_upload", record.ids, **kwargs)

    def link(self, answer, **changes):
        """:return: the token of a link to what a call told of"""
        token = "dmf_" + secrets.token_urlsafe(32)
        ticket = answer["value"]["ticket"]
        opened = self.gateway.file_link(self.fence(**changes), ticket, proof_of(token))
        self.assertEqual(opened["value"], {"expires_in": 900})
        return token

    def take(self, token):
        audit = {"tool": "get_attachment", "method": "files/get", "ip": "192.0.2.7"}
        return self.gateway.file_take(proof_of(token), audit)

    def put(self, token, content=b"hello"):
        audit = {"tool": "request_upload", "method": "files/put", "ip": "192.0.2.7"}
        content = base64.b64encode(content).decode()
        return self.gateway.file_put(proof_of(token), content, audit)

    def taken(self, token):
        answer = self.take(token)
        if "error" in answer:
            return answer["error"]["kind"]
        return base64.b64decode(answer["content"])

    def opens(self, token):
        answer = self.gateway.file_open(proof_of(token))
        return answer["error"]["kind"] if "error" in answer else answer["value"]

    def sent(self, token, content=b"hello"):
        answer = self.put(token, content)
        return answer["error"]["kind"] if "error" in answer else answer["value"]

    def waits(self):
        self.env.cr.execute("SELECT count(*) FROM doorman_file")
        return self.env.cr.fetchone()[0]


@tagged("post_install", "-at_install")
class TestFiles(FileMixin, WriteCase):
    # ---- what there is ----

    def test_the_list(self):
        one, two = self.file("one.txt"), self.file("two.png", PNG)
        self.file("elsewhere.txt", record=self.env["res.partner"].create({"name": "B"}))
        self.acme.image_1920 = base64.b64encode(PNG)  # a field's own is none of them
        value = self.get()["value"]
        self.assertFalse(value["more"])
        self.assertEqual([f["id"] for f in value["files"]], [two.id, one.id])
        self.assertEqual(
            value["files"][1],
            {"id": one.id, "name": "one.txt", "type": "text/plain", "size": 5},
        )
        self.assertEqual(self.waits(), 0)

    def test_one(self):
        file = self.file()
        value = self.get(attachment=file.id)["value"]
        self.assertEqual(
            value["file"], {"name": "a.txt", "type": "text/plain", "size": 5}
        )
        self.assertNotIn("MTIzNDU", json.dumps(value))
        before = self.rows()
        token = self.link({"value": value})
        self.assertEqual(self.new_rows(before), [])
        answer = self.take(token)
        self.assertEqual(
            answer["value"], {"name": "a.txt", "type": "text/plain", "size": 5}
        )
        self.assertEqual(base64.b64decode(answer["content"]), b"12345")
        [row] = self.new_rows(before)
        self.assertEqual(row["outcome"], "ok")
        self.assertEqual(row["method"], "files/get")
        self.assertEqual(row["model"], "res.partner")
        self.assertEqual(row["record_ids"], str(self.acme.id))
        self.assertEqual(row["user_id"], self.people["user"].id)
        self.assertEqual(row["ip"], "192.0.2.7")
        # Once.
        self.assertEqual(self.taken(token), "not_found")

    def test_a_field(self):
        self.acme.image_1920 = base64.b64encode(PNG)
        value = self.get(field="image_1920")["value"]
        self.assertEqual(value["file"]["type"], "image/png")
        self.assertTrue(value["file"]["name"].endswith(".png"))
        token = self.link({"value": value})
        self.assertEqual(len(self.taken(token)), value["file"]["size"])

    def test_text(self):
        file = self.file(raw="Grüße /my?access_token=abcdef".encode())
        value = self.get(attachment=file.id, text=True)["value"]
        self.assertEqual(value["text"], "Grüße /my?[withheld]")
        self.assertFalse(value["text_more"])
        long = self.file(raw=b"x" * (file_text.MAX_PAGE + 1))
        value = self.get(attachment=long.id, text=True)["value"]
        self.assertEqual(len(value["text"]), file_text.MAX_PAGE)
        self.assertEqual(value["text_next"], file_text.MAX_PAGE)
        self.assertTrue(value["text_more"])
        self.assertIn("ticket", value)

    def test_a_link_is_no_file(self):
        file = self.env["ir.attachment"].create(
            {
                "name": "Web",
                "type": "url",
                "url": "https://example.com/x?access_token=1",
                "res_model": "res.partner",
                "res_id": self.acme.id,
            }
        )
        value = self.get(attachment=file.id)["value"]
        self.assertEqual(value["url"], "https://example.com/x?[withheld]")
        self.assertNotIn("ticket", value)

    def test_refused(self):
        other = self.env["res.partner"].create({"name": "B"})
        elsewhere = self.file(record=other)
        image = self.file("i.png", PNG)
        for kind, kwargs in (
            ("not_found", {"attachment": elsewhere.id}),
            ("not_found", {"attachment": 2**31 - 1}),
            ("invalid_input", {"attachment": str(image.id)}),
            ("invalid_input", {"attachment": True}),
            ("invalid_input", {"attachment": image.id, "field": "image_1920"}),
            ("invalid_input", {"attachment": image.id, "text": True}),
            ("invalid_input", {"text": True}),
            ("invalid_input", {"field": "name"}),
            ("unknown_field", {"field": "image_19"}),
            ("unknown_field", {"field": ["image_1920"]}),
            ("not_found", {"field": "image_1920"}),
            ("invalid_input", {"other": 1}),
        ):
            with self.subTest(kwargs=kwargs):
                answer = self.get(**kwargs)
                self.assertEqual(answer.get("error", {}).get("kind"), kind)
        answer = self.get(self.people["user"], field="password")
        self.assertEqual(answer["error"]["kind"], "not_allowed")
        for ids in ([], [self.acme.id, other.id], ["1"], [2**31 - 1]):
            with self.subTest(ids=ids):
                self.assertIn(
                    self.kind("res.partner", "get_attachment", ids),
                    ("invalid_input", "not_found"),
                )
        self.assertEqual(self.waits(), 0)

    @mute_logger(*ACLS)
    def test_rights_are_those_of_the_record(self):
        settings = self.env["ir.config_parameter"].search([], limit=1)
        hidden = self.file(record=settings)
        for record in (settings, hidden):
            with self.subTest(record=record):
                answer = self.get(record)
                self.assertIn(
                    answer["error"]["kind"], ("not_allowed", "forbidden", "not_found")
                )
        # Allowed is one model: not those whose files would be asked for by another way.
        self.allow_models("res.country")
        file = self.file()
        self.assertEqual(self.get(attachment=file.id)["error"]["kind"], "not_allowed")
        self.assertEqual(self.get(file)["error"]["kind"], "not_allowed")
        self.allow_models("res.country", "ir.attachment")
        self.assertEqual(self.get(file)["error"]["kind"], "not_allowed")
        self.allow_models("res.partner", "ir.attachment")
        self.assertEqual(self.get(file)["value"]["file"]["size"], 5)

    @mute_logger(*ACLS)
    def test_a_file_that_was_pointed_elsewhere(self):
        file = self.file()
        token = self.link(self.get(attachment=file.id))
        by_itself = self.link(self.get(file))
        params = self.env["ir.config_parameter"].search([], limit=1)
        file.write({"res_model": params._name, "res_id": params.id})
        self.env.flush_all()
        self.assertEqual(self.taken(token), "not_found")
        self.assertIn(self.taken(by_itself), ("not_allowed", "forbidden"))

    # ---- links ----

    def test_what_ends_a_link(self):
        person = self.people["user"]

        def rotate():
            self.connection._remove_keys()
            self.connection._issue_key()

        ends = {
            "revoked": self.connection.action_revoke,
            "policy changed": lambda: self.allow_models("res.partner"),
            "read only": lambda: self.connection.write({"read_only": True}),
            "user archived": lambda: person.write({"active": False}),
            "rights changed": lambda: person.write(
                {"group_ids": [Command.unlink(self.env.ref("doorman.group_user").id)]}
            ),
            "switched off": lambda: self.settings._switch(False),
            "key removed": rotate,
            "record deleted": lambda: self.acme.unlink(),
            "too old": lambda: self.env.cr.execute(
                "UPDATE doorman_file SET kept_until = now() at time zone 'utc'"
            ),
        }
        for what, end in ends.items():
            with self.subTest(what=what), self.env.cr.savepoint() as savepoint:
                token = self.link(self.get(attachment=self.file().id))
                end()
                self.env.flush_all()
                self.assertIsInstance(self.opens(token), str)
                kind = self.taken(token)
                self.assertIsInstance(kind, str)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()

    def test_a_new_link_ends_the_old_one(self):
        answer = self.get(attachment=self.file().id)
        old, new = self.link(answer), self.link(answer)
        self.assertEqual(self.taken(old), "not_found")
        self.assertEqual(self.taken(new), b"12345")
        opened = self.gateway.file_link(
            self.fence(), answer["value"]["ticket"], proof_of("x")
        )
        self.assertEqual(opened["error"]["kind"], "not_found")

    def test_whose_link(self):
        """A number of another connection's opens nothing."""
        answer = self.get(attachment=self.file().id)
        ticket = answer["value"]["ticket"]
        other = proof_of(self.connection2._issue_key())
        opened = self.gateway.file_link(self.fence(other), ticket, proof_of("x"))
        self.assertEqual(opened["error"]["kind"], "not_found")
        digests = ("", "x", "g" * 64, None, 1, ["a" * 64])
        for ticket, digest in (
            *((ticket, d) for d in digests),
            *((t, proof_of("x")) for t in (0, -1, 2**40, "1", True, None, [1])),
        ):
            with self.subTest(ticket=ticket, digest=digest):
                opened = self.gateway.file_link(self.fence(), ticket, digest)
                self.assertIn(opened["error"]["kind"], ("invalid_input",))

    def test_what_is_no_link(self):
        token = self.link(self.get(attachment=self.file().id))
        for proof in ("", "x", "0" * 64, None, 1, [proof_of(token)], token):
            with self.subTest(proof=proof):
                answer = self.gateway.file_take(proof, {})
                self.assertEqual(answer["error"]["kind"], "not_found")
        # Neither is a credential, nor the other way round.
        self.assertEqual(self.taken(self.credential), "not_found")
        answer = self.gateway.resolve(proof_of(token))
        self.assertEqual(answer["error"]["kind"], "unauthenticated")
        self.assertEqual(self.sent(token), "not_found")
        about = {"name": "a.txt", "type": "text/plain", "size": 5, "fetch": True}
        for _time in range(2):  # looking ends nothing
            self.assertEqual(self.opens(token), about)
        self.assertEqual(self.taken(token), b"12345")
        room = self.link(self.room())
        self.assertEqual(self.taken(room), "not_found")
        self.assertEqual(self.opens(room), {"name": "new.txt"})

    def test_nothing_that_is_kept_is_a_credential(self):
        token = self.link(self.get(attachment=self.file().id))
        self.env.cr.execute("SELECT doorman_file::text FROM doorman_file")
        kept = str(self.env.cr.fetchall())
        for secret in (token, proof_of(token), self.credential, self.proof):
            self.assertNotIn(secret, kept)
        # What stands there instead is not taken from outside.
        self.env.cr.execute("SELECT proof, digest FROM doorman_file")
        for stored in self.env.cr.fetchone():
            answer = self.gateway.file_take(stored, {})
            self.assertEqual(answer["error"]["kind"], "not_found")
            answer = self.gateway.resolve(stored)
            self.assertEqual(answer["error"]["kind"], "unauthenticated")

    def test_too_many(self):
        file = self.file()
        self.get(attachment=file.id)
        self.env.cr.execute(
            "INSERT INTO doorman_file (connection_id, request, told, kept_until) "
            "SELECT connection_id, request, told, kept_until FROM doorman_file, "
            "generate_series(1, 199)"
        )
        answer = self.get(attachment=file.id)
        self.assertEqual(answer["error"]["kind"], "rate_limited")
        self.env.cr.execute(
            "UPDATE doorman_file SET kept_until = now() at time zone 'utc'"
        )
        self.assertEqual(self.get(attachment=file.id)["value"]["file"]["size"], 5)
        self.assertLess(self.waits(), 200)
        self.run_job("purge_audit")
        self.assertLess(self.waits(), 101)

    def test_too_large(self):
        self.patch(files, "MAX_FILE", 4)
        file = self.file()
        token = self.link(self.get(attachment=file.id))
        self.assertEqual(self.taken(token), "too_large")

    def test_payloads_do_not_hold_files(self):
        self.settings.log_payloads = True
        token = self.link(self.get(attachment=self.file().id))
        before = self.rows()
        self.assertEqual(self.taken(token), b"12345")
        [row] = self.new_rows(before)
        self.assertNotIn(base64.b64encode(b"12345").decode(), str(row))

    # ---- sending one ----

    def test_send(self):
        answer = self.room(name="../or\u202eder.txt", size=5)
        self.assertEqual(answer["value"]["upload"]["name"], "_or_der.txt")
        token = self.link(answer)
        before = self.rows()
        self.assertEqual(self.opens(token), {"name": "_or_der.txt"})
        sent = self.sent(token)
        file = self.env["ir.attachment"].browse(sent["attachment_id"])
        self.assertEqual(file.raw, b"hello")
        self.assertEqual((file.res_model, file.res_id), ("res.partner", self.acme.id))
        self.assertEqual(file.create_uid, self.people["user"])
        self.assertFalse(file.public)
        self.assertEqual(sent["size"], 5)
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["tool"]), ("ok", "request_upload"))
        self.assertEqual(row["record_ids"], str(self.acme.id))
        self.assertIn("_or_der.txt", row["message"])
        self.assertEqual(self.sent(token), "not_found")

    def test_what_a_browser_would_run_is_text(self):
        for name, content in (
            ("x.html", b"<html><script>1</script></html>"),
            ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ):
            with self.subTest(name=name):
                token = self.link(self.room(name=name))
                self.assertEqual(self.sent(token, content)["type"], "text/plain")

    def test_what_was_announced(self):
        digest = hashlib.sha256(b"hello").hexdigest()
        token = self.link(self.room(size=5, sha256=digest.upper()))
        for content in (b"", b"hell", b"hello!", b"hellO"):
            with self.subTest(content=content):
                self.assertEqual(self.sent(token, content), "invalid_input")
        for odd in (None, 5, "*", "aGVsbG8", ["aGVsbG8="]):
            with self.subTest(content=odd):
                answer = self.gateway.file_put(proof_of(token), odd, {})
                self.assertEqual(answer["error"]["kind"], "invalid_input")
        # Nothing of it used the link up.
        self.assertEqual(self.sent(token)["size"], 5)
        self.patch(uploads, "MAX_FILE", 4)
        token = self.link(self.room())
        self.assertEqual(self.sent(token), "too_large")

    def test_no_room(self):
        other = self.env["res.partner"].create({"name": "B"})
        for kwargs in (
            {"name": ""},
            {"name": " . "},
            {"name": "x" * 201},
            {"name": 5},
            {"name": "a\0b"},
            {"size": 0},
            {"size": -1},
            {"size": "5"},
            {"size": True},
            {"size": MAX_FILE + 1},
            {"sha256": "x"},
            {"sha256": 5},
            {"mimetype": "text/html"},
        ):
            with self.subTest(kwargs=kwargs):
                self.assertEqual(self.room(**kwargs)["error"]["kind"], "invalid_input")
        for record in (self.acme | other, self.file(), self.env["res.partner"]):
            with self.subTest(record=record):
                kind = self.room(record)["error"]["kind"]
                self.assertIn(kind, ("invalid_input", "not_allowed"))
        self.assertEqual(self.waits(), 0)

    @mute_logger(*ACLS)
    def test_who_may_not_send(self):
        country = self.env.ref("base.be")
        self.assertEqual(self.room(country)["error"]["kind"], "forbidden")
        user = self.people["user2"]
        self.assertEqual(self.room(user)["error"]["kind"], "not_allowed")
        token = self.link(self.room())
        self.connection.read_only = True
        self.assertEqual(self.room()["error"]["kind"], "read_only")
        self.assertEqual(self.sent(token), "not_found")
        self.connection.read_only = False
        self.connection.scope_ids -= self.env.ref("doorman.scope_orm")
        self.assertEqual(self.room()["error"]["kind"], "not_allowed")
        self.assertFalse(self.env["ir.attachment"].search([("name", "=", "new.txt")]))

    def test_rights_that_went_in_between(self):
        token = self.link(self.room())
        # Without a change of the connection or of its user's groups.
        self.env["ir.rule"].create(
            {
                "name": "none",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[(0, '=', 1)]",
                "perm_read": False,
            }
        )
        with mute_logger(*ACLS):
            self.assertEqual(self.sent(token), "forbidden")

    def test_tried_out(self):
        answer = self.room(size=5, more={"dry_run": True})
        [change] = answer["value"]["changes"]
        self.assertEqual(change["after"], {"new_file": "new.txt", "size": 5})
        self.assertEqual(self.waits(), 0)


@tagged("post_install", "-at_install")
class TestFilesApproval(FileMixin, ApprovalCase):
    """What waits for a person, and is a file."""

    def test_room_after_approval(self):
        self.rule(model_id=self.env["ir.model"]._get_id("ir.attachment"))
        self.assertIn("pending", self.room())
        approval = self.waiting(
            "res.partner", "request_upload", self.acme.ids, name="new.txt"
        )
        self.assertIn("new.txt", str(approval.read()))
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        value = self.status(approval)["value"]
        self.assertEqual(self.sent(self.link({"value": value}))["size"], 5)

    def test_a_file_after_approval(self):
        self.rule(reads=True, model_id=self.env["ir.model"]._get_id("res.partner"))
        file = self.file()
        self.assertIn("pending", self.get(attachment=file.id))
        approval = self.waiting(
            "res.partner", "get_attachment", self.acme.ids, attachment=file.id
        )
        self.by("approver", approval).action_approve()
        value = self.status(approval)["value"]
        self.assertEqual(self.taken(self.link({"value": value})), b"12345")
