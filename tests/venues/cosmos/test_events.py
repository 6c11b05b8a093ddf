"""The bank's events as movements: who paid whom, however many there are and whatever the software wrote."""

import base64

import pytest

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.cosmos.events import Movement, coins, happenings, movements
from omnifolio.venues.cosmos.shapes import Attribute, Event


def event(kind: str, **words: str) -> Event:
    return Event(kind, tuple(Attribute(key, value) for key, value in words.items()))


def spent(who: str, amount: str) -> Event:
    return event("coin_spent", spender=who, amount=amount)


def received(who: str, amount: str) -> Event:
    return event("coin_received", receiver=who, amount=amount)


def moved(*events: Event) -> list[Movement]:
    return movements(happenings(events))


def test_a_payment_to_several_is_one_movement_to_each() -> None:
    assert moved(spent("a", "7uatom,5uosmo"), received("b", "3uatom"), received("c", "4uatom,5uosmo")) == [
        Movement("a", "b", {"uatom": 3}, None),
        Movement("a", "c", {"uatom": 4, "uosmo": 5}, None),
    ]


def test_coins_are_made_by_nobody_and_burnt_for_nobody() -> None:
    assert moved(received("mint", "9uatom"), spent("a", "5uatom"), spent("b", "2uatom"), received("c", "2uatom")) == [
        Movement("", "mint", {"uatom": 9}, None),
        Movement("a", "", {"uatom": 5}, None),
        Movement("b", "c", {"uatom": 2}, None),
    ]


def test_what_does_not_fit_together_is_not_put_together() -> None:
    """Of another amount, or of another message: neither side knows the other, and the amounts stay right."""
    assert moved(spent("a", "5uatom"), received("b", "6uatom")) == [
        Movement("a", "", {"uatom": 5}, None),
        Movement("", "b", {"uatom": 6}, None),
    ]
    first, second = event("message", action="one"), event("message", action="two")
    assert moved(first, spent("a", "5uatom"), second, received("b", "5uatom")) == [
        Movement("a", "", {"uatom": 5}, 0),
        Movement("", "b", {"uatom": 5}, 1),
    ]


def test_software_that_tells_transfers_alone_is_read_by_those() -> None:
    """Cosmos Hub before December 2021 (SDK 0.42): the fee comes before the message, and stakes are not told."""
    fee = event("transfer", recipient="fees", sender="a", amount="2500uatom")
    paid = event("transfer", recipient="b", sender="a", amount="1000000uatom")
    assert moved(fee, event("message", sender="a"), event("message", action="send"), paid) == [
        Movement("a", "fees", {"uatom": 2500}, None),
        Movement("a", "b", {"uatom": 1000000}, 0),
    ]


def test_a_transaction_is_in_base64_as_a_whole() -> None:
    """Words that are not known to be encoded follow those that are; bytes that are no text hurt nobody."""

    def encoded(text: bytes) -> str:
        return base64.b64encode(text).decode()

    told = [
        Event("tx", (Attribute(encoded(b"acc_seq"), encoded(b"\xff\xfe/1")),)),
        Event("recv_packet", (Attribute(encoded(b"packet_data"), encoded(b'{"a":1}')), Attribute(encoded(b"empty"), None))),
    ]
    assert happenings(told)[1].words == {"packet_data": '{"a":1}', "empty": ""}
    with pytest.raises(VenueBadResponse, match="base64"):
        happenings([*told, Event("new", (Attribute("plain!", "x"),))])


@pytest.mark.parametrize("text", ["5", "uatom", "-5uatom", "5.5uatom", "5 uatom", "5uatom;6uosmo", "9" * 79 + "uatom"])
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(VenueBadResponse, match="amount of coins that is none"):
        coins(text)


def test_amounts_of_every_denomination_are_read() -> None:
    assert coins("") == {}
    assert coins("1ibc/AB,2factory/osmo1x/u_y,3gamm/pool/1,4erc20/0xAb,5btc~btc,1ibc/AB") == {
        "ibc/AB": 2, "factory/osmo1x/u_y": 2, "gamm/pool/1": 3, "erc20/0xAb": 4, "btc~btc": 5,
    }  # fmt: skip
