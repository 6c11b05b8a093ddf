"""One exchange over real sockets on the loopback: nothing followed, nothing unbounded, nothing inherited from the environment."""

import asyncio
import gzip
import socket

import pytest
from aiohttp import web
from tests.stage import StageTime, loopback

from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import EgressRefused, ResponseTooLarge, VenueBadResponse, VenueUnavailable
from omnifolio.transport.egress import Answer, Egress, Rule
from omnifolio.transport.http import UNPACK_FREE_BYTES, Unpacker


async def ask(url: str, *, timeout_s: float = 5.0, bytes_max: int = 1 << 24) -> Answer:
    time = StageTime()
    egress = Egress(clock=SystemClock(), sleep=time.sleep)
    egress.allow("venue", [Rule("POST", f"{url}/*", is_configured=True)])
    try:
        return await egress.request(venue="venue", method="POST", url=f"{url}/a", timeout_s=timeout_s, bytes_max=bytes_max)
    finally:
        await egress.close()


async def test_an_answer_comes_unpacked_with_lower_case_headers() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip", "X-Weight": "7"}, status=201)

    async with loopback(handler) as url:
        answer = await ask(url)
    assert (answer.status, answer.body, answer.headers["x-weight"]) == (201, b'{"a":1}', "7")


async def test_a_redirect_is_given_back_and_not_followed() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"})

    async with loopback(handler) as url:
        assert (await ask(url)).status == 302
    assert seen == ["/a"]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async with loopback(handler) as url:
        assert (await ask(url)).body == b"ok"


async def test_cookies_are_not_kept() -> None:
    cookies = []

    async def handler(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with loopback(handler) as url:
        egress = Egress(clock=SystemClock())
        egress.allow("venue", [Rule("POST", f"{url}/a", is_configured=True)])
        for _ in range(2):
            await egress.request(venue="venue", method="POST", url=f"{url}/a")
        await egress.close()
    assert cookies == [None, None]


async def test_a_gzip_bomb_is_stopped_at_its_ratio() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"\0" * (32 << 20)), headers={"Content-Encoding": "gzip"})

    async with loopback(handler) as url:
        with pytest.raises(ResponseTooLarge, match="unpacks"):
            await ask(url, bytes_max=1 << 30)


async def test_a_body_beyond_the_limit_is_stopped() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 3000)

    async with loopback(handler) as url:
        with pytest.raises(ResponseTooLarge, match="larger"):
            await ask(url, bytes_max=2999)
        assert len((await ask(url, bytes_max=3000)).body) == 3000


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"a" * 1000, mtime=0)[:-9], "gzip"), (b"no gzip at all", "gzip"), (b"abc", "br"), (b"abc", "gzip, gzip")],
)
async def test_damaged_or_unknown_packing_is_a_bad_response(body: bytes, encoding: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    async with loopback(handler) as url:
        with pytest.raises(VenueBadResponse):
            await ask(url)


async def test_a_venue_that_never_answers_costs_no_more_than_the_timeout() -> None:
    released = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with loopback(handler) as url:
        with pytest.raises(VenueUnavailable, match="Timeout"):
            await ask(url, timeout_s=0.05)
        released.set()


async def test_a_slow_drip_does_not_outlive_the_timeout() -> None:
    """Each byte comes in time, the whole does not."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x")
                await asyncio.sleep(0)
        except ConnectionError:
            return response

    async with loopback(handler) as url:
        with pytest.raises(VenueUnavailable):
            await ask(url, timeout_s=0.1)


async def test_a_reset_connection_is_an_unavailable_venue() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with loopback(handler) as url:
        with pytest.raises(VenueUnavailable):
            await ask(url)


async def test_nothing_connects_to_loopback_unless_an_operator_configured_it() -> None:
    """A canary listener: a venue whose name leads to this machine never reaches it."""
    canary = socket.create_server(("127.0.0.1", 0))
    canary.setblocking(False)
    port = canary.getsockname()[1]
    egress = Egress(clock=SystemClock(), sleep=StageTime().sleep)
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        egress.allow("venue", [Rule("POST", f"https://{host}:{port}/a")])
        with pytest.raises(EgressRefused, match="private or reserved"):
            await egress.request(venue="venue", method="POST", url=f"https://{host}:{port}/a")
    assert egress.refused == {"venue": 3}
    with pytest.raises(BlockingIOError):
        canary.accept()
    canary.close()
    await egress.close()


def test_short_answers_may_pack_well() -> None:
    unpacker = Unpacker(venue="venue", is_packed=True)
    unpacker.feed(gzip.compress(b" " * UNPACK_FREE_BYTES))
    assert len(unpacker.finish()) == UNPACK_FREE_BYTES
