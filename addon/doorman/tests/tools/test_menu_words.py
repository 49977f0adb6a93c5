from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ...policy import closed_fields, menu_words
from ..common import ApprovalCase, DoormanCase


@tagged("post_install", "-at_install")
class TestWords(BaseCase):
    """How words fit, without Odoo."""

    def test_stem(self):
        """One thing and several of it are the same word."""
        for one, many in (
            ("invoice", "invoices"),
            ("delivery", "deliveries"),
            ("quotation", "quotations"),
            ("customer", "customers"),
            ("expense", "expenses"),
            ("batch", "batches"),
            ("rechnung", "rechnungen"),
            ("kunde", "kunden"),
            ("aufgabe", "aufgaben"),
            ("lieferant", "lieferanten"),
            ("facture", "factures"),
            ("devis", "devis"),
            ("congé", "congés"),
        ):
            with self.subTest(one=one):
                self.assertEqual(menu_words.stem(one), menu_words.stem(many))
        for one, other in (("order", "offer"), ("lead", "leave"), ("bill", "bank")):
            self.assertNotEqual(menu_words.stem(one), menu_words.stem(other))

    def test_literal(self):
        for text, default, found in (
            ("[('a', '=', 1)]", [], [("a", "=", 1)]),
            ("[('a', '=', uid)]", [], []),
            ("", [], []),
            (None, {}, {}),
            ("{'a': 1, 'b': uid, 'c': [2]}", {}, {"a": 1, "b": None, "c": [2]}),
            ("{'a': 1", {}, {}),
            ("[" * 500, [], []),
            ("__import__('os').system('x')", [], []),
            ("7", [], []),
            ("{**x, 'a': 1}", {}, {"a": 1}),
        ):
            with self.subTest(text=str(text)[:30]):
                self.assertEqual(menu_words.literal(text, default), found)


class MenuMixin:
    def setUp(self):
        super().setUp()
        self.menu = self.make("Zorbs", "res.partner")

    def make(self, name, model, groups=None, action=None, **vals):
        """A menu that opens a model."""
        facts = {"name": action or name, "res_model": model} | vals
        window = self.env["ir.actions.act_window"].create(facts)
        return self.env["ir.ui.menu"].create(
            {
                "name": name,
                "action": f"ir.actions.act_window,{window.id}",
                "parent_id": self.env["ir.ui.menu"].create({"name": "Quuxes"}).id,
                "group_ids": [Command.set(self.env.ref(groups).ids)] if groups else [],
            }
        )  # fmt: skip

    def window(self):
        return self.menu.action

    def models(self, query="", **kwargs):
        answer = self.call(
            "", "models", **kwargs, **({"query": query} if query else {})
        )
        self.assertIn("value", answer, answer)
        return answer["value"]

    def first(self, query, **kwargs):
        rows = self.models(query, **kwargs)
        return rows[0] if rows else {}

    def hint(self, name):
        error = self.call(name, "search_count", domain=[])["error"]
        self.assertEqual(error["kind"], "unknown_model")
        return error["hint"]


