"""The forms in which values may be sent. What Odoo then holds is read from Odoo."""

import json
from datetime import date

from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ...policy import moments
from ..common import ApprovalCase, WriteCase

NO, BAD, WHICH, GONE = "not_allowed", "invalid_input", "unknown_field", "not_found"
NOBODY = 2**31 - 1

# (as written, the date, the time in UTC of somebody in Brussels)
MOMENTS = [
    ("2026-12-01", "2026-12-01", "2026-11-30 23:00:00"),
    ("2026-07-01", "2026-07-01", "2026-06-30 22:00:00"),
    ("20261201", "2026-12-01", "2026-11-30 23:00:00"),
    ("2026-12-01 10:30:00", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T10:30:00", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T10:30", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T10:30:00Z", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01t10:30:00z", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T10:30:00.123Z", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T10:30:00.123456+01:00", "2026-12-01", "2026-12-01 09:30:00"),
    ("2026-12-01T10:30:00+0100", "2026-12-01", "2026-12-01 09:30:00"),
    ("2026-12-01T10:30-05:00", "2026-12-01", "2026-12-01 15:30:00"),
    ("2026-12-01 10:30:00 +01:00", "2026-12-01", "2026-12-01 09:30:00"),
    ("2026-12-01 10:30:00 UTC", "2026-12-01", "2026-12-01 10:30:00"),
    ("2026-12-01T00:30:00+14:00", "2026-12-01", "2026-11-30 10:30:00"),
    (" 2026-12-01 ", "2026-12-01", "2026-11-30 23:00:00"),
]
NO_MOMENTS = [
    *("", "2026", "2026-12", "2026-13-01", "2026-02-30", "01/12/2026", "1.12.2026"),
    *("tomorrow", "2026-12-01T25:00", "2026-12-01T10:30+99:00", "12:30", "now"),
    *(20261201, 1.5, True, None, [], {}, "0001-01-01T00:00+01:00"),
]


@tagged("post_install", "-at_install")
class TestMoments(BaseCase):
    def test_moments(self):
        import pytz

        zone = pytz.timezone("Europe/Brussels")
        for text, day, time in MOMENTS:
            with self.subTest(text=text):
                self.assertEqual(moments.date_text(text), day)
                self.assertEqual(moments.time_text(text, zone), time)
        for text in NO_MOMENTS:
            with self.subTest(text=text):
                self.assertIsNone(moments.time_text(text, zone))


