import itertools
import json
from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy import approval_states as states
from odoo.addons.doorman.policy import gate
from odoo.addons.doorman.policy.ledger import Change
from odoo.addons.doorman.policy.plain_text import plain

TABLE = json.loads(Path(__file__).with_name("approval_transitions.json").read_text())
RULE = {
    "risk": "",
    "model": "",
    "tool": "",
    "more_than": 0,
    "per_day": False,
    "reads": False,
}


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


# policy, tool, risk, models, count
READS_WAIT = {
    "its tool": (approval(tools=["a"]), "a", "low", {""}, 0),
    "a rule for reading": (approval({"reads": True}), "a", "low", {"m"}, 0),
    "its model": (approval({"model": "m", "reads": True}), "a", "low", {"m"}, 0),
    "one of its models": (
        approval({"model": "n", "reads": True}),
        *("a", "low", {"m", "n"}, 0),
    ),
    "many": (approval({"more_than": 2, "reads": True}), "a", "low", {"m"}, 3),
}
READS_PASS = {
    "no policy": (None, "a", "high", {"m"}, 100),
    "another tool": (approval(tools=["b"]), "a", "high", {"m"}, 100),
    "a rule for changes": (approval({"model": "m"}), "a", "high", {"m"}, 100),
    "another model": (approval({"model": "n", "reads": True}), "a", "low", {"m"}, 1),
    "less risk": (approval({"risk": "high", "reads": True}), "a", "low", {"m"}, 1),
    "few": (approval({"more_than": 2, "reads": True}), "a", "low", {"m"}, 2),
}
# policy, tool, risk
ALWAYS = {
    "its tool": (approval(tools=["a"]), "a", "low"),
    "risk": (approval({"risk": "high"}), "a", "high"),
    "at least the risk": (approval({"risk": "low"}), "a", "medium"),
    "an unknown risk": (approval({"risk": "high"}), "a", ""),
    "a rule of an unknown risk": (approval({"risk": "severe"}), "a", "medium"),
    "a rule of a risk in capitals": (approval({"risk": "High"}), "a", "low"),
}
NOT_ALWAYS = {
    "no policy": (None, "a", "high"),
    "an empty policy": (approval(), "a", "high"),
    "another tool": (approval(tools=["b"]), "a", "high"),
    "less risk": (approval({"risk": "medium"}), "a", "low"),
    "a model": (approval({"model": "m"}), "a", "high"),
    "a number": (approval({"more_than": 1}), "a", "high"),
}


def changes(**counts):
    """So many records of each model."""
    return [
        Change(model, ident, "updated", ("name",), (), False, False)
        for model, count in counts.items()
        for ident in range(count)
    ]


# policy, risk by tool, changes
CHANGES_WAIT = {
    "model": (approval({"model": "m"}), {"a": "low"}, changes(m=1)),
    "another model besides": (
        approval({"model": "n"}),
        {"a": "low"},
        changes(m=1, n=1),
    ),
    "many": (approval({"more_than": 10}), {"a": "low"}, changes(m=6, n=5)),
    "many of a model": (
        approval({"model": "m", "more_than": 2}),
        *({"a": "low"}, changes(m=3)),
    ),
    "another tool that it took": (
        approval(tools=["b"]),
        *({"a": "low", "b": "low"}, changes(m=1)),
    ),
    "the risk of another tool": (
        approval({"risk": "high"}),
        *({"a": "low", "b": "high"}, changes(m=1)),
    ),
    "all of a rule": (
        approval({"risk": "medium", "model": "m", "more_than": 2}),
        *({"a": "high"}, changes(m=3)),
    ),
    "any of the rules": (
        approval({"model": "x"}, {"model": "m"}),
        *({"a": "low"}, changes(m=1)),
    ),
}
CHANGES_PASS = {
    "no policy": (None, {"a": "high"}, changes(m=100)),
    "an empty policy": (approval(), {"a": "high"}, changes(m=100)),
    "nothing changed": (approval({"model": "m"}), {"a": "high"}, []),
    "another model": (approval({"model": "m"}), {"a": "high"}, changes(n=9)),
    "just as many": (approval({"more_than": 10}), {"a": "low"}, changes(m=5, n=5)),
    "less risk": (
        approval({"risk": "medium", "model": "m"}),
        *({"a": "low"}, changes(m=1)),
    ),
    "half of a rule": (
        approval({"risk": "high", "model": "m", "more_than": 10}),
        *({"a": "high"}, changes(m=10, n=10)),
    ),
}


@tagged("post_install", "-at_install")
class TestGating(BaseCase):
    def _check(self, rule, waits, passes):
        for expected, rows in ((True, waits), (False, passes)):
            for name, row in rows.items():
                with self.subTest(rule=rule.__name__, name=name):
                    self.assertIs(rule(*row), expected)

    def test_reads(self):
        self._check(gate.read_waits, READS_WAIT, READS_PASS)

    def test_before_it_runs(self):
        self._check(gate.always_waits, ALWAYS, NOT_ALWAYS)

    def test_after_it_ran(self):
        self._check(gate.change_waits, CHANGES_WAIT, CHANGES_PASS)

    def test_the_highest_risk(self):
        self.assertEqual(gate.highest(["low", "high", "?"]), "high")
        self.assertIs(gate.highest(["?"]), False)

    def test_plain(self):
        rows = {
            "a\nb\t c": "a b c",
            "ab\u202edc\u200bd\x07": "ab\\u202edc\\u200bd\\u0007",
            "\ufeff": "\\ufeff",
            "x" * 600: "x" * 500 + "… (600)",
        }
        for given, expected in rows.items():
            with self.subTest(given=given[:20]):
                self.assertEqual(plain(given), expected)
