"""What Odoo's own errors and messages say of what the rules per model hide."""

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.translate import LazyGettext

from ...policy.in_force import NOT_SHOWN
from ..rules_common import RulesCase


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
        self.fails_with(lambda p: f"{p.email} owes 1,234.57")
        self.assertEqual(self.said(), "boss@acme.example owes 1,234.57")

    def test_allow_other_fields(self):
        self.rule_for("res.partner", hidden=["phone"])
        self.fails_with(lambda p: f"{p.email}, not {p.phone and 'that number'}")
        self.assertEqual(self.said(), "boss@acme.example, not that number")

    def test_allow_parts_of_words(self):
        self.acme.ref = "AB"
        self.rule_for("res.partner", hidden=["ref"])
        self.fails_with(lambda p: f"{p.ref}: ABLE, CAB, AB1")
        self.assertEqual(self.said(), f"{NOT_SHOWN}: ABLE, CAB, AB1")

    # ---- not told ----

    def test_deny_every_kind_of_value(self):
        """As Odoo's code may put it, and others beside it stay."""
        cases = (
            ("email", lambda p: p.email, NOT_SHOWN),
            ("email", lambda p: p.email.upper(), NOT_SHOWN),
            ("email", lambda p: f'"Boss" <{p.email}>', f'"Boss" <{NOT_SHOWN}>'),
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
                self.fails_with(lambda p, words=words: f"Odoo: {words(p)}, 17 left.")
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
        self.fails_with(lambda p: UserError(f"{p.email} is wrong"))
        self.assertEqual(self.said(), f"{NOT_SHOWN} is wrong")

    def test_deny_in_a_change_of_many(self):
        """Odoo forgets what it has read once the change of all is undone."""
        self.rule_for("res.partner", hidden=["email"])
        self.fails_with(lambda p: f"{p.email} is wrong")
        said = self.said(self.acme + self.other)
        self.assertIn(f"{NOT_SHOWN} is wrong", said)
        self.assertNotIn("example", said)

    def test_deny_masked(self):
        self.rule_for("res.partner", masked=["email"])
        self.fails_with(lambda p: f"{p.email} is wrong")
        self.assertEqual(self.said(), "b***@a***.example is wrong")

    def test_deny_records_that_are_not_there(self):
        self.rule_for("res.partner", domain=f"[('id', '!=', {self.other.id})]")
        self.fails_with(lambda p: f"{p.name} and {p.browse(self.other.id).name}")
        self.assertEqual(self.said(), f"Acme and {NOT_SHOWN}")

    def test_deny_a_field_that_fails_to_be_read(self):
        """The others are read without it, and it is said why."""
        self.rule_for("res.partner", hidden=["email"])

        def fails(partners):
            raise UserError(f"Nothing to tell of {partners[:1].sudo().email}")

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
                "params": {"message": f"Sent to {email}"},
            }

        partner = type(self.env["res.partner"])
        self.patch(partner, "create_company", create_company)
        request = self.request("res.partner", "call_method", self.acme.ids)
        request["kwargs"] = {"method": "create_company"}
        answer = self.gateway.call(self.fence(), request)
        self.assertIn(f"Odoo says: Sent to {NOT_SHOWN}", str(answer))
        self.assertNotIn("boss@", str(answer))
