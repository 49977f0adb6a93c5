import socket
from types import SimpleNamespace
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ... import patches
from ...policy import closed_models, inherited_models
from ..common import WriteCase

NO, BAD = "not_allowed", "invalid_input"


@tagged("post_install", "-at_install")
class TestWriteAttackValues(WriteCase):
    """Values that reach further than their record."""

    def administrator(self):
        group = self.env.ref("base.group_system")
        self.people["user"].group_ids = [Command.link(group.id)]

    # ---- numbers ----

    def test_numbers_that_are_no_json(self):
        for value in (float("nan"), float("inf"), "inf", 10**400, "1,5", True):
            with self.subTest(value=str(value)[:20]):
                answer = self.write(self.acme, {"partner_latitude": value})
                self.assertEqual(self.kind_of(answer), BAD)
                answer = self.write(self.acme, {"color": value})
                self.assertEqual(self.kind_of(answer), BAD)
        answer = self.write(self.acme, {"partner_latitude": 50.85, "color": 3})
        self.assertEqual(self.kind_of(answer), "ok")
        self.assertEqual(self.acme.color, 3)

    # ---- what a record hangs on ----

    def activity(self, **vals):
        kind = self.env.ref("mail.mail_activity_data_todo").id
        vals = {"res_id": self.acme.id, "activity_type_id": kind} | vals
        return self.create(vals, model="mail.activity")

    def test_an_activity_by_the_name_of_the_model(self):
        answer = self.activity(res_model="res.partner", summary="call")
        self.assertEqual(self.kind_of(answer), "ok")
        activity = self.env["mail.activity"].browse(answer["value"]["ids"])
        self.assertEqual(activity.res_model, "res.partner")
        self.assertEqual(self.acme.activity_ids, activity)
        ids = self.env["ir.model"]
        self.assertEqual(
            self.kind_of(
                self.activity(
                    res_model="res.partner", res_model_id=ids._get_id("res.country")
                )
            ),
            BAD,
        )
        for name, kind in (
            ("doorman.connection", NO),
            ("ir.cron", NO),
            ("res.users", NO),
            ("no.such.model", "unknown_model"),
            (7, BAD),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.kind_of(self.activity(res_model=name)), kind)
        for name in ("doorman.connection", "ir.cron", "res.users"):
            answer = self.activity(res_model_id=ids._get_id(name))
            self.assertEqual(self.kind_of(answer), NO)

    def test_an_activity_is_not_moved_out_of_the_list(self):
        """By a command, where only its own values tell."""
        self.allow_models("res.partner", "mail.activity")
        answer = self.activity(res_model="res.partner")
        [ident] = answer["value"]["ids"]
        model_id = self.env["ir.model"]._get_id("res.partner.bank")
        for vals in ({"res_model_id": model_id}, {"res_model": "res.partner.bank"}):
            for code, number in ((1, ident), (0, 0)):
                with self.subTest(vals=vals, code=code):
                    commands = [[code, number, vals | {"res_id": 1}]]
                    answer = self.write(self.acme, {"activity_ids": commands})
                    self.assertEqual(self.kind_of(answer), NO)

    def test_followers_of_what_is_only_read(self):
        self.administrator()
        partner = self.people["user"].partner_id.id
        for name, kind in (("ir.cron", NO), ("res.users", NO), ("res.partner", "ok")):
            vals = {"res_model": name, "res_id": self.acme.id, "partner_id": partner}
            with self.subTest(name=name):
                answer = self.create(vals, model="mail.followers")
                self.assertEqual(self.kind_of(answer), kind)

    def test_attachments_of_what_is_only_read(self):
        self.administrator()
        template = self.env["mail.template"].create({"name": "t"})
        attachment = self.env["ir.attachment"].create(
            {"name": "a", "res_model": "mail.template", "res_id": template.id}
        )
        self.assertEqual(self.kind_of(self.write(attachment, {"name": "b"})), NO)
        answer = self.call("ir.attachment", "unlink", attachment.ids)
        self.assertEqual(self.kind_of(answer), NO)

    # ---- files and parents by another name ----

    def test_a_file_by_another_name(self):
        """A model that is an attachment by delegation, as product.document is."""
        Partner = type(self.env["res.partner"])
        delegated = patch.object(
            Partner, "_inherits", {"ir.attachment": "message_main_attachment_id"}
        )
        with delegated:
            self.assertTrue(inherited_models.is_file(self.env, "res.partner"))
            self.assertEqual(self.kind_of(self.create({"name": "x"})), NO)
        field = Partner._fields["ref"]
        for last in ("url", "type", "public", "mimetype", "access_token", "raw"):
            # What is remembered of the field must not outlive what is made of it here.
            forgotten = patch.object(
                self.env.registry, "doorman_reach", (None, {}), create=True
            )
            with (
                self.subTest(last=last),
                forgotten,
                patch.object(field, "related", f"message_ids.attachment_ids.{last}"),
            ):
                self.assertEqual(self.kind_of(self.write(self.acme, {"ref": "x"})), NO)
        for model in ("product.document", "quotation.document"):
            if model in self.env:
                vals = {"name": "d", "type": "url", "url": "javascript:alert(1)"}
                self.assertEqual(self.kind_of(self.create(vals, model=model)), NO)

    def test_no_record_is_taken_over(self):
        """The part of a record that is kept in another model's, as a project's alias:
        it would be deleted with it."""
        Partner = type(self.env["res.partner"])
        user = self.people["user"].id
        for parents, kind in (({}, "ok"), ({"res.users": "user_id"}, NO)):
            with patch.object(Partner, "_inherits", parents):
                answer = self.write(self.acme, {"user_id": user}, more={"dry_run": 1})
                self.assertEqual(self.kind_of(answer) == NO, kind == NO)
        if "project.project" in self.env:
            alias = self.env["mail.alias"].search([], limit=1)
            vals = {"name": "x", "alias_id": alias.id}
            self.administrator()
            answer = self.create(vals, model="project.project")
            self.assertEqual(self.kind_of(answer), NO)

    def test_no_wizard_points_at_what_is_only_read(self):
        field = self.env["res.partner"]._fields["country_id"]
        country = self.env.ref("base.be").id
        with (
            patch.object(type(self.env["res.partner"]), "_transient", True),
            patch.object(closed_models, "WRITE_FLOOR", ("res.country",)),
        ):
            answer = self.write(self.acme, {field.name: country}, more={"dry_run": 1})
        self.assertEqual(self.kind_of(answer), NO)

    # ---- the address of who logs in ----

    def test_the_same_address_again(self):
        partner = self.people["user"].partner_id
        vals = {"email": partner.email, "phone": "+32 2 290 34 90"}
        for more in ({"dry_run": True}, {}):
            answer = self.write(partner, vals, more=more)
            self.assertEqual(self.kind_of(answer), "ok")
        for other in ("x@evil.example", "", False, partner.email.upper()):
            answer = self.write(partner, {"email": other})
            self.assertEqual(self.kind_of(answer), "forbidden")
        answer = self.write(self.acme + partner, {"email": partner.email})
        self.assertEqual(self.kind_of(answer), "ok")

    # ---- links in what is read ----

    def test_links_are_withheld_from_reads(self):
        self.acme.comment = "<p>/my/orders/1?access_token=hidden-text</p>"
        self.acme.ref = "/x?token=hidden-text"
        fields = ["comment", "ref", "name"]
        domain = [["id", "=", self.acme.id]]
        partners = "res.partner"
        for value in (
            self.call(partners, "read", self.acme.ids, fields=fields),
            self.call(partners, "search_read", domain=domain, fields=fields),
            self.call(partners, "formatted_read_group", domain=domain, groupby=["ref"]),
        ):
            self.assertIn("[withheld]", str(value["value"]))
            self.assertNotIn("hidden-text", str(value["value"]))

    # ---- what leaves the machine ----

    def test_a_dry_run_asks_nobody(self):
        asked = []
        # Odoo's tests put their own in the place of what patches.py has put there.
        connect = patches._offline(lambda *_args: asked.append("sent"))

        def write(records, vals):
            try:
                connect(SimpleNamespace(family=socket.AF_INET), ("127.0.0.1", 9))
            except ConnectionRefusedError:
                asked.append("down")
            return True

        Partner = type(self.env["res.partner"])
        with patch.object(Partner, "write", write):
            self.write(self.acme, {"name": "x"}, more={"dry_run": True})
            self.write(self.acme, {"name": "x"})
        self.assertEqual(asked, ["down", "sent"])

    # ---- inverses ----

    def test_an_inverse_stays_in_the_list(self):
        """A field that is written on another model's record, as a lead's email is."""
        tag = self.env["res.partner.category"].create({"name": "Gold"})
        self.acme.category_id = tag

        def inverse(records):
            for record in records:
                record.category_id.write({"color": 7})
                if record.ref != "Quiet":
                    record.category_id.write({"name": record.ref})

        field = self.env["res.partner"]._fields["ref"]

        def business(records):
            records.category_id.write({"name": "Own"})

        Partner = type(self.env["res.partner"])
        with (
            patch.object(field, "inverse", inverse),
            patch.object(Partner, "do_business", business, create=True),
        ):
            self.assertEqual(self.kind_of(self.write(self.acme, {"ref": "Open"})), "ok")
            self.assertEqual(tag.name, "Open")
            self.allow_models("res.partner")
            for ids in (self.acme, self.acme + self.acme.copy()):
                answer = self.write(ids, {"ref": "Hidden"})
                self.assertEqual(self.kind_of(answer), NO)
            nested = [[1, self.acme.id, {"ref": "Hidden"}]]
            parent = self.env["res.partner"].create({"name": "P"})
            self.acme.parent_id = parent
            answer = self.write(parent, {"child_ids": nested})
            self.assertEqual(self.kind_of(answer), NO)
            # An inverse is there for the caller's value: all that it does is asked for.
            answer = self.write(self.acme, {"ref": "Quiet"})
            self.assertEqual(self.kind_of(answer), NO)
            self.assertEqual(tag.name, "Open")
            # What a method does of its own accord is its business.
            answer = self.method(self.acme, "do_business")
            self.assertEqual(self.kind_of(answer), "ok")
            self.assertEqual(tag.name, "Own")
            self.allow_models("res.partner", "res.partner.category")
            answer = self.write(self.acme, {"ref": "In"})
            self.assertEqual(self.kind_of(answer), "ok", answer)
            self.assertEqual(tag.name, "In")

    # ---- requests that are not requests ----

    def test_nested_requests_leave_a_row(self):
        deep = []
        for _level in range(5_000):
            deep = [deep]
        payloads = (
            {"ids": deep},
            {"model": deep},
            {"method": deep},
            {"kwargs": {"vals": {"name": deep}}},
            {"context": {"lang": deep}},
            {"idempotency_key": deep},
            {"audit": {"tool": deep}},
        )
        for logged in (False, True):
            self.settings.log_payloads = logged
            fence = self.fence()
            for payload in payloads:
                with self.subTest(logged=logged, payload=list(payload)):
                    before = self.rows()
                    request = self.request(
                        "res.partner", "write", self.acme.ids, vals={"name": "x"}
                    )
                    answer = self.gateway.call(fence, request | payload)
                    self.assertEqual(self.kind_of(answer), BAD)
                    [row] = self.new_rows(before)
                    self.assertEqual(row["outcome"], "refused")
                    self.assertEqual(row["user_login"], "dm-user")
        self.assertEqual(self.acme.name, "Acme")

    def test_true_is_no_id(self):
        self.assertEqual(self.company.id, 1)
        for companies in ([True], [1.0], [], "1", [[1]]):
            with self.subTest(companies=companies):
                context = {"allowed_company_ids": companies}
                answer = self.write(self.acme, {"name": "x"}, context=context)
                self.assertEqual(self.kind_of(answer), NO)
        for ids in ([True], [1.0], ["1"], [0], True):
            answer = self.call("res.partner", "write", ids, vals={"name": "x"})
            self.assertEqual(self.kind_of(answer), BAD)
