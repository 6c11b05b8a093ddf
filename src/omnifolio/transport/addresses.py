"""Which network addresses may be connected to: public ones, and private ones only where the operator configured the URL.

The check runs on the address that is connected, in the connector's socket factory: there is no second resolution that a
rebinding name server could answer differently, and literal addresses, which never reach a resolver, pass it as well.
Sources: IANA special-purpose address registries for IPv4 and IPv6. `ipaddress.is_global` lets NAT64, 6to4 and multicast pass.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from omnifolio.model.errors import EgressRefused

_DENIED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_DENIED_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Within 2000::/3: IETF assignments with Teredo, documentation, 6to4. All else outside of it is denied anyway."""

_LOCAL = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    )
)
"""What an operator may point a URL of their own at: this machine and private networks, never link-local metadata services."""


def is_forbidden(address: str, *, is_configured: bool = False) -> bool:
    """True for an address that must not be connected to. `is_configured`: the operator wrote the URL.

    >>> is_forbidden("127.0.0.1"), is_forbidden("127.0.0.1", is_configured=True), is_forbidden("8.8.8.8")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if is_configured and any(ip.version == network.version and ip in network for network in _LOCAL):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return any(ip in network for network in _DENIED_V4)
    return ip not in _PUBLIC_V6 or any(ip in network for network in _DENIED_V6)


def socket_factory(*, is_configured: bool) -> Callable[[Any], socket.socket]:
    """A factory for aiohttp's connector that makes no socket for a forbidden address. It raises: EgressRefused."""

    def make(info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, target = info
        if is_forbidden(str(target[0]), is_configured=is_configured):
            raise EgressRefused("the host resolves to an address inside a private or reserved network")
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

    return make
