"""A redacted recording tells nothing of a person, and still says the same to a reader."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proof.canaries import forms_of

from omnifolio.model.clock import EpochMs
from omnifolio.transport.harmless import kind_of
from omnifolio.transport.recording import Cassette, Take
from omnifolio.transport.redaction import Allowed, drawn_factor, redact

HARMLESS = {"type": "deposit", "status": "ok", "asset": "XXBT", "isBuyer": True, "time": 1700000000.1234, "price": "48000.10"}
IDS = st.from_regex(
    r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}|[0-9a-f]{32}|[1-9][0-9]{5,18}|[a-z]{5,12}@[a-z]{5,9}\.org", fullmatch=True
)
AMOUNTS = st.decimals("-100000", "100000", places=8).map(lambda value: f"{value:f}")
FIELDS = st.sampled_from(
    ["id", "refid", "txid", "address", "name", "email", "note", "info", "tag", "memo", "clientOrderId", "unheardOf"]
)
ROWS = st.fixed_dictionaries(
    {"amount": AMOUNTS, "fee": AMOUNTS, **{name: st.just(value) for name, value in HARMLESS.items()}}
).flatmap(lambda row: st.dictionaries(FIELDS, IDS, min_size=1).map(lambda more: {**row, **more}))
ANSWERS = st.recursive(
    st.lists(ROWS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["result", "data", "rows"]), inner, min_size=1),
)


def cassette(*answers: Any, **take: Any) -> Cassette:
    """A conversation with these answers."""
    made = [
        Take(path="/rows", params={}, received_at=EpochMs(1), response=msgspec.Raw(json.dumps(answer).encode()), **take)
        for answer in answers
    ]
    return Cassette(venue="kraken", requests=tuple(made))


def answers_of(redacted: Cassette) -> list[Any]:
    """What the answers say now."""
    return [json.loads(bytes(take.response)) for take in redacted.requests if take.response is not msgspec.UNSET]


def leaves(value: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """(field, value) of everything in an answer, in order."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, field)
    else:
        yield field, value


@settings(max_examples=25, deadline=None)
@given(ANSWERS)
def test_only_what_is_on_the_list_stays_and_the_same_has_the_same_stand_in(answer: Any) -> None:
    redacted = answers_of(redact(cassette(answer, answer), Allowed()).cassette)
    assert redacted[0] == redacted[1]
    stand_ins: dict[str, str] = {}
    for (field, before), (name, after) in zip(leaves(answer), leaves(redacted[0]), strict=True):
        assert field == name
        if field in HARMLESS or field in ("amount", "fee"):
            assert before == after
        else:
            assert before != after
            assert stand_ins.setdefault(before, after) == after
    assert len(set(stand_ins.values())) == len(stand_ins), "two things are never told as one"


@settings(max_examples=25, deadline=None)
@given(ANSWERS)
def test_a_stand_in_has_the_form_of_what_it_stands_for(answer: Any) -> None:
    (redacted,) = answers_of(redact(cassette(answer), Allowed()).cassette)
    for (_, before), (_, after) in zip(leaves(answer), leaves(redacted), strict=True):
        assert len(str(before)) == len(str(after))
        for form in (r"[0-9a-f]{32}", r"[1-9]\d+", r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}", r"\S+@\S+\.[a-z]+"):
            assert bool(re.fullmatch(form, str(before))) <= bool(re.fullmatch(form, str(after))), (before, after)


@settings(max_examples=25, deadline=None)
@given(st.lists(AMOUNTS, min_size=2, max_size=6))
def test_scaled_amounts_are_exact_multiples_so_that_sums_and_ratios_stay(amounts: list[str]) -> None:
    factor = drawn_factor()
    rows = [{"amount": amount, "price": "3.5"} for amount in amounts]
    (redacted,) = answers_of(redact(cassette(rows), Allowed(factor=factor)).cassette)
    assert [Decimal(row["amount"]) for row in redacted] == [Decimal(amount) * factor for amount in amounts]
    assert sum(Decimal(row["amount"]) for row in redacted) == sum(map(Decimal, amounts)) * factor
    assert {row["price"] for row in redacted} == {"3.5"}


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(100, 10**12), min_size=2, max_size=20))
def test_numbers_keep_their_order_their_length_and_their_neighbours(ids: set[int]) -> None:
    """Venues page by the last id and one."""
    ordered = sorted(ids | {min(ids) + 1})
    (redacted,) = answers_of(redact(cassette([{"id": value} for value in ordered]), Allowed()).cassette)
    found = [row["id"] for row in redacted]
    assert found == sorted(set(found))
    assert [len(str(value)) for value in found] == [len(str(value)) for value in ordered]
    steps = [(a + 1 == b, c + 1 == d) for a, b, c, d in zip(ordered, ordered[1:], found, found[1:], strict=False)]
    lengths = [len(str(a)) == len(str(b)) for a, b in pairwise(ordered)]
    assert all(after for (before, after), is_one_length in zip(steps, lengths, strict=True) if before and is_one_length)


