"""What a policy closes, where it shows by another way than a read of its field: as a
file, as the name of a group, as the words of a link, as a person's login, as a change
that Odoo's code has set off."""

import base64

from markupsafe import Markup

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy.in_force import NOT_SHOWN
from ..rules_common import RulesCase
from ..tools.test_exports import ExportMixin
from ..tools.test_files import ACLS, PNG

PARTNER, FILE, MESSAGE = "res.partner", "ir.attachment", "mail.message"
DEAL = (
    '<p>From <a href="#" data-oe-model="res.country" data-oe-id="%s">Big deal</a></p>'
)


@tagged("post_install", "-at_install")
class TestHiddenElsewhere(ExportMixin, RulesCase):
    # ---- files that are what a field holds ----

    def picture(self, record=None):
        """The file in which Odoo keeps the picture of a contact."""
        record = record or self.acme
        record.image_1920 = base64.b64encode(PNG)
        domain = [
            ("res_model", "=", PARTNER),
            ("res_id", "=", record.id),
            ("res_field", "=", "image_1920"),
        ]
        return self.env[FILE].search(domain)

    def ways_to(self, file):
        """:return: how each way to a file ends: ``ok``, a number, or a refusal"""
        mine = [["id", "=", file.id]]
        rows = self.call(FILE, "search_read", domain=mine, fields=["checksum"])
        return {
            "fetched": self.kind_of(self.get(file)),
            "read": self.kind(FILE, "read", file.ids, fields=["checksum"]),
            "found": len(rows["value"]),
            "guessed": self.count([["checksum", "=", file.checksum], *mine], FILE),
            "exported": len(self.table(self.export("name", model=FILE, domain=mine))),
            "written": self.kind_of(self.write(file, {"name": "n"})),
            "deleted": self.kind(FILE, "unlink", file.ids),
        }

    def test_allow_files(self):
        open_ways = {
            "fetched": "ok",
            "read": "ok",
            "found": 1,
            "guessed": 1,
            "exported": 2,
            "written": "ok",
            "deleted": "ok",
        }
        self.assertEqual(self.ways_to(self.picture()), open_ways)
        # With a rule that hides something else.
        self.rule_for(PARTNER, hidden=["email"])
        self.assertEqual(self.ways_to(self.picture()), open_ways)
        self.connection.model_rule_ids.unlink()
        # What is attached to the record is no field's.
        self.rule_for(PARTNER, hidden=["image_1920"])
        self.assertEqual(self.ways_to(self.file()), open_ways)

    @mute_logger(*ACLS)
    def test_deny_files(self):
        file = self.picture()
        closed = {
            "fetched": "not_allowed",
            "read": "not_allowed",
            "found": 0,
            "guessed": 0,
            "exported": 1,
            "written": "not_allowed",
            "deleted": "not_allowed",
        }
        rule = self.rule_for(PARTNER, hidden=["image_1920"])
        self.assertEqual(self.ways_to(file), closed)
        # And of all records that are there, whatever is hidden besides.
        rule.domain = f"[('id', '=', {self.acme.id})]"
        self.assertEqual(self.ways_to(file), closed)
        self.assertEqual(self.ways_to(self.picture(self.other)), closed)

    def test_a_field_s_own_file_is_told_when_it_is_deleted(self):
        file = self.picture()
        answer = self.call(FILE, "unlink", file.ids)
        [changed] = answer["value"]["changed"]
        told = {"model": FILE, "action": "deleted", "count": 1}
        self.assertEqual(changed, changed | told)

    # ---- groups that are called by linked records ----

    def grouped(self, lead, name):
        """What the groups of a lead by one of its properties are called."""
        spec = f"lead_properties.{name}"
        answer = self.call(
            "crm.lead",
            "formatted_read_group",
            domain=[["id", "=", lead.id]],
            groupby=[spec],
            aggregates=["__count"],
        )
        return [list(row[spec]) for row in answer["value"]]

    def test_groups_by_a_property(self):
        if "crm.lead" not in self.env:
            self.skipTest("needs crm")
        salesman = self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.people["user"].group_ids += salesman
        kinds = {"aaaa": "many2one", "bbbb": "many2many"}
        team = self.env["crm.team"].create(
            {
                "name": "T",
                "lead_properties_definition": [
                    {"name": name, "type": kind, "string": kind, "comodel": PARTNER}
                    for name, kind in kinds.items()
                ]
                + [{"name": "cccc", "type": "char", "string": "Word"}],
            }
        )
        values = {"aaaa": self.acme.id, "bbbb": self.acme.ids, "cccc": "Acme"}
        lead = self.env["crm.lead"].create(
            {"name": "Propped", "team_id": team.id, "lead_properties": values}
        )
        ident = self.acme.id
        cases = (
            ({"hidden": ["email"]}, "Acme"),
            ({"domain": f"[('id', '=', {ident})]"}, "Acme"),
            ({"domain": f"[('id', '!=', {ident})]"}, NOT_SHOWN),
            ({"hidden": ["name"]}, f"{PARTNER} {ident}"),
        )
        for rule, name in cases:
            with self.subTest(rule=rule):
                self.rule_for(PARTNER, **rule)
                for prop in kinds:
                    self.assertEqual(self.grouped(lead, prop), [[ident, name]])
                self.connection.model_rule_ids.unlink()

    def test_amounts_tell_their_currency(self):
        if "sale.order" not in self.env:
            self.skipTest("needs sale")
        salesman = self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.people["user"].group_ids += salesman
        for hidden, kind in (("note", "ok"), ("currency_id", "not_allowed")):
            self.rule_for("sale.order", hidden=[hidden])
            answer = self.call(
                "sale.order",
                "formatted_read_group",
                aggregates=["amount_total:sum"],
                facts=True,
            )
            self.assertEqual(self.kind_of(answer), kind)
            self.connection.model_rule_ids.unlink()

    # ---- the words of links ----

    def texts_of_links(self):
        """All that is told of a contact's notes with a link, and of a message."""
        text = Markup(DEAL) % self.belgium.id  # noqa: S704 a constant
        self.acme.comment = text
        message = self.acme.message_post(body=text)
        mine = [["id", "=", self.acme.id]]
        [_labels, exported] = self.table(self.export("comment", domain=mine))
        [read] = self.reads(message, "preview", "body")
        answer = self.write(self.acme, {"comment": "Nothing more"})
        [changed] = answer["value"]["changed"]
        [old, _new] = changed["values"][str(self.acme.id)]["comment"]
        return {
            "exported": exported[0],
            "preview": read["preview"],
            "body": read["body"],
            "changed": old,
        }

    def test_allow_links(self):
        for models in ((), (PARTNER, MESSAGE, "res.country")):
            self.connection.allowed_model_ids = False
            if models:
                self.allow_models(*models)
            for way, text in self.texts_of_links().items():
                with self.subTest(models=models, way=way):
                    self.assertIn("Big deal", text)
        # A message without a link has its beginning, whatever the models.
        self.allow_models(PARTNER, MESSAGE)
        message = self.acme.message_post(body="Plain words")
        self.assertEqual(self.reads(message, "preview")[0]["preview"], "Plain words")

    def test_deny_links(self):
        self.allow_models(PARTNER, MESSAGE)
        for way, text in self.texts_of_links().items():
            with self.subTest(way=way):
                self.assertIn(NOT_SHOWN, text)
                self.assertNotIn("deal", text)
        answer = self.export("preview", model=MESSAGE, domain=[])
        self.assertEqual(answer["error"]["code"], "field_not_exported")

    # ---- whom an activity is for ----

    def assigned(self, who):
        """How an activity for a user ends: their id, or the whole refusal."""
        more = {"dry_run": True}
        answer = self.call(
            PARTNER, "activity_schedule", self.acme.ids, more=more, user=who
        )
        if "error" in answer:
            return str(answer)
        return answer["value"]["changes"][0]["after"]["user_id"][0]

    def test_allow_users(self):
        found = self.people["user2"]
        for hidden, ways in (
            ((), (found.login, found.name, str(found.id))),
            (("login",), (found.name, str(found.id))),
            (("signature",), (found.login, found.name)),
        ):
            if hidden:
                self.rule_for("res.users", hidden=hidden)
            for who in ways:
                with self.subTest(hidden=hidden, who=who):
                    self.assertEqual(self.assigned(who), found.id)
            self.connection.model_rule_ids.unlink()
        self.people["internal"].name = found.name
        self.assertIn(found.login, self.assigned(found.name))

    def test_deny_users(self):
        found, other = self.people["user2"], self.people["internal"]
        self.rule_for("res.users", hidden=["login"])
        # A guess that is right, and one that is not.
        right, wrong = self.assigned(found.login), self.assigned("dm-nobody")
        self.assertEqual(right.replace(found.login, "dm-nobody"), wrong)
        other.name = found.name
        refused = self.assigned(found.name)
        self.assertIn("ambiguous_name", refused)
        self.assertNotIn(found.login, refused)
        self.connection.model_rule_ids.unlink()
        other.name = "Somebody else"
        self.rule_for("res.users", hidden=["name"])
        right, wrong = self.assigned(found.name), self.assigned("Test usex2")
        self.assertEqual(right.replace(found.name, "Test usex2"), wrong)

    # ---- what Odoo's code sets off ----

    def set_off(self, street):
        """What is told of a change that Odoo hands on to other contacts: as a dry run,
        and when it is made."""
        told = []
        for more in ({"dry_run": True}, {}):
            answer = self.write(self.acme, {"street": street}, more=more)["value"]
            told += answer.get("changes", answer.get("changed"))
        return [one for one in told if one.get("set_off")]

    def test_what_is_set_off(self):
        """An address goes to the people of a company, whose own it would replace."""
        kid = self.env[PARTNER].create(
            {"name": "Kid", "parent_id": self.acme.id, "type": "contact"}
        )
        self.assertEqual(len(self.set_off("First street")), 2)
        self.rule_for(PARTNER, hidden=["email"])
        dry, done = self.set_off("Second street")
        self.assertEqual((dry["id"], done["ids"]), (kid.id, kid.ids))
        self.connection.model_rule_ids.unlink()
        # The street that it has shows in nothing.
        self.rule_for(PARTNER, domain=f"[('id', '!=', {kid.id})]")
        self.assertEqual(self.set_off("Third street"), [])
        self.acme.street = "Fourth street"
        self.assertEqual(kid.street, "Fourth street")
        self.env.cr.execute(
            "UPDATE res_partner SET street = 'Fifth street' WHERE id = %s", kid.ids
        )
        self.env.invalidate_all()
        self.assertEqual(self.set_off("Fifth street"), [])
        self.assertEqual(kid.street, "Fifth street")

    # ---- links to records that are not there ----

    def linking(self, ident):
        """What puts a contact into a company, each way that a caller has.

        :return: how each ends, and all that was told
        """
        told, dry = {}, {"dry_run": True}
        for name, value in {
            "an id": ident,
            "as text": str(ident),
            "as read": [ident, NOT_SHOWN],
            "an object": {"id": ident, "name": "x"},
        }.items():
            told[name] = self.write(self.acme, {"parent_id": value}, more=dry)
        told["each"] = self.call(
            PARTNER,
            "write",
            (self.acme + self.child).ids,
            vals_each=[{"function": "CEO"}, {"parent_id": ident}],
            more=dry,
        )
        told["new"] = self.create({"name": "New", "parent_id": ident}, more=dry)
        line = {"acc_number": "BE71 0961 2345 6769", "partner_id": ident}
        told["a line"] = self.write(self.acme, {"bank_ids": [[0, 0, line]]}, more=dry)
        told["a copy"] = self.call(
            PARTNER, "copy", self.acme.ids, default={"parent_id": ident}, more=dry
        )
        if "sale.order" in self.env:
            group = self.env.ref("sales_team.group_sale_salesman_all_leads")
            self.people["user"].group_ids += group
            vals = {"partner_id": ident}
            told["an order"] = self.create(vals, model="sale.order", more=dry)
        return {name: self.kind_of(answer) for name, answer in told.items()}, str(told)

    def omega(self):
        """One with an address and a number, which the people in it get."""
        return self.env[PARTNER].create(
            {"name": "Omega", "is_company": True, "street": "Quiet street", "ref": "R"}
        )

    def test_allow_links_to_records(self):
        company = self.omega()
        for rule in ({}, {"hidden": ["email"]}, {"domain": "[('ref', '!=', 'Q')]"}):
            if rule:
                self.rule_for(PARTNER, **rule)
            with self.subTest(rule=rule):
                ended, told = self.linking(company.id)
                self.assertEqual(set(ended.values()), {"ok"}, ended)
                self.assertIn("Quiet street", told)
            self.connection.model_rule_ids.unlink()

    def test_deny_links_to_records(self):
        company = self.omega()
        self.rule_for(PARTNER, domain="[('ref', '!=', 'R')]")
        ended, told = self.linking(company.id)
        self.assertEqual(set(ended.values()), {"not_allowed"}, ended)
        for secret in ("Quiet street", "Omega"):
            self.assertNotIn(secret, told)

    def test_a_link_that_is_there_stays(self):
        company = self.omega()
        self.acme.parent_id = company
        self.rule_for(PARTNER, domain="[('ref', '!=', 'R')]")
        [row] = self.reads(self.acme, "parent_id")
        self.assertEqual(row["parent_id"][1], NOT_SHOWN)
        vals = {"parent_id": row["parent_id"], "function": "CEO"}
        self.assertEqual(self.kind_of(self.write(self.acme, vals)), "ok")
        # Not so where the other one would get it.
        answer = self.write(self.acme + self.child, {"parent_id": company.id})
        self.assertEqual(self.kind_of(answer), "not_allowed")
        # Back to what was there before.
        done = self.write(self.acme, {"parent_id": False})["value"]
        self.assertFalse(self.acme.parent_id)
        answer = self.call(False, "undo_change", change=done["change_id"], partly=True)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(self.acme.parent_id, company)
