"""The one form of an address of the service, as the service itself has it
(server/publicurl): people type HTTPS://MCP.Example.com:443/."""

from ipaddress import ip_address
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def normal_url(raw):
    """An http or https address in its one form (RFC 3986 section 6.2): scheme and host
    in small letters, no default port, no slash at the end. A name with other letters
    than DNS has is refused: people paste keys behind this address, and two names may
    look alike.

    :return: None if it is not such an address, or has a user, a query or a fragment
    :rtype: str or None
    """
    text = str(raw or "").strip()
    # urlsplit drops line breaks and tabs instead of refusing them.
    if (
        not text.isascii()
        or not text.isprintable()
        or set(text) & set("@?#\\ \"'`$<>{}|^")
    ):
        return None
    try:
        parts = urlsplit(text)
        port, host = parts.port, _host(parts.hostname or "")
    except ValueError:
        return None
    if parts.scheme not in PORTS or not host or port == 0 or parts.netloc.endswith(":"):
        return None
    shown = "" if port in (None, PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


def _host(name):
    """:return: the name, or "" for none"""
    try:
        address = ip_address(name)
    except ValueError:
        plain = name.translate(dict.fromkeys(map(ord, "-._"), "x")).isalnum()
        return name if plain and name[0] != "." and ".." not in name else ""
    return f"[{address}]" if address.version == 6 else str(address)