@tagged("post_install", "-at_install")
class TestInputForms(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].tz = "Europe/Brussels"
        cls.belgium, cls.france = cls.env.ref("base.be"), cls.env.ref("base.fr")
        tags = cls.env["res.partner.category"]
        cls.vip, cls.old = tags.create([{"name": "Zyxw VIP"}, {"name": "Zyxw old"}])
        cls.parent = cls.env["res.partner"].create(
            {"name": "Zyxw Holding", "is_company": True}
        )

    def setUp(self):
        super().setUp()
        self.env["res.partner.category"].search([]).flush_recordset()

    def sets(self, vals, **expected):
        """Write values, and look in Odoo what the record holds then."""
        answer = self.write(self.acme, vals)
        self.assertIn("value", answer, vals)
        for name, value in expected.items():
            self.assertEqual(self.acme[name], value, (vals, name))

    def refuses(self, vals, kind, *words, records=None):
        answer = self.write(records or self.acme, vals)
        self.assertEqual(self.kind_of(answer), kind, (vals, answer))
        text = answer["error"]["message"] + " " + answer["error"]["hint"]
        for word in words:
            self.assertIn(word, text, vals)
        return text

    # ---- single values ----

    def test_single_values(self):
        for field, value, held in (
            ("color", "3", 3), ("color", " 4 ", 4), ("color", "5.0", 5),
            ("color", 6.0, 6), ("color", None, 0), ("color", "", 0),
            ("partner_latitude", "12.5", 12.5), ("partner_latitude", "-3", -3.0),
            ("partner_latitude", "", 0.0),
            ("employee", "true", True), ("employee", "False", False),
            ("employee", "1", True), ("employee", 0, False), ("employee", "TRUE", True),
            ("employee", None, False), ("employee", "0", False),
            ("type", "invoice", "invoice"), ("type", "Delivery", "delivery"),
            ("type", "OTHER", "other"), ("type", None, False),
            ("type", "", False),
            ("ref", "", False), ("ref", None, False), ("ref", 12, "12"),
            ("ref", "12,5", "12,5"), ("name", "[x] {y}", "[x] {y}"),
        ):  # fmt: skip
            with self.subTest(field=field, value=value):
                if field == "ref" and value == "":
                    held = ""
                self.sets({field: value}, **{field: held})

    def test_single_values_that_are_none(self):
        for field, value, *words in (
            ("color", "12,5", "res.partner.color", "number"),
            ("color", "1.5", "res.partner.color"),
            ("color", "1e3"), ("color", "0x10"), ("color", "three"), ("color", "1_000"),
            ("color", [1]), ("color", {"amount": 3}), ("color", "9" * 40),
            ("partner_latitude", "12,5"), ("partner_latitude", "1.000,50"),
            ("partner_latitude", "1,000.50"), ("partner_latitude", "NaN"),
            ("partner_latitude", True),
            ("employee", "yes"), ("employee", "on"), ("employee", 2),
            ("employee", "vrai"),
            ("type", "invioce", "invoice"), ("type", "Delivry", "delivery"),
            ("type", True), ("type", ["invoice"]), ("type", 3),
            ("name", ["x"]), ("name", {"en_US": "x"}),
        ):  # fmt: skip
            with self.subTest(field=field, value=value):
                self.refuses({field: value}, BAD, f"res.partner.{field}", *words)

    def test_labels_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        field = self.env["ir.model.fields"]._get("res.partner", "type")
        choice = field.selection_ids.filtered(lambda s: s.value == "delivery")
        choice.with_context(lang="fr_FR").name = "Livraison"
        self.env.registry.clear_all_caches()
        self.people["user"].lang = "fr_FR"
        french = {"context": {"lang": "fr_FR"}}
        for value in ("Livraison", "Delivery", "delivery"):
            self.acme.type = "other"
            answer = self.write(self.acme, {"type": value}, more=french)
            self.assertIn("value", answer)
            self.assertEqual(self.acme.type, "delivery")

    def test_dates_and_times(self):
        kind = self.env.ref("mail.mail_activity_data_todo").id
        for text, day, _time in MOMENTS:
            with self.subTest(text=text):
                vals = {
                    "res_model": "res.partner",
                    "res_id": self.acme.id,
                    "activity_type_id": kind,
                    "date_deadline": text,
                }
                answer = self.create(vals, model="mail.activity")
                activity = self.env["mail.activity"].browse(answer["value"]["ids"])
                self.assertEqual(activity.date_deadline, date.fromisoformat(day))
        for text in ("2026-13-01", "01/12/2026", "soon", 7, True):
            with self.subTest(text=text):
                vals["date_deadline"] = text
                answer = self.create(vals, model="mail.activity")
                self.assertEqual(self.kind_of(answer), BAD)
                self.assertIn("date_deadline", answer["error"]["message"])

    def test_text_is_no_html(self):
        self.sets({"comment": "a < b\nand more"})
        self.assertIn("a &lt; b", self.acme.comment)
        self.assertIn("<br", self.acme.comment)
        self.sets({"comment": "<p>a <b>b</b></p>"}, comment="<p>a <b>b</b></p>")
        self.sets({"comment": "Tom &amp; Jerry"})
        self.assertIn("Tom &amp; Jerry", self.acme.comment)

    # ---- one record ----

    def test_a_many2one(self):
        be = self.belgium
        for value in (
            be.id, float(be.id), str(be.id), {"id": be.id}, [be.id, "Belgium"],
            {"id": be.id, "name": "Belgium"}, {"id": be.id, "display_name": "Belgium"},
            json.dumps({"id": be.id, "name": "Belgium"}), f'[{be.id}, "Belgium"]',
            "Belgium", "belgium", " BELGIUM ", {"name": "Belgium"}, "Belgi",
        ):  # fmt: skip
            with self.subTest(value=value):
                self.acme.country_id = self.france
                self.sets({"country_id": value}, country_id=be)
        for value in (False, None, ""):
            self.acme.country_id = be
            self.sets({"country_id": value}, country_id=self.env["res.country"])

    def test_a_many2one_that_is_none(self):
        countries = self.env["res.country"].search_count([])
        for value, kind, *words in (
            (NOBODY, GONE, "res.partner.country_id", str(NOBODY)),
            (str(NOBODY), GONE, str(NOBODY)),
            ({"id": NOBODY, "name": "Belgium"}, GONE),
            ("Belgum", BAD, "res.partner.country_id", f"{self.belgium.id} Belgium"),
            ("Freedonia", BAD, "Freedonia"),
            ("elgium", BAD),
            ({"name": "Belgium", "code": "BE"}, BAD),
            ({"code": "BE"}, BAD), ({}, BAD), ([], BAD), ([self.belgium.id], BAD),
            ([[0, 0, {"name": "x"}]], BAD), ([0, 0, {"name": "x"}], BAD),
            (True, BAD), (1.5, BAD), (-1, BAD), (0, BAD), (2**31, BAD),
            ("a\0b", BAD), ("%", BAD), ("_elgium", BAD), ("  ", BAD),
        ):  # fmt: skip
            with self.subTest(value=value):
                self.refuses({"country_id": value}, kind, *words)
        self.assertEqual(self.env["res.country"].search_count([]), countries)

    def test_a_name_of_several(self):
        twins = self.env["res.partner"].create([{"name": "Zyxw Twin"}] * 2)
        words = [f"{twin.id} Zyxw Twin" for twin in twins]
        self.refuses({"parent_id": "Zyxw Twin"}, BAD, "more than one", *words)
        twins[1].active = False
        self.sets({"parent_id": "Zyxw Twin"}, parent_id=twins[0])

    def test_a_name_as_replies_tell_it(self):
        """Odoo's own search does not know the whole of it."""
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        bank, _other = self.env["res.bank"].create(
            [{"name": "Zyxw Bank", "bic": "ZYXWBEBB"}, {"name": "Zyxw Bank"}]
        )
        self.assertEqual(bank.display_name, "Zyxw Bank - ZYXWBEBB")
        for text in (bank.display_name, bank.display_name.upper()):
            account = {"acc_number": f"BE{len(text)}{text[-1]}", "bank_id": text}
            vals = {"name": "Zyxw", "bank_ids": [account]}
            made = self.env["res.partner"].browse(self.create(vals)["value"]["ids"])
            self.assertEqual(made.bank_ids.bank_id, bank)
        bank.copy()
        answer = self.create({"name": "Zyxw", "bank_ids": [account]})
        self.assertEqual(answer["error"]["code"], "ambiguous_name")
        account["bank_id"] = "Zyxw Bank - OTHERBIC"
        answer = self.create({"name": "Zyxw", "bank_ids": [account]})
        self.assertEqual(answer["error"]["code"], "unknown_record_name")

    def test_a_number_that_is_also_a_name(self):
        other = self.env["res.partner"].create({"name": str(self.parent.id)})
        text = str(self.parent.id)
        self.refuses({"parent_id": text}, BAD, f"{other.id} {text}")
        self.sets({"parent_id": self.parent.id}, parent_id=self.parent)

    def test_names_reach_nothing_that_may_not_be_read(self):
        hidden = self.env["res.partner"].create(
            {
                "name": "Zyxw Hidden",
                "company_id": self.env["res.company"].create({"name": "Far away"}).id,
            }
        )
        text = self.refuses({"parent_id": "Zyxw Hidden"}, BAD)
        self.assertNotIn(str(hidden.id), text)
        # Another model than the connection may use: not by its names.
        self.allow_models("res.partner")
        self.refuses({"country_id": "Belgium"}, NO, "res.country")
        self.refuses({"country_id": {"name": "Belgium"}}, NO)
        self.refuses({"category_id": ["Zyxw VIP"]}, NO)
        self.sets({"country_id": self.belgium.id}, country_id=self.belgium)

    def test_closed_fields_stay_closed_in_every_form(self):
        login = self.people["user2"].id
        for vals in (
            {"user_ids": [{"login": "x"}]}, {"user_ids": [[4, login]]},
            {"user_ids": f'[[1,{login},{{"name":"x"}}]]'},
            {"image_1920": {"size": "3 bytes"}}, {"create_uid": {"id": 1, "name": "x"}},
            {"message_ids": [{"body": "x"}]}, {"message_ids": '[[2,1,0]]'},
            {"child_ids": [{"name": "c", "user_ids": [{"login": "x"}]}]},
            {"child_ids": '[{"name": "c", "image_1920": "x"}]'},
            {"child_ids": [[0, 0, '{"name": "c", "create_uid": 1}']]},
        ):  # fmt: skip
            with self.subTest(vals=vals):
                self.assertEqual(self.kind_of(self.write(self.acme, vals)), NO)
        for vals in (
            {"user_ids": [login]}, {"user_ids": {"ids": [login]}},
            {"user_ids": [{"id": login, "password": "x"}]},
        ):  # fmt: skip
            with self.subTest(vals=vals):
                self.assertEqual(self.kind_of(self.write(self.acme, vals)), BAD)
        self.assertFalse(self.acme.user_ids)

    def test_lines_of_a_model_that_may_not_be_used_are_not_told(self):
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "BE71096123456769", "partner_id": self.acme.id}
        )
        self.allow_models("res.partner")
        for value in ([], [NOBODY], [bank.id], [{"id": bank.id}], {"ids": []}, None):
            with self.subTest(value=value):
                self.refuses({"bank_ids": value}, NO, "res.partner.bank")

    # ---- lists of records ----

    def test_a_many2many(self):
        vip, old = self.vip, self.old
        both = vip + old
        for value, held in (
            ([vip.id, old.id], both), ([vip.id], vip), (vip.id, vip),
            ([str(vip.id)], vip), (f"[{vip.id}]", vip), (str(vip.id), vip),
            ({"ids": vip.ids, "names": ["Zyxw VIP"]}, vip), ({"ids": []}, old[:0]),
            ([{"id": vip.id, "name": "Zyxw VIP"}, {"id": old.id}], both),
            ([[vip.id, "Zyxw VIP"], [old.id, "Zyxw old"]], both),
            ([vip.id, "Zyxw VIP"], vip), (["Zyxw VIP", "zyxw OLD"], both),
            ("Zyxw VIP", vip), ([{"name": "Zyxw VIP"}], vip), ([vip.id, vip.id], vip),
            ([[6, 0, [vip.id]]], vip), ([6, 0, [vip.id]], vip),
            ([[6, 0, ["Zyxw VIP"]]], vip), (f"[[6,0,[{vip.id}]]]", vip),
            ([[5, 0, 0], vip.id], vip), ([[5, 0, 0], [4, "Zyxw VIP", 0]], vip),
            ([], old[:0]), (False, old[:0]), (None, old[:0]), ("", old[:0]),
            ([vip.id, [3, old.id]], vip), ([vip.id, "Zyxw old"], both),
            (["Zyxw VIP", old.id], both), ([[vip.id, "Zyxw old"]], vip),
        ):  # fmt: skip
            with self.subTest(value=value):
                self.acme.category_id = old
                self.sets({"category_id": value}, category_id=held)
        self.acme.category_id = old
        self.sets({"category_id": [[4, vip.id, 0]]}, category_id=both)

    def test_a_many2many_that_is_none(self):
        vip, count = self.vip, self.env["res.partner.category"].search_count([])
        for value, kind, *words in (
            ([vip.id, NOBODY], GONE, "res.partner.category_id", str(NOBODY)),
            (["Zyxw VPI"], BAD, "category_id"),
            (["New tag"], BAD), ([{"name": "New tag"}], BAD),
            ([{"name": "New tag", "color": 3}], BAD, "[[0,0,{values}]]"),
            ({"ids": [vip.id], "names": ["Zyxw VIP"], "count": 60}, BAD, "60"),
            ([True], BAD), ([None], BAD), ([[]], BAD), ([{}], BAD), (True, BAD),
            ([vip.id, 0], BAD), ([-1], BAD), ([1.5], BAD), ([["x"]], BAD),
        ):  # fmt: skip
            with self.subTest(value=value):
                self.acme.category_id = self.old
                self.refuses({"category_id": value}, kind, *words)
                self.assertEqual(self.acme.category_id, self.old)
        self.assertEqual(self.env["res.partner.category"].search_count([]), count)

    def test_lines(self):
        line = self.env["res.partner"].create(
            {"name": "One", "parent_id": self.acme.id}
        )
        names = lambda: sorted(self.acme.child_ids.mapped("name"))  # noqa: E731
        for value, held in (
            ([{"name": "Two"}], ["One", "Two"]),
            ({"name": "Two"}, ["One", "Two"]),
            ('[{"name": "Two"}, {"name": "Three"}]', ["One", "Three", "Two"]),
            ([{"id": line.id, "name": "First"}], ["First"]),
            ([{"id": str(line.id), "ref": "r"}, {"name": "Two"}], ["One", "Two"]),
            ([{"name": "Two"}, [1, line.id, {"name": "First"}]], ["First", "Two"]),
            ([[0, 0, {"name": "Two"}], {"name": "Three"}], ["One", "Three", "Two"]),
            ([[0, 0, '{"name": "Two"}']], ["One", "Two"]),
            ([{"name": "Two", "child_ids": [{"name": "Deep"}]}], ["One", "Two"]),
            ([], ["One"]), (line.ids, ["One"]),
            ({"ids": line.ids, "names": ["One"]}, ["One"]),
            ([{"id": line.id, "name": line.display_name}], ["One"]),
            ([[line.id, "whatever"]], ["One"]),
            ([[5, 0, 0]], []),
        ):  # fmt: skip
            with self.subTest(value=value), self.env.cr.savepoint() as savepoint:
                self.sets({"child_ids": value})
                self.assertEqual(names(), held)
                savepoint.rollback()
                self.env.invalidate_all()
        answer = self.create(
            {"name": "Zyxw", "child_ids": [{"name": "a", "country_id": "Belgium"}]}
        )
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertEqual(made.child_ids.country_id, self.belgium)

    def test_lines_that_are_none(self):
        mine, second, other = self.env["res.partner"].create(
            [
                {"name": "One", "parent_id": self.acme.id},
                {"name": "Two", "parent_id": self.acme.id},
                {"name": "Other", "parent_id": self.parent.id},
            ]
        )
        for value, *words in (
            (None, "res.partner.child_ids", "[]"), (False, "[]"), ("", "[]"),
            ([mine.id], str(second.id)),
            ({"ids": [mine.id]}, str(second.id)),
            ([{"id": other.id, "name": "Stolen"}], str(other.id)),
            ([other.id],), ([{"id": other.id}],), ([[other.id, "Other"]],),
            ([{"id": NOBODY, "name": "x"}],),
            ([True],), ([{}],), (["One"],), ("One",), ([[]],), ([None],), (True,),
            ({"ids": [mine.id], "count": 60}, "60"),
        ):  # fmt: skip
            with self.subTest(value=value):
                self.refuses({"child_ids": value}, BAD, *words)
        self.assertEqual(other.name, "Other")
        self.assertEqual(other.parent_id, self.parent)
        self.assertEqual(self.acme.child_ids, mine + second)
        answer = self.create(
            {"name": "x", "child_ids": [{"id": other.id, "name": "y"}]}
        )
        self.assertEqual(self.kind_of(answer), BAD)

    def test_commands_in_text_are_commands(self):
        self.allow_models("res.partner")
        for value in (
            '[[0,0,{"name":"t"}]]', '[[5,0,0]]', ['[0,0,{"name":"t"}]'],
            f"[[4,{self.vip.id},0]]", f"[[1,{self.vip.id},{{}}]]",
        ):  # fmt: skip
            with self.subTest(value=value):
                self.assertEqual(
                    self.kind_of(self.write(self.acme, {"category_id": value})), NO
                )

    # ---- which record, and what does not exist ----

    def test_which_of_several(self):
        rows = [{"name": "a"}, {"name": "b", "country_id": NOBODY}, {"name": "c"}]
        error = self.create(*rows)["error"]
        self.assertEqual(error["kind"], GONE)
        self.assertIn("records[1]", error["message"])
        self.assertIn(str(NOBODY), error["message"])
        rows[1] = {"name": "b", "type": "nope"}
        self.assertIn(
            "records[1]: res.partner.type", self.create(*rows)["error"]["message"]
        )
        # Odoo's own refusals, too.
        rows[1] = {"name": False, "type": "contact"}
        error = self.create(*rows)["error"]
        self.assertEqual(error["kind"], "business_rule")
        self.assertIn("records[1]:", error["message"])
        self.assertFalse(self.partners("c"))
        more = self.env["res.partner"].create([{"name": "d"}, {"name": "e"}])
        answer = self.call(
            "res.partner", "write", more.ids, vals_each=[{"name": "f"}, {"color": "x"}]
        )
        self.assertIn(f"res.partner {more[1].id}:", answer["error"]["message"])
        answer = self.call(
            "res.partner", "write", more.ids, vals_each=[{"name": "f"}, {"name": False}]
        )
        self.assertIn(f"res.partner {more[1].id}:", answer["error"]["message"])
        self.assertEqual(more.mapped("name"), ["d", "e"])
        more[1].child_ids = [Command.create({"name": "child"})]
        answer = self.write(more, {"parent_id": more[1].child_ids.id})
        self.assertEqual(self.kind_of(answer), "business_rule")
        self.assertIn(f"res.partner {more[1].id}:", answer["error"]["message"])

    def test_what_odoo_works_out(self):
        for name, *words in (
            ("display_name", "computed by Odoo", "name"), ("commercial_partner_id",),
            ("contact_address", "street"), ("is_public",), ("same_vat_partner_id",),
        ):  # fmt: skip
            with self.subTest(name=name):
                field = self.acme._fields[name]
                value = False if field.type == "many2one" else "x"
                self.refuses({name: value}, BAD, f"res.partner.{name}", *words)
                answer = self.create({"name": "x", name: value})
                self.assertEqual(self.kind_of(answer), BAD)
        # Worked out, and yet anybody's to set: by an inverse, or as a mere default.
        self.sets({"company_type": "company"}, is_company=True)
        answer = self.create({"name": "x", "email": "a@b.example", "lang": "en_US"})
        self.assertIn("value", answer)

    # ---- properties ----

    def define(self):
        base = (
            self.env["properties.base.definition"]._get_definition_for_property_field(
                "res.partner", "properties"
            )
            if "properties.base.definition" in self.env
            else None
        )
        base = base or self.acme.properties_base_definition_id
        base.sudo().properties_definition = [
            {"name": "aa", "string": "Grade", "type": "selection",
             "selection": [["a", "Very good"], ["b", "Good"]]},
            {"name": "bb", "string": "Size", "type": "integer"},
            {"name": "cc", "string": "Remark", "type": "char"},
            {"name": "dd", "string": "Since", "type": "date"},
            {"name": "ee", "string": "Land", "type": "many2one",
             "comodel": "res.country"},
            {"name": "ff", "string": "Lands", "type": "many2many",
             "comodel": "res.country"},
            {"name": "gg", "string": "Marks", "type": "tags",
             "tags": [["x", "Hot", 1], ["y", "Cold", 2]]},
            {"name": "hh", "string": "Agreed", "type": "boolean"},
        ]  # fmt: skip

    def held(self, record=None):
        record = record or self.acme
        record.invalidate_recordset()
        [row] = record.read(["properties"])
        return {p["name"]: p.get("value") for p in row["properties"]}

    def test_properties(self):
        self.define()
        self.sets({"properties": {"bb": 7, "cc": "hello"}})
        be, fr = self.belgium.id, self.france.id
        for given, name, held in (
            ({"aa": "b"}, "aa", "b"), ({"Grade": "very good"}, "aa", "a"),
            ({"grade": None}, "aa", False), ({"aa": "Good"}, "aa", "b"),
            ({"dd": "2026-12-01T00:00:00Z"}, "dd", "2026-12-01"),
            ({"ee": be}, "ee", (be, "Belgium")),
            ({"ee": "France"}, "ee", (fr, "France")),
            ({"ee": {"id": be, "name": "Belgium"}}, "ee", (be, "Belgium")),
            ({"ff": ["Belgium", fr]}, "ff", [(be, "Belgium"), (fr, "France")]),
            ({"gg": ["Hot", "y"]}, "gg", ["x", "y"]), ({"Marks": "cold"}, "gg", ["y"]),
            ({"hh": "true"}, "hh", True), ('{"aa": "a"}', "aa", "a"),
            ([{"name": "aa", "type": "selection", "value": "b"}], "aa", "b"),
        ):  # fmt: skip
            with self.subTest(given=given):
                self.sets({"properties": given})
                self.assertEqual(self.held()[name], held)
                self.assertEqual(self.held()["cc"], "hello", "another one is lost")
                self.assertEqual(self.held()["bb"], 7)
        # What a read gives is a value, and changes nothing.
        before = self.held()
        rows = self.call("res.partner", "read", self.acme.ids, fields=["properties"])
        self.sets({"properties": rows["value"][0]["properties"]})
        self.assertEqual(self.held(), before)
        # Several records keep their own.
        more = self.env["res.partner"].create({"name": "more"})
        self.write(more, {"properties": {"cc": "mine"}})
        answer = self.write(self.acme + more, {"properties": {"bb": 9}})
        self.assertIn("value", answer)
        self.assertEqual(self.held(more)["cc"], "mine")
        self.assertEqual(self.held()["cc"], "hello")
        self.assertEqual({self.held()["bb"], self.held(more)["bb"]}, {9})

    def test_properties_that_are_none(self):
        self.define()
        self.sets({"properties": {"bb": 7}})
        for given, kind, *words in (
            ({"Grad": "a"}, WHICH, "Grad", "Grade"), ({"zz": 1}, WHICH),
            ({"aa": "c"}, BAD, "properties, Grade", "Very good"), ({"bb": "x"}, BAD),
            ({"bb": "1,5"}, BAD), ({"bb": True}, BAD), ({"bb": [1]}, BAD),
            ({"cc": {"a": 1}}, BAD), ({"dd": "soon"}, BAD, "Since"),
            ({"ee": NOBODY}, GONE), ({"ee": "Freedonia"}, BAD), ({"gg": ["Warm"]}, BAD),
            ({"hh": "maybe"}, BAD), ("x", BAD), ([1], BAD), (7, BAD),
            ([{"name": "aa", "value": "a", "definition_changed": True}], BAD),
            ([{"name": "aa", "value": "a", "definition_deleted": True}], BAD),
        ):  # fmt: skip
            with self.subTest(given=given):
                self.refuses({"properties": given}, kind, *words)
                self.assertEqual(self.held()["bb"], 7)
        self.allow_models("res.partner")
        self.refuses({"properties": {"ee": "Belgium"}}, NO)

    def test_properties_of_a_new_record(self):
        self.define()
        answer = self.create({"name": "new", "properties": {"Size": 4}})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertEqual(self.held(made)["bb"], 4)
        answer = self.create({"name": "new", "properties": {"Siez": 4}})
        self.assertEqual(self.kind_of(answer), WHICH)


