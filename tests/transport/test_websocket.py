"""The door for sockets, over real ones on the loopback: nothing unlisted opens, nothing undeclared leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from tests.stage import loopback

from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import EgressRefused, ResponseTooLarge, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.transport.egress import Egress
from omnifolio.transport.frames import Frame
from omnifolio.transport.websocket import HEARD_BURST, MESSAGE_BYTES_MAX, SENT_BURST, Socket, SocketRule

FRAMES = (
    Frame(purpose="subscribe", shape={"op": "subscribe", "token": "<text>"}),
    Frame(purpose="ping", shape="ping"),
)
IDLE_S = 5.0
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def opened(talk: Talk, *, path: str = "/s") -> AsyncIterator[tuple[Socket, Egress, list[tuple[str, ...]]]]:
    """A socket to a server that speaks by `talk`, the process's egress, and what was refused."""
    refused: list[tuple[str, ...]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        spoken = web.WebSocketResponse(autoping=False)
        await spoken.prepare(request)
        await talk(spoken)
        return spoken

    egress = Egress(clock=SystemClock(), on_refused=lambda *what: refused.append(what))
    async with loopback(handler) as url:
        place = url.replace("http", "ws", 1) + path
        egress.sockets.allow("venue", [SocketRule(url=place, frames=FRAMES, is_configured=True)])
        async with await egress.sockets.open("venue", f"{place}?token=t") as socket:
            yield socket, egress, refused
    await egress.close()


async def echo(spoken: web.WebSocketResponse) -> None:
    async for message in spoken:
        assert message.type is WSMsgType.TEXT
        await spoken.send_str(f"got {message.data}")


async def test_declared_messages_leave_as_text_and_answers_come() -> None:
    async with opened(echo) as (socket, egress, refused):
        await socket.send({"op": "subscribe", "token": "t"})
        await socket.send("ping")
        assert [await socket.receive(idle_s=IDLE_S) for _ in range(2)] == ['got {"op":"subscribe","token":"t"}', "got ping"]
        assert "127.0.0.1" in egress.hosts()
        assert refused == []


@pytest.mark.parametrize(
    "message",
    [
        {"op": "order", "token": "t"},
        {"op": "subscribe", "token": "t", "side": "sell"},
        {"op": "subscribe", "token": {"op": "order"}},
        [{"op": "subscribe", "token": "t"}],
        '{"op":"order"}',
        '{"op":"subscribe","token":"t"}',
        b"ping",
        "pong",
        None,
    ],
    ids=str,
)
async def test_nothing_else_reaches_the_wire(message: Any) -> None:
    heard: list[str] = []

    async def listen(spoken: web.WebSocketResponse) -> None:
        async for found in spoken:
            heard.append(str(found.data))

    async with opened(listen) as (socket, _, refused):
        with pytest.raises(EgressRefused) as caught:
            await socket.send(message)
        assert "order" not in caught.value.message, "what was in it is not repeated"
        assert refused == [("venue", "socket", "message")]
    assert heard == []


async def test_a_flood_of_our_own_is_stopped() -> None:
    async with opened(echo) as (socket, _, refused):
        for _ in range(SENT_BURST):
            await socket.send("ping")
        with pytest.raises(EgressRefused, match="too many"):
            await socket.send("ping")
        assert refused == [("venue", "socket", "too many messages")]


async def test_a_flood_of_the_venue_ends_the_socket() -> None:
    async def flood(spoken: web.WebSocketResponse) -> None:
        for number in range(HEARD_BURST * 2):
            await spoken.send_str(str(number))

    async with opened(flood) as (socket, _, _):
        heard = [await socket.receive(idle_s=IDLE_S) for _ in range(HEARD_BURST)]
        assert len(heard) == HEARD_BURST
        with pytest.raises(VenueBusy):
            await all_of(socket)


async def all_of(socket: Socket) -> None:
    for _ in range(HEARD_BURST):
        await socket.receive(idle_s=IDLE_S)


async def test_a_message_beyond_the_limit_ends_the_socket() -> None:
    async def burst(spoken: web.WebSocketResponse) -> None:
        await spoken.send_str("x" * (MESSAGE_BYTES_MAX + 1))

    async with opened(burst) as (socket, _, _):
        with pytest.raises(ResponseTooLarge):
            await socket.receive(idle_s=IDLE_S)


async def test_packed_messages_are_not_unpacked() -> None:
    """Compression is not asked for, so a packed message breaks the protocol; a small one cannot become a large one."""

    async def packed(spoken: web.WebSocketResponse) -> None:
        await spoken._writer.send_frame(b"x" * 1_000_000, WSMsgType.TEXT, compress=15)  # type: ignore[union-attr]

    async with opened(packed) as (socket, _, _):
        with pytest.raises(VenueBadResponse):
            await socket.receive(idle_s=IDLE_S)


async def test_bytes_are_no_message() -> None:
    async def bytes_(spoken: web.WebSocketResponse) -> None:
        await spoken.send_bytes(b"{}")

    async with opened(bytes_) as (socket, _, _):
        with pytest.raises(VenueBadResponse):
            await socket.receive(idle_s=IDLE_S)


async def test_pings_of_the_venue_are_answered_and_keep_it_alive() -> None:
    pongs = []

    async def ping(spoken: web.WebSocketResponse) -> None:
        for number in range(3):
            await spoken.ping(str(number).encode())
            pongs.append((await spoken.receive()).data)
        await spoken.send_str("after")

    async with opened(ping) as (socket, _, _):
        assert await socket.receive(idle_s=IDLE_S) == "after"
    assert pongs == [b"0", b"1", b"2"]


async def test_silence_is_the_end() -> None:
    release = asyncio.Event()

    async def mute(_: web.WebSocketResponse) -> None:
        await release.wait()

    async with opened(mute) as (socket, _, _):
        with pytest.raises(VenueUnavailable, match="said nothing"):
            await socket.receive(idle_s=0.05)
        release.set()


async def test_the_venues_goodbye_is_told_with_its_code() -> None:
    async def leave(spoken: web.WebSocketResponse) -> None:
        await spoken.close(code=1001)

    async with opened(leave) as (socket, _, _):
        with pytest.raises(VenueUnavailable, match="1001"):
            await socket.receive(idle_s=IDLE_S)
        with pytest.raises(VenueUnavailable):
            await socket.send("ping")


async def test_only_listed_sockets_are_opened() -> None:
    async with opened(echo) as (_, egress, refused):
        sockets = egress.sockets
        place = next(iter(sockets.rules()["venue"])).url
        sockets.allow("strict", [SocketRule(url="ws://127.0.0.1:1/s", frames=FRAMES)])
        sockets.allow("public", [SocketRule(url="wss://127.0.0.1:1/s", frames=FRAMES)])
        for venue, url in (
            ("venue", place + "/more"),
            ("venue", place.replace("/s", "/../s")),
            ("venue", place.replace("127.0.0.1", "127.0.0.2")),
            ("venue", place.replace("ws://", "wss://")),
            ("venue", place.replace("ws://", "ws://user:secret@")),
            ("other", place),
            ("strict", "ws://127.0.0.1:1/s"),
            ("public", "wss://127.0.0.1:1/s"),
        ):
            with pytest.raises(EgressRefused) as caught:
                await sockets.open(venue, url + "?token=hidden")
            assert "hidden" not in caught.value.message
            assert "secret" not in caught.value.message
        assert len(refused) == 8
        assert "hidden" not in str(refused)


@pytest.mark.parametrize(("status", "kind"), [(503, VenueUnavailable), (429, VenueBusy), (200, VenueUnavailable)])
async def test_a_refused_opening_says_whether_to_wait(status: int, kind: type[Exception]) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Retry-After": "7"})

    egress = Egress(clock=SystemClock())
    async with loopback(handler) as url:
        place = url.replace("http", "ws", 1) + "/s"
        egress.sockets.allow("venue", [SocketRule(url=place, frames=FRAMES, is_configured=True)])
        with pytest.raises(kind) as caught:
            await egress.sockets.open("venue", place)
        if isinstance(caught.value, VenueBusy):
            assert caught.value.retry_after_s == 7
    await egress.close()


async def test_no_redirect_is_followed() -> None:
    asked = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    egress = Egress(clock=SystemClock())
    async with loopback(handler) as url:
        place = url.replace("http", "ws", 1) + "/s"
        egress.sockets.allow("venue", [SocketRule(url=place, frames=FRAMES, is_configured=True)])
        with pytest.raises(EgressRefused, match="redirect"):
            await egress.sockets.open("venue", place)
    assert asked == ["/s"]
    await egress.close()