def test_a_number_stays_the_number_that_was_written() -> None:
    take = Take(path="/rows", params={}, response=msgspec.Raw(b'{"amount":0.10,"fee":1e-8,"id":123456789012345678901234567890}'))
    made = redact(Cassette(venue="kraken", requests=(take,)), Allowed()).cassette
    text = bytes(made.requests[0].response).decode()  # type: ignore[arg-type]  # it has one
    assert text.startswith('{"amount":0.10,"fee":1e-8,"id":')
    assert len(text) == len(bytes(take.response))  # type: ignore[arg-type]  # it has one


def test_ids_in_paths_parameters_and_names_are_those_of_the_answers() -> None:
    uuid = "56a398d9-c35e-55d9-920b-092878a4cb1c"
    take = Take(
        path=f"/v2/accounts/{uuid}/transactions",
        params={"starting_after": uuid, "limit": "100"},
        response=msgspec.Raw(json.dumps({"id": uuid, "rows": {uuid: {"type": "buy"}}, "next": f"/v2/accounts/{uuid}"}).encode()),
    )
    allowed = Allowed(words=frozenset({"v2", "accounts", "transactions"}))
    made = redact(Cassette(venue="coinbase", requests=(take,)), allowed).cassette
    (answer,) = answers_of(made)
    new = answer["id"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new)
    assert made.requests[0].path == f"/v2/accounts/{new}/transactions"
    assert made.requests[0].params == {"starting_after": new, "limit": "100"}
    assert answer == {"id": new, "rows": {new: {"type": "buy"}}, "next": f"/v2/accounts/{new}"}


@pytest.mark.parametrize("field", ["type", "status", "amount", "time", "note", "asset"])
def test_a_secret_is_replaced_in_every_form_and_under_every_name(field: str) -> None:
    secret = "kQ4V5w61/U71Blvt+EcuaM9z"
    answers = [{field: form.decode("latin-1")} for form in forms_of(secret).values() if b"\0" not in form]
    named = {form.decode("latin-1"): 1 for form in forms_of(secret).values() if b"\0" not in form}
    made = redact(cassette(*answers, named), Allowed(secrets=(secret,)))
    text = json.dumps(answers_of(made.cassette))
    assert not [name for name, form in forms_of(secret).items() if form.decode("latin-1") in text]


def test_what_is_no_json_is_taken_out_whole() -> None:
    take = Take(path="/rows", status=502, text="<html>Dear Ada Lovelace</html>")
    made = redact(Cassette(venue="kraken", requests=(take,), name="Ada"), Allowed()).cassette
    assert made.requests[0].text == "(30 characters that are no JSON)"
    assert made.name == ""


def test_the_venues_own_error_words_stay_and_nothing_else_of_the_text() -> None:
    made = redact(cassette({"msg": "Ada: API-key format invalid."}), Allowed(texts=("API-key format invalid",))).cassette
    assert answers_of(made) == [{"msg": "API-key format invalid"}]


@pytest.mark.parametrize(
    ("field", "text", "kind"),
    [
        ("type", "deposit", "word"),
        ("type", "0x2d891d89a56a64e5c54220b5e6418810689639fd", "other"),
        ("asset", "bc1q4vn99yx3vue0y36htu9gtkse2ewaa5uds845pj", "other"),
        ("status", "ada@example.org", "other"),
        ("commissionAsset", "BNB", "word"),
        ("time", "Ada", "other"),
        ("insertTime", "1700000000000", "time"),
        ("amount", "about 5", "other"),
        ("BTC", "0.5", "amount"),
        ("ID", "123456", "other"),
        ("BTC", "123456", "other"),
        ("firstName", "Ada", "other"),
        ("accountId", "123456", "other"),
    ],
)
def test_a_value_is_harmless_by_its_name_and_its_form(field: str, text: str, kind: str) -> None:
    assert kind_of(field, text) == kind
