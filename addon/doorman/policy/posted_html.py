"""The HTML of a text that is posted, as the service has made it of its Markdown.

A person who approves a message reads its text. So its HTML must show nothing that the
text does not say, and lead nowhere that the text does not name.
"""

import re
from urllib.parse import unquote

from lxml import etree
from lxml import html as lxml_html
from markupsafe import Markup, escape

LETTERS = re.compile(r"\w")
ATTRIBUTES = {"href", "src", "alt", "title", "start"}
# What an address gets that was written without.
SCHEMES = ("http://", "https://", "mailto:")


def html_of(guard, text):
    """:param str text: as it was sent
    :return: its HTML; without formatting, if what was sent along does not fit it
    """
    made = guard.html.get(text)
    if made and _says_no_more(text, made):
        return Markup(made)
    return Markup("<br/>").join(escape(line) for line in text.splitlines())


def _says_no_more(text, made):
    try:
        root = lxml_html.fragment_fromstring(made, create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        return False
    rest = iter(LETTERS.findall(text))
    # Each letter is found behind the one before.
    if not all(letter in rest for letter in LETTERS.findall(root.text_content())):
        return False
    for node in root.iterdescendants():
        if not isinstance(node.tag, str) or set(node.attrib) - ATTRIBUTES:
            return False
        for value in node.attrib.values():
            if not _is_named(text, value):
                return False
    return True


def _is_named(text, value):
    shorter = [value.removeprefix(scheme) for scheme in SCHEMES]
    return any(found in text for v in (value, *shorter) for found in (v, unquote(v)))
