"""What can be seen of refusals by reading the code."""

import ast
import re
from pathlib import Path

from polib import pofile

from odoo.tests import BaseCase, tagged

from ...policy import shared
from ...policy.refusal_codes import CODES, KIND_OF

ADDONS = Path(__file__).resolve().parents[3]
PLACEHOLDER = re.compile(r"%\((\w+)\)")
# How many refusals are not marked for translation. It may only go down.
PLAIN = 0
# Where a request is worked on: everything refused there is a Refusal.
WORKS = ("gateway", "policy", "tools")
ODOO = {
    *("AccessDenied", "AccessError", "LockError", "MissingError", "RedirectWarning"),
    *("UserError", "ValidationError"),
}
# What raises one of Odoo's own errors there, and to whom.
ODOOS_OWN = {
    # The service itself, which may not call, or calls what there is not.
    ("doorman_gateway.py", "_check_caller"),
    ("doorman_gateway.py", "json_call"),
    # A service of another interface.
    ("interface.py", "_check_caller"),
    ("interface.py", "hello"),
    # The code of run_python says so.
    ("python_run.py", "user_error"),
}


def name_of(node):
    return getattr(node, "id", getattr(node, "attr", None))


def is_own_init(node):
    """Whether a node is ``super().__init__(...)``, which makes a kind of Refusal."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"


@tagged("post_install", "-at_install")
class TestRefusalWords(BaseCase):
    """Each refusal has a code that is known, and words that can be translated."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calls = {"Refusal": [], "_lt": []}
        cls.trees = {}
        for path in sorted(ADDONS.glob("doorman*/**/*.py")):
            if "tests" in path.parts:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            cls.trees[path.relative_to(ADDONS).as_posix()] = tree
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and name_of(node.func) in cls.calls:
                    place = f"{path.relative_to(ADDONS)}:{node.lineno}"
                    cls.calls[name_of(node.func)].append((place, node))
                if isinstance(node, ast.ClassDef) and "Refusal" in map(
                    name_of, node.bases
                ):
                    place = f"{path.relative_to(ADDONS)}:{node.lineno}"
                    made = ast.walk(node)
                    cls.calls["Refusal"] += [
                        (place, call) for call in made if is_own_init(call)
                    ]

    def test_codes(self):
        used = set()
        for place, node in self.calls["Refusal"]:
            code = node.args[0]
            self.assertIsInstance(code, ast.Constant, place)
            self.assertIn(code.value, KIND_OF, place)
            used.add(code.value)
        self.assertGreater(len(self.calls["Refusal"]), 200)
        self.assertEqual(used, set(KIND_OF))

    def test_a_code_is_of_one_kind(self):
        listed = [code for codes in CODES.values() for code in codes]
        self.assertEqual(len(listed), len(set(listed)))

    def test_words_can_be_translated(self):
        """A text, or one with pieces put in, cannot be found in a translation."""
        plain = [
            place
            for place, node in self.calls["Refusal"]
            for words in node.args[1:]
            for part in ast.walk(words)
            if self._is_text(part, words)
        ]
        self.assertLessEqual(len(plain), PLAIN, plain)

    def _is_text(self, part, words):
        if isinstance(words, ast.JoinedStr | ast.Constant):
            return part is words and getattr(words, "value", " ") != ""
        if not isinstance(words, ast.BoolOp | ast.IfExp | ast.BinOp):
            return False
        # Conditions and arguments are not part of the text.
        return part in self._told(words) and (
            isinstance(part, ast.JoinedStr)
            or (isinstance(part, ast.Constant) and part.value != "")
        )

    def _told(self, words):
        if isinstance(words, ast.BoolOp):
            return [told for value in words.values for told in self._told(value)]
        if isinstance(words, ast.IfExp):
            return self._told(words.body) + self._told(words.orelse)
        if isinstance(words, ast.BinOp):
            return self._told(words.left) + self._told(words.right)
        return [words]

    def test_exported(self):
        """Every text is among the exported terms, so that it can be translated."""
        for addon in {Path(place).parts[0] for place, _node in self.calls["_lt"]}:
            exported = pofile(str(ADDONS / addon / "i18n" / f"{addon}.pot"))
            known = {entry.msgid for entry in exported}
            texts = {
                node.args[0].value
                for place, node in self.calls["_lt"]
                if Path(place).parts[0] == addon
                and isinstance(node.args[0], ast.Constant)
            }
            self.assertGreater(len(texts), 20)
            self.assertFalse(texts - known, f"export {addon}.pot anew")

    def test_marked_texts(self):
        """Odoo exports only texts that are written out in the call."""
        for place, node in self.calls["_lt"]:
            text = node.args[0]
            given = {keyword.arg for keyword in node.keywords}
            if place.startswith("doorman/policy/shared.py:"):
                continue  # its facts are put in where it is used
            if name_of(text) and name_of(text).startswith("SAY_"):
                said = getattr(shared, name_of(text))  # marked where it is declared
            else:
                self.assertIsInstance(text, ast.Constant, place)
                said = text.value
            self.assertEqual(set(PLACEHOLDER.findall(said)), given, place)
            inside = [
                part
                for value in (*node.args[1:], *node.keywords)
                for part in ast.walk(value)
                if isinstance(part, ast.Call) and name_of(part.func) == "_lt"
            ]
            self.assertFalse(inside, f"{place}: Odoo does not find a text in a text")

    # ---- nothing else refuses ----

    def works(self):
        """:return: path and tree of each file in which a request is worked on"""
        found = [
            (path, tree)
            for path, tree in self.trees.items()
            if not path.startswith("doorman/") or set(WORKS) & set(Path(path).parts)
        ]
        self.assertGreater(len(found), 100)
        return found

    def test_told_in_one_place(self):
        """What the service gets of a failure is made by ``Refusal.told``: words that
        are written down anywhere else have no code, and nobody can translate them."""
        made, sent = [], []
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if not isinstance(node, ast.Dict):
                    continue
                items = {
                    key.value: value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                place = f"{path}:{node.lineno}"
                if {"kind", "message"} <= items.keys():
                    made.append(place)
                if "/gateway/" in path and "error" in items:
                    told = ast.unparse(items["error"])
                    sent += [] if told.endswith(".told()") else [f"{place}: {told}"]
        self.assertEqual(
            [place.partition(":")[0] for place in made],
            ["doorman/policy/refusal.py"],
            made,
        )
        self.assertFalse(sent)

    def test_refused_by_refusals(self):
        """Errors of Odoo's are for what Odoo says itself."""
        found = {
            (Path(path).name, function.name): f"{path}:{node.lineno}"
            for path, tree in self.works()
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and name_of(node.func) in ODOO
        }
        self.assertEqual(set(found), ODOOS_OWN, found)

    def test_words_of_audit_rows(self):
        """People read them: a text that is written out there is in English for all."""
        plain = [
            f"{path}:{node.lineno}"
            for path, tree in self.works()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and name_of(node.func) == "update"
            and ast.unparse(node.func).endswith("audit.update")
            for given in node.keywords
            if given.arg == "message"
            and isinstance(given.value, ast.JoinedStr | ast.Constant)
        ]
        self.assertFalse(plain)
