"""The door as a whole: refusals before anything is sent, repeated reads, obeyed pauses, counted calls."""

import pytest
from tests.stage import ScriptedWire, StageTime, answer

from omnifolio.model.errors import EgressRefused, VenueBanned, VenueUnavailable
from omnifolio.transport.egress import Answer, Budget, Egress, Rule
from omnifolio.transport.retries import ATTEMPTS_MAX, DEADLINE_S, FIRST_SPAN_S, SPAN_MAX_S, Attempts

URL = "https://api.venue.example/v1/balance"


class Scene:
    """An egress whose wire follows a script."""

    def __init__(self, *script: Answer | None, chance: float = 1.0) -> None:
        self.time = StageTime()
        self.wire = ScriptedWire(self.time, script)
        self.refusals: list[tuple[str, str, str]] = []
        self.egress = Egress(
            clock=self.time,
            sleep=self.time.sleep,
            chance=lambda: chance,
            wire=self.wire,
            on_refused=lambda *what: self.refusals.append(what),
        )
        self.egress.allow("venue", [Rule(method, URL) for method in ("GET", "POST")])

    async def ask(self, method: str = "GET", **more: object) -> Answer | BaseException:
        call = self.egress.request(venue="venue", method=method, url=URL, key_label="k", **more)  # type: ignore[arg-type]
        return (await self.time.play(call))[0]


async def test_a_request_off_the_list_is_refused_reported_and_never_sent() -> None:
    scene = Scene(answer())
    with pytest.raises(EgressRefused):
        await scene.egress.request(venue="venue", method="DELETE", url=URL + "?signature=s3cr3t")
    with pytest.raises(EgressRefused):
        await scene.egress.request(venue="unheard-of", method="GET", url=URL)
    assert scene.wire.sent == []
    assert scene.egress.refused == {"venue": 1, "unheard-of": 1}
    assert scene.refusals[0] == ("venue", "request", "DELETE api.venue.example/v1/balance")


@pytest.mark.parametrize("failure", [answer(500), answer(503), answer(429), None])
async def test_a_read_is_repeated_until_it_succeeds(failure: Answer | None) -> None:
    scene = Scene(failure, failure, answer(body=b"good"))
    got = await scene.ask()
    assert isinstance(got, Answer)
    assert got.body == b"good"
    assert len(scene.wire.sent) == 3
    assert scene.egress.calls == {("venue", "k"): 3}


async def test_a_read_that_keeps_failing_gives_its_last_answer_or_the_error() -> None:
    scene = Scene(answer(502))
    got = await scene.ask()
    assert isinstance(got, Answer)
    assert got.status == 502
    assert len(scene.wire.sent) == ATTEMPTS_MAX
    scene = Scene(None)
    assert isinstance(await scene.ask(), VenueUnavailable)
    assert len(scene.wire.sent) == ATTEMPTS_MAX


async def test_a_post_is_repeated_only_when_its_caller_says_that_it_reads() -> None:
    scene = Scene(answer(500), answer())
    await scene.ask("POST")
    assert len(scene.wire.sent) == 1
    scene = Scene(answer(500), answer())
    await scene.ask("POST", is_read=True)
    assert len(scene.wire.sent) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418])
async def test_what_another_try_cannot_help_is_not_tried_again(status: int) -> None:
    scene = Scene(answer(status))
    await scene.ask()
    assert len(scene.wire.sent) == 1


async def test_retry_after_is_obeyed_by_the_next_attempt() -> None:
    scene = Scene(answer(429, retry_after="17"), answer())
    await scene.ask()
    assert scene.wire.sent[1][0] - scene.wire.sent[0][0] >= 17


async def test_a_ban_stops_every_account_of_the_venue_before_it_is_asked_again() -> None:
    scene = Scene(answer(418, retry_after="3600"), answer())
    await scene.ask()
    refused = (await scene.time.play(scene.egress.request(venue="venue", method="GET", url=URL, key_label="other")))[0]
    assert isinstance(refused, VenueBanned)
    assert refused.retry_after_s == pytest.approx(3600)
    assert len(scene.wire.sent) == 1


async def test_a_venue_without_budgets_of_its_own_gets_a_default_one() -> None:
    scene = Scene(answer())
    await scene.time.play(*(scene.egress.request(venue="venue", method="GET", url=URL) for _ in range(50)))
    assert scene.time.elapsed_s == pytest.approx(2)


async def test_a_url_of_the_operator_is_not_slowed_unless_limited() -> None:
    scene = Scene(answer())
    scene.egress.allow("own", [Rule("GET", URL, is_configured=True)])
    await scene.time.play(*(scene.egress.request(venue="own", method="GET", url=URL) for _ in range(50)))
    assert scene.time.elapsed_s == 0
    scene.egress.limit("own", address=Budget(burst=10, per_s=10))
    await scene.time.play(*(scene.egress.request(venue="own", method="GET", url=URL) for _ in range(50)))
    assert scene.time.elapsed_s == pytest.approx(4)


def test_pauses_grow_are_random_and_end_before_the_deadline() -> None:
    largest = Attempts(random=lambda: 1.0, started_s=0.0, left=10)
    delays = [largest.next_delay_s(now_s=0.0) for _ in range(8)]
    assert delays[:3] == [FIRST_SPAN_S, 2 * FIRST_SPAN_S, 4 * FIRST_SPAN_S]
    assert max(delay for delay in delays if delay is not None) == SPAN_MAX_S
    assert Attempts(random=lambda: 0.0, started_s=0.0).next_delay_s(now_s=0.0) == 0.0
    assert Attempts(random=lambda: 1.0, started_s=0.0).next_delay_s(now_s=DEADLINE_S) is None


async def test_hosts_and_rules_tell_what_may_be_called() -> None:
    scene = Scene(answer())
    assert scene.egress.hosts() == ("api.venue.example",)
    assert [rule.method for rule in scene.egress.rules()["venue"]] == ["GET", "POST"]
