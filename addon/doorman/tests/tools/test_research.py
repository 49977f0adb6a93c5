from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ApprovalCase, WriteCase

ACLS = "odoo.addons.base.models.ir_model"
RULES = "odoo.addons.base.models.ir_rule"


class ResearchMixin:
    def setUp(self):
        super().setUp()
        self.connection.research_tools = True

    def search(self, query, **kwargs):
        return self.call(None, "search", query=query, **kwargs)

    def found(self, query):
        answer = self.search(query)
        self.assertIn("value", answer, answer)
        return answer["value"]["results"]

    def fetch(self, record, names=("display_name",), **kwargs):
        return self.call(
            record._name, "fetch", record.ids, fields=list(names), **kwargs
        )

    def kinds(self):
        """How both end, for the contact."""
        return self.kind_of(self.search("Acme")), self.kind_of(self.fetch(self.acme))


@tagged("post_install", "-at_install")
class TestResearch(ResearchMixin, WriteCase):
    """search and fetch: the two tools of research clients."""

    def test_allow_search(self):
        # Tests of HTTP that ran before may have left another one of that name.
        hits = {hit["id"]: hit for hit in self.found("Acme")}
        hit = hits[f"res.partner:{self.acme.id}"]
        self.assertEqual(set(hit), {"id", "title", "url"})
        self.assertIn("Acme", hit["title"])
        self.assertTrue(hit["url"].endswith(f"/odoo/res.partner/{self.acme.id}"))
        self.assertRegex(hit["url"], "^https?://")

    def test_allow_words(self):
        """A question finds what one of its words names; a whole name goes first."""
        for query in (
            "everything that we know about Acme please",
            "Acme contract 2031 " + "and more words " * 20,
        ):
            ids = [r["id"] for r in self.found(query)]
            self.assertIn(f"res.partner:{self.acme.id}", ids)
            self.assertEqual(len(ids), len(set(ids)))
            self.assertLessEqual(len(ids), 50)
        self.env["res.partner"].create({"name": "Acme Two"})
        self.assertEqual(
            {r["title"].partition(" (")[0] for r in self.found("Acme Two")},
            {"Acme Two"},
        )
        self.assertEqual(self.found("no-such-thing-anywhere"), [])

    def test_allow_fetch(self):
        self.acme.write({"city": "Bonn", "comment": "<p>Hi</p>"})
        value = self.fetch(self.acme, ("display_name", "city", "category_id"))["value"]
        [row] = value["rows"]
        self.assertEqual((row["id"], row["city"]), (self.acme.id, "Bonn"))
        self.assertEqual(
            value["url"],
            f"{self.acme.get_base_url()}/odoo/res.partner/{self.acme.id}",
        )
        gone = self.acme.browse(2**31 - 2)
        self.assertEqual(self.fetch(gone)["value"]["rows"], [])

    def test_deny_without_the_switch(self):
        self.assertEqual(self.kinds(), ("ok", "ok"))
        self.connection.research_tools = False
        self.assertEqual(self.kinds(), ("not_allowed", "not_allowed"))
        # The others do not need it.
        read = self.kind("res.partner", "read", self.acme.ids, fields=["name"])
        self.assertEqual(read, "ok")
        fresh = self.env["doorman.connection"].new({})
        self.assertFalse(fresh.research_tools)

    def test_deny_by_policy(self):
        """The addon checks scope and tools, whatever the service says."""
        tools = self.env["doorman.tool"]
        for name in ("search", "fetch"):
            if not tools.with_context(active_test=False).search([("name", "=", name)]):
                self.tool(name)._inside().write({"scope_code": "mcp:search"})
        fetch = tools.search([("name", "=", "fetch")])
        search = tools.search([("name", "=", "search")])
        scope = self.env.ref("doorman.scope_search")
        for vals, kinds in (
            ({"read_only": True}, ("ok", "ok")),
            ({"allowed_tool_ids": [Command.set(fetch.ids)]}, ("not_allowed", "ok")),
            ({"allowed_tool_ids": [Command.set(search.ids)]}, ("ok", "not_allowed")),
            ({"allowed_tool_ids": [Command.clear()]}, ("ok", "ok")),
            ({"scope_ids": [Command.unlink(scope.id)]}, ("not_allowed",) * 2),
        ):
            with self.subTest(vals=vals):
                self.connection.write(vals)
                self.assertEqual(self.kinds(), kinds)

    @mute_logger(ACLS, RULES)
    def test_deny_models_and_fields(self):
        user = self.people["user2"]
        rows = (
            (self.acme, ("signup_token",), "not_allowed"),
            (self.acme, ("nmae",), "unknown_field"),
            (self.connection, ("name",), "not_allowed"),
            (self.env.ref("base.main_company"), ("smtp_pass",), "unknown_field"),
            (user, ("password",), "not_allowed"),
            (self.acme + user.partner_id, ("name",), "invalid_input"),
        )  # fmt: skip
        for record, names, kind in rows:
            with self.subTest(record=record, names=names):
                answer = self.fetch(record, names)
                self.assertIn(self.kind_of(answer), (kind, "unknown_field"))
        self.allow_models("res.partner.category")
        self.assertEqual(self.found("Acme"), [])
        self.assertEqual(self.kind_of(self.fetch(self.acme)), "not_allowed")
        self.allow_models("res.partner")
        self.assertEqual(self.kinds(), ("ok", "ok"))
        for query in ("", "x", 7, None, "x" * 1001):
            self.assertEqual(self.kind_of(self.search(query)), "invalid_input", query)
        self.assertEqual(self.kind_of(self.search("Acme", limit=5)), "invalid_input")


@tagged("post_install", "-at_install")
class TestResearchWaits(ResearchMixin, ApprovalCase):
    """A model that is read with approval alone is neither found nor fetched."""

    def test_reading_rule(self):
        self.rule(model_id=self.env["ir.model"]._get("res.partner").id, reads=True)
        ids = [r["id"] for r in self.found("Acme")]
        self.assertNotIn(f"res.partner:{self.acme.id}", ids)
        self.assertEqual(self.kind_of(self.fetch(self.acme)), "pending_approval")
