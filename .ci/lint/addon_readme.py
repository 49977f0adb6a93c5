#!/usr/bin/env python3
"""Make each addon's README.rst from its fragments in readme/, with OCA's sections.

OCA's own generator is not published as a package. This one needs only docutils, which
checks that the result is valid.

Usage: addon_readme.py [--check] ADDON...

With --check nothing is written; the exit status is 1 if a README.rst is not what its
fragments give.
"""

import ast
import sys
from pathlib import Path

from docutils.core import publish_string

# Fragment, its section, the section's underline.
SECTIONS = [
    ("INSTALL", "Installation", "="),
    ("CONFIGURE", "Configuration", "="),
    ("USAGE", "Usage", "="),
    ("DEVELOP", "Development", "="),
    ("ROADMAP", "Known issues / Roadmap", "="),
    ("HISTORY", "Changelog", "="),
]
CREDITS = [("CONTRIBUTORS", "Contributors", "~"), ("CREDITS", "Other credits", "~")]

GENERATED = """\
.. This file is generated from the fragments in readme/ by `make readme`.
   Changes made here are lost."""

BUGS = """\
Please report bugs in the issue tracker of Doorman's repository, and vulnerabilities as
its SECURITY.md says."""


def heading(title, underline):
    return f"{title}\n{underline * len(title)}"


def readme(addon):
    """Return the text of an addon's README.rst.

    :param Path addon: the addon's folder
    :raise FileNotFoundError: if it has no readme/DESCRIPTION.rst
    """
    manifest = ast.literal_eval((addon / "__manifest__.py").read_text())

    def fragment(name):
        return (addon / "readme" / f"{name}.rst").read_text().strip()

    def sections(wanted):
        for name, title, underline in wanted:
            if (addon / "readme" / f"{name}.rst").exists():
                yield heading(title, underline)
                yield fragment(name)

    title = manifest["name"]
    authors = [name.strip() for name in manifest["author"].split(",")]
    parts = [
        f"{'=' * len(title)}\n{heading(title, '=')}",
        GENERATED,
        f"License: {manifest['license']}",
        fragment("DESCRIPTION"),
        "**Table of contents**",
        ".. contents::\n   :local:",
        *sections(SECTIONS),
        heading("Bug Tracker", "="),
        BUGS,
        heading("Credits", "="),
        heading("Authors", "~"),
        "\n".join(f"* {name}" for name in authors),
        *sections(CREDITS),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments):
    check = "--check" in arguments
    stale = []
    for addon in (Path(name) for name in arguments if name != "--check"):
        text, path = readme(addon), addon / "README.rst"
        # Halts at warnings, so that what is written always renders.
        publish_string(text, str(path), settings_overrides={"halt_level": 2})
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path)
        if not check:
            path.write_text(text)
    for path in stale:
        print(f"{path} is stale: run `make readme`" if check else f"{path} is new")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
