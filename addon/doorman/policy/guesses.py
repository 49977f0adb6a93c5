"""How often somebody may try links that do not work, and who counts as one."""

import ipaddress

GUESSES = 20
WINDOW_MINUTES = 10


def guess_source(ip):
    """Who counts as one: an IPv4 address, or what one customer gets of IPv6.

    :param str ip: as the web server saw it
    :rtype: str
    """
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return "?"
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == 6:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)
