from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy.oauth_values import (
    answer_url,
    destination,
    form_target,
    known_app,
    matches,
    may_return,
)

# As in server/oauth/field_test.go: by which known programs are started; of those that
# are not known, or of somebody else within one that is; and where nobody is sent.
KNOWN = (
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "cursor://anysphere.cursor-retrieval/oauth/user-odoo/callback",
    "cursor://saoudrizwan.claude-dev/mcp-auth/callback/x",
    "claude://claude.ai/mcp-auth-callback/sdk",
    "claude://claude.ai/settings/connectors",
    "vscode://vscode.github-authentication/did-authenticate",
    "vscode-insiders://vscode.github-authentication/did-authenticate",
    "vscode://GitHub.copilot-chat/callback",
    "vscode-insiders://Anthropic.claude-code/callback",
    "vscode://RooVeterinaryInc.roo-cline/cb",
    "windsurf://codeium.windsurf/oauth/callback", "windsurf://codeium.windsurf",
    "vscodium://continue.continue/cb", "zed://oauth/callback",
    "warp://mcp/oauth2callback", "raycast://oauth?package_name=Extension",
    "com.raycast:/oauth?package_name=Extension", "cursor://oauth", "cursor:///oauth",
    "cursor:/oauth", "zed:/oauth",
)  # fmt: skip
UNKNOWN = (
    "com.example.app:/oauth2redirect", "com.example.app://oauth2redirect",
    "com.example.app:/", "myapp://callback", "systemprompt://oauth/callback",
    "cursor://evil.com/oauth/callback", "cursor://evil.example.com/oauth/callback",
    "cursor://evil.extension/callback", "vscode://evil.extension/cb",
    "cursor://anysphere.cursor-mcp.evil.com:443/cb",
    "cursor://anysphere.cursor-mcp:80/cb", "cursor://oauth:80/cb",
    "cursor://anysphereXcursor-mcp.evil/cb", "cursor://evil.anysphere.cursor-mcp/cb",
    "cursor://localhost.evil/cb", "cursor://127.0.0.1/cb",
    "cursor://saoudrizwan.claude-dev.evil/cb", "cursor://[::1]/cb", "cursor://a,b/cb",
    "cursor://a;b/cb", "claude://claude.ai.evil.com/cb", "claude://evil.com/claude.ai",
    "claude://claude.com/cb", "claude://anysphere.cursor-mcp/cb",
    "vscode://claude.ai/cb", "raycast://raycast.evil/oauth", "com.raycast.evil:/oauth",
    "com.raycas:/oauth", "xcursor://oauth/cb", "cursor-evil://oauth/cb",
    "vscode-insider://oauth/cb",
    # Places in a program where no login ends.
    "cursor://x/cb", "cursor://anysphere.cursor-deeplink/mcp/install?name=x",
    "cursor://anysphere.cursor-mcp-x/cb", "cursor://file/etc/passwd",
    "cursor:/file/oauth", "cursor:///file/x", "cursor:/",
    "vscode://vscode-remote/ssh-remote+evil/x", "vscode://vscode.git/clone?url=x",
    "vscode://settings/oauth", "claude://claude.ai/new?q=x", "claude://claude.ai",
    "claude://claude.ai/mcp-auth-callbackx", "claude://claude.ai/x/mcp-auth-callback",
    "raycast://extensions/a/b/c", "zed://ssh/evil/x", "zed:///cb",
    "warp://action/new_tab", "warp://mcpx/oauth2callback", "cursor://oauthx/cb",
    "cursor://x?oauth",
)  # fmt: skip
FORBIDDEN = (
    "javascript:alert(1)", "javascript:/alert(1)", "javascript://oauth/%0aalert(1)",
    "JavaScript:/alert(1)", "data:text/html,x", "data:/text/html,x",
    "data://text/html,x", "file:/etc/passwd", "file:///etc/passwd", "vbscript:/x",
    "blob:/x", "about:/x", "view-source:/x", "intent:/x", "ms-msdt:/x", "search-ms:/x",
    "mailto:/a@b", "http:/app.example.com/cb", "https:/app.example.com/cb",
    "http:/localhost/cb", "http://app.example.com/cb", "http:app.example.com/cb",
    "ftp:/x", "CURSOR://anysphere.cursor-mcp/oauth/callback", "Cursor:/oauth",
    "cursor:oauth", "cursor:", "cursor://", "cursor:anysphere.cursor-mcp/oauth",
    "com.example.app:oauth2redirect",
    "cursor://user@anysphere.cursor-mcp/oauth/callback",
    "cursor://anysphere.cursor-mcp@evil.com/cb", "cursor://u:p@oauth/cb",
    "cursor://anysphere.cursor-mcp/oauth/callback#x", "com.raycast:/oauth#x",
    "cursor://*.cursor-mcp/cb", "cursor://anysphere.cursor-mcp/../evil",
    "com.raycast:/a/../b", "com.raycast:/%2e%2e/b",
    "cursor://anysphere.cursor-mcp\\@evil.com/cb", "com.raycast:\\oauth",
    "com.raycast:/o auth", "com.raycast:/oauth%0d%0aLocation:x", "com.raycast:/oauth\n",
    " cursor://oauth/cb", "cursor ://oauth", "c\u0443rsor://oauth/cb", "://oauth/cb",
    ":/oauth", "/oauth", "//oauth", "cursor://anysphere%2ecursor-mcp/cb", "1app:/cb",
    "a:/cb", "a_b:/cb", "a%62c:/cb", ":/cb",
)  # fmt: skip


