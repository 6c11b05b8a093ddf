"""Which addresses may be connected to, in all the ways in which one can be written."""

import socket

import pytest

from omnifolio.model.errors import EgressRefused
from omnifolio.transport.addresses import is_forbidden, socket_factory

DENIED = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fd00::1"),
    *("fe80::1", "fe80::1%eth0", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::"),
    *("2001:db8::1", "3fff::1", "ff02::1"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1")
FORMS_OF_LOOPBACK = ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "１２７.0.0.1", "127。0。0。1")


@pytest.mark.parametrize("address", DENIED)
def test_reserved_and_private_addresses_are_forbidden(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    assert not is_forbidden(address)
    assert not is_forbidden(address, is_configured=True)


@pytest.mark.parametrize("form", FORMS_OF_LOOPBACK)
def test_no_spelling_of_loopback_passes(form: str) -> None:
    """The resolver turns each form into an address, and it is the address that is judged."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(form, 443, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        found = set()
    assert all(is_forbidden(str(address)) for address in found)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1"])
def test_an_operator_may_point_a_url_at_the_own_network(address: str) -> None:
    assert not is_forbidden(address, is_configured=True)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"])
def test_not_even_an_operator_reaches_metadata_services(address: str) -> None:
    assert is_forbidden(address, is_configured=True)


def test_no_socket_is_made_for_a_forbidden_address() -> None:
    make = socket_factory(is_configured=False)
    with pytest.raises(EgressRefused):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)))
    made = make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443)))
    assert not made.getblocking()
    made.close()
