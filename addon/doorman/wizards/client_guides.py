"""How each AI tool is connected, step by step: pure text, no ORM.

The steps and links are those that the tools' makers publish. What is to be pasted is
filled in; nothing here ever holds a key or a secret, so a link may go through browsers,
their history and other programs.
"""

import base64
import json
from typing import NamedTuple
from urllib.parse import quote

from ..client_snippets import English, shell_word


class Guided(NamedTuple):
    """An AI tool that one can choose."""

    title: str
    # How it can log in, the usual way first: browser, key, client (an OAuth client
    # that is registered by hand).
    ways: tuple


CLIENTS = {
    "claude": Guided("Claude", ("browser", "key")),
    "chatgpt": Guided("ChatGPT", ("browser",)),
    "copilot_studio": Guided("Copilot Studio", ("browser", "key")),
    "cursor": Guided("Cursor", ("browser", "key")),
    "vscode": Guided("VS Code", ("browser", "key")),
    "gemini": Guided("Gemini CLI", ("key", "browser")),
    "n8n": Guided("n8n", ("key",)),
    "codex": Guided("Codex", ("key",)),
}


def browser_steps(code, url, env=English):
    """What to do in an AI tool whose user logs in by browser.

    :param str code: of ``CLIENTS``; anything else is a tool that has no guide
    :param str url: the MCP endpoint
    :param env: translates (its ``_``)
    :return: ``[{"text": ..., "copy": ...}]``; copy is what to paste there, or ""
    """
    steps = {
        "claude": _claude,
        "chatgpt": _chatgpt,
        "copilot_studio": _copilot_studio,
        "cursor": _cursor,
        "vscode": _vscode,
        "gemini": _gemini,
    }.get(code, _other)(url, env)
    return [{"text": text, "copy": copy} for text, copy in steps]


def install_link(code, url, name="odoo"):
    """A link that opens the AI tool on this machine and lets it ask whether to add
    the server. It holds the address and nothing else.

    Cursor: https://cursor.com/docs/mcp/install-links. VS Code: "MCP developer guide",
    URL handler.

    :return: the link, or "" if the AI tool has none
    """
    if code == "cursor":
        config = base64.b64encode(json.dumps({"url": url}).encode()).decode()
        return (
            "cursor://anysphere.cursor-deeplink/mcp/install"
            f"?name={quote(name, safe='')}&config={quote(config, safe='')}"
        )
    if code == "vscode":
        server = json.dumps({"name": name, "type": "http", "url": url})
        return f"vscode:mcp/install?{quote(server, safe='')}"
    return ""


# ---- the steps: text, and what to paste ----


def _allow(env):
    return (env._("Odoo opens in the browser: log in and press Allow."), "")


def _claude(url, env):
    return [
        (env._("In Claude, open Settings > Connectors > Add custom connector."), ""),
        (env._("Name it Odoo, paste this address and press Add."), url),
        (env._("Press Connect next to it."), ""),
        _allow(env),
        (
            env._("Claude Code: run this in a terminal, then /mcp, and Authenticate."),
            f"claude mcp add --transport http odoo {shell_word(url)}",
        ),
    ]


def _chatgpt(url, env):
    return [
        (
            env._(
                "In ChatGPT on the web, open Settings > Apps & Connectors > Advanced "
                "settings and switch developer mode on."
            ),
            "",
        ),
        (
            env._(
                "Press Create, name it Odoo and paste this address as the server URL."
            ),
            url,
        ),
        (env._("Choose OAuth as the authentication and press Create."), ""),
        _allow(env),
    ]


def _copilot_studio(url, env):
    return [
        (
            env._(
                "In your agent, open Tools > Add a tool > New tool > Model Context "
                "Protocol."
            ),
            "",
        ),
        (
            env._("Give it a name and a description, and paste this server URL."),
            url,
        ),
        (env._("Choose OAuth 2.0, then Dynamic discovery, and press Create."), ""),
        (env._("Create a connection and add the tool to the agent."), ""),
        _allow(env),
    ]


def _cursor(url, env):
    server = json.dumps({"mcpServers": {"odoo": {"url": url}}}, indent=2)
    return [
        (
            env._(
                "Press Add to Cursor, and Install in Cursor. Or add this to "
                "~/.cursor/mcp.json."
            ),
            server,
        ),
        (env._("In Cursor, open Settings > Tools & MCP and press Connect."), ""),
        _allow(env),
    ]


def _vscode(url, env):
    return [
        (
            env._(
                "Press Add to VS Code, and Install in VS Code. Or run the command MCP: "
                "Add Server, choose HTTP and paste this address."
            ),
            url,
        ),
        (env._("VS Code asks whether the server can sign you in: press Allow."), ""),
        _allow(env),
    ]


def _gemini(url, env):
    return [
        (
            env._("Run this in a terminal."),
            f"gemini mcp add --transport http odoo {shell_word(url)}",
        ),
        (env._("Start Gemini CLI and run this there."), "/mcp auth odoo"),
        _allow(env),
    ]


def _other(url, env):
    return [
        (
            env._(
                "Paste this address where the tool asks for a remote MCP server, or a "
                "custom connector."
            ),
            url,
        ),
        (env._("If it asks how to log in, choose OAuth."), ""),
        _allow(env),
    ]
