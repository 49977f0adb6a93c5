"""Whether what people read goes through Odoo's translation: a language in which each
text of ours stands between marks, as far as Odoo exports it. What a person sees without
the marks, no translator has seen."""

import ast
import re
from datetime import timedelta
from io import BytesIO
from itertools import chain

import polib
from lxml import html

from odoo.tests import BaseCase, tagged
from odoo.tools.translate import (
    TranslationImporter,
    code_translations,
    trans_export,
)

from ...policy.known_texts import in_words
from ...policy.refusal import _lt, kept_words
from ...policy.service_texts import REFUSALS, TITLES
from ..common import ApprovalCase
from ..test_static import ROOT, named_nodes, sources

LANG = "de_DE"
# Odoo exports what stands in _lt() here, too.
NOT_EXPORTED, ENDS, NOBODY = "No text.", "The key of %s expires", "Nobody decided."
BEGIN, END = "⟦", "⟧"
# A text of the service's with two facts in it.
TWO = next(text for text in REFUSALS if text.count("%s") == 2)
MARKED = re.compile("⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[A-Za-z]{3,}")
# Our own names, and words that are the same in every language.
ALIKE = {
    "Doorman",
    "English",
    "MCP",
    "API",
    "OAuth",
    "Odoo",
    "UTC",
    "mcp",
    "metadata",
    "search",
}
# The models whose records people look at.
LOOKED_AT = (
    "doorman.approval",
    "doorman.audit",
    "doorman.connection",
    "doorman.invite",
    "doorman.key.report",
    "doorman.model.rule",
    "doorman.oauth.client",
    "doorman.own.tool",
    "doorman.policy.change",
    "doorman.scope",
    "doorman.settings",
    "doorman.tool",
)
# What is the same for all: addresses, code, what an AI tool sent or gets.
AS_IT_IS = {"payload_text", "result_text", "model_name", "snippets"}
# Where words end up before people, if nobody marks them.
ERRORS = {
    *("UserError", "ValidationError", "AccessError", "MissingError", "LockError"),
    *("RedirectWarning", "Refusal", "WrongInput"),
}
SAID = {"body", "summary", "note", "subject", "body_html", "title", "message", "name"}
SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;]? [a-z]{2,}")
# What looks like it, and is for the service or its log alone.
NOT_READ = {
    "controllers/gateway.py:_error",
    "gateway/interface.py:_check_caller",
    "gateway/interface.py:hello",
}


def without_marks(text):
    """What is left of a text without what is marked, from the inside out."""
    before = None
    while before != text:
        before, text = text, MARKED.sub(" ", text)
    return text


def texts_of(page):
    """The text of a piece of HTML as one, and each attribute that is read."""
    tree = html.fromstring(f"<div>{page}</div>")
    for gone in tree.xpath("//script|//style|//time|//code"):
        gone.drop_tree()
    yield " ".join(tree.itertext())
    for name in ("title", "alt", "placeholder", "aria-label"):
        yield from tree.xpath(f"//@{name}")


