"""Lists of IP addresses as people write them: pure text, no ORM."""

import ipaddress


def parse(text):
    """The networks of a list, as the service takes them.

    :param text: one address or CIDR a line; ``#`` starts a comment
    :type text: str or None
    :return: e.g. ``["10.0.0.0/8", "2001:db8::/32"]``
    :rtype: list of str
    :raise ValueError: at the first line that is neither
    """
    return [str(network(entry)) for _number, entry in _entries(text)]


def wrong_line(text):
    """The first line that is not an address, if there is one.

    :return: its number, from 1, and what stands there; or None
    :rtype: tuple of (int, str) or None
    """
    for number, entry in _entries(text):
        try:
            network(entry)
        except ValueError:
            return number, entry
    return None


def network(entry):
    """:param str entry: one address or network
    :rtype: ipaddress.IPv4Network or ipaddress.IPv6Network
    :raise ValueError: if it is neither
    """
    # Only digits for the length: Python also takes masks, and 0.0.0.255 would be
    # read as the mask of a router, meaning the opposite.
    _address, slash, length = entry.partition("/")
    if slash and not (length.isascii() and length.isdigit()):
        raise ValueError(entry)
    found = ipaddress.ip_interface(entry)
    if found.version == 6 and ("%" in entry or found.ip.ipv4_mapped is not None):
        # A zone means nothing to others, and the service sees IPv4 as IPv4.
        raise ValueError(entry)
    return found.network


def _entries(text):
    for number, line in enumerate((text or "").splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if entry:
            yield number, entry
