"""Cassettes: recorded to the byte, without credentials, played back in order and without a network."""

import msgspec
import pytest
from tests import fixtures
from tests.stage import ScriptedWire, StageTime, answer
from yarl import URL

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused, VenueUnavailable
from omnifolio.transport.egress import Egress, Question, Rule
from omnifolio.transport.recording import Cassette, Recorder, Take, closeness, dump, load, plain_question

BASE = "https://api.venue.example"


def egress_of(cassette: Cassette) -> Egress:
    egress = Egress.playing(cassette, clock=StageTime())
    egress.allow(cassette.venue, [Rule(method, f"{BASE}/*") for method in ("GET", "POST")])
    return egress


async def played(egress: Egress, path: str, *, method: str = "GET") -> bytes:
    return (await egress.request(venue="venue", method=method, url=BASE + path)).body


async def test_a_recorded_conversation_plays_back_byte_for_byte() -> None:
    """Odd spacing, long decimals, an error page and an empty body included."""
    bodies = (b'{"a": 1.10,\n "b":123456789012345678901234567890}', b"[]", b"<html>down</html>", b"")
    time = StageTime()
    recorder = Recorder("venue")
    wire = ScriptedWire(time, [answer(200 if number < 2 else 404, body) for number, body in enumerate(bodies)])
    live = Egress(clock=time, sleep=time.sleep, wire=wire, recorder=recorder)
    live.allow("venue", [Rule("GET", f"{BASE}/*")])
    live.allow("prices", [Rule("GET", f"{BASE}/*")])
    for number in range(4):
        await live.request(venue="venue", method="GET", url=f"{BASE}/page?ofs={number}&signature=s3cr3t&timestamp=1")
    await live.request(venue="prices", method="GET", url=f"{BASE}/price")
    document = dump(recorder.cassette(recorded_at=EpochMs(7), fields={"region": "eu"}))
    assert b"s3cr3t" not in document
    again = load(document)
    assert (again.recorded_at, again.fields, len(again.requests)) == (7, {"region": "eu"}, 4)
    replay = egress_of(again)
    assert [await played(replay, f"/page?ofs={number}") for number in range(4)] == list(bodies)


async def test_takes_play_in_order_and_once() -> None:
    egress = egress_of(
        Cassette(
            venue="venue",
            requests=(
                Take(path="/a", params={"p": "1"}, text="a1 first"),
                Take(path="/b", text="b"),
                Take(path="/a", params={"p": "1"}, text="a1 second"),
                Take(path="/a", params={"p": 2}, text="a2"),
            ),
        )
    )
    assert [await played(egress, path) for path in ("/a?p=2", "/a?p=1", "/b?any=thing", "/a?p=1")] == [
        *(b"a2", b"a1 first", b"b", b"a1 second")
    ]
    with pytest.raises(VenueUnavailable, match="no answer left"):
        await played(egress, "/a?p=1")


async def test_a_take_that_repeats_answers_after_those_that_answer_once() -> None:
    takes = (Take(path="/l", text="empty", repeats=True), Take(path="/l", text="page"), Take(path="/m", text="other"))
    egress = egress_of(Cassette(venue="venue", requests=takes))
    assert [await played(egress, "/l") for _ in range(3)] == [b"page", b"empty", b"empty"]


async def test_a_method_or_venue_that_was_not_recorded_has_no_answer() -> None:
    egress = egress_of(Cassette(venue="venue", requests=(Take(path="/a", text="a"),)))
    egress.allow("other", [Rule("GET", f"{BASE}/*")])
    with pytest.raises(VenueUnavailable):
        await played(egress, "/a", method="POST")
    with pytest.raises(VenueUnavailable):
        await egress.request(venue="other", method="GET", url=f"{BASE}/a")
    assert await played(egress, "/a") == b"a"


@pytest.mark.parametrize(
    ("take", "path", "params", "rank"),
    [
        (Take(path="/v2/accounts", text=""), "/v2/accounts", {}, 5),
        (Take(path="/l", params={"end": "1795346450", "ofs": "5"}), "/l", {"end": "1795346451", "ofs": "5"}, 4),
        (Take(path="/l", params={"end": "2025-01-01T00:00:00Z"}), "/l", {"end": "2025-01-01T00:00:01Z"}, 4),
        (Take(path="/l", params={"end": "1795346450", "ofs": "5"}), "/l", {"end": "1795346451", "ofs": "6"}, 0),
        (Take(path="/l", params={"end": "1795346450"}), "/l", {"end": "1795346451000"}, 0),
        (Take(path="/l", params={"end": "1795346450"}), "/l", {}, 0),
        (Take(url="https://x.example/v2/accounts?limit=1"), "/v2/accounts", {}, 3),
        (Take(url="accounts"), "/v2/accounts", {}, 2),
        (Take(url="/accounts"), "/v2/accounts", {}, 2),
        (Take(url="myTrades/BNBBTC+symbol"), "/api/v3/myTrades", {"symbol": "BNBBTC"}, 2),
        (Take(url="pageNumber=0"), "/v1/activity", {"pageNumber": "0"}, 2),
        (Take(url="pageNumber=0"), "/v1/activity", {"pageNumber": "1"}, 0),
        (Take(url="*"), "/anything", {}, 1),
        (Take(path="/v2/accounts", text=""), "/v2/account", {}, 0),
        (Take(method="POST", url="*"), "/anything", {}, 0),
    ],
)
def test_the_most_exact_take_wins(take: Take, path: str, params: dict[str, str], rank: int) -> None:
    assert closeness(take, Question(method="GET", path=path, params=params)) == rank


def test_a_document_of_another_kind_is_refused() -> None:
    for document in (b"", b"[]", b'{"venue":"x"}', b'{"venue":"x","requests":[{"status":"200"}]}', b'{"venue":'):
        with pytest.raises(FileRefused):
            load(document)
    with pytest.raises(FileRefused, match="omnifolio-cassette/1"):
        load(b'{"venue":"x","requests":[],"format":"omnifolio-cassette/9"}')


def test_what_looks_like_a_credential_is_not_written_down() -> None:
    url = URL(f"{BASE}/a?apiKey=K&symbol=BTC&Signature=S&recvWindow=5", encoded=True)
    assert plain_question("GET", url, None).params == {"symbol": "BTC"}
    body = msgspec.json.encode({"id": 3, "method": "m", "params": [1], "token": "T"})
    assert plain_question("POST", url.with_query(None), body).params == {"method": "m", "params": "[1]"}
    assert plain_question("POST", url.with_query(None), b"nonce=1&ofs=50").params == {"ofs": "50"}


def test_recorded_cases_load_as_cassettes() -> None:
    for path in fixtures.require("cex"):
        document = path.read_bytes()
        cassette = load(document)
        raw = msgspec.json.decode(document)
        assert cassette.venue == raw["venue"]
        assert [msgspec.json.decode(take.content) for take in cassette.requests] == [row["response"] for row in raw["requests"]]