@tagged("post_install", "-at_install")
class TestSchemes(BaseCase):
    def test_who_may_be_returned_to(self):
        for uris, known, custom in (
            (KNOWN, True, True),
            (UNKNOWN, False, True),
            ((*FORBIDDEN, "a" * 41 + ":/cb"), False, False),
        ):
            for uri in uris:
                with self.subTest(uri=uri):
                    self.assertFalse(may_return(uri, [], False))
                    self.assertEqual(may_return(uri, [], False, True), known)
                    self.assertEqual(may_return(uri, [], True), custom)
                    self.assertEqual(may_return(uri, [], True, True), custom)
                    self.assertEqual(bool(known_app(uri)), known)

    def test_hosts_are_no_matter_of_schemes(self):
        self.assertTrue(may_return(KNOWN[0], ["claude.ai"], False, True))
        self.assertFalse(may_return("https://evil.example/", ["claude.ai"], True, True))

    def test_where_it_goes(self):
        for uri, app, shown in (
            (KNOWN[0], "Cursor", "cursor://anysphere.cursor-mcp"),
            ("claude://claude.ai/mcp-auth-callback/sdk", "Claude", "claude://claude.ai"),
            ("com.raycast:/oauth?x=1", "Raycast", "com.raycast:/"),
            ("zed:///oauth", "Zed", "zed://"),
            ("vscode-insiders://oauth", "Visual Studio Code Insiders",
             "vscode-insiders://oauth"),
            ("cursor://evil.com/cb", None, "cursor://evil.com"),
            ("com.example.app:/cb", None, "com.example.app:/"),
            ("https://claude.ai/cb", None, "claude.ai"),
        ):  # fmt: skip
            with self.subTest(uri=uri):
                self.assertEqual(known_app(uri), app)
                self.assertEqual(destination(uri), shown)

    def test_one_slash_is_answered_as_it_was_sent(self):
        uri = "com.raycast:/oauth?package_name=Extension"
        self.assertEqual(answer_url(uri, code="x"), uri + "&code=x")
        self.assertEqual(answer_url("zed:/cb", code="x"), "zed:/cb?code=x")
        self.assertEqual(form_target(uri), "com.raycast:")
        self.assertTrue(matches(uri, [uri]))
        for other in ("com.raycast://oauth?package_name=Extension", uri + "x"):
            self.assertFalse(matches(uri, [other]))
