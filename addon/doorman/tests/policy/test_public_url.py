from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy.public_url import normal_url


@tagged("post_install", "-at_install")
class TestPublicUrl(BaseCase):
    """As server/publicurl has it."""

    def test_one_form(self):
        for typed, expected in {
            "https://mcp.example.com": "https://mcp.example.com",
            "https://mcp.example.com/": "https://mcp.example.com",
            "https://mcp.example.com//": "https://mcp.example.com",
            " HTTPS://MCP.Example.COM ": "https://mcp.example.com",
            "https://mcp.example.com:443/": "https://mcp.example.com",
            "https://mcp.example.com:0443": "https://mcp.example.com",
            "https://mcp.example.com:8443": "https://mcp.example.com:8443",
            "https://mcp.example.com:80": "https://mcp.example.com:80",
            "http://127.0.0.1:80": "http://127.0.0.1",
            "http://127.0.0.1:443": "http://127.0.0.1:443",
            "http://LocalHost:8090/": "http://localhost:8090",
            "http://[0:0:0:0:0:0:0:1]:80/": "http://[::1]",
            "https://[2001:DB8::A]": "https://[2001:db8::a]",
            "https://XN--BCHER-KVA.example": "https://xn--bcher-kva.example",
            "https://doorman_test.internal": "https://doorman_test.internal",
            "https://MCP.example.com/mcp/": "https://mcp.example.com/mcp",
            "https://mcp.example.com/MCP": "https://mcp.example.com/MCP",
        }.items():
            with self.subTest(typed=typed):
                self.assertEqual(normal_url(typed), expected)
                self.assertEqual(normal_url(expected), expected)

    def test_none(self):
        for typed in (
            None, False, "", " ", "mcp.example.com", "mcp.example.com:443",
            "//mcp.example.com", "/mcp", "https:", "https:/", "https://",
            "https:///mcp", "https:mcp.example.com", "ftp://mcp.example.com",
            "javascript://mcp.example.com", "file:///etc/passwd",
            "https://user@mcp.example.com", "https://u:p@mcp.example.com",
            "https://@mcp.example.com", "https://mcp.example.com?",
            "https://mcp.example.com?x", "https://mcp.example.com/#",
            "https://mcp.example.com#x", "https://mcp.example.com:",
            "https://mcp.example.com:0", "https://mcp.example.com:65536",
            "https://mcp.example.com:x", "https://mcp.example.com:443:443",
            "https://mcp.example.com\\.evil.com", "https://mcp .example.com",
            "https://.example.com", "https://mcp..example.com",
            "https://*.example.com", "https://mcp\n.example.com",
            "https://mcp\t.example.com", "https://[::1", "https://::1", "https://a,b",
            "https://a;b", "https://a%2fb", "https://mcp.ex\u00e4mple.com",
            "https://mcp.exampl\u0435.com", "https://mcp\u200b.example.com",
        ):  # fmt: skip
            with self.subTest(typed=typed):
                self.assertIsNone(normal_url(typed))