@tagged("post_install", "-at_install")
class TestPseudoLanguage(ApprovalCase):
    def setUp(self):
        super().setUp()
        env = self.env
        env["res.lang"]._activate_lang(LANG)
        exported = BytesIO()
        trans_export(False, ["doorman"], exported, "po", env)
        self.texts = polib.pofile(exported.getvalue().decode())
        for entry in self.texts:
            entry.msgstr = f"{BEGIN}{entry.msgid}{END}"
        importer = TranslationImporter(env.cr, verbose=False)
        file = BytesIO(str(self.texts).encode())
        file.name = "pseudo"  # Odoo looks for the template beside it
        importer.load(file, "po", LANG)
        importer.save(overwrite=True, force_overwrite=True)
        env.registry.clear_cache("templates")
        env.invalidate_all()
        code = {
            entry.msgid: entry.msgstr
            for entry in self.texts
            if "odoo-python" in entry.comment
        }
        known = {("doorman", LANG): code}
        known = dict(code_translations.python_translations) | known
        self.patch(code_translations, "python_translations", known)

    # ---- what Odoo keeps ----

    def test_fields(self):
        """Labels, helps and choices of all our fields."""
        seen = 0
        for name in self.env.registry:
            model = self.env[name].with_context(lang=LANG)
            fields = {
                field.name: field
                for field in model._fields.values()
                if field._modules and set(field._modules) == {"doorman"}
            }
            for field in fields.values():
                described = field.get_description(model.env)
                texts = [described.get("string"), described.get("help")]
                if not field.related and field.type == "selection":
                    if not callable(field.selection):
                        texts += [label for _value, label in described["selection"]]
                for text in filter(WORD.search, filter(None, texts)):
                    seen += 1
                    with self.subTest(field=str(field), text=text):
                        self.assertIn(BEGIN, text)
        self.assertGreater(seen, 1_000)

    def test_records(self):
        """Our own data: every text of it that is shown can be translated."""
        data = self.env["ir.model.data"].search([("module", "=", "doorman")])
        shown = {
            "doorman.scope": ("name", "description"),
            "ir.actions.act_window": ("name", "help"),
            "ir.actions.client": ("name",),
            "ir.actions.server": ("name",),
            "ir.model": ("name",),
            "ir.module.category": ("name",),
            "ir.ui.menu": ("name",),
            "mail.activity.type": ("name", "summary"),
            "res.groups": ("name", "comment"),
            "res.groups.privilege": ("name",),
        }
        seen = set()
        for row in data.filtered(lambda row: row.model in shown):
            record = self.env[row.model].browse(row.res_id).with_context(lang=LANG)
            for name in shown[row.model]:
                if value := record.exists() and record[name]:
                    seen.add(row.model)
                    with self.subTest(record=row.complete_name, field=name):
                        self.assertIn(BEGIN, value)
        self.assertGreater(len(seen), 7)

    # ---- what is worked out ----

    def _known(self, record):
        """The words of data: of names that people have given, and of Odoo's own."""
        words = set(ALIKE)
        for user in self.env["res.users"].search([]):
            words |= set(WORD.findall(f"{user.name} {user.login} {user.email or ''}"))
        for field in record._fields.values():
            if field.store and field.type in ("char", "text"):
                plain = record.with_context(lang="en_US")
                words |= set(WORD.findall(str(plain[field.name] or "")))
        for model in self.env["ir.model"].search([]):
            if not model.model.startswith("doorman"):
                words |= set(WORD.findall(model.name))
        for field in self.env["res.partner"]._fields.values():
            words |= set(WORD.findall(field.string or ""))
        return words

    def _rows(self):
        """Records of each of the models, with something in them."""
        self.people["approver"].lang = LANG
        self.gate("delete_records", "update_records")
        approval = self.waiting_delete()
        self.by("approver", approval).action_reject("Zzz")
        self.waiting("res.partner", "write", self.acme.ids, vals={"name": "Zzz"})
        self.allow_models("res.country")
        self.call("res.partner", "search_count")
        self.env["doorman.model.rule"].create(
            {
                "connection_id": self.connection.id,
                "model_id": self.env["ir.model"]._get("res.country").id,
            }
        )
        now = self.env.cr.now()
        self.env["doorman.policy.change"]._inside().create(
            {
                "field_name": "allow_sql",
                "before": False,
                "after": True,
                "asked_by_id": self.people["admin"].id,
                "asked_at": now,
                "expires_at": now + timedelta(days=1),
            }
        )
        self.env.flush_all()

    def test_what_is_worked_out(self):
        """The texts that our own code makes of records."""
        self._rows()
        seen, filled = 0, set()
        for name in LOOKED_AT:
            model = self.env[name].with_context(lang=LANG, active_test=False)
            for record in model.search([], limit=30):
                known = self._known(record)
                for field in self._worked_out(model):
                    if field.name in AS_IT_IS | {"display_name"}:
                        continue
                    value = record[field.name]
                    if not value:
                        continue
                    seen += 1
                    filled.add(str(field))
                    is_html = field.type == "html"
                    for text in texts_of(value) if is_html else (value,):
                        left = set(WORD.findall(without_marks(text))) - known
                        with self.subTest(field=str(field), text=text):
                            self.assertFalse(left)
        self.assertGreater(len(filled), 12, sorted(filled))

    @staticmethod
    def _worked_out(model):
        """Our own fields that hold a text and have no column."""
        for field in model._fields.values():
            of_ours = field.name == "display_name" or "doorman" in field._modules
            if not field.store and of_ours and field.type in ("char", "text", "html"):
                yield field

    def test_one_reader_after_another(self):
        """What was worked out for one reader is not given to the next, in another
        language and the same transaction: a job tells many people."""
        self._rows()
        seen = set()
        for name in LOOKED_AT:
            model = self.env[name].with_context(active_test=False)
            for record in model.search([], limit=10):
                german = record.with_context(lang=LANG)
                for field in self._worked_out(model):
                    english = record.with_context(lang="en_US")[field.name]
                    found = german[field.name]
                    german.invalidate_recordset([field.name])
                    own = german[field.name]
                    if own != english:
                        seen.add(str(field))
                    with self.subTest(field=str(field)):
                        self.assertEqual(found, own)
        self.assertGreater(len(seen), 10, sorted(seen))

    def test_each_administrator_is_asked_in_their_language(self):
        group = ["doorman.group_admin"]
        english, german = self.people["admin"], self._person("german", group, lang=LANG)
        asks = self._person("asks", group)
        changes = self.env["doorman.policy.change"].with_user(asks)
        changes._ask(self.settings.with_user(asks), {"allow_sql": (False, True)})
        activities = changes.sudo().search([("state", "=", "pending")]).activity_ids
        told = {activity.user_id: activity.summary for activity in activities}
        self.assertIn(BEGIN, told[german])
        self.assertNotIn(BEGIN, told[english])

    # ---- refusals, as each reader gets them ----

    def test_what_the_service_says(self):
        """A refusal of the service's own comes in English, and is told in the language
        of who reads it; so is a tool's title."""
        for source in REFUSALS:
            filled = source.replace("%s", "17")
            with self.subTest(source=source):
                self.assertIn(BEGIN, in_words(filled, LANG))
                self.assertEqual(in_words(filled, "en_US"), filled)
        filled = TWO % (17, 100)
        self.assertEqual(in_words(filled, LANG), f"{BEGIN}{filled}{END}")
        for text in ("", "Not of ours.", "A person wrote it: There is no such tool."):
            self.assertEqual(in_words(text, LANG), text)
        tool = self.tool("xsearch")
        tool._inside().write({"title": "Search records"})
        self.assertIn("Search records", TITLES)
        shown = tool.with_context(lang=LANG)
        self.assertEqual(shown.title_shown, "⟦Search records⟧")
        self.assertEqual(shown.title, "Search records")
        found = shown.search([("title_shown", "ilike", "⟦search")])
        self.assertIn(tool, found)
        self.assertEqual(set(found.mapped("title")), {"Search records"})
        self.assertFalse(shown.search([("title_shown", "ilike", "⟦nothing")]))

    def test_the_audit_of_a_service_that_refuses(self):
        before, said = self.rows(), TWO % (17, 100)
        event = {
            "connection": self.connection.id,
            "reason": "invalid_input",
            "message": said,
            "audit": {"method": "tools/call", "tool": "read_records"},
        }
        self.gateway.record([event])
        [row] = self.new_rows(before)
        audit = self.env["doorman.audit"].browse(row["id"])
        self.assertEqual(audit.message, said)
        german = audit.with_context(lang=LANG)
        self.assertEqual(german.message_shown, f"{BEGIN}{said}{END}")
        english = audit.with_context(lang="en_US")
        self.assertEqual(english.message_shown, said)

    def test_a_german_gets_english_for_the_tool(self):
        """The AI tool of a German gets English; in the audit and the request, a German
        administrator reads German, and an English one English."""
        self.people["user"].lang = LANG
        self.people["approver"].lang = LANG
        approval = self.waiting_delete()
        self.allow_models("res.country")
        before = self.rows()
        error = self.call("res.partner", "search_count")["error"]
        self.assertNotIn(BEGIN, error["message"] + error["hint"])
        [row] = self.new_rows(before)
        audit = self.env["doorman.audit"].browse(row["id"])
        self.assertEqual(
            audit.with_context(lang=LANG).message_shown, f"⟦{error['message']}⟧"
        )
        self.assertEqual(
            audit.with_context(lang="en_US").message_shown, error["message"]
        )
        before = self.rows()
        self.by("approver", approval).with_context(lang=LANG).action_approve()
        self.assertEqual(approval.state, "failed")
        told = self.status(approval)["error"]
        self.assertEqual(told["message"], error["message"])
        self.assertNotIn(BEGIN, told["hint"])
        for lang, text in (
            (LANG, f"⟦{error['message']}⟧"),
            ("en_US", error["message"]),
        ):
            read = approval.with_context(lang=lang)
            self.assertEqual(read.error_shown, text)
        [row] = [r for r in self.new_rows(before) if r["method"] == "approval/approve"]
        audit = self.env["doorman.audit"].browse(row["id"])
        self.assertNotIn(BEGIN, audit.with_context(lang="en_US").message_shown)
        self.assertIn(
            f"could not be carried out: ⟦{error['message']}⟧",
            audit.with_context(lang=LANG).message_shown,
        )

    def test_what_a_request_would_do(self):
        """The approver reads it in their language; the AI tool gets it in English."""
        self.people["approver"].lang = LANG
        for approval in (
            self.waiting_delete(),
            self.waiting("res.partner", "write", self.acme.ids, vals={"city": "X"}),
            self.waiting("res.partner", "create", [], vals_list=[{"name": "X"}]),
        ):
            with self.subTest(summary=approval.summary):
                self.assertIn(BEGIN, approval.summary)
                told = self.status(approval)["summary"]
                self.assertNotIn(BEGIN, told)
                self.assertRegex(told, "contact (Acme|X)$")

    def test_why_a_request_was_cancelled(self):
        """A German ends it; an English administrator reads why in English."""
        approval = self.waiting_delete()
        before = self.rows()
        connection = self.connection.with_context(lang=LANG)
        connection.action_revoke()
        self.assertEqual(approval.state, "cancelled")
        english = "The connection was revoked."
        # What the AI tool gets, once it is let in again.
        self.assertEqual(approval._status()["reason"], english)
        [row] = [r for r in self.new_rows(before) if r["method"] == "approval/cancel"]
        audit = self.env["doorman.audit"].browse(row["id"])
        for lang, text in ((LANG, f"⟦{english}⟧"), ("en_US", english)):
            self.assertEqual(approval.with_context(lang=lang).reason_shown, text)
            self.assertEqual(audit.with_context(lang=lang).message_shown, text)

    def test_a_reason_that_a_person_wrote_stays(self):
        approval = self.waiting_delete()
        self.by("approver", approval).with_context(lang=LANG).action_reject("Nein.")
        for lang in (LANG, "en_US"):
            self.assertEqual(approval.with_context(lang=lang).reason_shown, "Nein.")

    def test_what_was_refused_of_a_query_stays_behind_the_words(self):
        words = kept_words(_lt(NOT_EXPORTED))
        words["code"] = "SELECT 1"
        before = self.rows()
        self.env["doorman.audit"]._insert(
            {"method": "x", "outcome": "refused", "message": "x", "words": words}
        )
        [row] = self.new_rows(before)
        audit = self.env["doorman.audit"].browse(row["id"])
        self.assertTrue(audit.message_shown.endswith(" <- SELECT 1"))

    def test_reminders_are_in_each_persons_language(self):
        self.people["user"].lang = LANG
        soon = self.env.cr.now()
        self.connection.sudo()._inside().write({"expires_at": soon.replace(second=0)})
        job = self.env["doorman.gateway"]
        people = self.people["user"] | self.people["admin"]
        job._remind(
            self.connection.sudo(),
            people,
            "mail.mail_activity_data_todo",
            soon,
            _lt(ENDS, "x"),
            _lt(NOBODY),
        )
        activities = self.connection.sudo().activity_ids
        told = {activity.user_id: activity.summary for activity in activities}
        self.assertEqual(told[self.people["user"]], "⟦The key of x expires⟧")
        self.assertEqual(told[self.people["admin"]], "The key of x expires")


