import json
import re
import shlex

from odoo.tests import BaseCase, tagged

from ...client_snippets import snippets

try:
    import tomllib
except ImportError:
    tomllib = None  # Python 3.10
try:
    import yaml
except ImportError:
    yaml = None

URL = "https://mcp.example.com/mcp"
KEY = "dmk_0123456789abcdef"
CLIENTS = [
    "claude_code", "claude_desktop", "cursor", "vscode", "gemini", "codex",
    "n8n", "copilot_studio", "continue", "inspector", "curl", "generic",
]  # fmt: skip
HOSTILE = (
    'a"b', "a'b", "a`id`b", "$(id)", "${HOME}", "a\\", "a\\nb", "a\nb", "a b",
    "a;id", "a|id", "a&b", "a#b", "a: b", "- a", "{a}", "[a]", "%PATH%", "!a", "*",
    "a\tb", "a\rb", "a\x7fb", "a\x00b", "a\u2028b", "a\u0085b", "\ufeffa", "é", "😀",
    "</script>", "'''", '"""', "EOF", "null", "true", "", "a" * 5000,
)  # fmt: skip


@tagged("post_install", "-at_install")
class TestSnippets(BaseCase):
    """Each snippet, read as its client reads it, leads to this URL with this key."""

    def _texts(self, url=URL, key=KEY, name="odoo"):
        return {s["code"]: s["text"] for s in snippets(url, key, name)}

    # ---- how each client reads its own; returns (url, header) ----

    def _claude_code(self, text):
        words = shlex.split(text)
        start = ["claude", "mcp", "add", "--transport", "http", "odoo"]
        self.assertEqual(words[:6], start)
        self.assertEqual(words[7], "--header")
        self.assertEqual(len(words), 9)
        return words[6], self._header(words[8])

    def _claude_desktop(self, text):
        server = json.loads(text)["mcpServers"]["odoo"]
        self.assertEqual(server["command"], "npx")
        args = server["args"]
        self.assertEqual(args[:2], ["-y", "mcp-remote"])
        # No space after the colon: npx on Windows splits there.
        self.assertEqual(args[3:5], ["--header", "Authorization:${AUTH}"])
        return args[2], server["env"]["AUTH"]

    def _cursor(self, text):
        server = json.loads(text)["mcpServers"]["odoo"]
        self.assertEqual(set(server), {"url", "headers"})
        return server["url"], server["headers"]["Authorization"]

    def _vscode(self, text):
        server = json.loads(text)["servers"]["odoo"]
        self.assertEqual(server["type"], "http")
        return server["url"], server["headers"]["Authorization"]

    def _gemini(self, text):
        server = json.loads(text)["mcpServers"]["odoo"]
        # With "url" it would speak SSE.
        self.assertEqual(set(server), {"httpUrl", "headers"})
        return server["httpUrl"], server["headers"]["Authorization"]

    def _codex(self, text):
        # A string between double quotes is the same in JSON and in TOML.
        found = re.fullmatch(
            r'\[mcp_servers\.odoo\]\nurl = (".*")\n'
            r'http_headers = \{ "Authorization" = (".*") \}\n',
            text,
        )
        read = tuple(json.loads(value) for value in found.groups())
        if tomllib:
            self.assertEqual(self._codex_toml(text), read)
        return read

    def _codex_toml(self, text):
        server = tomllib.loads(text)["mcp_servers"]["odoo"]
        # "headers" is ignored there, "bearer_token" is refused.
        self.assertEqual(set(server), {"url", "http_headers"})
        return server["url"], server["http_headers"]["Authorization"]

    def _continue(self, text):
        # A string between double quotes is the same in JSON and in YAML.
        found = re.fullmatch(
            r"name: Odoo\nversion: 0\.0\.1\nschema: v1\nmcpServers:\n"
            r'  - name: "odoo"\n    type: streamable-http\n    url: (".*")\n'
            r"    requestOptions:\n      headers:\n"
            r'        Authorization: (".*")\n',
            text,
        )
        read = tuple(json.loads(value) for value in found.groups())
        if yaml:
            self.assertEqual(self._continue_yaml(text), read)
        return read

    def _continue_yaml(self, text):
        block = yaml.safe_load(text)
        self.assertEqual(set(block), {"name", "version", "schema", "mcpServers"})
        self.assertEqual(block["schema"], "v1")
        [server] = block["mcpServers"]
        self.assertEqual(server["type"], "streamable-http")
        return server["url"], server["requestOptions"]["headers"]["Authorization"]

    def _inspector(self, text):
        words = shlex.split(text)
        start = ["npx", "-y", "@modelcontextprotocol/inspector", "--cli"]
        self.assertEqual(words[:4], start)
        self.assertEqual(words[5:8], ["--transport", "http", "--header"])
        self.assertEqual(words[9:], ["--method", "tools/list"])
        return words[4], self._header(words[8])

    def _curl(self, text):
        words = shlex.split(text)
        self.assertEqual(words[:2], ["printf", "Authorization: Bearer %s\\n"])
        self.assertEqual(words[3:7], ["|", "curl", "-sS", "--header"])
        self.assertEqual(words[7], "@-")
        body = json.loads(words[words.index("--data") + 1])
        self.assertEqual(body["method"], "tools/list")
        self.assertEqual(words[-2], "--url")
        return words[-1], f"Bearer {words[2]}"

    def _n8n(self, text):
        url, _, rest = text.removeprefix("Endpoint: ").partition(
            "\nServer Transport: HTTP Streamable\nAuthentication: Bearer Auth\n"
            "Bearer Token: "
        )
        # n8n puts the word before it.
        return url, f"Bearer {rest}"

    def _copilot_studio(self, text):
        url, _, rest = text.removeprefix("Server URL: ").partition(
            "\nAuthentication: API key\nType: Header\n"
            "Header name: Authorization\nAPI key: "
        )
        return url, rest

    def _generic(self, text):
        self.assertTrue(text.startswith("URL: "))
        url, _, rest = text[5:].partition("\nTransport: Streamable HTTP\n")
        return url, self._header(rest)

    def _header(self, line):
        name, _, value = line.partition(": ")
        self.assertEqual(name, "Authorization")
        return value

    def _read(self, code, text):
        return getattr(self, f"_{code}")(text)

    # ---- tests ----

    def test_every_client_has_one(self):
        found = snippets(URL, KEY)
        self.assertEqual([s["code"] for s in found], CLIENTS)
        for snippet in found:
            with self.subTest(client=snippet["code"]):
                self.assertEqual(
                    set(snippet),
                    {"code", "title", "where", "language", "text", "note"},
                )
                self.assertTrue(all(snippet.values()))
                self.assertIn(URL, snippet["text"])
                self.assertIn(KEY, snippet["text"])
                self.assertNotIn(KEY, snippet["note"] + snippet["where"])

    def test_each_is_read_as_its_client_reads_it(self):
        for code, text in self._texts().items():
            with self.subTest(client=code):
                self.assertEqual(self._read(code, text), (URL, f"Bearer {KEY}"))

    def test_hostile_keys(self):
        for key in HOSTILE:
            for code, text in self._texts(key=key).items():
                with self.subTest(client=code, key=key[:20]):
                    self.assertEqual(self._read(code, text), (URL, f"Bearer {key}"))

    def test_hostile_urls(self):
        for tail in HOSTILE:
            url = f"https://x.example.com/{tail}"
            for code, text in self._texts(url=url).items():
                with self.subTest(client=code, url=url[:40]):
                    self.assertEqual(self._read(code, text), (url, f"Bearer {KEY}"))

    def test_hostile_names_become_harmless(self):
        for name in (*HOSTILE, "-rf", "--scope", "..", "../../x", "a.b", "[x]"):
            texts = self._texts(name=name)
            with self.subTest(name=name[:20]):
                [name] = json.loads(texts["cursor"])["mcpServers"]
                self.assertRegex(name, r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
                self.assertEqual(shlex.split(texts["claude_code"])[5], name)
                table = texts["codex"].splitlines()[0]
                self.assertEqual(table, f"[mcp_servers.{name}]")

    def test_the_key_is_on_a_command_line_only_where_there_is_no_other_way(self):
        for snippet in snippets(URL, KEY):
            if snippet["language"] == "shell" and snippet["code"] != "curl":
                with self.subTest(client=snippet["code"]):
                    self.assertIn("history", snippet["note"])

    def test_plain_commands_work_in_every_shell(self):
        """Windows' own takes single quotes as part of the word."""
        for code in ("claude_code", "inspector"):
            self.assertNotIn("'", self._texts()[code])

    def test_the_bridge_is_told_of_plain_http(self):
        for url, expected in (
            (URL, False),
            ("http://localhost:8080/mcp", False),
            ("http://127.0.0.1:8080/mcp", False),
            ("http://odoo.lan:8080/mcp", True),
        ):
            args = json.loads(self._texts(url=url)["claude_desktop"])
            args = args["mcpServers"]["odoo"]["args"]
            self.assertEqual("--allow-http" in args, expected, url)