@tagged("post_install", "-at_install")
class TestMenuWords(MenuMixin, DoormanCase):
    """list_models and errors know the words of menus and windows."""

    def test_words_of_menus(self):
        for query in ("Zorbs", "zorb", "ZÖRBS", " zorbs ", "Zrobs"):
            with self.subTest(query=query):
                row = self.first(query)
                self.assertEqual(row["model"], "res.partner")
                self.assertEqual(row["menu"], "Quuxes / Zorbs")
                self.assertNotIn("domain", row)
        self.assertIn("res.partner", self.hint("zorb"))
        self.assertIn("res.partner", self.hint("zorb.zorbs"))

    def test_words_of_actions_labels_and_technical_names(self):
        self.window().name = "Blorps"
        for query, model in (
            ("blorp", "res.partner"),
            ("Countries", "res.country"),
            ("country", "res.country"),
            ("res.country.state", "res.country.state"),
            ("partner", "res.partner"),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.first(query)["model"], model)
        # A part of a name or label is found as before, after what is called so.
        self.assertIn("res.partner", [r["model"] for r in self.models("res.part")])
        self.assertEqual(self.models("nothing is called so, and never will be"), [])
        self.assertEqual(len(self.models()), len({r["model"] for r in self.models()}))
        self.assertNotIn("menu", self.models()[0])

    def test_the_domain_that_a_menu_adds(self):
        search = self.env["ir.ui.view"].create(
            {
                "name": "t",
                "model": "res.partner",
                "type": "search",
                "arch": """<search>
                    <filter name="firm" domain="[('is_company', '=', True)]"/>
                    <filter name="person" domain="[('is_company', '=', False)]"/>
                    <separator/>
                    <filter name="my_own" domain="[('user_id', '=', 1)]"/>
                    <filter name="late" domain="[('create_date', '=', today())]"/>
                    <filter name="here" domain="[('city', '=', 'Bonn')]"/>
                </search>""",
            }
        )
        self.window().search_view_id = search
        for domain, context, told in (
            ("[('type', '=', 'invoice')]", "{}", [("type", "=", "invoice")]),
            ("[('user_id', '=', uid)]", "{}", None),
            ("[]", "{}", None),
            ("not a domain", "{}", None),
            ("[('no_such', '=', 1)]", "{}", None),
            ("[]", "{'search_default_firm': 1}", [("is_company", "=", True)]),
            ("[]", "{'search_default_firm': 0}", None),
            ("[]", "{'search_default_my_own': 1}", None),
            ("[]", "{'search_default_late': 1}", None),
            ("[]", "{'search_default_here': 1, 'x': uid}", [("city", "=", "Bonn")]),
        ):
            with self.subTest(domain=domain, context=context):
                self.window().write({"domain": domain, "context": context})
                row = self.first("Zorbs")
                want = self.env["res.partner"].search(told) if told else None
                if told is None:
                    self.assertNotIn("domain", row)
                    continue
                found = self.env["res.partner"].search(row["domain"])
                self.assertEqual(found, want)
                self.assertEqual([tuple(one) for one in row["domain"]], told)
        on = {f"search_default_{name}": 1 for name in ("firm", "person", "here")}
        self.window().write({"domain": "[]", "context": repr(on)})
        count = self.call(
            "res.partner", "search_count", domain=self.first("Zorbs")["domain"]
        )
        want = [("city", "=", "Bonn")]
        partners = self.env["res.partner"].with_user(self.people["user"])
        self.assertEqual(count["value"], partners.search_count(want))

    def test_choices_that_a_window_is_about(self):
        self.window().domain = "[('type', '=', 'delivery')]"
        labels = dict(
            self.env["res.partner"]._fields["type"]._description_selection(self.env)
        )
        row = self.first(labels["delivery"])
        self.assertEqual(row["model"], "res.partner")
        self.assertEqual(row["domain"], [("type", "=", "delivery")])

    def test_words_of_the_users_language_and_english(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.menu.with_context(lang="fr_FR").name = "Zébulons"
        self.people["user"].lang = "fr_FR"
        for query in ("zebulon", "Zébulons", "zorbs"):
            with self.subTest(query=query):
                row = self.first(query)
                self.assertEqual(row["model"], "res.partner")
                self.assertEqual(row["menu"].rpartition(" / ")[2], "Zébulons")
        self.people["user"].lang = "en_US"
        self.assertEqual(self.models("zebulon"), [])
        self.assertEqual(self.first("zorbs")["menu"], "Quuxes / Zorbs")

    def test_it_follows_menus_and_actions(self):
        self.assertEqual(self.first("zorb")["model"], "res.partner")
        self.menu.name = "Frobs"
        self.window().name = "Frobs"
        self.assertEqual(self.models("zorb"), [])
        self.assertEqual(self.first("frob")["model"], "res.partner")
        self.window().res_model = "res.country"
        self.assertEqual(self.first("frob")["model"], "res.country")
        self.window().domain = "[('code', '=', 'BE')]"
        self.assertEqual(self.first("frob")["domain"], [("code", "=", "BE")])
        action = self.window()
        self.menu.unlink()
        action.unlink()
        self.assertEqual(self.models("frob"), [])

    def test_deny_menus_of_other_groups(self):
        self.make("Hidden Zwerks", "res.partner", "base.group_system", "Zwerks")
        action = self.env["ir.actions.act_window"].search([("name", "=", "Zwerks")])
        action.group_ids = self.env.ref("base.group_system")
        self.assertEqual(self.models("zwerk"), [])
        self.assertNotIn("res.partner", self.hint("zwerk"))
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]
        self.assertEqual(self.first("zwerk")["menu"], "Quuxes / Hidden Zwerks")

    def test_deny_models_that_the_user_may_not_read(self):
        self.make("Zwerks", "ir.cron")
        self.assertEqual(self.models("zwerk"), [])
        self.assertNotIn("ir.cron", self.hint("zwerk"))

    def test_deny_models_that_no_policy_opens(self):
        for model in ("doorman.connection", "ir.rule", "ir.config_parameter"):
            self.people["user"].group_ids = [
                Command.link(self.env.ref("base.group_system").id)
            ]
            self.make("Zwerks", model)
            self.assertEqual(self.models("zwerk"), [])
            self.assertNotIn(model, self.hint("zwerk"))

    def test_deny_models_that_are_not_allowed(self):
        self.allow_models("res.country")
        self.assertEqual(self.models("zorb"), [])
        self.assertEqual(self.models("partner"), [])
        self.assertNotIn("Zorb", str(self.models()))
        # Not even whether there is such a model.
        self.assertEqual(self.kind("zorb", "search_count", domain=[]), "not_allowed")

    def test_deny_domains_with_what_may_not_be_asked(self):
        """A domain is told if the connection may use all of it."""
        told = "[('country_id.code', '=', 'BE')]"
        self.window().domain = told
        self.assertTrue(self.first("zorb")["domain"])
        with self.subTest("a model on its way is not allowed"):
            self.allow_models("res.partner")
            self.assertNotIn("domain", self.first("zorb"))
            self.connection.allowed_model_ids = [Command.clear()]
        with self.subTest("a field of other groups"):
            field = self.env["res.country"]._fields["code"]
            self.patch(field, "groups", "base.group_system")
            self.assertNotIn("domain", self.first("zorb"))
            self.patch(field, "groups", None)
        with self.subTest("a field that is withheld"):
            pattern = closed_fields.re.compile("^code$")
            self.patch(closed_fields, "CREDENTIAL_FIELD", pattern)
            self.assertNotIn("domain", self.first("zorb"))

    def test_deny_queries(self):
        for query in (7, ["x"], {"a": 1}, "x" * 101, "a\0b"):
            with self.subTest(query=query):
                kind = self.kind("", "models", query=query)
                self.assertEqual(kind, "invalid_input")
        self.assertEqual(self.kind("", "models", words="x"), "invalid_input")
        for query in ("'; DROP TABLE x", "%", "((", "\\", "!!!"):
            self.models(query)

    def test_nothing_is_run(self):
        """What an action says is read, never run."""
        self.window().write(
            {
                "domain": "[('id', '=', __import__('os').getpid())]",
                "context": "{'search_default_x': env['res.partner'].unlink()}",
            }
        )
        self.assertNotIn("domain", self.first("zorb"))


@tagged("post_install", "-at_install")
class TestMenuWordsWait(MenuMixin, ApprovalCase):
    """A rule for reading a model does not hide what it is called."""

    def test_allow(self):
        self.rule(
            model_id=self.env["ir.model"]._get_id("res.partner"), reads=True, risk=False
        )
        self.assertEqual(self.first("zorb")["model"], "res.partner")
