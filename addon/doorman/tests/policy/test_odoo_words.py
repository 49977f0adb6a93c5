"""What Odoo's own errors and messages say of what the rules per model hide."""

import json

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.translate import LazyGettext

from ...policy.in_force import NOT_SHOWN
from ..rules_common import RulesCase


def say(records, text, *args):
    """A text of Odoo's code, translated; those of tests are in no catalogue."""
    return records.env._(text, *args)


@tagged("post_install", "-at_install")
class TestOdooWords(RulesCase):
    def setUp(self):
        super().setUp()
        self.acme.partner_latitude = 1234.5678
        self.acme.category_id = self.env["res.partner.category"].create(
            {"name": "Slow payers"}
        )

    def fails_with(self, words, error=UserError):
        """Let a change fail, with words that Odoo's code makes of what it reads.

        :param words: makes the words of a partner
        """

        def _check(partners):
            for partner in partners:
                raise error(words(partner.sudo()))

        cls = type(self.env["res.partner"])
        self.patch(cls, "write", lambda partners, vals: _check(partners))

    def said(self, records=None, **values):
        answer = self.write(records or self.acme, values or {"function": "CEO"})
        self.assertEqual(self.kind_of(answer), "business_rule")
        return answer["error"]["message"]

    # ---- told ----

    def test_allow_without_rules(self):
        self.fails_with(lambda p: say(p, "%s owes 1,234.57", p.email))
        self.assertEqual(self.said(), "boss@acme.example owes 1,234.57")

    def test_allow_other_fields(self):
        self.rule_for("res.partner", hidden=["phone"])
        self.fails_with(lambda p: p.phone and say(p, "%s, not that number", p.email))
        self.assertEqual(self.said(), "boss@acme.example, not that number")

    def test_allow_parts_of_words(self):
        self.acme.ref = "AB"
        self.rule_for("res.partner", hidden=["ref"])
        self.fails_with(lambda p: say(p, "%s: ABLE, CAB, AB1", p.ref))
        self.assertEqual(self.said(), f"{NOT_SHOWN}: ABLE, CAB, AB1")

    # ---- not told ----

    def test_deny_every_kind_of_value(self):
        """As Odoo's code may put it, and others beside it stay."""
        cases = (
            ("email", lambda p: p.email, NOT_SHOWN),
            ("email", lambda p: p.email.upper(), NOT_SHOWN),
            ("email", lambda p: say(p, "by <%s>", p.email), f"by <{NOT_SHOWN}>"),
            ("email", lambda p: f'"Boss" <{p.email}>', NOT_SHOWN),
            ("email", lambda p: [p.email, p.name], f"{NOT_SHOWN}, Acme"),
            ("email", lambda p: UserError(p.email), NOT_SHOWN),
            ("phone", lambda p: p.phone, NOT_SHOWN),
            ("comment", lambda p: p.comment and "Secret notes", NOT_SHOWN),
            ("country_id", lambda p: p.country_id.display_name, NOT_SHOWN),
            ("category_id", lambda p: p.category_id.name, NOT_SHOWN),
            ("partner_latitude", lambda p: f"{p.partner_latitude:.4f}", NOT_SHOWN),
            (
                "partner_latitude",
                lambda p: p.partner_latitude and "1,234.57",
                NOT_SHOWN,
            ),
            (
                "partner_latitude",
                lambda p: p.partner_latitude and "1 234,57",
                NOT_SHOWN,
            ),
            ("create_date", lambda p: p.create_date, NOT_SHOWN),
            ("create_date", lambda p: f"{p.create_date:%Y-%m-%d}", NOT_SHOWN),
            ("create_date", lambda p: f"{p.create_date:%m/%d/%Y}", NOT_SHOWN),
            ("type", lambda p: p.type, NOT_SHOWN),
            ("type", lambda p: p.type and "Contact", NOT_SHOWN),
        )
        rule = self.rule_for("res.partner", hidden=["email"])
        for name, words, instead in cases:
            with self.subTest(name=name):
                rule.hidden_field_ids = self.fields("res.partner", name)
                self.fails_with(
                    lambda p, words=words: say(p, "Odoo: %s, 17 left.", words(p))
                )
                self.assertEqual(self.said(), f"Odoo: {instead}, 17 left.")

    def test_deny_whatever_the_error(self):
        self.rule_for("res.partner", hidden=["email"])
        for error in (ValidationError, ValueError, KeyError):
            with self.subTest(error=error.__name__):
                self.fails_with(lambda p: f"Wrong: {p.email}", error)
                answer = self.write(self.acme, {"function": "CEO"})
                self.assertTrue(self.kind_of(answer))
                self.assertNotIn("boss@", str(answer))

    def test_deny_words_that_wait_for_their_language(self):
        self.rule_for("res.partner", hidden=["email"])
        lazy = LazyGettext("Wrong: %s", self.acme.email)
        self.fails_with(lambda p: p.email and lazy)
        self.assertEqual(self.said(), f"Wrong: {NOT_SHOWN}")

    def test_deny_an_error_in_an_error(self):
        self.rule_for("res.partner", hidden=["email"])
        self.fails_with(lambda p: UserError(say(p, "%s is wrong", p.email)))
        self.assertEqual(self.said(), f"{NOT_SHOWN} is wrong")

    def test_deny_in_a_change_of_many(self):
        """Odoo forgets what it has read once the change of all is undone."""
        self.rule_for("res.partner", hidden=["email"])
        self.fails_with(lambda p: say(p, "%s is wrong", p.email))
        said = self.said(self.acme + self.other)
        self.assertIn(f"{NOT_SHOWN} is wrong", said)
        self.assertNotIn("example", said)

    def test_deny_what_fails_when_it_is_saved(self):
        """Fields that are stored are worked out after the method has run."""
        self.rule_for("res.partner", hidden=["email"])

        def fails(partners):
            email = partners.sudo()[:1].email
            raise UserError(say(partners, "%s is wrong", email))

        partner = type(self.env["res.partner"])
        self.patch(partner, "_compute_commercial_company_name", fails)

        def create_company(partners):
            partners.sudo().company_name = "Acme Ltd"

        self.patch(partner, "create_company", create_company)
        answer = self.method(self.acme, "create_company")
        self.assertEqual(answer["error"]["message"], f"{NOT_SHOWN} is wrong")

    def test_deny_masked(self):
        self.rule_for("res.partner", masked=["email"])
        self.fails_with(lambda p: say(p, "%s is wrong", p.email))
        self.assertEqual(self.said(), f"{NOT_SHOWN} is wrong")

    def test_deny_records_that_are_not_there(self):
        self.rule_for("res.partner", domain=f"[('id', '!=', {self.other.id})]")
        self.fails_with(
            lambda p: say(p, "%s and %s", p.name, p.browse(self.other.id).name)
        )
        self.assertEqual(self.said(), f"Acme and {NOT_SHOWN}")

    def test_deny_a_field_that_fails_to_be_read(self):
        """The others are read without it, and it is said why."""
        self.rule_for("res.partner", hidden=["email"])

        def fails(partners):
            email = partners[:1].sudo().email
            raise UserError(say(partners, "Nothing to tell of %s", email))

        self.patch(type(self.env["res.partner"]), "_compute_contact_address", fails)
        names = ["name", "contact_address"]
        answer = self.call("res.partner", "read", self.acme.ids, fields=names)
        why = {"contact_address": f"Nothing to tell of {NOT_SHOWN}"}
        self.assertEqual(answer["value"]["unreadable"], why)

    def opens(self, context, **action):
        """What the button of a contact tells that opens something.

        :param context: makes its context of the contact
        """

        def create_company(partners):
            partner = partners.sudo()
            action["context"] = context(partner)
            return {"type": "ir.actions.act_window", "target": "new"} | action

        self.patch(type(self.env["res.partner"]), "create_company", create_company)
        return self.method(self.acme, "create_company")["value"]

    def test_deny_what_a_new_record_starts_with(self):
        self.rule_for("res.partner", hidden=["email", "partner_latitude"])
        value = self.opens(
            lambda p: {
                "default_name": f"Like {p.email}",
                "default_partner_latitude": p.partner_latitude,
                "default_partner_longitude": p.partner_latitude,
                "default_ref": "R",
                "default_color": 7,
            },
            res_model="res.partner",
            view_mode="form",
        )
        self.assertEqual(value["result_values"], {"ref": "R", "color": 7})

    def test_deny_what_a_wizard_starts_with(self):
        wizard = "mail.blacklist.remove"
        self.env["ir.model.access"].create(
            {
                "name": "t",
                "model_id": self.env["ir.model"]._get_id(wizard),
                "group_id": self.env.ref("base.group_user").id,
                **dict.fromkeys(
                    ("perm_read", "perm_write", "perm_create", "perm_unlink"), True
                ),
            }
        )

        def started():
            value = self.opens(
                lambda p: {"default_email": p.email, "default_reason": "Asked"},
                res_model=wizard,
            )
            return value["wizard"]["values"]

        told = {"email": "boss@acme.example", "reason": "Asked"}
        self.assertEqual(started(), told)
        self.rule_for("res.partner", hidden=["email"])
        self.assertEqual(started(), told | {"email": NOT_SHOWN})

    def test_deny_what_a_button_shows(self):
        self.rule_for("res.partner", hidden=["email"])

        def create_company(partners):
            email = partners.sudo().email
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "name": f"About {email}",
                "params": {"message": say(partners, "Sent to %s", email)},
            }

        partner = type(self.env["res.partner"])
        self.patch(partner, "create_company", create_company)
        request = self.request("res.partner", "call_method", self.acme.ids)
        request["kwargs"] = {"method": "create_company"}
        answer = self.gateway.call(self.fence(), request)
        self.assertIn(f"Odoo says: Sent to {NOT_SHOWN}", str(answer))
        self.assertNotIn("boss@", str(answer))

    def test_deny_what_nobody_says_is_made_of_words(self):
        """Of a text that was put together without Odoo's translation, nothing says what
        in it is a value."""
        self.rule_for("res.partner", hidden=["email"])
        self.fails_with(lambda p: f"{p.email} is wrong")
        self.assertEqual(self.said(), NOT_SHOWN)
        self.fails_with(
            lambda p: "\n".join([say(p, "One: %s", p.email), say(p, "Two")])
        )
        self.assertEqual(self.said(), f"One: {NOT_SHOWN}\nTwo")

    def test_allow_what_models_and_fields_are_called(self):
        self.rule_for("res.partner", hidden=["email"])
        field = self.env["res.partner"]._fields["partner_latitude"]
        words = (field.string, field.name, field.model_name)
        self.fails_with(lambda p: p.email and say(p, "%s, %s, %s, %d", *words, 5))
        self.assertEqual(self.said(), f"{', '.join(words)}, 5")

    # ---- guesses ----

    def assert_same_answer(self, field, guess, other, words, **values):
        """Two databases that differ in a hidden value alone give the same answer, also
        where that value is what the caller guesses.

        :param words: makes the words of an error of a partner and of what is written
        """

        def write(partners, vals):
            partner = partners.sudo()
            partner.mapped(field)
            raise UserError(words(partner, vals))

        self.patch(type(self.env["res.partner"]), "write", write)
        answers = []
        for value in (guess, other):
            self.env.cr.execute(
                SQL(
                    "UPDATE res_partner SET %s = %s WHERE id = %s",
                    *(SQL.identifier(field), value, self.acme.id),
                )
            )
            self.env.invalidate_all()
            answer = self.write(self.acme, {"function": guess} | values)
            self.assertIn("said", answer["error"]["message"])
            answers.append(json.dumps(answer, sort_keys=True))
        self.assertEqual(*answers)

    def test_deny_guesses_of_texts(self):
        """What is sent comes back in an error: by itself, in a text, in capitals,
        beside the hidden value, or from an open field into which it was put before."""
        guess = "guess@acme.example"
        self.acme.name = guess
        self.rule_for("res.partner", hidden=["email"])
        for number, words in enumerate(
            (
                lambda p, vals: say(p, "said %s", vals["function"]),
                lambda p, vals: say(p, "said %s", vals["function"].upper()),
                lambda p, vals: say(p, "said %s", f"by {vals['function']}, twice"),
                lambda p, vals: say(p, "said %s, %s", vals["function"], p.email),
                lambda p, vals: say(p, "said %s", p.mapped("email")),
                lambda p, vals: say(p, "said %s", p.name),
                lambda p, vals: say(p, "said %s", p.display_name),
                lambda p, vals: say(p, "said guess@acme.example"),
                lambda p, vals: say(p, "said %s", p),
                lambda p, vals: say(p, "said") + f" {vals['function']}",
                lambda p, vals: say(p, "said") + f" {p.email}",
            )
        ):
            with self.subTest(number=number):
                self.assert_same_answer("email", guess, "boss@acme.example", words)

    def test_deny_guesses_of_words(self):
        """A word that a text has anyway stays, no matter what is hidden."""
        self.rule_for("res.partner", hidden=["type"])
        self.assert_same_answer(
            "type",
            "contact",
            "other",
            lambda p, vals: say(p, "said of this contact: %s", vals["function"]),
        )

    def test_deny_guesses_of_numbers(self):
        self.rule_for("res.partner", hidden=["partner_latitude"])
        for number, words in enumerate(
            (
                lambda p, vals: say(p, "said %s", vals["color"]),
                lambda p, vals: say(p, "said %d", vals["color"]),
                lambda p, vals: say(p, "said %.2f, 17 left", p.partner_latitude),
                lambda p, vals: say(p, "said %s", f"{vals['color']},00"),
                lambda p, vals: say(p, "said") + f" {p.partner_latitude}, 17",
            )
        ):
            with self.subTest(number=number):
                self.assert_same_answer("partner_latitude", 17, 3, words, color=17)
