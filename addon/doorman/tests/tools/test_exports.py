import csv
import io
import zipfile
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.web.controllers.export import CSVExport

from ...tools import exports
from ..common import ApprovalCase, WriteCase
from .test_files import ACLS, FileMixin

FIELDS = ["name", "is_company", "country_id", "country_id/code", "create_date", "color"]


class ExportMixin(FileMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.may_export = cls.env.ref("base.group_allow_export")
        cls.people["user"].group_ids = [Command.link(cls.may_export.id)]
        partners = cls.env["res.partner"]
        be = cls.env.ref("base.be").id
        cls.some = partners.create(
            [
                {
                    "name": f"Export {n:04}",
                    "country_id": be,
                    "is_company": n % 2,
                    "color": n,
                }
                for n in range(25)
            ]
        )

    def export(self, *fields, domain=None, model="res.partner", more=None, **kwargs):
        domain = [["name", "=like", "Export %"]] if domain is None else domain
        kwargs = {"domain": domain, "fields": list(fields) or FIELDS} | kwargs
        return self.call(model, "export_records", more=more, **kwargs)

    def content(self, answer):
        self.assertIn("value", answer, answer)
        return self.taken(self.link(answer))

    def table(self, answer):
        return list(csv.reader(io.StringIO(self.content(answer).decode())))

    def as_odoo(self, paths, records=None):
        """What Odoo's own web client would get, as the same user."""
        records = self.some if records is None else records
        lang = self.people["user"].lang
        records = records.with_user(self.people["user"])
        records = records.with_context(lang=lang, import_compat=False)
        return records.sorted().export_data(paths)["datas"]


@tagged("post_install", "-at_install")
class TestExports(ExportMixin, WriteCase):
    """export_records: what Odoo itself exports."""

    def test_csv(self):
        before = self.rows()
        answer = self.export()
        told = answer["value"]["file"]
        self.assertEqual(told["name"], "Contact (res.partner).csv")
        self.assertEqual((told["type"], told["rows"]), ("text/csv", 25))
        self.assertNotIn("content", answer["value"])
        content = self.content(answer)
        self.assertEqual(told["size"], len(content))
        records = self.env["res.partner"].search([("id", "in", self.some.ids)])
        labels = [
            "Name", "Is a Company", "Country", "Country/Country Code", "Created on",
            "Color Index",
        ]  # fmt: skip
        own = CSVExport().from_data([], labels, self.as_odoo(FIELDS, records))
        self.assertEqual(content.decode(), own)
        rows = self.new_rows(before)
        self.assertEqual([r["tool"] for r in rows], ["export_records"] * 2)
        self.assertIn("25 rows", rows[1]["message"])
        self.assertNotIn("Export 0001", str(rows))

    def test_dots_and_slashes_are_the_same(self):
        dots = self.content(self.export("name", "country_id.code", "id"))
        slashes = self.content(self.export("name", "country_id/code", ".id"[1:]))
        self.assertEqual(dots, slashes)
        rows = self.table(self.export("id", "parent_id.id"))
        # The numbers of records, and no XML ids: those would have to be made.
        self.assertEqual({int(row[0]) for row in rows[1:]}, set(self.some.ids))

    def test_no_xml_ids_are_made(self):
        data = self.env["ir.model.data"]
        before = data.search_count([])
        self.content(self.export("id", "country_id.id", "category_id.id"))
        self.assertEqual(data.search_count([]), before)

    def test_xlsx(self):
        answer = self.export(format="xlsx")
        content = self.content(answer)
        sheet = load_workbook(io.BytesIO(content)).active
        told = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
        records = self.env["res.partner"].search([("id", "in", self.some.ids)])
        own = self.as_odoo(FIELDS, records)
        self.assertEqual(len(told), len(own))
        for mine, odoos in zip(told, own, strict=True):
            self.assertEqual([v if v is not None else "" for v in mine], odoos)
        self.assertEqual(sheet["A1"].value, "Name")
        self.assertEqual(answer["value"]["file"]["name"], "Contact (res.partner).xlsx")

    def test_labels_and_choices_in_the_users_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.people["user"].lang = "fr_FR"
        field = self.env["ir.model.fields"]._get("res.partner", "name")
        field.with_context(lang="fr_FR").field_description = "Nom"
        self.assertEqual(self.table(self.export("name"))[0], ["Nom"])
        context = {"lang": "en_US"}
        request = self.request(
            "res.partner",
            "export_records",
            None,
            context=context,
            domain=[["id", "in", self.some.ids]],
            fields=["name"],
        )
        answer = self.gateway.call(self.fence(), request)
        self.assertEqual(self.table(answer)[0], ["Name"])

    def test_lists_make_rows(self):
        parent = self.some[0]
        parent.child_ids = [
            Command.create({"name": "Ann"}),
            Command.create({"name": "Bob"}),
        ]
        domain = [["id", "=", parent.id]]
        rows = self.table(self.export("name", "child_ids.name", domain=domain))
        self.assertEqual(rows[1:], [[parent.name, "Ann"], ["", "Bob"]])
        told = self.export("name", "child_ids.name", domain=domain)["value"]["file"]
        self.assertEqual(told["rows"], 2)

    def test_in_batches(self):
        """Whatever the batches, it is the same table; and no more of it is in memory
        than one of them."""
        whole = self.content(self.export())
        self.patch(exports, "BATCH", 4)
        seen = []
        export_data = type(self.env["res.partner"]).export_data

        def counted(records, fields):
            seen.append(len(records))
            return export_data(records, fields)

        self.patch(type(self.env["res.partner"]), "export_data", counted)
        self.assertEqual(self.content(self.export()), whole)
        self.assertEqual(seen, [4] * 6 + [1])

    def test_formulas_are_text(self):
        begins = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"x\")",
                  "http://evil.example/", "{=1+1}", "1e5")  # fmt: skip
        partners = self.env["res.partner"].create(
            [
                {"name": f"X{n}", "comment": False, "ref": text}
                for n, text in enumerate(begins)
            ]
        )
        # Past what the form of a char field cuts.
        for partner, text in zip(partners, begins, strict=True):
            self.env.cr.execute(
                "UPDATE res_partner SET ref = %s WHERE id = %s", [text, partner.id]
            )
        self.env.invalidate_all()
        domain = [["id", "in", partners.ids]]
        cells = [row[0] for row in self.table(self.export("ref", domain=domain))[1:]]
        for cell in cells:
            self.assertFalse(cell.startswith(exports.FORMULA), cell)
        self.assertIn("'=1+1", cells)
        self.assertIn("1e5", cells)
        content = self.content(self.export("ref", domain=domain, format="xlsx"))
        book = zipfile.ZipFile(io.BytesIO(content))
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        self.assertNotIn("<f>", sheet)
        self.assertNotIn("hyperlink", sheet.lower().replace("=hyperlink(", ""))
        loaded = load_workbook(io.BytesIO(content)).active
        types = {cell.data_type for [cell] in loaded.iter_rows(min_row=2)}
        self.assertEqual(types - {"s", "inlineStr"}, set())

    def test_links_are_withheld(self):
        self.some[0].ref = "https://x.example/my?access_token=SECRET"
        content = self.content(self.export("ref"))
        self.assertNotIn(b"SECRET", content)
        self.assertIn(b"[withheld]", content)

    def test_nothing_matches(self):
        rows = self.table(self.export("name", domain=[["id", "=", 0]]))
        self.assertEqual(rows, [["Name"]])

    # ---- how much ----

    def test_too_many(self):
        self.patch(exports, "MAX_EXPORT_ROWS", 24)
        answer = self.export()
        self.assertEqual(self.kind_of(answer), "too_large")
        self.assertEqual(self.waits(), 0)
        self.patch(exports, "MAX_EXPORT_ROWS", 25)
        self.assertIn("value", self.export())
        # Lists make more rows than there are records.
        self.some[0].child_ids = [Command.create({"name": f"{n}"}) for n in range(2)]
        answer = self.export("name", "child_ids.name")
        self.assertEqual(self.kind_of(answer), "too_large")

    def test_too_large(self):
        for form in ("csv", "xlsx"):
            with self.subTest(form=form):
                self.patch(exports, "MAX_FILE", 100)
                self.assertEqual(self.kind_of(self.export(format=form)), "too_large")

    def test_too_long(self):
        for limit in ("PATIENCE", "COMPUTING"):
            with self.subTest(limit=limit), patch.object(exports, limit, -1):
                self.assertEqual(self.kind_of(self.export()), "too_large")

    # ---- who, and what ----

    @mute_logger(*ACLS)
    def test_who_may_not(self):
        token = self.link(self.export())
        self.people["user"].group_ids = [Command.unlink(self.may_export.id)]
        self.env.flush_all()
        self.assertEqual(self.kind_of(self.export()), "forbidden")
        # Nor what was made before.
        self.assertEqual(self.taken(token), "not_found")
        self.assertIn("value", self.call("res.partner", "search_read", fields=["name"]))

    def test_the_scope(self):
        token = self.link(self.export())
        self.connection.scope_ids -= self.env.ref("doorman.scope_search")
        self.assertEqual(self.kind_of(self.export()), "not_allowed")
        self.assertEqual(self.taken(token), "not_found")

    def test_the_tool(self):
        """Switched off in the catalog, or not among those of the connection."""
        known = self.env["doorman.tool"].search([("name", "=", "export_records")])
        tool = known or self.tool("export_records")
        other = self.tool("some_other_tool")
        self.connection.allowed_tool_ids = [Command.set(other.ids)]
        self.assertEqual(self.kind_of(self.export()), "not_allowed")
        self.connection.allowed_tool_ids += tool
        self.assertIn("value", self.export())
        tool._inside().write({"active": False})
        self.assertEqual(self.kind_of(self.export()), "not_allowed")

    @mute_logger(*ACLS)
    def test_what_ends_its_link(self):
        ends = {
            "revoked": self.connection.action_revoke,
            "models": lambda: self.allow_models("res.country"),
            "expired": lambda: self.env.cr.execute(
                "UPDATE doorman_file SET kept_until = now() at time zone 'utc'"
            ),
            "switched off": lambda: self.settings._switch(False),
        }
        for what, end in ends.items():
            with self.subTest(what=what), self.env.cr.savepoint() as savepoint:
                token = self.link(self.export())
                end()
                self.env.flush_all()
                self.assertIsInstance(self.taken(token), str)
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()
        token = self.link(self.export())
        self.assertIsInstance(self.taken(token), bytes)
        self.assertEqual(self.taken(token), "not_found")
        answer = self.export()
        other = self.connection2._issue_key()
        from ..common import proof_of

        opened = self.gateway.file_link(
            self.fence(proof_of(other)), answer["value"]["ticket"], proof_of("x")
        )
        self.assertEqual(opened["error"]["kind"], "not_found")

    @mute_logger(*ACLS)
    def test_closed_models_and_fields(self):
        for kind, fields, model in (
            ("not_allowed", ["user_ids.password"], "res.partner"),
            ("not_allowed", ["user_ids/password"], "res.partner"),
            ("not_allowed", ["access_token"], "ir.attachment"),
            ("not_allowed", ["user_ids.api_key_ids.name"], "res.partner"),
            ("not_allowed", ["user_ids/api_key_ids"], "res.partner"),
            ("not_allowed", ["name"], "doorman.connection"),
            ("not_allowed", ["key", "value"], "ir.config_parameter"),
            ("unknown_field", ["name", "nme"], "res.partner"),
            ("unknown_field", ["country_id.cod"], "res.partner"),
            ("unknown_field", ["name; drop table"], "res.partner"),
            ("invalid_input", ["name.x"], "res.partner"),
            ("invalid_input", ["image_1920"], "res.partner"),
            ("invalid_input", ["parent_id/image_1920"], "res.partner"),
            ("invalid_input", ["country_id."], "res.partner"),
            ("invalid_input", ["/name"], "res.partner"),
            ("invalid_input", [".id"], "res.partner"),
            ("invalid_input", [], "res.partner"),
            ("invalid_input", "name", "res.partner"),
            ("invalid_input", [1], "res.partner"),
            ("invalid_input", ["name"] * 101, "res.partner"),
            ("invalid_input", ["/".join(["parent_id"] * 30)], "res.partner"),
            ("unknown_model", ["name"], "res.nothing"),
            ("unknown_model", ["id"], "mail.thread"),
        ):
            with self.subTest(fields=fields, model=model):
                answer = self.call(model, "export_records", domain=[], fields=fields)
                self.assertEqual(self.kind_of(answer), kind, answer)
        for kwargs in (
            {"format": "ods"},
            {"order": "name"},
            {"limit": 1},
            {"format": 1},
        ):
            with self.subTest(kwargs=kwargs):
                answer = self.export("name", **kwargs)
                self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertEqual(self.waits(), 0)

    def test_paths_into_models_of_the_list(self):
        self.allow_models("res.partner", "res.country")
        self.assertIn("value", self.export("name", "country_id.code", "parent_id.name"))
        # The name of what a record points at comes with every read, too.
        self.assertIn("value", self.export("name", "company_id"))
        for path in (
            "bank_ids.acc_number",
            "bank_ids",
            "parent_id.bank_ids.acc_number",
            "country_id.currency_id.name",
            "user_ids.login",
            "category_id",
            "message_ids.body",
            "activity_ids",
        ):
            with self.subTest(path=path):
                self.assertEqual(self.kind_of(self.export(path)), "not_allowed")
        for domain in (
            [["bank_ids.acc_number", "like", "BE"]],
            [["user_ids.password", "!=", False]],
        ):
            with self.subTest(domain=domain):
                answer = self.export("name", domain=domain)
                self.assertEqual(self.kind_of(answer), "not_allowed")
        self.allow_models("res.country")
        self.assertEqual(self.kind_of(self.export("name")), "not_allowed")

    @mute_logger(*ACLS, "odoo.models")
    def test_rights_are_the_users(self):
        """Records, fields and models that this user may not read."""
        self.env["ir.rule"].create(
            {
                "name": "odd",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[('color', '!=', 3)]",
            }
        )
        rows = self.table(self.export("color"))[1:]
        self.assertEqual(len(rows), 24)
        self.assertNotIn(["3"], rows)
        # Through a relation, Odoo refuses the whole.
        self.some[4].parent_id = self.some[3]
        self.assertEqual(self.kind_of(self.export("parent_id.email")), "forbidden")
        self.patch(
            self.env["res.partner"]._fields["ref"], "groups", "base.group_system"
        )
        self.assertEqual(self.kind_of(self.export("ref")), "forbidden")
        self.assertEqual(self.kind_of(self.export("parent_id.ref")), "forbidden")

    def test_it_is_a_read(self):
        self.connection.read_only = True
        self.assertIn("value", self.export())
        answer = self.export(more={"dry_run": True})
        self.assertEqual(self.kind_of(answer), "invalid_input")


