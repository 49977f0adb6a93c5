from odoo.tests import Form, tagged

from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestSameName(DoormanCase):
    """Two connections of one user under one name cannot be told apart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings.public_url = "https://mcp.example.com"
        cls.admin = cls.people["admin"]
        cls.first = cls._connect("user", name="Claude")
        cls.wizards = cls.env["doorman.connect.wizard"].with_user(cls.admin)

    def _chosen(self, code="codex", **vals):
        wizard = self.wizards.create(vals)
        wizard.with_context(doorman_client=code).action_choose()
        return wizard

    def test_form_and_wizard_say_so(self):
        user, admin = self.people["user"], self.admin
        over = self._connect("user", name="Codex")
        over.action_revoke()
        rows = (
            ("Claude", user, True),
            (" Claude ", user, True),
            ("Claude", admin, False),
            ("Claude 2", user, False),
            ("Codex", user, False),
            (False, user, False),
        )
        for name, person, alike in rows:
            with self.subTest(name=name, login=person.login):
                vals = {"user_id": person.id, "step": "key", "name": name}
                self.assertIs(self.wizards.new(vals).same_name, alike)
                vals = {"user_id": person.id, "step": "client", "client_name": name}
                self.assertIs(self.wizards.new(vals).same_name, alike)
                made = self.env["doorman.connection"].with_user(admin)
                made = made.new({"name": name, "user_id": person.id})
                self.assertIs(made.same_name, alike)
        self.assertFalse(self.first.same_name)
        second = self._connect("user", name="Claude")
        self.assertTrue(second.same_name)
        self.env.invalidate_all()
        self.assertTrue(self.first.same_name)
        second.action_revoke()
        self.env.invalidate_all()
        self.assertFalse(self.first.same_name or second.same_name)

    def test_nothing_is_refused(self):
        vals = {"name": "Claude", "user_id": self.people["user"].id}
        self.env["doorman.connection"].with_user(self.admin).create(vals)

    def test_the_suggested_name_is_free(self):
        for end in ("", " (2)", " (3)"):
            wizard = self._chosen()
            self.assertEqual(wizard.name, f"Codex, {self.admin.name}{end}")
            self.assertFalse(wizard.same_name)
            wizard.action_connect()
        # Back, and chosen again: what was suggested is not taken for typed.
        wizard = self._chosen()
        wizard.action_back()
        self.assertFalse(wizard.name)

    def test_the_suggested_name_follows_the_user(self):
        user = self.people["user"]
        with Form(self._chosen()) as form:
            form.user_id = user
            self.assertEqual(form.name, f"Codex, {user.name}")
            form.user_id = self.admin
            self.assertEqual(form.name, f"Codex, {self.admin.name}")
            form.name = "Mine"
            form.user_id = user
            self.assertEqual(form.name, "Mine")
