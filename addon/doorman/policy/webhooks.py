"""Notices to other systems: the body in three formats, its signature, and the sending.

The signature follows the Standard Webhooks specification: headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature``, an HMAC-SHA256 over
``<id>.<timestamp>.<body>``.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
import ssl
from html import escape
from urllib.parse import urlsplit

import urllib3

from .shared import LOOPBACK_HOSTS

FORMATS = ("generic", "slack", "teams")
TIMEOUT = 5.0  # seconds
MAX_URL = 2_000
# The letters of ASCII that show: a name in others is to be written with its xn--.
WRITTEN = re.compile(r"[!-~]+")
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
# Where public IPv6 servers are. Python takes more for global: addresses in which those
# of IPv4 are hidden (::10.0.0.1, NAT64), and site-local ones (fec0::/10).
SERVERS = ipaddress.ip_network("2000::/3")
# In this one of them, 6to4, they are hidden as well.
TUNNEL = ipaddress.ip_network("2002::/16")
# Azure's host tells a virtual machine its settings here, as others do at a link-local
# address.
AZURE = ipaddress.ip_address("168.63.129.16")


class NotSent(Exception):
    """Why a notice did not get there.

    :param str why: ``bad_secret``, ``bad_url``, ``unknown_name``, ``not_public``,
        ``bad_certificate``, ``no_answer``, ``redirect`` or ``refused``
    :param int status: of HTTP, where there was an answer
    """

    def __init__(self, why, status=0):
        super().__init__(why)
        self.why = why
        self.status = status


def new_secret():
    """:return: a secret as receivers take it: ``whsec_`` and 32 bytes in base64"""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret, ident, timestamp, body):
    """:param str secret: as ``new_secret`` makes it
    :param int timestamp: in seconds since 1970
    :param bytes body: as it is sent
    :return: the value of the header ``webhook-signature``
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as exc:
        raise NotSent("bad_secret") from exc
    signed = f"{ident}.{timestamp}.".encode() + body
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


# ---- where to ----


def split(url, own_network=False):
    """Where a notice goes.

    :param str url: https; http on this machine only
    :param bool own_network: whether it may be an address of the own network
    :return: ``(is_https, host, port, path)``, or None if nothing is sent there
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username or parts.password or parts.fragment:
        return None
    if len(url) > MAX_URL or not WRITTEN.fullmatch(url):
        return None
    local = own_network and host in LOOPBACK_HOSTS
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return None
    secure = parts.scheme == "https"
    path = parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    return secure, host, port or (443 if secure else 80), path


def reachable(address, own_network=False):
    """Whether a notice may go to an IP address.

    :param str address: as the name server gave it
    :param bool own_network: whether it may be one of the own network
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    # Link-local: where clouds tell a machine its own credentials.
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip == AZURE:
        return False
    if own_network:
        return True
    if ip.version == 6 and (ip not in SERVERS or ip in TUNNEL):
        return False
    return ip.is_global


def _address_of(host, port, own_network):
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NotSent("unknown_name") from exc
    addresses = [entry[4][0] for entry in found]
    # All of them: one that is fine must not vouch for the next.
    if not all(reachable(address, own_network) for address in addresses):
        raise NotSent("not_public")
    return addresses[0]


# ---- sending ----


def post(url, body, headers, own_network=False):
    """Send a notice, once. Redirects are not followed, and no proxy is used: the
    address that was looked at is the one that gets it.

    :param bytes body: JSON
    :param dict headers: in addition to the content type
    :raise NotSent: if the receiver did not answer with 2xx within 5 s
    """
    parts = split(url, own_network)
    if not parts:
        raise NotSent("bad_url")
    secure, host, port, path = parts
    address = _address_of(host, port, own_network)
    timeout = urllib3.Timeout(total=TIMEOUT)
    if secure:
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=timeout,
            ssl_context=ssl.create_default_context(),
            server_hostname=host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    name = f"[{host}]" if ":" in host else host
    headers = {
        "Host": name if port in (80, 443) else f"{name}:{port}",
        "Content-Type": "application/json",
        "User-Agent": "Doorman",
        **headers,
    }
    try:
        with pool:
            answer = pool.urlopen(
                "POST",
                path,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            status = answer.status
            answer.close()
    except urllib3.exceptions.SSLError as exc:
        raise NotSent("bad_certificate") from exc
    except (urllib3.exceptions.HTTPError, OSError) as exc:
        raise NotSent("no_answer") from exc
    if 300 <= status < 400:
        raise NotSent("redirect", status)
    if not 200 <= status < 300:
        raise NotSent("refused", status)


# ---- the body ----


def body_of(form, words, about):
    """What is sent.

    :param str form: one of FORMATS
    :param dict words: ``{title, lines, label, url}``, plain text
    :param dict about: for programs: type, timestamp and data of a generic notice
    :return: JSON
    :rtype: bytes
    """
    make = {"slack": _slack, "teams": _teams}.get(form, _generic)
    return json.dumps(make(words, about), ensure_ascii=False).encode()


def text_of(words):
    return "\n".join([words["title"], *words["lines"], words["url"]])


def _generic(words, about):
    return about | {"text": text_of(words)}


def _slack(words, _about):
    """As incoming webhooks take it. ``<``, ``>`` and ``&`` are all that Slack escapes:
    without that, a record's name could call everybody in the channel."""
    url = words["url"].replace("|", "%7C").replace(">", "%3E")
    link = f"<{url}|{escape(words['label'], quote=False)}>"
    lines = "\n".join([words["title"], *words["lines"]])
    return {"text": f"{escape(lines, quote=False)}\n{link}"}


def _teams(words, _about):
    """As the workflows of Teams take it. Runs of text: in a block of text a record's
    name could be a link."""

    def block(text, **looks):
        return {"type": "RichTextBlock", "inlines": [_run(text, **looks)]}

    return {
        "type": "message",
        "text": text_of(words),
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        block(words["title"], weight="Bolder"),
                        *map(block, words["lines"]),
                    ],
                    "actions": [
                        {
                            "type": "Action.OpenUrl",
                            "title": words["label"],
                            "url": words["url"],
                        }
                    ],
                },
            }
        ],
    }


def _run(text, **looks):
    return {"type": "TextRun", "text": text, **looks}
