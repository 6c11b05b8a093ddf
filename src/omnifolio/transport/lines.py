"""Conversations by lines: JSON-RPC 2.0 over a TCP or TLS connection, one object a line, as Electrum servers speak it.

All questions of one exchange are written at once and their answers collected in whatever order they come, so an exchange is one
round trip. A connection is kept for the next exchange; one that fails in any way is closed, so no answer meets another question.
The checks of the HTTP door hold here too: the address that is connected is checked, time and bytes are bounded, TLS certificates
are verified against the public authorities.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from yarl import URL

from omnifolio.model.clock import Clock
from omnifolio.model.errors import EgressRefused, ResponseTooLarge, VenueBadResponse, VenueUnavailable
from omnifolio.transport.addresses import is_forbidden
from omnifolio.transport.http import CONNECT_TIMEOUT_S, Answer, Request

SCHEMES = frozenset({"tcp", "tls"})
_CHUNK_BYTES = 256 * 1024
_FILLED = b"  }"


class Procedure(Struct, frozen=True):
    """One question: the procedure's name, which the list of allowed requests must have, and its arguments."""

    method: str
    params: tuple[Any, ...] = ()


class _Named(Struct, frozen=True):
    id: int | str | None = None


def lines_of(procedures: Sequence[Procedure]) -> bytes:
    """The questions as lines, numbered from 1."""
    encode = msgspec.json.encode
    return b"".join(
        encode({"jsonrpc": "2.0", "id": n, "method": asked.method, "params": asked.params}) + b"\n"
        for n, asked in enumerate(procedures, 1)
    )


class Lines:
    """The open connections, one a server; whoever asks next waits until the exchange before has ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[URL, _Connection] = {}
        self._turns: dict[URL, asyncio.Lock] = {}

    async def send(self, request: Request) -> Answer:
        """The answers as one JSON list, in the order of the questions in the request's body. Raises: as `Wire.send`."""
        async with self._turns.setdefault(request.url, asyncio.Lock()):
            try:
                async with asyncio.timeout(request.timeout_s):
                    return await self._exchange(request)
            except (OSError, EOFError, TimeoutError) as error:
                raise VenueUnavailable(f"{request.venue} did not answer ({type(error).__name__})") from None

    async def _exchange(self, request: Request) -> Answer:
        connection = self._open.pop(request.url, None)
        if connection is None:
            connection = await _connected(request.url, is_configured=request.is_configured)
        try:
            if request.greeting and not connection.is_greeted:
                await connection.ask(request.greeting, venue=request.venue, bytes_max=request.bytes_max)
                connection.is_greeted = True
            body = await connection.ask(request.body or b"", venue=request.venue, bytes_max=request.bytes_max)
        except BaseException:
            connection.abort()
            raise
        self._open[request.url] = connection
        return Answer(status=200, headers={}, body=body, received_at=self._clock.now())

    async def close(self) -> None:
        """Closes all connections."""
        for connection in self._open.values():
            await connection.close()
        self._open.clear()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.is_greeted = False

    async def ask(self, lines: bytes, *, venue: str, bytes_max: int) -> bytes:
        """Writes the lines and gives the answers to them, in their order, as a JSON list. Notifications are passed over."""
        count = lines.count(b"\n")
        found: dict[int | str, bytes] = {}
        self._writer.write(lines)
        rest, size = b"", 0
        parts: list[bytes] = []
        while len(found) < count:
            chunk = await self._reader.read(_CHUNK_BYTES)
            if not chunk:
                raise EOFError
            size += len(chunk)
            if size > bytes_max:
                raise ResponseTooLarge(f"{venue}: the answer is larger than {bytes_max} bytes")
            if b"\n" not in chunk:
                parts.append(chunk)
                continue
            *whole, rest = b"".join((*parts, chunk)).split(b"\n")
            parts = [rest]
            found |= _answers(whole, venue, count)
        if set(found) != set(range(1, count + 1)):
            raise VenueBadResponse(f"{venue} answered questions that were not asked")
        return b"[" + b",".join(found[n] for n in range(1, count + 1)) + b"]"

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._writer.wait_closed()


def _answers(lines: Sequence[bytes], venue: str, count: int) -> dict[int | str, bytes]:
    found: dict[int | str, bytes] = {}
    for line in lines:
        if not line.strip():
            continue
        try:
            number = msgspec.json.decode(line, type=_Named).id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise VenueBadResponse(f"{venue} answered with a line that is not JSON-RPC") from None
        if number is not None:
            # Servers fill short answers up with blanks, against listeners; nobody needs to keep these.
            found[number] = msgspec.json.format(line, indent=-1) if line.endswith(_FILLED) else line
    return found


async def _connected(url: URL, *, is_configured: bool) -> _Connection:
    """A connection to the first address that answers. Raises: EgressRefused for a forbidden address; OSError."""
    assert url.host is not None, "the policy refuses URLs without a host"
    if url.port is None:
        raise EgressRefused("a server that is spoken to by lines needs a port: tls://host:port")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    refused: Exception = OSError("the name has no address")
    for *_, target in found:
        address = str(target[0])
        if is_forbidden(address, is_configured=is_configured):
            raise EgressRefused("the host resolves to an address inside a private or reserved network")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                context = ssl.create_default_context() if url.scheme == "tls" else None
                reader, writer = await asyncio.open_connection(
                    address, url.port, ssl=context, server_hostname=url.host if context else None
                )
                return _Connection(reader, writer)
        except (OSError, TimeoutError) as error:
            refused = error
    raise refused
