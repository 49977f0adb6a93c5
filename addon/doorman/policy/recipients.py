"""To which domains emails may go: lists as people write them, and addresses held
against them. Pure text, no ORM.

The writer of an address chooses every character of it, and the program that sends it
may take it apart in another way than the one that looked at it. So nothing is taken
apart here: whatever looks like an address anywhere in a text has to fit, names that are
shown in front of one included.
"""

import re

MAX_DOMAIN = 253
SUBDOMAINS = "*."
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What stands around an @, up to what cannot be part of an address unless it is quoted.
AROUND = re.compile(r"[^\s<>,;:\"()\[\]\\]*@[^\s<>,;:\"()\[\]\\]*")


def parse(text):
    """The domains of a list.

    :param text: ``example.com`` for the addresses of that domain, ``*.example.com`` for
        those of all below it; one a line or between commas, ``#`` starts a comment
    :return: a frozenset of texts, in the form of ``domain``; empty for any domain
    :raise ValueError: at the first entry that is none
    """
    return frozenset(entry(written) for _number, written in _entries(text))


def wrong_line(text):
    """The first entry that is not a domain, if there is one.

    :return: the number of its line, from 1, and what stands there; or None
    """
    for number, written in _entries(text):
        try:
            entry(written)
        except ValueError:
            return number, written
    return None


def entry(written):
    """:raise ValueError: if it is not a domain"""
    name = written.removeprefix("@")
    below = name.startswith(SUBDOMAINS)
    name = domain(name.removeprefix(SUBDOMAINS))
    # All of .com, or whatever "localhost" is, is nobody in particular.
    if name is None or "." not in name:
        raise ValueError(written)
    return (SUBDOMAINS if below else "") + name


def domain(written):
    """A domain as mail servers are asked for it: in small ASCII letters.

    :return: None if it is none
    """
    try:
        name = written.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return None
    labels = name.split(".")
    known = all(LABEL.fullmatch(label) for label in labels)
    return name if known and len(name) <= MAX_DOMAIN else None


def fits(allowed, name):
    """Whether a domain is on a list.

    :param allowed: of ``parse``
    :param str name: as of ``domain``
    """
    if name in allowed:
        return True
    return any(e.startswith(SUBDOMAINS) and name.endswith(e[1:]) for e in allowed)


def unfit(allowed, text, inside=()):
    """What of a text with addresses does not fit.

    :param allowed: of ``parse``
    :param inside: addresses in small letters that may always be written to
    :return: a list of texts; the whole text if it is not clear who would get it
    """
    found = AROUND.findall(text)
    if not found:
        return [text]
    return [one for one in found if not _may_go(allowed, one, inside)]


def _may_go(allowed, address, inside):
    if address.lower() in inside:
        return True
    local, _at, name = address.rpartition("@")
    # Servers may send on by these: user%other.example@example.com.
    if not local or set(local) & set("@%!"):
        return False
    name = domain(name)
    return name is not None and fits(allowed, name)


def _entries(text):
    for number, line in enumerate((text or "").splitlines(), start=1):
        for written in line.partition("#")[0].split(","):
            if written.strip():
                yield number, written.strip()
