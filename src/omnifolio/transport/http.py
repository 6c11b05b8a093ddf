"""One HTTP exchange: no redirects, no proxies, no cookies, bounded in time and bytes, packed or unpacked.

Answers are unpacked here and not by the HTTP library, so that a gzip bomb is stopped at its ratio while it is still small.
"""

import zlib
from collections.abc import Mapping
from typing import Protocol

import aiohttp
from msgspec import Struct
from yarl import URL

from omnifolio.model.clock import Clock, EpochMs
from omnifolio.model.errors import ResponseTooLarge, VenueBadResponse, VenueUnavailable
from omnifolio.transport.addresses import socket_factory

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 20.0
RESPONSE_BYTES_MAX = 64 * 1024 * 1024
UNPACK_RATIO_MAX = 200
UNPACK_FREE_BYTES = 1024 * 1024
"""Below this size the ratio is not looked at: short answers full of blanks pack well."""
CONNECTIONS_MAX = 64
CONNECTIONS_PER_HOST_MAX = 16
_CHUNK_BYTES = 64 * 1024


class Answer(Struct, frozen=True, kw_only=True):
    """A raw HTTP answer: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: EpochMs


class Question(Struct, frozen=True, kw_only=True):
    """What of a request may be written down: never a key, signature, nonce or time stamp of a signature."""

    method: str
    path: str
    params: Mapping[str, str] = {}


class Request(Struct, frozen=True, kw_only=True):
    """What goes over the wire. `is_configured`: the operator wrote the URL. `timeout_s` is for the whole exchange."""

    venue: str
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    timeout_s: float
    is_configured: bool
    question: Question
    bytes_max: int = RESPONSE_BYTES_MAX
    greeting: bytes = b""
    """The line that opens a conversation by lines."""


class Wire(Protocol):
    """What carries requests: the network, or a recording of it."""

    async def send(self, request: Request) -> Answer:
        """The answer, whatever its status. Raises: VenueUnavailable, VenueBadResponse, ResponseTooLarge, EgressRefused."""
        ...

    async def close(self) -> None:
        """Gives back what is held open."""
        ...


class Http:
    """Requests over HTTP. Its sessions open at the first request, one for public hosts, one for configured ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def _session(self, *, is_configured: bool) -> aiohttp.ClientSession:
        if is_configured not in self._sessions:
            self._sessions[is_configured] = aiohttp.ClientSession(
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS_MAX,
                    limit_per_host=CONNECTIONS_PER_HOST_MAX,
                    socket_factory=socket_factory(is_configured=is_configured),
                ),
            )
        return self._sessions[is_configured]

    async def send(self, request: Request) -> Answer:
        """See `Wire`."""
        timeout = aiohttp.ClientTimeout(total=request.timeout_s, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S)
        try:
            async with self._session(is_configured=request.is_configured).request(
                request.method,
                request.url,
                headers={"Accept-Encoding": "gzip", **request.headers},
                data=request.body,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                body = await _unpacked(response, headers, venue=request.venue, bytes_max=request.bytes_max)
                return Answer(status=response.status, headers=headers, body=body, received_at=self._clock.now())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VenueUnavailable(f"{request.venue} did not answer ({type(error).__name__})") from None

    async def close(self) -> None:
        """Closes all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


async def _unpacked(response: aiohttp.ClientResponse, headers: Mapping[str, str], *, venue: str, bytes_max: int) -> bytes:
    """The body without its Content-Encoding, read piece by piece against the limits."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise VenueBadResponse(f"{venue} packed its answer in a way that was not asked for")
    unpacker = Unpacker(venue=venue, is_packed=encoding not in ("identity", ""), bytes_max=bytes_max)
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        unpacker.feed(chunk)
    return unpacker.finish()


class Unpacker:
    """Collects a body, unpacking gzip or zlib on the way, and stops at the limits of size and ratio."""

    def __init__(self, *, venue: str, is_packed: bool, bytes_max: int = RESPONSE_BYTES_MAX) -> None:
        self._venue = venue
        self._bytes_max = bytes_max
        self._zlib = zlib.decompressobj(wbits=47) if is_packed else None
        self._parts: list[bytes] = []
        self._packed_bytes = 0
        self._bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next piece as it came. Raises: ResponseTooLarge, VenueBadResponse."""
        self._packed_bytes += len(chunk)
        if self._zlib is None:
            self._take(chunk)
            return
        while chunk:
            try:
                self._take(self._zlib.decompress(chunk, _CHUNK_BYTES))
            except zlib.error:
                raise VenueBadResponse(f"{self._venue}: the packed answer is damaged") from None
            chunk = self._zlib.unconsumed_tail

    def _take(self, part: bytes) -> None:
        self._bytes += len(part)
        if self._bytes > self._bytes_max:
            raise ResponseTooLarge(f"{self._venue}: the answer is larger than {self._bytes_max} bytes")
        if self._zlib is not None and self._bytes > max(UNPACK_FREE_BYTES, self._packed_bytes * UNPACK_RATIO_MAX):
            raise ResponseTooLarge(f"{self._venue}: the answer unpacks to more than {UNPACK_RATIO_MAX} times its size")
        self._parts.append(part)

    def finish(self) -> bytes:
        """The whole body. Raises: VenueBadResponse when the packed form ends too early."""
        if self._zlib is not None:
            self._take(self._zlib.flush())
            if self._packed_bytes and not self._zlib.eof:
                raise VenueBadResponse(f"{self._venue}: the packed answer is cut off")
        return b"".join(self._parts)
