from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from odoo.tests import tagged

from ..oauth_common import RESOURCE
from .test_oauth_token import OauthCase

OTHER = "https://other.example.com:8443/mcp"
SCRIPT = Path(__file__).parents[2] / "migrations/19.0.0.2.0/post-public_url.py"


@tagged("post_install", "-at_install")
class TestPublicUrlUpdate(OauthCase):
    def update(self):
        spec = spec_from_file_location("doorman_post_public_url", SCRIPT)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.0.1.0")
        self.env.invalidate_all()

    def resources(self):
        self.env.cr.execute("SELECT resource FROM doorman_oauth_family ORDER BY id")
        return [row[0] for row in self.env.cr.fetchall()]

    def test_logins_go_on_under_the_one_form(self):
        old, other = self.tokens(), self.tokens()
        for resource in ("https://MCP.Example.com:443/mcp", OTHER):
            self.sql(
                "UPDATE doorman_oauth_family SET resource = %s WHERE id = (SELECT "
                "min(id) FROM doorman_oauth_family WHERE resource = %s)",
                resource,
                RESOURCE,
            )
        self.sql("UPDATE doorman_settings SET public_url = 'HTTPS://MCP.example.com/ '")
        self.update()
        self.assertEqual(self.resources(), [RESOURCE, OTHER])
        self.assertEqual(self.settings.public_url, "https://mcp.example.com")
        found = self.refresh(old["refresh_token"], resource=RESOURCE)
        self.assertEqual(self.error(found), "ok")
        found = self.refresh(other["refresh_token"], resource=RESOURCE)
        self.assertEqual(self.error(found), "invalid_target")
        self.update()
        self.assertEqual(self.resources()[0], RESOURCE)

    def test_what_is_no_address_stays(self):
        self.tokens()
        self.sql("UPDATE doorman_oauth_family SET resource = 'urn:x'")
        self.sql("UPDATE doorman_settings SET public_url = 'mcp.example.com'")
        self.update()
        self.assertEqual(self.resources(), ["urn:x"])
        self.assertEqual(self.settings.public_url, "mcp.example.com")
