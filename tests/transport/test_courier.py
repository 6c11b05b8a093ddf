"""A message goes to public addresses only, however the way inside is written, and whatever a name server says."""

import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.stage import StageTime

from omnifolio.model.errors import EgressRefused
from omnifolio.transport.courier import Courier, Receipt, check_url

FORMS = (
    *(
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "１２７.0.0.1",
        "127。0。0。1",
        "0",
        "0.0.0.0",
    ),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "169.254.169.254", "[fd00::1]", "[fe80::1]"),
    *("198.18.0.1", "100.64.0.1", "192.0.0.8", "224.0.0.1", "[ff02::1]", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("[64:ff9b:1::1]", "[2001:db8::1]", "255.255.255.255", "[fec0::1]"),
)
METADATA = ("169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[64:ff9b::a9fe:a9fe]")
URLS = (
    *("http://example.com/", "ftp://example.com/", "https:///path", "https://user@example.com/", "https://user:pw@example.com/"),
    *("https://example.com/#part", "https://example.com:22/", "https://example.com:99999/", "file:///etc/passwd", "example.com"),
    *("https://example.com/a b", "https://example.com/\r\nx", "", "javascript:alert(1)", f"https://example.com/{'a' * 2000}"),
)
BODY = b"{}"


class Listener:
    """A canary on loopback that must not be connected to."""

    def __init__(self) -> None:
        self._bound = socket.create_server(("127.0.0.1", 0))
        self._bound.setblocking(False)
        self.port = self._bound.getsockname()[1]

    def was_called(self) -> bool:
        """Whether anybody has connected."""
        try:
            self._bound.accept()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Listens no more."""
        self._bound.close()


@pytest.fixture
def canary() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


class Names(AbstractResolver):
    """A name server that gives other addresses at each question."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, flags=0, proto=6,
                          family=socket.AF_INET6 if ":" in address else socket.AF_INET)
            for address in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held."""


async def deliver(url: str, *, names: AbstractResolver | None = None, may_be_private: bool = False) -> tuple[Receipt, list[str]]:
    """What became of one message, and what was refused."""
    refused: list[str] = []
    resolver = (lambda: names) if names is not None else aiohttp.ThreadedResolver
    courier = Courier(StageTime(), lambda *words: refused.append(words[2]), resolver=resolver, timeout_s=2.0)
    try:
        return await courier.deliver(url, headers={}, body=BODY, may_be_private=may_be_private), refused
    finally:
        await courier.close()


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_of_an_address_inside_is_connected(form: str, canary: Listener) -> None:
    receipt, refused = await deliver(f"https://{form}:{canary.port}/")
    assert (receipt.status, receipt.outcome, len(refused)) == (None, "refused", 1)
    assert not canary.was_called()


@pytest.mark.parametrize("form", FORMS)
async def test_a_name_that_resolves_to_such_an_address_is_not_either(form: str, canary: Listener) -> None:
    try:
        addresses = tuple({str(info[4][0]) for info in socket.getaddrinfo(form.strip("[]"), 443, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        addresses = ("127.0.0.1",)
    receipt, refused = await deliver(f"https://hook.example.com:{canary.port}/", names=Names(addresses))
    assert (receipt.status, receipt.outcome, len(refused)) == (None, "refused", 1)
    assert not canary.was_called()


async def test_one_address_inside_among_public_ones_refuses_the_name(canary: Listener) -> None:
    receipt, _ = await deliver(f"https://hook.example.com:{canary.port}/", names=Names(("2001:4860:4860::8888", "127.0.0.1")))
    assert receipt.outcome == "refused"
    assert not canary.was_called()


async def test_a_name_server_that_changes_its_mind_is_asked_once_for_each_message(canary: Listener) -> None:
    """The first answer is public and the second leads inside: the first is what is connected, the second refuses the next."""
    names = Names(("8.8.8.8",), ("127.0.0.1",))
    connected: list[str] = []
    courier = Courier(StageTime(), lambda *_: None, resolver=lambda: names, timeout_s=0.3)
    connector = courier._session(may_be_private=False).connector
    assert isinstance(connector, aiohttp.TCPConnector)
    factory = connector._socket_factory
    assert factory is not None

    def noted(info: Any) -> socket.socket:
        connected.append(info[4][0])
        return factory(info)

    connector._socket_factory = noted
    outcomes = []
    for _ in range(2):
        url = f"https://hook.example.com:{canary.port}/"
        outcomes.append((await courier.deliver(url, headers={}, body=BODY, may_be_private=False)).outcome)
    await courier.close()
    assert outcomes[0] != "refused"
    assert outcomes[1] == "refused"
    assert (connected, names.asked) == (["8.8.8.8"], 2)
    assert not canary.was_called()


@pytest.mark.parametrize("url", URLS)
async def test_what_is_no_public_https_url_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused):
        check_url(url, may_be_private=False)
    receipt, _ = await deliver(url)
    assert receipt.outcome == "refused"


@pytest.mark.parametrize("form", METADATA)
async def test_metadata_services_are_out_of_reach_even_where_private_networks_are_allowed(form: str) -> None:
    receipt, _ = await deliver(f"http://{form}/", may_be_private=True)
    assert receipt.outcome == "refused"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, canary: Listener) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    receipt, _ = await deliver("https://hook.example.com/", names=Names(("127.0.0.1",)))
    assert receipt.outcome == "refused"
    assert not canary.was_called()


def test_plain_http_and_any_port_are_for_operators_who_allow_private_networks() -> None:
    assert str(check_url("http://127.0.0.1:81/a?b=c", may_be_private=True)) == "http://127.0.0.1:81/a?b=c"
    assert check_url("https://example.com/hook", may_be_private=False).host == "example.com"
    assert check_url("https://example.com:8443/hook", may_be_private=False).port == 8443