@tagged("post_install", "-at_install")
class TestUnmarked(BaseCase):
    """What can be seen by reading the code: no sentence reaches people that Odoo's
    export does not see."""

    def _sinks(self, node):
        """The values of a node that people would read."""
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ERRORS:
                yield from node.args
            for keyword in node.keywords:
                if keyword.arg in SAID and name not in ("_", "_lt"):
                    yield keyword.value
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in SAID:
                    yield value

    def _bare(self, node):
        """The texts of an expression that nothing marks."""
        if isinstance(node, ast.Call):
            return  # what it takes is its own matter: of _() and _lt(), it is marked
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "{}"
                for part in node.values
            )
        else:
            yield from chain.from_iterable(map(self._bare, ast.iter_child_nodes(node)))

    def found(self, tree):
        return [
            (owner, text)
            for owner, node in named_nodes(tree)
            for sink in self._sinks(node)
            for text in self._bare(sink)
            if SENTENCE.search(text)
        ]

    def test_no_sentence_is_bare(self):
        found = [
            f"{name}:{owner}: {text}"
            for name, tree in sources(ROOT)
            if not name.startswith(("__manifest__", "demo/", "migrations/", "readers/"))
            for owner, text in self.found(tree)
            if f"{name}:{owner}" not in NOT_READ
        ]
        self.assertFalse(found, "\n".join(found))

    @staticmethod
    def _of_one_language(tree):
        """Computes that translate, and whose field Odoo keeps for all languages."""
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if (
                node.name.startswith("_compute_")
                and "env._(" in ast.unparse(node)
                and not any("depends_context" in m and "lang" in m for m in marks)
            ):
                yield node.name

    def test_what_is_translated_depends_on_the_language(self):
        found = [
            f"{name}:{owner}"
            for name, tree in sources(ROOT)
            for owner in self._of_one_language(tree)
        ]
        self.assertFalse(found, "\n".join(found))

    def test_it_finds_computes_of_one_language(self):
        code = "class A:\n  {}\n  def _compute_x(self):\n    self.x = self.env._('Yes')"
        for mark, count in (
            ("@api.depends('y')", 1),
            ("@api.depends_context('uid')", 1),
            ("@api.depends_context('lang')", 0),
            ("@api.depends_context('uid', 'lang')", 0),
        ):
            with self.subTest(mark=mark):
                tree = ast.parse(code.format(mark))
                self.assertEqual(len(list(self._of_one_language(tree))), count)

    def test_it_finds_them(self):
        for code, count in (
            ('raise UserError("This may not be.")', 1),
            ('raise UserError(self.env._("This may not be."))', 0),
            ('raise UserError(f"This may not be: {x}")', 1),
            ('raise UserError("This may not" + x)', 1),
            ('x = {"title": "Nothing was done", "type": "ir.actions"}', 1),
            ('x = {"title": self.env._("Nothing was done")}', 0),
            ('record.message_post(body="Removed by %s." % who)', 1),
            ('record.message_post(body=_lt("Removed by %s.", who))', 0),
            ('Refusal("wrong_value", "It is wrong.")', 1),
            ('Refusal("wrong_value", _lt("It is wrong."), "")', 0),
            ('x = {"name": "mcp:search"}', 0),
        ):
            with self.subTest(code=code):
                self.assertEqual(len(self.found(ast.parse(code))), count)
