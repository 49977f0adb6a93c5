"""Links to records in what is read: as far as these may be told."""

from markupsafe import Markup

from odoo.tests import tagged

from ...policy import closed_models
from ...policy.in_force import NOT_SHOWN
from ..rules_common import RulesCase

OE = '<a href="#" data-oe-model="{}" data-oe-id="{}">Big <b>deal</b></a>'


@tagged("post_install", "-at_install")
class TestRecordLinks(RulesCase):
    def told(self, link):
        """What is read of a message with a link, and of a text."""
        text = Markup("<p>From %s, 1 &lt; 2</p>") % Markup(link)
        self.acme.message_post(body=text)
        self.acme.comment = text
        [message] = self.call("res.partner", "read_messages", self.acme.ids, limit=1)[
            "value"
        ]["messages"]
        [row] = self.reads(self.acme, "comment")
        bodies = message["body"], row["comment"]
        for body in bodies:
            self.assertIn("1 &lt; 2</p>", body)
            self.assertNotEqual("deal" in body, NOT_SHOWN in body)
        self.assertEqual("deal" in bodies[0], "deal" in bodies[1])
        return "deal" in bodies[0]

    def test_allow(self):
        belgium, acme = self.belgium.id, self.acme.id
        for models, link in (
            ((), OE.format("res.country", belgium)),
            (("res.partner",), OE.format("res.partner", acme)),
            (("res.partner",), OE.format("res.users", self.env.uid)),
            (("res.country",), OE.format("res.partner", acme)),
            (("res.partner",), '<a href="https://a.example/x">Big deal</a>'),
            (("res.partner",), '<a href="https://a.example/?model=x">Big deal</a>'),
            (("res.partner",), OE.format("no.such.model", 1)),
            (("res.partner", "res.country"), OE.format("res.country", belgium)),
        ):
            with self.subTest(models=models, link=link):
                models = {*models, "res.partner"} if models else ()
                self.allow_models(*models)
                self.assertTrue(self.told(link))

    def test_deny(self):
        belgium = self.belgium.id
        for link in (
            OE.format("res.country", belgium),
            OE.format("res.country", "x"),
            f'<a href="/odoo/res.country/{belgium}">Big deal</a>',
            f'<a href="/odoo/action-7/res.country/{belgium}">Big deal</a>',
            f'<a href="/mail/view?model=res.country&amp;res_id={belgium}">Big deal</a>',
            f'<a href="/web#id={belgium}&amp;model=res.country">Big deal</a>',
            OE.format("res.country", belgium) + OE.format("res.country", belgium),
        ):
            with self.subTest(link=link):
                self.allow_models("res.partner")
                self.assertFalse(self.told(link))

    def test_rules_of_names(self):
        link = OE.format("res.country", self.belgium.id)
        other = OE.format("res.country", self.env.ref("base.fr").id)
        for rule, told, told_other in (
            ({"domain": f"[('id', '=', {self.belgium.id})]"}, True, False),
            ({"hidden": ["code"]}, True, True),
            ({"hidden": ["name"]}, False, False),
            (dict.fromkeys(("perm_read", "perm_write", "perm_create", "perm_unlink"),
                           False), False, False),
        ):  # fmt: skip
            with self.subTest(rule=rule):
                line = self.rule_for("res.country", **rule)
                self.assertEqual(self.told(link), told)
                self.assertEqual(self.told(other), told_other)
                line.unlink()

    def test_what_inherits_a_file_hangs_as_it_does(self):
        """Also where its model does not look like a file: a document of a product."""
        pool = self.env.registry
        for model, field in (
            ("ir.attachment", "res_model"),
            ("mail.mail", "model"),
            ("product.document", "res_model"),
            ("res.partner", None),
            ("res.users", None),
        ):
            if model in pool:
                found = closed_models.owner_field(pool, model)
                self.assertEqual(found, field, model)

    def test_documents_of_products(self):
        if "product.document" not in self.env:
            self.skipTest("there is no product.document")
        self.people["user"].group_ids += (
            self.env.ref("product.group_product_manager", raise_if_not_found=False)
            or self.env["res.groups"]
        )
        product = self.env["product.template"].create({"name": "Secret"})
        document = self.env["product.document"].create(
            {"name": "D", "res_model": product._name, "res_id": product.id}
        )
        for models, found in (
            (("product.document",), "not_allowed"),
            (("product.document", "product.template"), "ok"),
        ):
            with self.subTest(models=models):
                self.allow_models(*models)
                answer = self.call(
                    "product.document", "read", document.ids, fields=["res_name"]
                )
                self.assertEqual(self.kind_of(answer), found)
                rows = self.call(
                    "product.document", "search_read", domain=[], fields=["res_name"]
                )["value"]
                self.assertEqual(document.id in [r["id"] for r in rows], found == "ok")
