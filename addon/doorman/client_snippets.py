"""What a person pastes into an AI tool to let it in: pure text, no ORM.

One snippet for each client, in the form that its makers publish, with the URL and
the key filled in. Whatever the URL and the key hold, a snippet stays well-formed: a
quote in one of them must not end the string that it stands in.
"""

import json
import re
import shlex
from urllib.parse import urlsplit

from .policy.shared import LOOPBACK_HOSTS

# What JSON, TOML and YAML do not all take as it is, though Python's JSON writes it so.
NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
# What is the same between double quotes in every shell, those of Windows included.
PLAIN = re.compile(r"[A-Za-z0-9@+=:,./_ -]+")


class English:
    """Stands for an Odoo environment where there is none: nothing is translated."""

    @staticmethod
    def _(text):
        return text


# By which of them an AI tool takes a key (wizards/client_guides.py has them all).
OF_CLIENT = {
    "claude": ("claude_code", "claude_desktop"),
    "chatgpt": (),
    "copilot_studio": ("copilot_studio",),
    "cursor": ("cursor",),
    "vscode": ("vscode",),
    "gemini": ("gemini",),
    "n8n": ("n8n",),
    "codex": ("codex",),
}


def snippets(url, key, name="odoo", env=English, client=None):
    """One ready snippet for each client.

    :param str url: the MCP endpoint, e.g. ``https://mcp.example.com/mcp``
    :param str key: the connection's key, prefix included
    :param str name: what the client calls this server
    :param env: translates titles and notes (its ``_``)
    :param str client: only those of this AI tool; one that takes no key has none, and
        without a known one they are all there
    :return: dicts of code, title, where (file or place), language (json, toml, shell,
        yaml or text), text and note
    :rtype: list of dict
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:40] or "odoo"
    makers = (
        _claude_code,
        _claude_desktop,
        _cursor,
        _vscode,
        _gemini,
        _codex,
        _n8n,
        _copilot_studio,
        _continue,
        _inspector,
        _curl,
        _generic,
    )
    keys = ("code", "title", "where", "language", "text", "note")
    found = [dict(zip(keys, m(url, key, name, env), strict=True)) for m in makers]
    codes = OF_CLIENT.get(client)
    return [one for one in found if codes is None or one["code"] in codes]


# ---- quoting ----


def _escape(text):
    return NOT_PRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _string(text):
    """A string between double quotes, the same in JSON, TOML and YAML."""
    return _escape(json.dumps(text, ensure_ascii=False))


def _json(value):
    return _escape(json.dumps(value, indent=2, ensure_ascii=False))


def shell_word(text):
    # Double quotes where nothing in the text is special: they work everywhere.
    if PLAIN.fullmatch(text):
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)


def _bearer(key):
    return f"Bearer {key}"


# ---- the clients ----


def _claude_code(url, key, name, env):
    header = f"Authorization: {_bearer(key)}"
    # The header comes last: it takes every word that follows.
    return (
        "claude_code",
        "Claude Code",
        env._("Run in a terminal"),
        "shell",
        f"claude mcp add --transport http {name} {shell_word(url)} "
        f"--header {shell_word(header)}",
        env._(
            "Run it in your project folder, or add --scope user before the name to "
            "make it available everywhere. The key stays in your shell history: "
            "remove it there."
        ),
    )


def _claude_desktop(url, key, name, env):
    args = ["-y", "mcp-remote", url, "--header", "Authorization:${AUTH}"]
    parts = urlsplit(url) if PLAIN.fullmatch(url) else None
    if parts and parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        # The bridge refuses plain HTTP elsewhere, unless told.
        args.append("--allow-http")
    server = {"command": "npx", "args": args, "env": {"AUTH": _bearer(key)}}
    return (
        "claude_desktop",
        "Claude Desktop",
        "claude_desktop_config.json",
        "json",
        _json({"mcpServers": {name: server}}),
        env._(
            "Settings > Developer > Edit Config opens the file; restart Claude "
            "Desktop afterwards. Requires Node.js: the mcp-remote bridge passes the "
            "key on."
        ),
    )


def _cursor(url, key, name, env):
    server = {"url": url, "headers": {"Authorization": _bearer(key)}}
    return (
        "cursor",
        "Cursor",
        "~/.cursor/mcp.json",
        "json",
        _json({"mcpServers": {name: server}}),
        env._(
            "Or .cursor/mcp.json in a project. In that case, keep the key out of the "
            "repository: use ${env:ODOO_MCP_KEY} instead and set that variable."
        ),
    )


def _vscode(url, key, name, env):
    server = {"type": "http", "url": url, "headers": {"Authorization": _bearer(key)}}
    return (
        "vscode",
        "VS Code",
        env._("mcp.json (command: MCP: Open User Configuration)"),
        "json",
        _json({"servers": {name: server}}),
        env._(
            "If others can read the project's .vscode/mcp.json, let VS Code ask for "
            "the key: add an entry of type promptString under inputs, and use "
            "${input:...} instead of the key."
        ),
    )


def _gemini(url, key, name, env):
    server = {"httpUrl": url, "headers": {"Authorization": _bearer(key)}}
    return (
        "gemini",
        "Gemini CLI",
        "~/.gemini/settings.json",
        "json",
        _json({"mcpServers": {name: server}}),
        env._("Then /mcp in Gemini CLI lists the tools."),
    )


def _codex(url, key, name, env):
    text = (
        f"[mcp_servers.{name}]\n"
        f"url = {_string(url)}\n"
        f'http_headers = {{ "Authorization" = {_string(_bearer(key))} }}\n'
    )
    return (
        "codex",
        "Codex CLI",
        "~/.codex/config.toml",
        "toml",
        text,
        env._(
            "To keep the key out of the file, replace the last line with "
            'bearer_token_env_var = "ODOO_MCP_KEY" and set that variable to the key '
            "before you start Codex."
        ),
    )


def _n8n(url, key, name, env):
    return (
        "n8n",
        "n8n",
        env._("Node: MCP Client Tool"),
        "text",
        f"Endpoint: {url}\n"
        "Server Transport: HTTP Streamable\n"
        "Authentication: Bearer Auth\n"
        f"Bearer Token: {key}",
        env._("Create a credential of type Bearer Auth and paste the key into it."),
    )


def _copilot_studio(url, key, name, env):
    return (
        "copilot_studio",
        "Copilot Studio",
        env._("Tools > Add a tool > New tool > Model Context Protocol"),
        "text",
        f"Server URL: {url}\n"
        "Authentication: API key\n"
        "Type: Header\n"
        "Header name: Authorization\n"
        f"API key: {_bearer(key)}",
        env._("You are asked for the key when you create the connection."),
    )


def _continue(url, key, name, env):
    text = (
        "name: Odoo\n"
        "version: 0.0.1\n"
        "schema: v1\n"
        "mcpServers:\n"
        f"  - name: {_string(name)}\n"
        "    type: streamable-http\n"
        f"    url: {_string(url)}\n"
        "    requestOptions:\n"
        "      headers:\n"
        f"        Authorization: {_string(_bearer(key))}\n"
    )
    return (
        "continue",
        "Continue",
        f"~/.continue/mcpServers/{name}.yaml",
        "yaml",
        text,
        env._("The tools are available in Continue's agent mode."),
    )


def _inspector(url, key, name, env):
    header = f"Authorization: {_bearer(key)}"
    return (
        "inspector",
        "MCP Inspector",
        env._("Run in a terminal"),
        "shell",
        f"npx -y @modelcontextprotocol/inspector --cli {shell_word(url)} "
        f"--transport http --header {shell_word(header)} --method tools/list",
        env._(
            "For a first look: it lists the tools. While it runs, the key is visible "
            "in the process list, and it stays in your shell history."
        ),
    )


def _curl(url, key, name, env):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    lines = [
        # printf belongs to the shell: the key is in no list of processes.
        f"printf 'Authorization: Bearer %s\\n' {shlex.quote(key)} |",
        "  curl -sS --header @- \\",
        "    --header 'Content-Type: application/json' \\",
        "    --header 'Accept: application/json, text/event-stream' \\",
        f"    --data {shlex.quote(json.dumps(body))} \\",
        f"    --url {shlex.quote(url)}",
    ]
    return (
        "curl",
        "curl",
        env._("Run in a terminal"),
        "shell",
        "\n".join(lines),
        env._("Lists the tools. For curl 7.55 or later, in a Unix shell."),
    )


def _generic(url, key, name, env):
    text = f"URL: {url}\nTransport: Streamable HTTP\nAuthorization: {_bearer(key)}"
    return (
        "generic",
        env._("Other"),
        env._("The client's settings for a remote MCP server"),
        "text",
        text,
        env._(
            "The third line is an HTTP header that the client sends with every "
            "request. A client that only supports browser login cannot use a key."
        ),
    )
