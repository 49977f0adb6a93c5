import re
from dataclasses import FrozenInstanceError, replace

from odoo.fields import Command
from odoo.tests import tagged

from ...policy.guard import Guard
from ...policy.refusal import Refusal
from ...tools import operations, row_counts
from ...tools.call import call_of, run
from ..common import ApprovalCase, DoormanCase
from ..test_static import ROOT

HERE, GONE = "doorman", "no_such_module"


@tagged("post_install", "-at_install")
class TestOperations(ApprovalCase):
    """What another addon brings, as the base addon treats it."""

    def setUp(self):
        super().setUp()
        self.ran = []

    def bring(self, module, **how):
        """An operation of an addon, as if its code had been loaded."""

        def trial(call):
            self.ran.append(call.kwargs)
            return {"done": True}

        how = {"reads": True, "scope": "mcp:orm", "needs_model": False} | how
        known = operations.OPERATIONS | {
            "trial": operations.Operation(
                name="trial", run=trial, module=module, tool="trial_tool", **how
            )
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

    def test_one_of_a_model_is_only_where_its_addon_is_loaded(self):
        for module, kind in ((HERE, "ok"), (GONE, "needs_module")):
            for reads in (True, False):
                with self.subTest(module=module, reads=reads):
                    self.bring(module, reads=reads, needs_model=True)
                    self.assertEqual(self.kind("res.partner", "trial"), kind)
                    self.assertNotEqual(self.kind("", "trial"), "ok")

    def test_each_name_is_one_addons(self):
        def other(_call):
            return None

        def add(name, **facts):
            facts = {"reads": True, "rows": row_counts.none} | facts
            return operations.operation(name, tool="a_tool", **facts)

        self.patch(operations, "OPERATIONS", dict(operations.OPERATIONS))
        other.__module__ = self._another.__module__
        add("another")(other)
        with self.assertRaises(ValueError):
            add("another")(self._another)
        self.assertEqual(operations.OPERATIONS.pop("another").module, HERE)
        other.__module__ = "odoo.addons.another.tools"
        with self.assertRaises(ValueError):
            add("models")(other)
        add("another")(other)
        self.assertEqual(operations.OPERATIONS["another"].module, "another")
        # The same one, loaded again.
        add("another")(other)

    @staticmethod
    def _another(_call):
        return None

    def test_a_change_has_a_summary(self):
        for facts in ({}, {"summary": None}):
            with self.assertRaises(ValueError):
                operations.operation("another", tool="a_tool", reads=False, **facts)

    def test_those_of_the_base_addon_without_a_model(self):
        base = {
            name
            for name, operation in operations.OPERATIONS.items()
            if operation.module == HERE and not operation.needs_model
        }
        self.assertEqual(
            base,
            {"models", "context", "search_everywhere", "search", "undo_change"},
        )
        for name in base:
            request = {"model": "", "method": name}
            self.assertEqual(
                operations.only_reads(request), name != "undo_change", name
            )
            self.assertFalse(operations.runs_code(request))


class RegistryChecks:
    """What holds for each operation of an addon of ours."""

    # Odoo runs what a class inherits only if it says so.
    allow_inherited_tests_method = True
    module = HERE
    # Names of tools, where the service's code says them.
    catalog = ROOT.parent.parent / "server" / "mcp" / "tools"

    def own(self):
        """The operations of this addon."""
        found = [o for o in operations.OPERATIONS.values() if o.module == self.module]
        self.assertTrue(found)
        return found

    def guard(self):
        return Guard(self.env(user=self.people["user"]), None)

    def request_of(self, operation, **more):
        """A request that names it, and nothing that it knows."""
        request = {
            "model": "res.partner" if operation.needs_model else "",
            "method": operation.name,
            "ids": self.people["user"].partner_id.ids,
            "kwargs": {"no_such_argument": 1},
        }
        self.assertIs(operations.of(request), operation)
        return request | more

    def test_each_has_a_tool_of_the_catalog(self):
        if not self.catalog.is_dir():
            self.skipTest("the service's code is not here")
        rows = "".join(p.read_text(encoding="utf-8") for p in self.catalog.glob("*.go"))
        names = set(re.findall(r'access\.Tool\{Name: "(\w+)"', rows))
        self.assertIn("search_records", names)
        for operation in self.own():
            with self.subTest(operation=operation.name):
                if operation.tool_argument:
                    # An own tool: its name is in the request.
                    self.assertEqual(operation.tool, "")
                else:
                    self.assertIn(operation.tool, names)

    def test_each_change_has_a_summary_and_a_scope(self):
        for operation in self.own():
            with self.subTest(operation=operation.name):
                if not operation.reads:
                    self.assertTrue(callable(operation.summary))
                    self.assertTrue(operation.scope)

    def test_none_shares_a_request_that_does_more_than_read(self):
        for operation in self.own():
            with self.subTest(operation=operation.name):
                if operation.shares:
                    self.assertTrue(operation.reads)
                    self.assertFalse(operation.code or operation.runs_code)

    def test_each_refuses_unknown_arguments(self):
        for operation in self.own():
            with self.subTest(operation=operation.name):
                with self.assertRaises(Refusal) as refused:
                    run(call_of(self.guard(), self.request_of(operation)))
                self.assertEqual(refused.exception.kind, "invalid_input")
                self.assertIn("no_such_argument", refused.exception.message)

    def test_each_is_asked_of_a_model_or_of_none(self):
        for operation in self.own():
            with self.subTest(operation=operation.name):
                model = "" if operation.needs_model else "res.partner"
                request = self.request_of(operation) | {"model": model}
                self.assertIsNone(operations.of(request))
                self.assertTrue(operations.only_reads(request))
                with self.assertRaises(Refusal) as refused:
                    call_of(self.guard(), request)
                self.assertEqual(refused.exception.kind, "not_allowed")

    def test_only_some_are_tried_out(self):
        for operation in self.own():
            with self.subTest(operation=operation.name):
                request = self.request_of(operation, dry_run=True)
                if operation.dry_run:
                    self.assertTrue(call_of(self.guard(), request).dry_run)
                    self.assertFalse(operation.reads)
                    continue
                with self.assertRaises(Refusal) as refused:
                    call_of(self.guard(), request)
                self.assertIn("does not support dry runs", refused.exception.message)
                # Before a person decides, it is asked what it is for.
                self.assertTrue(call_of(self.guard(), request, describer=print).dry_run)

    def test_the_arguments_that_it_names_are_its_own(self):
        """One that was misspelt would be empty in every request."""
        for operation in self.own():
            with self.subTest(operation=operation.name):
                named = {
                    operation.code,
                    operation.text,
                    operation.tool_argument,
                    operation.method_argument,
                }
                for argument in named - {""}:
                    request = self.request_of(operation) | {"kwargs": {argument: 1}}
                    try:
                        run(call_of(self.guard(), request))
                    except Refusal as refusal:
                        self.assertNotIn("Unknown argument", refusal.message)


@tagged("post_install", "-at_install")
class TestRegistry(RegistryChecks, DoormanCase):
    def test_what_a_request_is_of_in_the_audit(self):
        """By what it does: no argument can give it another name."""
        for method, kwargs, tool, called in (
            ("write", {}, "update_records", "write"),
            ("write", {"": "x", "tool": "x", "method": "x"}, "update_records", "write"),
            ("write", None, "update_records", "write"),
            (
                "call_method",
                {"method": "action_confirm"},
                "call_method",
                "action_confirm",
            ),
            ("call_method", {"": "x"}, "call_method", None),
            ("call_method", [], "call_method", "call_method"),
            ("run_tool", {"tool": "own"}, "own", "own"),
            ("look_tool", {"tool": "own"}, "own", "own"),
            ("look_tool", {"tool": ["own"], "": "x"}, "?", "look_tool"),
            ("run_tool", {"tool": ""}, "?", "run_tool"),
            ("run_tool", "tool", "?", "run_tool"),
            ("nonsense", {"tool": "x"}, "?", "nonsense"),
            (["write"], {"tool": "x"}, "?", ["write"]),
        ):
            with self.subTest(method=method, kwargs=kwargs):
                request = {"model": "res.partner", "method": method, "kwargs": kwargs}
                self.assertEqual(self.gateway._tool_of(request), tool)
                self.assertEqual(self.gateway._orm_method(request), called)

    def test_what_is_asked_stays_what_it_is(self):
        """Neither the rules nor the call can be changed by what runs within them."""
        guard = self.guard()
        call = call_of(guard, {"model": "res.partner", "method": "read"})
        for thing, name, value in (
            (guard, "allowed", None),
            (guard, "asks_to_read", frozenset()),
            (guard, "narrow", False),
            (guard, "step", print),
            (call, "guard", guard),
            (call, "dry_run", False),
            (call, "step", print),
        ):
            with self.subTest(name=name), self.assertRaises(FrozenInstanceError):
                setattr(thing, name, value)
        other = replace(call, dry_run=True)
        self.assertEqual((call.dry_run, other.dry_run), (False, True))
        self.assertIs(other.guard, guard)

    def test_the_addon_names_no_operation_of_another_one(self):
        """Those of other addons are known by what they say of themselves, but for the
        catalog's and the settings' words on them."""
        for room in ("policy", "tools", "gateway", "controllers", "models/approval"):
            for path in (ROOT / room).rglob("*.py"):
                text = path.read_text(encoding="utf-8")
                self.assertNotRegex(text, r"[\"']run_(sql|python)\b", path)
