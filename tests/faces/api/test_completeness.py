"""Coverage, reconciliation and earlier books over the wire: what is missing is named, and what was known stays."""

from decimal import Decimal
from typing import Any

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Balance, Interval, Snapshot, Wallet
from tests.faces.api import seed
from tests.faces.api.test_answers import Reader
from tests.faces.api.world import HTTP, Client, Link, World, token_of


def one(rows: list[Any], **wanted: str) -> Any:
    """The only row with these fields."""
    [found] = [row for row in rows if wanted.items() <= row.items()]
    return found


def look(link: Link, eth: str, at: int) -> None:
    """Commits a look at a wallet with one token."""
    shot = Snapshot(wallet="spot", product="spot", at=EpochMs(at), balances=(Balance(seed.ETH, Decimal(eth)),))
    seed.page(link, "balances/all", snapshots=(shot,), wallets=(Wallet(key="spot", name="Spot"),))


def test_coverage_tells_each_kind_what_was_read_and_what_is_empty(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    found = Reader(address, client)(f"accounts/{link.id}/coverage")
    assert [kind["kind"] for kind in found["kinds"]] == ["deposits", "orders", "trades"]
    trades = one(found["kinds"], kind="trades")
    assert (trades["records"], trades["unreachable"], trades["unread"], trades["fill"]) == (12, [], [], [])
    [fetched], [before, after] = trades["fetched"], trades["empty"]
    assert before["end"] + 1 == fetched["start"] < fetched["end"] == after["start"] - 1
    assert {"start": before["start"], "end": after["end"]} == one(found["streams"], stream="trades/all")["intervals"][0]
    assert found["warnings"] == []


def test_a_look_back_about_to_lose_data_is_announced_on_the_account_too(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account("binance")
    now = world.clock.now()
    read = Interval(EpochMs(now - 180 * DAY_MS), now)
    for name in ("transfers/to-funding", "transfers/from-funding"):
        seed.page(link, name, covered=(read,))
    reader = Reader(address, client)
    link.finish()
    assert reader(f"accounts/{link.id}")["warnings"] == []
    link.finish(status="error", error_code="bad_credentials", next_sync_at=None)
    warnings = reader(f"accounts/{link.id}")["warnings"]
    assert {(w["code"], w["unread_from"], w["lost_from"]) for w in warnings} == {("look_back", now, now + 180 * DAY_MS)}
    found = reader(f"accounts/{link.id}/coverage")
    assert found["warnings"] == warnings
    transfers = one(found["kinds"], kind="transfers")
    assert transfers["look_back_ms"] == 180 * DAY_MS
    assert [span["end"] for span in transfers["unreachable"]] == [read.start - 1]
    assert [upload["layout"] for upload in transfers["fill"]] == ["omnifolio"]
    assert transfers["fill"][0]["columns"] == ["date", "type", "asset", "amount"]


def test_a_balance_that_its_history_does_not_lead_to_is_open_with_the_range(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    start = world.clock.now() - 30 * DAY_MS
    everything = (Interval(EpochMs(0), world.clock.now()),)
    seed.page(link, "deposits/all", [seed.deposit(1, start)], covered=everything)
    for day, eth in ((1, "2"), (10, "2.5"), (20, "4.5")):
        look(link, eth, start + day * DAY_MS)
    seed.page(link, "deposits/all", [seed.deposit(2, start + 15 * DAY_MS)], covered=everything)
    found = Reader(address, client)(f"accounts/{link.id}/reconciliation")
    [line] = found["balances"]
    assert (found["state"], line["state"]) == ("open", "open")
    assert (line["reported"], line["calculated"], line["difference"]) == ("4.5", "4", "0.5")
    assert line["diverged_at"] == start + 10 * DAY_MS
    [suspect] = line["suspects"]
    assert (suspect["start"], suspect["end"]) == (start + DAY_MS, start + 10 * DAY_MS)
    assert (suspect["amount"], suspect["streams"]) == ("0.5", ["deposits/all"])
    seed.page(link, "deposits/all", [seed.deposit(3, start + 5 * DAY_MS, amount=Decimal("0.5"))])
    found = Reader(address, client)(f"accounts/{link.id}/reconciliation")
    assert (found["state"], found["balances"][0]["suspects"], found["balances"][0]["difference"]) == ("proved", [], "0")


def test_a_declared_hole_explains_a_difference_and_a_debt_keeps_its_sign(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    now = world.clock.now()
    shot = Snapshot(wallet="spot", product="debt", at=now, balances=(Balance(seed.BTC, Decimal(-3)),))
    seed.page(link, "balances/all", snapshots=(shot,), wallets=(Wallet(key="spot", name="Spot"),))
    spans = [Interval(EpochMs(0), EpochMs(now - 9 * DAY_MS)), Interval(EpochMs(now - 7 * DAY_MS), now)]
    seed.page(link, "trades/all", covered=tuple(spans))
    [line] = Reader(address, client)(f"accounts/{link.id}/reconciliation")["balances"]
    assert (line["reported"], line["calculated"], line["difference"], line["state"]) == ("-3", "0", "-3", "explained")
    [suspect] = line["suspects"]
    assert (suspect["start"], suspect["end"]) == (spans[0].end + 1, spans[1].start - 1)
    assert [(hole["stream"], hole["why"]) for hole in suspect["holes"]] == [("trades/all", "unread")]


def test_books_are_answered_as_they_were_known(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    reader = Reader(address, client)
    look(link, "2", world.clock.now())
    before = reader(f"accounts/{link.id}")["v"]
    known = reader.raw("known", seq=before)
    look(link, "7", world.clock.now())
    assert reader.raw("known", seq=before) == known
    assert [row["amount"] for row in reader("known", seq=before)["balances"]] == ["2"]
    assert [row["amount"] for row in reader("known")["balances"]] == ["7"]
    nothing = reader("known", seq=0)
    assert (nothing["at"], nothing["balances"]) == (None, [])


def test_a_sequence_that_was_not_written_is_refused(world: World, address: str, client: Client) -> None:
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    for query in ("?seq=99999", "?seq=-1", "?seq=x"):
        refused = HTTP.get(f"{address}/v1/known{query}", headers=headers)
        assert refused.status_code == 400, query
        assert "seq" in refused.json()["message"]
