"""What OAuth values may look like, and how addresses compare: pure text, no ORM."""

import hashlib
import hmac
import json
import re
import unicodedata
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlsplit

from .invisible import without_hidden
from .refusal import in_language
from .shared import (
    BROWSER_SCHEMES,
    CALLBACK_WORDS,
    EDITOR_EXTENSIONS,
    KNOWN_APPS,
    LOOPBACK_HOSTS,
    MAX_CLIENT_NAME,
    MAX_REDIRECT_URI,
    MAX_SCHEME,
    PREFIX_ACCESS,
    PREFIX_REFRESH,
)

PROOF = re.compile(r"[0-9a-f]{64}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
SCHEME = re.compile(rf"[a-z][a-z0-9+.-]{{1,{MAX_SCHEME - 1}}}")
HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*)")
BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})|%(?:[01][0-9a-fA-F]|7[fF])")
DOT, SLASH = re.compile("%2e", re.I), re.compile("%2f", re.I)
FORM = re.compile(r"[^:/?]+:(?://(?=.)|/(?!/))")
# scheme -> name of the program, owners of places in it
APPS = {
    scheme: (name, [o for o in owners.split() if o != "extensions"]
             + list(EDITOR_EXTENSIONS if "extensions" in owners.split() else ()))
    for scheme, name, owners in (app.split("|") for app in KNOWN_APPS)
}  # fmt: skip
MARKS = re.compile(r"(\w)?((?:[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff"
                   r"\u20d0-\u20ff\ufe20-\ufe2f]){3,})")  # fmt: skip


class OAuthRefusal(Exception):
    """A refusal in the words of RFC 6749 section 5.2 and its relatives.

    :param str error: the code that the client gets
    :param str description: for the client's developer, plain ASCII
    :param reason: what really was wrong: text for the logs, or words of ``_lt`` where
        the audit has it too
    """

    def __init__(self, error, description, reason):
        super().__init__(in_language(reason))
        self.error = error
        self.description = description
        self.reason = reason

    def wire(self):
        """:return: as the gateway answers it"""
        return {
            "oauth_error": {
                "error": self.error,
                "error_description": self.description,
                "reason": in_language(self.reason),
            }
        }


def derive(pepper, kind, proof):
    """The token that follows a code or refresh token: the same again where the same is
    shown again, and known to nobody who lacks either the pepper or the token.

    :param bytes pepper: of the family
    :param str kind: ``access`` or ``refresh``
    :param str proof: SHA-256 of what was shown, 64 hex digits
    :return: in clear
    """
    prefix = {"access": PREFIX_ACCESS, "refresh": PREFIX_REFRESH}[kind]
    mac = hmac.new(bytes(pepper), f"{kind}:{proof}".encode(), hashlib.sha256)
    return prefix + urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def clean_name(name):
    """A name as people may see it: one line, without characters that hide, turn round
    or imitate others (controls, bidi, zero width, blank letters, piles of marks).

    :return: empty if nothing is left that could be read out
    :rtype: str
    """
    text = unicodedata.normalize("NFC", str(name or ""))
    text = without_hidden("".join(" " if c.isspace() else c for c in text))
    text = MARKS.sub(lambda m: m[1] or "", text)
    # Once more: what is cut may have joined two emoji.
    text = without_hidden(" ".join(text.split())[:MAX_CLIENT_NAME]).strip()
    # Marks and signs alone look like no name at all.
    return text if any(c.isalnum() for c in text) else ""


def is_plain(uri):
    """Whether an address is whole, and holds nothing that could be read two ways."""
    return (
        isinstance(uri, str)
        and 0 < len(uri) <= MAX_REDIRECT_URI
        and uri.isascii()
        and uri.isprintable()
        and not set(uri) & set(' "<>\\^`{|}#')
    )


def parts_of(uri):
    """:return: scheme, host, port, path with query; None if it is not an address:
    ``scheme://...``, or ``scheme:/...`` for a program's own scheme (RFC 8252 section
    7.1)"""
    if not is_plain(uri) or not FORM.match(uri):
        return None
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if "@" in parts.netloc or not SCHEME.fullmatch(parts.scheme):
        return None
    if not uri.startswith(f"{parts.scheme}:"):
        # In capitals; the service compares schemes as they are written.
        return None
    return parts.scheme, host, port, (parts.path, parts.query)


