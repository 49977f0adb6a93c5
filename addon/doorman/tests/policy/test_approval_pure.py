import itertools
import json
from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy import approval_states as states
from odoo.addons.doorman.policy import gate
from odoo.addons.doorman.tools.describe import plain

from ..common import DoormanCase

TABLE = json.loads(Path(__file__).with_name("approval_transitions.json").read_text())
RULE = {"risk": "", "model": "", "more_than": 0, "reads": False}


@tagged("post_install", "-at_install")
class TestStates(BaseCase):
    """The service's tests hold its own table against the same file."""

    def test_the_table(self):
        self.assertEqual(set(states.STATES), set(TABLE["states"]))
        self.assertEqual(set(states.EVENTS), set(TABLE["events"]))
        self.assertEqual(set(states.FINAL), set(TABLE["final"]))

    def test_every_pair(self):
        possible = {(start, event): end for start, event, end in TABLE["transitions"]}
        for pair in itertools.product(TABLE["states"], TABLE["events"]):
            with self.subTest(pair=pair):
                self.assertEqual(states.after(*pair), possible.get(pair))

    def test_nothing_leaves_an_end(self):
        for pair in itertools.product(states.FINAL, states.EVENTS):
            self.assertIsNone(states.after(*pair))


def approval(*rules, tools=()):
    return {"tools": list(tools), "rules": [RULE | rule for rule in rules]}


# policy, tool, risk, writes, model, count
WAITS = {
    "its tool": (approval(tools=["a"]), "a", "low", False, "", 0),
    "risk": (approval({"risk": "high"}), "a", "high", True, "m", 1),
    "at least the risk": (approval({"risk": "low"}), "a", "medium", True, "m", 1),
    "an unknown risk": (approval({"risk": "high"}), "a", "", True, "m", 1),
    "model": (approval({"model": "m"}), "a", "low", True, "m", 1),
    "many": (approval({"more_than": 10}), "a", "low", True, "m", 11),
    "reads too": (approval({"model": "m", "reads": True}), "a", "low", False, "m", 0),
    "all of a rule": (
        approval({"risk": "medium", "model": "m", "more_than": 2}),
        *("a", "high", True, "m", 3),
    ),
    "any of the rules": (
        approval({"model": "x"}, {"model": "m"}),
        *("a", "low", True, "m", 1),
    ),
}
PASSES = {
    "no policy": (None, "a", "high", True, "m", 100),
    "an empty policy": (approval(), "a", "high", True, "m", 100),
    "another tool": (approval(tools=["b"]), "a", "high", True, "m", 1),
    "less risk": (approval({"risk": "medium"}), "a", "low", True, "m", 1),
    "another model": (approval({"model": "m"}), "a", "high", True, "m.line", 1),
    "no model": (approval({"model": "m"}), "a", "high", True, "", 1),
    "just as many": (approval({"more_than": 10}), "a", "low", True, "m", 10),
    "only reads": (approval({"model": "m"}), "a", "low", False, "m", 1),
    "half of a rule": (
        approval({"risk": "high", "more_than": 10}),
        *("a", "high", True, "m", 10),
    ),
}


@tagged("post_install", "-at_install")
class TestGating(BaseCase):
    def test_waits(self):
        for name, row in WAITS.items():
            with self.subTest(name=name):
                self.assertTrue(gate.needs_approval(*row))

    def test_passes(self):
        for name, row in PASSES.items():
            with self.subTest(name=name):
                self.assertFalse(gate.needs_approval(*row))

    def test_plain(self):
        rows = {
            "a\nb\t c": "a b c",
            "ab\u202edc\u200bd\x07": "abdcd",
            "\ufeff": "",
            "x" * 600: "x" * 500 + "… (600)",
        }
        for given, expected in rows.items():
            with self.subTest(given=given[:20]):
                self.assertEqual(plain(given), expected)


@tagged("post_install", "-at_install")
class TestCounting(DoormanCase):
    """What a call is about, with the records that hang on others."""

    def test_rows(self):
        new = [0, 0, {"name": "x"}]
        rows = (
            (1, {"ids": [1]}),
            (3, {"ids": [1, 2, 3], "kwargs": {"vals": {"name": "x"}}}),
            (0, {"kwargs": {}}),
            (0, {"kwargs": None, "ids": "x"}),
            (2, {"kwargs": {"vals_list": [{}, {}]}}),
            (3, {"kwargs": {"vals_list": [{"child_ids": [new]}, {}]}}),
            (2, {"ids": [1], "kwargs": {"vals": {"child_ids": [[2, 5, 0]]}}}),
            (4, {"ids": [1, 2], "kwargs": {"vals": {"child_ids": [[1, 5, {}]]}}}),
            # To tag is not to change the tag.
            (1, {"ids": [1], "kwargs": {"vals": {"category_id": [[6, 0, [1, 2]]]}}}),
            (1, {"ids": [1], "kwargs": {"vals": {"category_id": [[4, 2, 0]]}}}),
            (2, {"ids": [1], "kwargs": {"vals": {"category_id": [new]}}}),
            (1, {"ids": [1], "kwargs": {"vals": {"child_ids": "x", "nofield": [1]}}}),
        )
        partners = self.env["res.partner"]
        for expected, request in rows:
            with self.subTest(request=request):
                self.assertEqual(gate.records_of(partners, request), expected)

    def test_nested(self):
        deep = {"child_ids": [[0, 0, {"child_ids": [[0, 0, {}], [0, 0, {}]]}]]}
        request = {"kwargs": {"vals_list": [deep]}}
        self.assertEqual(gate.records_of(self.env["res.partner"], request), 4)

    def test_what_cannot_be_counted_is_many(self):
        loop = {}
        for _level in range(8):
            loop = {"child_ids": [[0, 0, loop]]}
        for vals in ({"child_ids": [[5, 0, 0]]}, {"child_ids": [[6, 0, []]]}, loop):
            with self.subTest(vals=vals):
                request = {"ids": [1], "kwargs": {"vals": vals}}
                count = gate.records_of(self.env["res.partner"], request)
                self.assertGreater(count, 1000)
