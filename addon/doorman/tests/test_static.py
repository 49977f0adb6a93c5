"""What can be seen by reading the addon: no Odoo and no database is needed.

Runs with Odoo's tests and, alone, by ``python3 addon/doorman/tests/test_static.py``.
"""

import ast
import csv
import re
import unittest
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

try:
    from .alone import BaseCase, tagged
    from .sudo_uses import SUDO
except ImportError:
    from alone import BaseCase, tagged
    from sudo_uses import SUDO


ROOT = Path(__file__).resolve().parent.parent

# Queries that are put together from pieces: constants of the module, no values.
BUILT_SQL = {
    "models/audit/doorman_audit.py:INSERT",
    "models/audit/doorman_audit.py:FENCED_INSERT",
    "models/audit/chain_tables.py:FUNCTIONS",
    "models/audit/chain_tables.py:OLD",
    "models/audit/sums.py:FOLD",
    "models/audit/sums.py:PURGE",
    "models/audit/sums.py:REBUILD",
    "models/audit/tables.py:VIEWS",
    "models/audit/tables.py:ADD_DAYS",
    "models/audit/tables.py:ADD_CONNECTIONS",
    "models/audit/tables.py:TAKE_DAYS",
    "models/audit/tables.py:TAKE_CONNECTIONS",
}

# What is counted in texts: "%s records" is wrong for one.
NOUNS = (
    r"(?:(?:more|audit|approval) )?(?:applications|bytes|changes|characters|columns|"
    r"companies|conditions|connections|currencies|days|emails|fields|files|hours|ids|"
    r"items|keys|letters|levels|links|minutes|models|parts|people|records|requests|"
    r"rows|seconds|steps|times|tokens|tools|users|uses|values)\b"
)
COUNTED = re.compile(r"%(?:\((\w+)\))?[sd] " + NOUNS)
COUNTED_IN_XML = re.compile(r"/>\s*(?:</\w+>)?\s+" + NOUNS)
# Texts whose number is never 1, for a reason that cannot be read from the code.
NEVER_ONE = {
    "what %(name)s requests": "a name, and a verb",
    "what %s requests": "a name, and a verb",
    "already let %s applications in": "as many as MAX_CONNECTIONS, or more",
    "the text has %(old)s characters": "longer than READ_AT_ONCE",
    "The file has %(bytes)s bytes": "larger than the limit",
    "%(size)s bytes exceed": "larger than the limit",
    "%(count)s records of %(model)s": "of several",
    "%s days": "of 48 hours or more",
    "(%(count)s records)": "one has a text of its own",
}
NEVER_ONE_IN_XML = {
    't-esc="days" /> days': "7, 30 or 90",
    't-esc="number(data.sample)" /> audit rows': "the size of a sample",
    "t-out=\"one['cut']\" /> characters": "of a text that is too long",
}

SQL_WORDS = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\b")


def sources(root):
    for path in sorted(root.rglob("*.py")):
        if "tests" not in path.parts:
            name = str(path.relative_to(root))
            yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def named_nodes(tree):
    """Every node, with the name of the function or constant it stands in."""

    def walk(node, owner):
        for child in ast.iter_child_nodes(node):
            name = owner
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = child.name
            elif isinstance(child, ast.Assign) and owner == "<module>":
                name = getattr(child.targets[0], "id", owner)
            yield name, child
            yield from walk(child, name)

    yield from walk(tree, "<module>")