def is_loopback(uri):
    """Whether it leads to a program on the person's own computer."""
    parts = parts_of(uri)
    return bool(parts) and parts[0] == "http" and parts[1] in LOOPBACK_HOSTS


def is_custom(uri):
    """Whether it leads to a program by a scheme of that program's own."""
    parts = parts_of(uri)
    if not parts or parts[0] in BROWSER_SCHEMES:
        return False
    return reads_one_way(uri) and not set(urlsplit(uri).netloc) & set("*%")


def known_app(uri):
    """The program that an address leads to, if it is one of ``KNOWN_APPS``, and there
    to where logins end: such a scheme also opens files and installs extensions.

    :return: its name; None if it is not known
    """
    if not is_custom(uri):
        return None
    parts = urlsplit(uri)
    name, owners = APPS.get(parts.scheme, (None, ()))
    place = (parts.netloc.lower() + parts.path).removeprefix("/")
    known = place.split("/")[0] in CALLBACK_WORDS or any(
        place == owner or place.startswith(f"{owner}/") for owner in owners
    )
    return name if known else None


def is_https(uri):
    """Whether it leads to a web site, encrypted."""
    parts = parts_of(uri)
    return bool(parts) and parts[0] == "https" and bool(HOST.fullmatch(parts[1]))


def reads_one_way(uri):
    """Whether a browser leaves an address as it is: no dot segments, which it resolves,
    and no escapes that are broken or of control characters, which split headers."""
    if not is_plain(uri) or BAD_ESCAPE.search(uri):
        return False
    path = DOT.sub(".", SLASH.sub("/", uri.split("?")[0]))
    return not {".", ".."} & set(path.split("/"))


def may_return(uri, hosts, custom, known=False):
    """Whether people may be sent back to an address.

    :param hosts: the only hosts; empty: any
    :param bool custom: whether all schemes of programs are allowed
    :param bool known: whether those of ``KNOWN_APPS`` are
    """
    if not reads_one_way(uri):
        return False
    if is_loopback(uri):
        return True
    if is_https(uri):
        return not hosts or parts_of(uri)[1] in hosts
    return is_custom(uri) and (custom or (known and bool(known_app(uri))))


def matches(uri, registered):
    """Whether an address is a registered one. Of loopback addresses the port does not
    count (RFC 8252 section 7.3), and one name of the loopback is as good as another.
    """
    if uri in registered:
        return True
    if not is_loopback(uri):
        return False
    tail = parts_of(uri)[3]
    return any(is_loopback(r) and parts_of(r)[3] == tail for r in registered)


def destination(uri):
    """Where somebody is sent, for them to read.

    :return: e.g. ``claude.ai``, ``localhost``, ``cursor://anysphere.cursor-mcp``,
        ``com.raycast:/``
    """
    scheme, host, port, _tail = parts_of(uri)
    if scheme == "https" and port not in (None, 443):
        # Another server, perhaps of somebody else.
        return f"{host}:{port}"
    if scheme in ("http", "https"):
        return host
    return f"{scheme}://{host}" if uri.startswith(f"{scheme}://") else f"{scheme}:/"


def form_target(uri):
    """The source by which a page's policy lets a form lead to an address: browsers
    apply ``form-action`` to the redirect that follows as well. Only characters that
    cannot end the directive."""
    scheme, host, port, _tail = parts_of(uri)
    if scheme not in ("http", "https") or not HOST.fullmatch(host):
        # A policy has no way to write an IPv6 address.
        return f"{scheme}:"
    return f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"


def answer_url(uri, **values):
    """An address with the answer in its query; the query that is there stays.

    :param values: what is None is left out
    """
    pairs = [
        f"{name}={quote(value, safe='')}"
        for name, value in values.items()
        if value is not None
    ]
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return uri + joint + "&".join(pairs)


def is_text(value, limit):
    """Whether a value is text that PostgreSQL takes, and not too long."""
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def hosts_of(text):
    """The hosts of a list as people write it: one a line, ``#`` starts a comment.

    :rtype: list of str
    """
    lines = ((line.split("#")[0]).strip().lower() for line in (text or "").splitlines())
    return [line for line in lines if line]


def dump(value):
    """JSON for a column of text."""
    return json.dumps(value, ensure_ascii=True)
