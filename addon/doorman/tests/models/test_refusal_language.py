from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.translate import code_translations

from ...policy import shared
from ...policy.refusal import (
    Refusal,
    _lt,
    at,
    joined,
    kept,
    kept_words,
    told_later,
)
from ..common import ApprovalCase

ENGLISH = "This connection cannot use the model res.partner."
FRENCH = "Cette connexion ne peut pas utiliser le modèle res.partner."
FAILED = "Odoo failed to answer this call."
ECHEC = "Odoo n'a pas pu répondre à cet appel."
ERRORS = "odoo.addons.doorman.gateway.errors"
TAKES, A_NUMBER = "%(field)s takes %(wanted)s.", "a number"


@tagged("post_install", "-at_install")
class TestRefusalLanguage(ApprovalCase):
    """A refusal is in English for the AI tool, and in their own language for people."""

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("fr_FR")
        said = {
            shared.SAY_NO_MODEL: "Cette connexion ne peut pas utiliser le modèle %s.",
            TAKES: "%(field)s accepte %(wanted)s.",
            A_NUMBER: "un nombre",
            shared.SAY_NO_RECORD: "Pas de %(model)s %(id)s.",
            FAILED: ECHEC,
            "server switched off": "serveur désactivé",
        }
        known = {("doorman", "fr_FR"): said}
        self.patch(code_translations, "python_translations", known)
        self.people["user"].lang = self.people["approver"].lang = "fr_FR"

    def test_of_an_approval(self):
        approval = self.waiting_delete()
        self.allow_models("res.country")
        mine = self.by("approver", approval).with_context(lang="fr_FR")
        told = mine.action_approve()["params"]
        self.assertEqual((approval.state, told["message"]), ("failed", FRENCH))
        self.assertIn(FRENCH, approval.message_ids[0].body)
        self.assertEqual(mine.error_shown, FRENCH)
        english = approval.with_context(lang="en_US")
        self.assertEqual(english.error_shown, ENGLISH)
        error = self.status(approval)["error"]
        self.assertEqual(error["message"], ENGLISH)
        self.assertEqual(error["code"], "model_not_allowed")

    def test_of_a_call(self):
        self.allow_models("res.country")
        before = self.rows()
        error = self.call("res.partner", "search_count", domain=[])["error"]
        self.assertEqual(error["message"], ENGLISH)
        self.assertEqual(error["code"], "model_not_allowed")
        (row,) = self.new_rows(before)
        self.assertEqual((row["message"], row["outcome"]), (ENGLISH, "refused"))
        row = self.env["doorman.audit"].browse(row["id"])
        self.assertEqual(row.with_context(lang="fr_FR").message_shown, FRENCH)
        self.assertEqual(row.with_context(lang="en_US").message_shown, ENGLISH)

    def test_of_a_record_that_is_gone(self):
        before = self.rows()
        told = self.write(self.env["res.partner"].browse(2**31 - 1), {"name": "x"})
        self.assertEqual(told["error"]["code"], "unknown_record")
        (row,) = self.new_rows(before)
        self.assertEqual(self.shown(row, "fr_FR"), f"Pas de res.partner {2**31 - 1}.")
        self.assertEqual(self.shown(row, "en_US"), told["error"]["message"])

    def test_of_what_nobody_raised_as_a_refusal(self):
        """Errors of Python's and of the database's, in the audit and of an approval."""

        def fails(_call):
            return False.x

        before = self.rows()
        with self.doing(fails, "search_count"), mute_logger(ERRORS):
            error = self.call("res.partner", "search_count")["error"]
        (row,) = self.new_rows(before)
        self.assertEqual((row["outcome"], row["message"]), ("error", FAILED))
        self.assertEqual((error["code"], error["message"]), ("failed", FAILED))
        self.assertEqual(self.shown(row, "fr_FR"), ECHEC)
        approval = self.waiting_delete()
        mine = self.by("approver", approval).with_context(lang="fr_FR")
        with self.doing(fails, "unlink"), mute_logger(ERRORS):
            told = mine.action_approve()["params"]
        self.assertEqual((approval.state, told["message"]), ("failed", ECHEC))
        self.assertEqual(mine.error_shown, ECHEC)
        error = self.status(approval)["error"]
        self.assertEqual((error["code"], error["message"]), ("failed", FAILED))
        self.assertEqual(error["kind"], "internal")

    def test_why_nobody_came_in(self):
        """The true reason, which is in the audit alone."""
        fence, before = self.fence(), self.rows()
        self.settings.action_disable()
        self.env.flush_all()
        error = self.call("res.partner", "search_count", fence=fence)["error"]
        self.assertEqual(error["message"], shared.SAY_OFF)
        (row,) = self.new_rows(before)
        self.assertEqual(row["message"], "server switched off")
        self.assertEqual(self.shown(row, "fr_FR"), "serveur désactivé")

    def test_of_an_explanation(self):
        self.allow_models("res.country")
        gateway = self.env["doorman.gateway"].with_context(lang="fr_FR")
        found = gateway._explain(self.connection, "search_records", "res.partner", [])
        self.assertEqual(found["steps"][-1]["message"], FRENCH)
        self.assertEqual(found["steps"][-1]["code"], "model_not_allowed")

    def shown(self, row, lang):
        audit = self.env["doorman.audit"].browse(row["id"])
        return audit.with_context(lang=lang).message_shown

    def test_what_is_not_ours_is_told_as_it_is(self):
        def fails(_call):
            raise UserError("Not so.")

        before = self.rows()
        with self.doing(fails, "search_count"):
            error = self.call("res.partner", "search_count")["error"]
        self.assertEqual((error["code"], error["message"]), ("odoo_refused", "Not so."))
        (row,) = self.new_rows(before)
        self.assertIsNone(row["words"])
        shown = self.env["doorman.audit"].browse(row["id"]).message_shown
        self.assertEqual(shown, row["message"])

    def test_kept_words(self):
        """Words in words, and the place of what is wrong, in either language."""
        words = _lt(TAKES, field="res.partner.color", wanted=_lt(A_NUMBER))
        try:
            with at("records[2]"):
                raise Refusal("wrong_value", words)
        except Refusal as exc:
            refusal = exc
        self.assertEqual(refusal.message, "res.partner.color takes a number.")
        self.assertEqual(refusal.kind, "invalid_input")
        self.assertEqual(refusal.facts["field"], "res.partner.color")
        found = kept(refusal)
        self.assertEqual(
            told_later(found, "fr_FR"),
            "records[2]: res.partner.color accepte un nombre.",
        )
        self.assertEqual(
            told_later(found, False), "records[2]: res.partner.color takes a number."
        )

    def test_joined_words(self):
        one, two = _lt(shared.SAY_NO_MODEL, "res.partner"), _lt(A_NUMBER)
        for words, english, french in (
            ([one], ENGLISH, FRENCH),
            ([one, two], f"{ENGLISH} a number", f"{FRENCH} un nombre"),
            ([two, one, two], f"a number {ENGLISH} a number",
             f"un nombre {FRENCH} un nombre"),
        ):  # fmt: skip
            found = kept_words(joined(iter(words)))
            self.assertEqual(told_later(found, "en_US"), english)
            self.assertEqual(told_later(found, "fr_FR"), french)

    def test_what_has_no_words_of_ours(self):
        for exc in (Refusal("wrong_value", "Plain."), ValueError("x")):
            self.assertIsNone(kept(exc))
        self.assertEqual(told_later(None, "fr_FR"), "")
