"""What a call does step by step, without a network: attempts and pauses, tokens, and how answers are read."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from omnifolio_client import codes, models, operations
from omnifolio_client.calls import Answer, Call, Identity, Reply, Retries, Send, Wait, perform
from omnifolio_client.errors import ApiError, ConnectionFailed, TimedOut, UnexpectedAnswer

NOW = 1_800_000_000.0
POST: Call[Any] = operations.sync_account("a")
HEALTH: Call[Any] = operations.get_health()


def reply(status: int, body: object = None, **headers: str) -> Reply:
    """An answer in JSON."""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def problem(code: str, status: int, *, retry: str = "never", **headers: str) -> Reply:
    """A refusal as the server writes it."""
    return reply(status, {"code": code, "message": "no", "retry": retry, "blame": "caller", "request_id": "r1"}, **headers)


def token(number: int, lasts_s: int = 1200) -> Reply:
    """The answer to a request for a token."""
    claims = base64.urlsafe_b64encode(json.dumps({"iat": 0, "exp": lasts_s, "n": number}).encode()).rstrip(b"=").decode()
    return reply(200, {"token": f"h.{claims}.s"})


def play(call: Call[Any], results: Sequence[Any], *, identity: Identity | None = None, at: float = NOW, **more: Any) -> Any:
    """Carries a call out against prepared results; gives what was done, and the answer or error."""
    who = identity or Identity(client_id=None, secret=None, user=None, token="given")
    steps = perform(call, who, Retries(**more), clock=lambda: at, dice=lambda: 1.0)
    done: list[Any] = []
    left, result = list(results), None
    try:
        while True:
            step = steps.send(result)
            done.append(step.seconds if isinstance(step, Wait) else step)
            result = left.pop(0) if isinstance(step, Send) else None
    except StopIteration as end:
        outcome: Any = end.value
    except (ApiError, ConnectionFailed, UnexpectedAnswer) as error:
        outcome = error
    assert not left, "everything that was prepared is needed"
    return done, outcome


def waits(done: Sequence[Any]) -> list[float]:
    """The pauses alone."""
    return [step for step in done if isinstance(step, float)]


OK = reply(200, {"status": "ok", "version": "1"})


def test_pauses_double_up_to_their_limit_and_are_drawn_by_lot() -> None:
    done, answer = play(HEALTH, [reply(503), reply(502), reply(504), OK], pause_max_s=1.5)
    assert waits(done) == [0.5, 1.0, 1.5]
    assert isinstance(answer, Answer)
    assert answer.value == models.Health(version="1")


def test_after_the_last_attempt_the_refusal_is_raised() -> None:
    done, error = play(HEALTH, [problem("store_unavailable", 503)] * 2, attempts_max=2)
    assert waits(done) == [0.5]
    assert isinstance(error, codes.StoreUnavailable)


@pytest.mark.parametrize("text", ["7", format_datetime(datetime.fromtimestamp(NOW + 7, UTC), usegmt=True)])
def test_the_server_says_how_long_to_wait(text: str) -> None:
    done, answer = play(HEALTH, [problem("rate_limited", 429, retry_after=text), OK])
    assert waits(done) == [7.0]
    assert answer.status == 200


def test_who_asks_for_too_long_a_wait_is_not_waited_for() -> None:
    done, error = play(HEALTH, [problem("rate_limited", 429, retry_after="3600")])
    assert waits(done) == []
    assert isinstance(error, codes.RateLimited)
    assert error.retry_after_s == 3600


def test_what_is_not_idempotent_is_sent_once() -> None:
    for result in (reply(503), problem("rate_limited", 429, retry_after="1"), ConnectionFailed("gone")):
        done, error = play(POST, [result])
        assert len(done) == 1
        assert isinstance(error, ApiError | ConnectionFailed)


def test_a_connection_that_breaks_is_tried_again() -> None:
    done, answer = play(HEALTH, [TimedOut("slow"), ConnectionFailed("x"), OK])
    assert waits(done) == [0.5, 1.0]
    assert answer.status == 200
    assert isinstance(play(HEALTH, [ConnectionFailed("x")] * 4)[1], ConnectionFailed)


def test_a_fault_of_the_server_is_tried_again_only_where_it_says_so() -> None:
    assert len(play(HEALTH, [problem("internal_error", 500, retry="later"), OK])[0]) == 3
    assert len(play(HEALTH, [problem("internal_error", 500)])[0]) == 1
    assert len(play(HEALTH, [problem("sync_in_progress", 409, retry="later")])[0]) == 1


# Tokens ----------------------------------------------------------------------------------------------------------------


def team() -> Identity:
    """A team that asks for a user."""
    return Identity(client_id="c", secret="very secret", user="u", token=None)


def test_a_token_is_got_once_and_replaced_before_it_ends() -> None:
    who, found = team(), reply(200, [])
    call: Call[Any] = operations.list_decisions()
    first, _ = play(call, [token(1), found], identity=who)
    assert (first[0].path, first[0].headers["loginname"], json.loads(first[0].body)["clientId"]) == ("/v1/auth/token", "u", "c")
    assert first[1].headers["authorization"].startswith("Bearer h.")
    assert len(play(call, [found], identity=who, at=NOW + 1000)[0]) == 1
    again, _ = play(call, [token(2), found], identity=who, at=NOW + 1100)
    assert again[0].path == "/v1/auth/token"
    assert again[1].headers != first[1].headers


def test_a_token_that_is_no_longer_taken_is_replaced_once() -> None:
    who, call = team(), operations.list_decisions()
    play(call, [token(1), reply(200, [])], identity=who)
    done, answer = play(call, [problem("unauthenticated", 401), token(2), reply(200, [])], identity=who)
    assert [step.path for step in done] == ["/v1/decisions", "/v1/auth/token", "/v1/decisions"]
    assert answer.value == []
    refused = [problem("unauthenticated", 401), token(3), problem("unauthenticated", 401)]
    assert isinstance(play(call, refused, identity=who)[1], codes.Unauthenticated)
    assert isinstance(play(call, [problem("unauthenticated", 401)])[1], codes.Unauthenticated), "a given token is all there is"


def test_a_request_for_a_token_is_tried_again_too() -> None:
    done, _ = play(operations.list_decisions(), [reply(503), token(1), reply(200, [])], identity=team())
    assert waits(done) == [0.5]


def test_without_a_user_nothing_is_asked_and_the_secret_is_not_shown() -> None:
    with pytest.raises(ValueError, match="needs a user"):
        play(operations.list_accounts(), [], identity=Identity(client_id="c", secret="s", user=None, token=None))
    assert "very secret" not in repr(team())


# Answers ---------------------------------------------------------------------------------------------------------------


def test_amounts_are_exact_and_what_a_newer_server_adds_is_no_error() -> None:
    told = {"status": "brand new", "version": "2", "more": 1}
    assert play(HEALTH, [reply(200, told)])[1].value == models.Health(status="brand new", version="2")
    order = {
        "id": "o", "account": "a", "wallet": "w", "order_id": "1", "order_status": "filled", "type": "LIMIT", "side": "buy",
        "base_ticker": "BTC", "quote_ticker": "USD", "filled_quantity": 0, "filled_price": 0, "order_creation_time": 1,
        "updated_at": 1, "misc": {"base_asset_id": "b", "quote_asset_id": "q"},
    }  # fmt: skip
    text = json.dumps(order)[:-1] + ', "order_quantity": 0.123456789012345678901234567890}'
    found = play(operations.get_order("a", "o"), [Reply(200, {}, text.encode())])[1].value
    assert found.order_quantity == Decimal("0.123456789012345678901234567890")


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b'{"status": 1}'])
def test_what_is_no_answer_of_the_api_is_said_to_be_none(body: bytes) -> None:
    error = play(HEALTH, [Reply(200, {}, body)])[1]
    assert isinstance(error, UnexpectedAnswer)
    assert error.status == 200


@pytest.mark.parametrize("code", codes.BY_CODE)
def test_every_code_is_raised_as_its_class(code: str) -> None:
    error = play(HEALTH, [problem(code, 400)])[1]
    assert type(error) is codes.BY_CODE[code]
    assert (error.server_code, error.blame, error.request_id) == (code, "caller", "r1")
    assert str(error) == f"no ({code}, request r1)"


def test_a_code_of_a_newer_server_is_told_as_it_is() -> None:
    error = play(HEALTH, [problem("brand_new", 409)])[1]
    assert type(error) is ApiError
    assert error.server_code == "brand_new"


def test_a_refusal_without_a_problem_says_what_there_is() -> None:
    error = play(HEALTH, [Reply(418, {}, b"I am a teapot")])[1]
    assert type(error) is ApiError
    assert (error.status, error.message, error.server_code) == (418, "I am a teapot", "")


def test_ids_are_written_into_the_path_safely() -> None:
    assert operations.get_account("../../x?y#z").path == "/v1/accounts/..%2F..%2Fx%3Fy%23z"