def calls(tree, method):
    for owner, node in named_nodes(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            if name == method:
                yield owner, node


def foreign_names(tree):
    """What a file imports from elsewhere than the addon."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) or (
            isinstance(node, ast.ImportFrom) and not node.level
        ):
            names |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return names


def manifest(root):
    return ast.literal_eval((root / "__manifest__.py").read_text(encoding="utf-8"))


# Where code is run, and where a transaction ends before its request does.
LOOKED_AT = {
    # Contexts and domains that administrators and modules have written into views and
    # actions, with plain values; Odoo's own web client works them out.
    ("policy/form_state.py", "safe_eval"): {"evaluated"},
    ("controllers/gateway_batch.py", "commit"): {"_one_of_many"},
    ("controllers/gateway_batch.py", "rollback"): {"_one_of_many"},
}
UNION = "SQL(' UNION ALL ').join("


class SourceChecks:
    """What holds for the source of each of our addons."""

    # Else Odoo runs none of these: it leaves out what a class has inherited.
    allow_inherited_tests_method = True
    maxDiff = None
    root = ROOT
    # As the constants of these names; an addon of ours has its own.
    sudo, built_sql, looked_at = {}, frozenset(), {}
    patched = frozenset()
    files = (
        "readme/DESCRIPTION.rst",
        "readme/CONTRIBUTORS.rst",
        "README.rst",
        "pyproject.toml",
        "static/description/icon.png",
        "static/description/index.html",
    )

    def test_sudo_only_where_it_was_looked_at(self):
        found = {}
        for name, tree in sources(self.root):
            for owner, _node in calls(tree, "sudo"):
                key = f"{name}:{owner}"
                found[key] = found.get(key, 0) + 1
        self.assertEqual(found, self.sudo)

    def test_nothing_becomes_the_superuser(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if isinstance(node, ast.keyword) and node.arg == "su":
                    value = getattr(node.value, "value", None)
                    self.assertIs(value, False, f"{name}:{owner}")
            for method in ("with_user", "update_env"):
                for owner, node in calls(tree, method):
                    text = ast.unparse(node)
                    self.assertNotIn("SUPERUSER", text, f"{name}:{owner}")
                    self.assertNotIn("user_root", text, f"{name}:{owner}")

    def test_no_commit_eval_or_print(self):
        for name, tree in sources(self.root):
            for word in ("commit", "rollback", "eval", "exec", "safe_eval", "print"):
                where = {owner for owner, _node in calls(tree, word)}
                allowed = self.looked_at.get((name, word), set())
                self.assertEqual(where, allowed, f"{word}() in {name}")

    def test_foreign_code_is_patched_in_one_place(self):
        """A class or module of Odoo's or of a library is changed by ``patches.py``
        alone, where each change has its reason and is made once."""
        found = set()
        for name, tree in sources(self.root):
            # Odoo's ``request`` is the current one, not code.
            foreign = foreign_names(tree) - {"request"}
            for owner, node in named_nodes(tree):
                targets = getattr(node, "targets", ())
                if isinstance(node, ast.Call):
                    if getattr(node.func, "id", "") == "setattr":
                        targets = (ast.Attribute(node.args[0]),)
                for target in targets:
                    if isinstance(target, ast.Attribute | ast.Subscript):
                        text = ast.unparse(target.value)
                        if text.split(".")[0] in foreign:
                            found.add(f"{name}:{owner}: {text}")
        self.assertEqual(found, self.patched)

    def test_html_becomes_text_in_one_place(self):
        """Odoo's own function puts the cells of a table side by side."""
        where = {
            name
            for name, tree in sources(self.root)
            if any(calls(tree, "html2plaintext"))
        }
        self.assertLessEqual(where, {"policy/plain_text.py"})

    def test_what_shows_is_known_in_one_place(self):
        """Python's own idea of it differs by version, and lets fillers through."""
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "category"):
                text = ast.unparse(node.func)
                self.assertNotEqual(text, "unicodedata.category", f"{name}:{owner}")
            ascii_only = {owner for owner, _node in calls(tree, "isascii")}
            for owner, _node in calls(tree, "isprintable"):
                self.assertIn(owner, ascii_only, f"{name}:{owner}")

    def test_translations_are_the_environments(self):
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "_"):
                text = ast.unparse(node.func)
                self.assertTrue(text.endswith("env._"), f"{name}:{owner}: {text}")
                first = node.args[0]
                self.assertIsInstance(first, ast.Constant, f"{name}:{owner}")

    def test_no_sql_is_built_from_values(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if f"{name}:{owner}" in self.built_sql:
                    continue
                text = self._built_text(node)
                if text and SQL_WORDS.search(text):
                    self.fail(f"SQL is put together in {name}:{owner}: {text[:60]}")

    def _built_text(self, node):
        if isinstance(node, ast.JoinedStr):
            return "".join(p.value for p in node.values if isinstance(p, ast.Constant))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
            return ast.unparse(node)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format":
            return ast.unparse(node)
        return ""

    def _is_constant(self, node):
        """Text, or the constant of a module."""
        return isinstance(node, ast.Constant) or (
            isinstance(node, ast.Name) and node.id.isupper()
        )

    def test_queries_are_constants(self):
        """The first argument of ``execute`` is text, ``SQL`` or a module's constant."""
        for name, tree in sources(self.root):
            for owner, node in calls(tree, "execute"):
                first = node.args[0]
                good = (
                    self._is_constant(first)
                    or (
                        isinstance(first, ast.Call)
                        and getattr(first.func, "id", "") == "SQL"
                        and self._is_constant(first.args[0])
                    )
                    # SQL(" UNION ALL ").join(...) takes nothing but SQL.
                    or ast.unparse(first).startswith(UNION)
                )
                self.assertTrue(good, f"{name}:{owner}: {ast.unparse(first)[:60]}")

    def test_constraints_are_those_of_19(self):
        for name, tree in sources(self.root):
            for owner, node in named_nodes(tree):
                if isinstance(node, ast.Name):
                    self.assertNotEqual(node.id, "_sql_constraints", f"{name}:{owner}")

    def test_overrides_call_super(self):
        for name, tree in sources(self.root):
            for _owner, node in named_nodes(tree):
                if not isinstance(node, ast.FunctionDef):
                    continue
                text = ast.unparse(node)
                if node.name in ("create", "write", "unlink", "copy", "default_get"):
                    refuses = "raise AccessError" in text
                    self.assertTrue(refuses or "super(" in text, f"{name}:{node.name}")

    def test_manifest(self):
        data = manifest(self.root)
        self.assertRegex(data["version"], r"^19\.0\.\d+\.\d+\.\d+$")
        self.assertEqual(data["license"], "LGPL-3")

    def test_what_oca_asks_for_is_there(self):
        for file in self.files:
            self.assertTrue((self.root / file).is_file(), file)

    def test_files_stay_short(self):
        for path in self.root.rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            self.assertLessEqual(lines, 600, path)


@tagged("post_install", "-at_install")
class TestStatic(SourceChecks, BaseCase):
    sudo, built_sql, looked_at = SUDO, BUILT_SQL, LOOKED_AT
    patched = frozenset(
        f"patches.py:post_load: {name}"
        for name in (
            *("socket.socket", "Registry", "Request", "Field"),
            *("_RelationalMulti", "Many2many", "translate", "environments"),
        )
    )
    files = (*SourceChecks.files, "i18n/doorman.pot")

    # ---- data, views ----

    def test_no_constant_is_left_over(self):
        """One that nothing reads looks like a limit that holds."""
        words = Counter()
        for path in ROOT.parent.rglob("*.py"):
            words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for name, tree in sources(ROOT):
            for node in tree.body:
                if not isinstance(node, ast.Assign):
                    continue
                for target in ast.walk(node.targets[0]):
                    if isinstance(target, ast.Name) and target.id.isupper():
                        self.assertGreater(words[target.id], 1, f"{name}: {target.id}")

    def test_each_room_says_what_it_is_for(self):
        """A newcomer looks into a folder's ``__init__.py`` for that."""
        rooms = [path for path in ROOT.rglob("__init__.py") if path.parent != ROOT]
        rooms = [path for path in rooms if "tests" not in path.parts]
        self.assertGreater(len(rooms), 15)
        for path in rooms:
            doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            self.assertTrue(doc, f"{path.relative_to(ROOT)} does not say it")

    def test_data_comes_in_order(self):
        files = manifest(ROOT)["data"]
        self.assertEqual(len(files), len(set(files)))
        for file in files:
            self.assertTrue((ROOT / file).is_file(), file)
        folders = [Path(f).parts[0] for f in files]
        order = [f for i, f in enumerate(folders) if i == 0 or folders[i - 1] != f]
        self.assertEqual(order[0], "security")
        self.assertIn("groups", files[0])
        self.assertTrue(files[-1].endswith("_menus.xml"), "menus come last")

    def test_every_data_file_is_loaded(self):
        listed = set(manifest(ROOT)["data"]) | set(manifest(ROOT).get("demo", ()))
        for folder in ("security", "data", "views", "wizards"):
            for path in (ROOT / folder).glob("*"):
                if path.suffix in (".xml", ".csv"):
                    self.assertIn(str(path.relative_to(ROOT)), listed)

    def _elements(self):
        for file in manifest(ROOT)["data"]:
            if file.endswith(".xml"):
                for element in ElementTree.parse(ROOT / file).getroot().iter():
                    yield file, element

    def test_xml_ids_are_unique(self):
        seen = {}
        for file, element in self._elements():
            if element.tag in ("record", "menuitem", "template"):
                seen.setdefault(element.get("id"), []).append(file)
        for path in (ROOT / "security").glob("*.csv"):
            with path.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    seen.setdefault(row["id"], []).append(path.name)
        self.assertFalse({k: v for k, v in seen.items() if len(v) > 1})

    def test_rules_and_settings_are_not_overwritten_by_updates(self):
        for file in ("security/doorman_rules.xml", "data/doorman_data.xml"):
            root = ElementTree.parse(ROOT / file).getroot()
            self.assertEqual(root.get("noupdate"), "1", file)

    def test_nobody_may_write_or_delete_the_audit(self):
        for path in (ROOT / "security").glob("*.csv"):
            with path.open(encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.assertTrue(row["group_id:id"], row["id"])
                    if row["model_id:id"] == "model_doorman_audit":
                        for right in ("write", "create", "unlink"):
                            self.assertEqual(row[f"perm_{right}"], "0")

    def test_views_carry_the_class_of_ours(self):
        """looks.scss gives what has it enough contrast."""
        for path in sorted(ROOT.rglob("*_views.xml")):
            for record in ElementTree.parse(path).getroot().iter("record"):
                fields = {field.get("name"): field for field in record}
                arch = fields.get("arch")
                if arch is None or "inherit_id" in fields:
                    continue
                if arch[0].tag not in ("form", "kanban", "list"):
                    continue  # Odoo draws them by itself
                with self.subTest(record.get("id")):
                    self.assertIn("o_doorman", arch[0].get("class", "").split())

    def test_no_row_says_something_by_its_colour_alone(self):
        """What a row's colour hangs on is a column of it; archived rows are there for
        who asks for them."""
        for path in sorted(ROOT.rglob("*.xml")):
            for rows in ElementTree.parse(path).getroot().iter("list"):
                shown = {
                    field.get("name")
                    for field in rows.iter("field")
                    if not field.get("column_invisible")
                }
                shown |= {"active", "not", "and", "or", "in"}
                for name, hangs_on in rows.items():
                    if name.startswith("decoration-"):
                        words = re.sub(r"'[^']*'", "", hangs_on)
                        with self.subTest(path.name, colour=hangs_on):
                            self.assertLessEqual(set(re.findall(r"\w+", words)), shown)

    def test_each_label_is_of_one_field(self):
        """Of two fields of one name, Odoo gives both labels to the first; an id of its
        own tells the second."""
        for path in sorted(ROOT.rglob("*_views.xml")):
            for form in ElementTree.parse(path).getroot().iter("form"):
                labels = [label.get("for") for label in form.iter("label")]
                for name in labels:
                    with self.subTest(path.name, label=name):
                        self.assertEqual(labels.count(name), 1)

    def test_placeholders_are_examples(self):
        """A placeholder is gone with the first letter typed, and screen readers may not
        read it: what a field means, or what holds while it is empty, is text beside it.
        """
        for path in sorted(ROOT.rglob("*.xml")):
            for node in ElementTree.parse(path).getroot().iter():
                example = node.get("placeholder")
                if example is not None:
                    with self.subTest(path.name, placeholder=example):
                        self.assertTrue(example.startswith("e.g. "))

    def test_numbers_before_plurals(self):
        """A text with a number before a plural reads wrong where the number is 1. It
        has another order of words ("rows: %s"), or a text of its own for 1."""
        # What the service says is looked at there.
        generated = {"doorman/policy/service_texts.py", "doorman/policy/shared.py"}
        for file, tree in sources(ROOT.parent):
            if file in generated:
                continue
            parents = {
                child: node
                for node in ast.walk(tree)
                for child in ast.iter_child_nodes(node)
            }
            for call in ast.walk(tree):
                if (
                    not isinstance(call, ast.Call)
                    or getattr(call.func, "attr", getattr(call.func, "id", ""))
                    not in ("_", "_lt")
                    or not call.args
                    or not isinstance(call.args[0], ast.Constant)
                ):
                    continue
                text = call.args[0].value
                for found in COUNTED.finditer(text):
                    with self.subTest(file, text=text):
                        self.assertTrue(
                            any(known in text for known in NEVER_ONE)
                            or _never_one(call, found, parents),
                            f"wrong for 1: {found[0]}",
                        )

    def test_numbers_before_plurals_in_views(self):
        for path in sorted(ROOT.parent.rglob("*.xml")):
            text = " ".join(path.read_text(encoding="utf-8").split())
            for found in COUNTED_IN_XML.finditer(text):
                before = text[: found.end()]
                with self.subTest(path.name, text=before[-80:]):
                    self.assertTrue(any(map(before.endswith, NEVER_ONE_IN_XML)))

    def test_view_names_and_files(self):
        for file, element in self._elements():
            if element.tag == "record" and element.get("model") == "ir.ui.view":
                self.assertIn("_view", element.get("id"), file)
            self.assertNotIn(element.tag, ("tree",), f"<list> since 18: {file}")
            for word in ("attrs", "states"):
                self.assertIsNone(element.get(word), f"{word} in {file}")


def _never_one(call, found, parents):
    """Whether a text is filled with one of our own limits, or is only used where the
    number was compared with 1 or found to be more than something."""
    if found[1] in ("most", "limit"):
        return True
    if found[1]:
        given = {k.arg: k.value for k in call.keywords}.get(found[1])
    else:
        before = call.args[0].value[: found.start()]
        at = 1 + len(re.findall(r"%[sd]", before))
        given = call.args[at] if at < len(call.args) else None
    if given is None:
        return False
    name = ast.unparse(given)
    if name.rpartition(".")[2].isupper():
        return True
    node = call
    while node := parents.get(node):
        if isinstance(node, ast.If | ast.IfExp):
            for test in ast.walk(node.test):
                if isinstance(test, ast.Compare) and ast.unparse(test.left) == name:
                    more = isinstance(test.ops[0], ast.Gt | ast.GtE)
                    if more or ast.unparse(test.comparators[0]) == "1":
                        return True
    return False


if __name__ == "__main__":
    unittest.main()
