"""Conversations by lines against a server that does what it is told: order, limits, refusals and what is left of a connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.stage import Hurry

from omnifolio.model.errors import EgressRefused, ResponseTooLarge, VenueBadResponse, VenueUnavailable
from omnifolio.transport.egress import Egress, Question, Rule
from omnifolio.transport.lines import Procedure

HELLO, READ = Procedure("server.version", ("test",)), "blockchain.block.header"
Answering = Callable[[dict[str, Any]], bytes]


class Server:
    """Answers each line by a function; `heard` are the procedures, `visits` the connections."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.heard: list[str] = []
        self.visits = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        while line := await reader.readline():
            asked = json.loads(line)
            self.heard.append(asked["method"])
            answer = self._answering(asked)
            if not answer:
                break
            writer.write(answer)
        writer.close()


def echo(asked: dict[str, Any]) -> bytes:
    """The arguments as the result."""
    return json.dumps({"id": asked["id"], "result": asked["params"]}).encode() + b"\n"


@asynccontextmanager
async def served(answering: Answering) -> AsyncIterator[tuple[Server, str]]:
    server = Server(answering)
    running = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield server, f"tcp://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    finally:
        running.close()


async def ask(url: str, *procedures: Procedure, egress: Egress | None = None, bytes_max: int = 10_000) -> Any:
    """The decoded answers of one exchange with `READ` and `HELLO` on the list."""
    clock = Hurry()
    way_out = egress or Egress(clock=clock, sleep=clock.sleep)
    way_out.allow("coin", [Rule(method, f"{url}/", is_configured=True) for method in (HELLO.method, READ)])
    try:
        answer = await way_out.converse(
            venue="coin",
            url=url,
            greeting=HELLO,
            procedures=procedures,
            question=Question(method="POST", path="/"),
            bytes_max=bytes_max,
        )
        return json.loads(answer.body)
    finally:
        if egress is None:
            await way_out.close()


async def test_answers_stand_in_the_order_of_the_questions() -> None:
    waiting: list[bytes] = []

    def reversed_pairs(asked: dict[str, Any]) -> bytes:
        if asked["method"] == HELLO.method:
            return echo(asked)
        waiting.append(echo(asked))
        note = b'{"method":"blockchain.headers.subscribe","params":[]}\n'
        return note + b"".join(waiting[::-1]) if len(waiting) == 3 else b"\n"

    async with served(reversed_pairs) as (_, url):
        found = await ask(url, *(Procedure(READ, (n,)) for n in range(3)))
    assert [reply["result"] for reply in found] == [[0], [1], [2]]


async def test_a_connection_is_greeted_once_and_kept() -> None:
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep)
    async with served(echo) as (server, url):
        for _ in range(3):
            await ask(url, Procedure(READ, (1,)), egress=egress)
        await egress.close()
    assert server.heard == [HELLO.method, READ, READ, READ]
    assert server.visits == 1


async def test_a_procedure_that_is_on_no_list_never_leaves() -> None:
    async with served(echo) as (server, url):
        with pytest.raises(EgressRefused, match="on no list"):
            await ask(url, Procedure(READ, (1,)), Procedure("blockchain.transaction.broadcast", ("00",)))
        assert server.visits == 0


async def test_a_private_address_is_for_configured_servers_only() -> None:
    clock = Hurry()
    async with served(echo) as (server, url):
        egress = Egress(clock=clock, sleep=clock.sleep)
        for scheme, said in (("tls", "private or reserved"), ("tcp", "plain tcp is for URLs that the operator configured")):
            other = url.replace("tcp", scheme)
            egress.allow("coin", [Rule(method, f"{other}/") for method in (HELLO.method, READ)])
            with pytest.raises(EgressRefused, match=said):
                await egress.converse(
                    venue="coin",
                    url=other,
                    greeting=HELLO,
                    procedures=[Procedure(READ)],
                    question=Question(method="POST", path="/"),
                )
        await egress.close()
        assert server.visits == 0


async def test_a_server_without_a_certificate_that_can_be_verified_is_not_spoken_to() -> None:
    async with served(echo) as (server, url):
        with pytest.raises(VenueUnavailable):
            await ask(url.replace("tcp", "tls"), Procedure(READ))
        assert server.heard == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"not json\n", VenueBadResponse),
        (b'{"id":7,"result":1}\n', VenueBadResponse),
        (b'{"id":1,"result":"' + b"x" * 20_000 + b'"}\n', ResponseTooLarge),
        (b"x" * 20_000, ResponseTooLarge),
        (b"", VenueUnavailable),
    ],
)
async def test_a_bad_answer_is_an_error_and_ends_the_connection(answer: bytes, error: type[Exception]) -> None:
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep)
    is_bad = True

    def answering(asked: dict[str, Any]) -> bytes:
        return answer if is_bad and asked["method"] == READ else echo(asked)

    async with served(answering) as (server, url):
        with pytest.raises(error):
            await ask(url, Procedure(READ, (1,)), egress=egress)
        visits, is_bad = server.visits, False
        assert (await ask(url, Procedure(READ, (2,)), egress=egress))[0]["result"] == [2]
        assert server.visits == visits + 1
        await egress.close()


async def test_blanks_that_fill_an_answer_up_are_not_kept() -> None:
    def filled(asked: dict[str, Any]) -> bytes:
        return echo(asked)[:-2] + b" " * 500 + b"}\n"

    async with served(filled) as (_, url):
        clock = Hurry()
        egress = Egress(clock=clock, sleep=clock.sleep)
        egress.allow("coin", [Rule(method, f"{url}/", is_configured=True) for method in (HELLO.method, READ)])
        answer = await egress.converse(
            venue="coin",
            url=url,
            greeting=HELLO,
            procedures=[Procedure(READ, (1,))],
            question=Question(method="POST", path="/"),
        )
        await egress.close()
    assert answer.body == b'[{"id":1,"result":[1]}]'
