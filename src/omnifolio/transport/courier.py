"""Brings a message to a URL that a team has given: one POST, guarded against every way into the own network.

Only public https, unless the operator allows plain http and private networks. Every address that the name resolves to is checked,
and again the one that is connected: no second resolution follows, and literal addresses, which never reach a resolver, meet the
second check. No redirect is followed, no proxy of the environment used, no connection kept, and little of the answer read.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from omnifolio.model.clock import SECOND_MS, Clock
from omnifolio.model.errors import EgressRefused
from omnifolio.transport.addresses import is_forbidden, socket_factory

TIMEOUT_S = 15.0
"""For the whole exchange."""
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 2.0
"""For the beginning of the answer's body, once its status is there: the status decides, the body is for people."""
ANSWER_BYTES_MAX = 2_048
URL_LENGTH_MAX = 2_000
PORTS_FROM = 1_024
"""Of the ports below it only 443 is open to teams: no mail, no remote shell."""
CONNECTIONS_MAX = 64
VENUE = "webhooks"

OnRefused = Callable[[str, str, str], None]


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of a message. `status` is None where nothing answered; then `outcome` says why.

    `outcome`: answered, timed_out, unreachable, tls_failed, refused (the guard), broken (no HTTP).
    """

    status: int | None
    outcome: str
    duration_ms: int
    retry_after: str = ""
    answer: str = ""


def check_url(url: str, *, may_be_private: bool) -> URL:
    """The URL, if a message may go there as far as can be told without asking a name server. Raises: EgressRefused."""
    schemes = ("https", "http") if may_be_private else ("https",)
    try:
        target = URL(url)
        port = target.port or 0
    except ValueError:
        raise EgressRefused("this is no URL") from None
    if len(url) > URL_LENGTH_MAX or not url.isprintable() or " " in url:
        raise EgressRefused(f"a URL has at most {URL_LENGTH_MAX} characters and no blanks")
    if target.scheme not in schemes or not target.host or target.raw_user is not None or target.raw_password is not None:
        raise EgressRefused(f"only {' or '.join(schemes)} URLs without user and password may be told")
    if "#" in url:
        raise EgressRefused("a URL to be told has no fragment")
    if not may_be_private and port != 443 and port < PORTS_FROM:
        raise EgressRefused(f"only port 443 and ports from {PORTS_FROM} may be told")
    _check_host(target.host, may_be_private=may_be_private)
    return target


def _check_host(host: str, *, may_be_private: bool) -> None:
    """Raises: EgressRefused for an address inside, and for numbers that some resolvers read as one."""
    try:
        address = str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        last = host.lower().rstrip(".").rpartition(".")[2]
        is_number = last.isdigit() or last.startswith("0x")
        if is_number or (last == "localhost" and not may_be_private):
            raise EgressRefused("this host is not a public name") from None
        return
    if is_forbidden(address, is_configured=may_be_private):
        raise EgressRefused("this address is inside a private or reserved network")


class _CheckedResolver(AbstractResolver):
    """A resolver none of whose answers may lead inside: one forbidden address among them refuses the name."""

    def __init__(self, inner: AbstractResolver, *, may_be_private: bool) -> None:
        self._inner, self._may_be_private = inner, may_be_private

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if any(is_forbidden(item["host"], is_configured=self._may_be_private) for item in found):
            raise EgressRefused("the host resolves to an address inside a private or reserved network")
        return found

    async def close(self) -> None:
        await self._inner.close()


class Courier:
    """Delivers messages. Its sessions open at the first one; `resolver` is a port for tests."""

    def __init__(
        self,
        clock: Clock,
        on_refused: OnRefused,
        *,
        resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._on_refused = on_refused
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, CONNECT_TIMEOUT_S))
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def deliver(self, url: str, *, headers: Mapping[str, str], body: bytes, may_be_private: bool) -> Receipt:
        """Sends one message once, and tells what became of it; raises nothing for what the other side does."""
        started_s = self._clock.monotonic()
        status, retry_after, answer = None, "", ""
        try:
            target = check_url(url, may_be_private=may_be_private)
            async with self._session(may_be_private=may_be_private).post(
                target, headers=headers, data=body, allow_redirects=False
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After", "")[:64]
                answer = await _beginning(response)
            outcome = "answered"
        except EgressRefused as error:
            self._on_refused(VENUE, "deliver", error.message)
            outcome = "refused"
        except TimeoutError:
            outcome = "timed_out"
        except aiohttp.ClientSSLError:
            outcome = "tls_failed"
        except (aiohttp.ClientConnectionError, OSError):
            outcome = "unreachable"
        except aiohttp.ClientError:
            outcome = "broken"
        return Receipt(
            status=status,
            outcome="answered" if status is not None else outcome,
            duration_ms=max(0, int((self._clock.monotonic() - started_s) * SECOND_MS)),
            retry_after=retry_after,
            answer=answer,
        )

    def _session(self, *, may_be_private: bool) -> aiohttp.ClientSession:
        if may_be_private not in self._sessions:
            self._sessions[may_be_private] = aiohttp.ClientSession(
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS_MAX,
                    # Neither addresses nor connections outlive a message: what was checked is what is used.
                    use_dns_cache=False,
                    force_close=True,
                    resolver=_CheckedResolver(self._resolver(), may_be_private=may_be_private),
                    socket_factory=socket_factory(is_configured=may_be_private),
                ),
            )
        return self._sessions[may_be_private]

    async def close(self) -> None:
        """Closes all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first characters of the body, as far as they come; a body that breaks off changes nothing of the status."""
    found = b""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            async for chunk in response.content.iter_any():
                found += chunk[: ANSWER_BYTES_MAX - len(found)]
                if len(found) >= ANSWER_BYTES_MAX:
                    break
    text = found.decode("utf-8", errors="replace")
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