@tagged("post_install", "-at_install")
class TestExportsApproval(ExportMixin, ApprovalCase):
    def asked(self, **vals):
        """Whether an export waits, under a rule."""
        with self.env.cr.savepoint() as savepoint:
            self.rule(reads=True, **vals)
            kind = self.kind_of(self.export())
            savepoint.rollback()
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()
        return kind

    def test_rules_for_many(self):
        partner = self.env["ir.model"]._get_id("res.partner")
        waits, ok = "pending_approval", "ok"
        self.assertEqual(self.asked(model_id=partner, more_than=24), waits)
        self.assertEqual(self.asked(model_id=partner, more_than=25), ok)
        self.assertEqual(self.asked(more_than=24), waits)
        self.assertEqual(self.asked(model_id=partner), waits)
        country = self.env["ir.model"]._get_id("res.country")
        with self.env.cr.savepoint() as savepoint:
            self.rule(reads=True, model_id=country)
            # Not read by way of another model, either.
            self.assertEqual(
                self.kind_of(self.export("country_id.code")), "not_allowed"
            )
            self.assertEqual(self.kind_of(self.export("name")), ok)
            savepoint.rollback()

    def test_after_approval(self):
        self.rule(reads=True, model_id=self.env["ir.model"]._get_id("res.partner"))
        answer = self.export()
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertIn("Export", approval.summary)
        self.assertIn("CSV", approval.summary)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertNotIn("Export 0001", approval.result)
        value = self.status(approval)["value"]
        self.assertIn(b"Export 0001", self.taken(self.link({"value": value})))
