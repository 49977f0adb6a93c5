from odoo.fields import Command
from odoo.tests import tagged

from ...tools import operations, registry
from ..common import ApprovalCase

HERE, GONE = "doorman", "no_such_module"


@tagged("post_install", "-at_install")
class TestOperations(ApprovalCase):
    """What another addon brings, as the base addon treats it."""

    def setUp(self):
        super().setUp()
        self.ran = []

    def bring(self, module, **how):
        """An operation of an addon, as if its code had been loaded."""

        def run(_guard, kwargs):
            self.ran.append(kwargs)
            return {"done": True}

        how = {"scope": "mcp:orm"} | how
        known = operations.OPERATIONS | {
            "trial": operations.Operation(run, module, "trial_tool", **how)
        }
        self.patch(operations, "OPERATIONS", known)

    def test_only_where_its_addon_is_loaded(self):
        for module, kind in ((HERE, "ok"), (GONE, "needs_module")):
            for reads in (True, False):
                with self.subTest(module=module, reads=reads):
                    self.bring(module, reads=reads)
                    self.ran.clear()
                    self.assertEqual(self.kind("", "trial", x=1), kind)
                    self.assertEqual(len(self.ran), int(kind == "ok"))

    def test_one_that_no_database_of_this_process_has(self):
        self.assertEqual(self.kind("", "trial"), "not_allowed")
        tool = self.tool("trial")
        tool._inside().write({"needs_module": GONE})
        answer = self.call("", "trial")["error"]
        self.assertEqual(answer["kind"], "needs_module")
        self.assertIn(GONE, answer["message"])
        tool._inside().write({"needs_module": HERE})
        self.assertEqual(self.kind("", "trial"), "not_allowed")

    def test_it_follows_what_is_loaded(self):
        self.bring(GONE)
        loaded = self.env.registry._init_modules
        self.assertEqual(self.kind("", "trial"), "needs_module")
        self.patch(self.env.registry, "_init_modules", loaded | {GONE})
        self.assertEqual(self.kind("", "trial"), "ok")
        self.patch(self.env.registry, "_init_modules", loaded)
        self.assertEqual(self.kind("", "trial"), "needs_module")

    def test_nobody_is_asked_first(self):
        self.rule(risk="high", reads=True)
        self.tool("trial_tool")._inside().write({"risk": "high"})
        for reads in (True, False):
            self.bring(HERE, reads=reads)
            self.assertEqual(self.kind("", "trial"), "pending_approval")
            self.bring(GONE, reads=reads)
            self.assertEqual(self.kind("", "trial"), "needs_module")
            self.assertEqual(self.ask_kind("", "trial", y=1), "needs_module")

    def test_its_own_scope_whatever_the_catalog_says(self):
        self.tool("trial_tool")._inside().write({"scope_code": "mcp:search"})
        for how in ({"reads": False}, {"code": "text"}):
            for scope, kind in (
                ("mcp:orm", "ok"),
                ("mcp:sql", "not_allowed"),
                ("mcp:none", "not_allowed"),
            ):
                with self.subTest(scope=scope, **how):
                    self.bring(HERE, scope=scope, **how)
                    self.assertEqual(self.kind("", "trial", text="x"), kind)
        # A change without one is nobody's.
        self.bring(HERE, scope="", reads=False)
        self.assertEqual(self.kind("", "trial"), "not_allowed")

    def test_its_tool_may_be_left_out(self):
        self.tool("trial_tool")
        for how in ({"reads": False}, {"code": "text"}):
            self.bring(HERE, **how)
            self.connection.allowed_tool_ids = False
            self.assertEqual(self.kind("", "trial", text="x"), "ok")
            others = self.tools["search_records"]
            self.connection.allowed_tool_ids = [Command.set(others.ids)]
            self.assertEqual(self.kind("", "trial", text="x"), "not_allowed")

    def test_the_code_it_runs_is_on_record(self):
        for reads in (True, False):
            self.bring(HERE, reads=reads, code="text")
            before = self.rows()
            self.call("", "trial", text="SELECT 1", code="other")
            [row] = self.new_rows(before)
            self.assertEqual((row["message"], row["outcome"]), ("SELECT 1", "ok"))
            for text in (None, 1, ["x"], ""):
                self.assertEqual(self.kind("", "trial", text=text), "ok")

    def test_a_model_makes_it_another_request(self):
        self.bring(HERE)
        self.assertEqual(self.kind("res.partner", "trial"), "not_allowed")
        self.assertFalse(self.ran)

    def test_odd_names(self):
        self.bring(GONE)
        for method in (None, "", 1, ["trial"], {"trial": 1}, True, "trial "):
            with self.subTest(method=method):
                self.assertNotIn(self.kind("", method), ("ok", "needs_module"))

    def test_each_name_is_one_addons(self):
        def other(_guard, _kwargs):
            return None

        self.patch(operations, "OPERATIONS", dict(operations.OPERATIONS))
        other.__module__ = "odoo.addons.another.tools"
        with self.assertRaises(ValueError):
            operations.operation("models", tool="list_models")(other)
        operations.operation("another", tool="another")(other)
        self.assertEqual(operations.OPERATIONS["another"].module, "another")
        # The same one, loaded again.
        operations.operation("another", tool="another")(other)

    def test_those_of_the_base_addon(self):
        base = {n for n, o in operations.OPERATIONS.items() if o.module == HERE}
        self.assertEqual(base, {"models", "context", "search_everywhere"})
        for name in base:
            request = {"model": "", "method": name}
            self.assertTrue(registry.only_reads(request))
            self.assertFalse(registry.runs_code(request))
