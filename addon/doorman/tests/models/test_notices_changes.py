from odoo.tests import tagged

from ..notices_common import NoticeCase

ISSUER = {"name": "Okta", "issuer": "https://company.okta.com"}


@tagged("post_install", "-at_install")
class TestNoticesChanges(NoticeCase):
    """What one administrator has changed that the others have to know."""

    def setUp(self):
        super().setUp()
        self.people["second"] = self._person("second", ["doorman.group_admin"])
        self.stranger()  # who shares no company with the connection's user

    def changes(self):
        """:return: ``[(name, what the administrator does, who is told)]``"""
        settings = self.settings.with_user(self.admin)
        connection = self.connection.with_user(self.admin)
        issuers = self.env["doorman.oauth.issuer"].with_user(self.admin)
        admins = {"second", "stranger"}
        return (
            ("widened", lambda: settings.write({"allow_sql": True}), admins),
            ("a connection", lambda: connection.write({"rate_limit_minute": 50_000}),
                {"second"}),
            ("audit", lambda: settings.write({"audit_retention_days": 5}),
                admins | {"auditor"}),
            ("where notices go", lambda: settings.write({"notice_values": True}),
                admins),
            ("an issuer", lambda: issuers.create(ISSUER), admins),
            ("narrowed", lambda: settings.write({"idle_after_hours": 5}), set()),
            ("a name", lambda: connection.write({"name": "Renamed"}), set()),
        )  # fmt: skip

    def test_who_is_told(self):
        for name, change, wanted in self.changes():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                found = self.told(change)
                others = set(found) & set(self.people)
                self.assertEqual(others, wanted)
                for person in wanted:
                    for title in found[person]:
                        self.assertIn(f"Changed by {self.admin.name}", title)
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_in_their_own_language(self):
        self.env["res.lang"]._activate_lang("de_DE")
        self.people["second"].lang = "de_DE"
        self.told(
            lambda: self.settings.with_user(self.admin).write({"allow_sql": True})
        )
        notice = self.notices.search([("kind", "=", "changed")])[-1:]
        said = {
            lang: notice.with_context(lang=lang)._words()["lines"][0]
            for lang in ("en_US", "de_DE")
        }
        self.assertNotEqual(said["en_US"], said["de_DE"])
        second = self.people["second"].partner_id
        for message in self.messages:
            lang = "de_DE" if second in message.notified_partner_ids else "en_US"
            self.assertIn(said[lang], message.body)

    def test_it_stays_with_people(self):
        """Neither a channel nor a webhook gets it: they may be what was changed."""
        self.settings.notice_webhook_url = "https://hooks.example.com/x"
        self.told(
            lambda: self.settings.with_user(self.admin).write({"allow_sql": True})
        )
        notices = self.notices.search([("kind", "=", "changed")])
        self.assertEqual(set(notices.mapped("post_state")), {"none"})

    def test_of_an_issuer_that_is_gone(self):
        issuer = self.env["doorman.oauth.issuer"].with_user(self.admin).create(ISSUER)
        issuer.unlink()
        self.assertIn("second", self.told())
