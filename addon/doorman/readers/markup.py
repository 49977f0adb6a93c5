"""The text of HTML: lines stay lines, cells stay apart, links keep their address."""

import re

from lxml import etree

HIDDEN = {"script", "style", "template", "noscript", "head", "svg", "math"}
LINES = {
    *("address article aside blockquote dd div dl dt figcaption footer form".split()),
    *("h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table tr ul".split()),
}
MAX_BYTES = 5 * 1024 * 1024


def pieces(content, notes):
    if len(content) > MAX_BYTES:
        notes.append(f"Only the first {MAX_BYTES} bytes are read.")
    yield text_of(content[:MAX_BYTES])


def text_of(source):
    """:param source: bytes, or text
    :return: its text
    """
    if isinstance(source, str):
        parser = etree.HTMLParser(no_network=True, encoding="utf-8")
        source = source.encode("utf-8", "replace")
    else:
        parser = etree.HTMLParser(no_network=True, encoding=encoding_of(source))
    if not source.strip():
        return ""
    root = etree.fromstring(source, parser)
    found = []
    if root is not None:
        _walk(root, found)
    lines = [_line(line) for line in "".join(found).split("\n")]
    told = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(told).strip() + "\n"


def _line(text):
    return re.sub(" {2,}", " ", text).lstrip(" ").rstrip()


def encoding_of(source):
    """What its own head says, unless it is plain UTF-8."""
    try:
        source.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _walk(node, found):
    """Elements in their order, without recursion: HTML nests as deep as it likes."""
    hidden = 0
    events = ("start", "end", "comment", "pi")
    for event, element in etree.iterwalk(node, events=events):
        tag = element.tag if isinstance(element.tag, str) else None
        if event == "start":
            hidden += tag in HIDDEN
            if tag in LINES or tag == "br":
                found.append("\n")
            if not hidden:
                found.append(_flat(element.text, tag))
            continue
        if event == "end":
            if tag in ("td", "th") and not hidden:
                found.append("\t")
            elif tag == "a" and not hidden:
                found.append(_address(element))
            elif tag in LINES:
                found.append("\n")
            hidden -= tag in HIDDEN
        if not hidden:
            found.append(_flat(element.tail, None))


def _flat(text, tag):
    if not text or tag == "pre":
        return text or ""
    blank = text[:1].isspace() * " ", text[-1:].isspace() * " "
    words = " ".join(text.split())
    return blank[0] + words + blank[1] if words else " "


def _address(link):
    """Where a link leads, if that is not what it says."""
    target = (link.get("href") or "").strip()
    said = "".join(link.itertext()).strip()
    if not target.lower().startswith(("http:", "https:", "mailto:", "tel:", "/")):
        return ""
    return "" if target.removeprefix("mailto:") == said else f" ({target})"
