from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from ..common import DoormanCase, proof_of
from ..oauth_common import OauthMixin


@tagged("post_install", "-at_install")
class TestNeutralize(OauthMixin, DoormanCase):
    """Nothing that opens the original opens a copy that Odoo has neutralized."""

    def neutralize(self):
        self.env.flush_all()
        for query in get_neutralization_queries(["doorman"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def test_deny(self):
        key = self.env["doorman.settings"]._get()._generate_service_key()
        settings = self.env["doorman.settings"]
        self.assertTrue(settings._service_uid(key))
        settings._get().oauth_assertions = True
        held = self.fence()["proof"]
        login = self.tokens()["access_token"]
        self.assertNotIn("error", self.gateway.resolve(held))
        self.assertNotIn("error", self.gateway.resolve(proof_of(login)))
        settings._get().notice_webhook_url = "https://hooks.example.com/x"
        self.assertTrue(settings._webhook_secret())
        self.neutralize()
        self.assertFalse(settings._get().notice_webhook_url)
        self.assertFalse(settings._webhook_secret())
        self.assertFalse(settings._get().enabled)
        self.assertFalse(settings._get().public_url)
        # A client's secret and an assertion would open the copy as well.
        self.assertFalse(settings._get().oauth_assertions)
        self.assertFalse(settings._service_uid(key))
        for proof in (held, proof_of(login)):
            error = self.gateway.resolve(proof)["error"]
            self.assertEqual(error["kind"], "unauthenticated")
        for table in ("doorman_pickup_token", "doorman_invite_token"):
            self.env.cr.execute(f"SELECT count(*) FROM {table}")
            self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_allow(self):
        """It can be put to use again."""
        self.neutralize()
        settings = self.env["doorman.settings"]._get()
        settings.action_enable()
        key = settings._generate_service_key()
        self.assertTrue(settings._service_uid(key))
        self.assertTrue(self.connection.exists())
        self.assertTrue(self.connection._issue_key())
