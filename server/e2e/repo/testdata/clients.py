"""Writes what Odoo tells people of each AI tool as JSON: {title, texts, menus}. The first argument is the addon's folder.

texts are to be pasted, menus are paths of menus and buttons in the tool."""

import json
import re
import sys
import types

URL, KEY = "https://mcp.example.com/mcp", "dmk_..."
MENUS = re.compile(r"[A-Z][\w&]*(?: [\w&]+)*(?: > [A-Z][\w&]*(?: (?!and\b|opens\b)[\w&]+)*)+")

# The two modules need no Odoo, their packages do.
for name in ("doorman", "doorman.policy", "doorman.wizards"):
    package = types.ModuleType(name)
    package.__path__ = ["/".join([sys.argv[1], *name.split(".")[1:]])]
    sys.modules[name] = package

from doorman.client_snippets import snippets  # noqa: E402
from doorman.wizards.client_guides import CLIENTS, browser_steps  # noqa: E402

steps = {code: browser_steps(code, URL) for code, client in CLIENTS.items() if "browser" in client.ways}
keys = snippets(URL, KEY)
said = [step["text"] for told in steps.values() for step in told] + [s["where"] for s in keys] + [s["note"] for s in keys]
pasted = [step["copy"] for told in steps.values() for step in told] + [s["text"] for s in keys]
json.dump(
    {
        "titles": [client.title for client in CLIENTS.values()],
        "texts": sorted({text.strip() for text in pasted if text}),
        "menus": sorted({found.removeprefix("In ") for text in said for found in MENUS.findall(text)}),
    },
    sys.stdout,
)