@tagged("post_install", "-at_install")
class TestShapesWait(ApprovalCase):
    """A person sees what a name stands for, and approves that and nothing else."""

    def test_a_name_that_stands_for_another_one_by_now(self):
        self.gate("update_records")
        parents = self.env["res.partner"]
        first = parents.create({"name": "Zyxw Holding", "is_company": True})
        approval = self.waiting(
            "res.partner",
            "write",
            self.acme.ids,
            vals={"parent_id": "Zyxw Holding", "category_id": [], "type": "Delivery"},
        )
        told = json.dumps(approval.preview)
        self.assertIn("Zyxw Holding", told)
        first.name = "Another"
        second = parents.create({"name": "Zyxw Holding", "is_company": True})
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "pending", "it has to be reviewed again")
        self.assertFalse(self.acme.parent_id)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertEqual(self.acme.parent_id, second)

    def test_no_number_is_the_default(self):
        """A tag has a colour by itself, from 1 to 11."""
        rows = [{"name": "Zyxw tag", "color": None}]
        answer = self.call("res.partner.category", "create", vals_list=rows)
        tag = self.env["res.partner.category"].browse(answer["value"]["ids"])
        self.assertTrue(1 <= tag.color <= 11)
        self.write(tag, {"color": None})
        self.assertEqual(tag.color, 0)

    def test_a_name_that_is_gone(self):
        self.gate("create_records")
        parent = self.env["res.partner"].create({"name": "Zyxw Holding"})
        rows = [{"name": "Zyxw new", "parent_id": "Zyxw Holding"}]
        approval = self.waiting("res.partner", "create", vals_list=rows)
        parent.name = "Another"
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "failed")
        self.assertFalse(self.partners("Zyxw new"))

    def test_names_of_what_waits_to_be_read(self):
        country = self.env["ir.model"]._get_id("res.country")
        self.rule(reads=True, model_id=country)
        for value in ("Belgium", {"name": "Belgium"}):
            answer = self.write(
                self.acme, {"country_id": value}, more={"dry_run": True}
            )
            self.assertEqual(self.kind_of(answer), NO)
        ident = self.env.ref("base.be").id
        for value in (ident, str(ident), {"id": ident, "name": "Belgium"}):
            answer = self.write(
                self.acme, {"country_id": value}, more={"dry_run": True}
            )
            self.assertEqual(self.kind_of(answer), "ok")
