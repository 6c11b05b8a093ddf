"""Confirmed by users: which result files count, for which connector, and for how long."""

from datetime import date
from functools import partial
from importlib import resources
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from omnifolio.app.offer import BEST_EFFORT_NOTICE, Offer, Offers
from omnifolio.app.offers import chain_offers, exchange_offers
from omnifolio.app.proving import live_of, live_of_chain
from omnifolio.catalog import confirmed, exchanges
from omnifolio.catalog.chains import evm_chain, evm_chains
from omnifolio.catalog.confirmed import CHAIN_FORMAT, FORMAT, LASTS_MS, ChainResult, Result, read
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.model.clock import DAY_MS, EpochMs, start_of_day
from omnifolio.model.errors import FileRefused
from omnifolio.venues.exchanges import connector
from tests.stage import StageTime

VENUE = "mexc"
GOOD = {
    "format": FORMAT,
    "venue": VENUE,
    "date": "2026-11-20",
    "omnifolio": "0.1.0",
    "ccxt": "4.5.90",
    "asked": "venue",
    "amounts": "scaled",
    "checks": {"venue": "ok", "clock": "ok", "signature": "ok", "permission": "warning", "history": "ok"},
    "streams": {
        "balances": {"outcome": "ok", "streams": 1, "pages": 1, "rows": 3},
        "trades": {"outcome": "warning", "streams": 2, "pages": 2, "rows": 9},
        "deposits": {"outcome": "ok", "streams": 1, "pages": 1, "rows": 0},
        "withdrawals": {"outcome": "ok", "streams": 1, "pages": 1, "rows": 2},
    },
}


def result(**fields: Any) -> Result:
    """A result of the present connector, with other fields where given."""
    found = read(msgspec.json.encode({**GOOD, "connector": connector.digest(VENUE), **fields}))
    assert isinstance(found, Result)
    return found


def with_a_change(changed: str, name: str) -> bytes:
    """A module's text, one of them longer by a comment."""
    return connector.source(name) + b"#" * (name == changed)


def offered(found: Result | None) -> Offer:
    (offer,) = (offer for offer in exchange_offers() if offer.name == VENUE)
    return replace(offer, live=None if found is None else live_of(VENUE, {VENUE: found}))


def test_what_a_user_confirmed_is_live_with_its_date_and_its_streams() -> None:
    offer = offered(result()).at(EpochMs(result().ends_at - 1))
    assert (offer.proof, offer.is_beta, offer.notice) == ("live", False, None)
    assert offer.live is not None
    assert (offer.live.date, offer.live.connector) == ("2026-11-20", connector.digest(VENUE))
    levels = {item.kind: item.proof for item in offer.data}
    assert (levels["balances"], levels["withdrawals"]) == ("live", "live")
    assert "live" not in (levels["trades"], levels["deposits"]), "a warning and an empty list confirm nothing"


def test_a_confirmation_ends_by_itself() -> None:
    assert result().ends_at == start_of_day(date(2026, 11, 20)) + LASTS_MS
    assert LASTS_MS == 180 * DAY_MS
    assert offered(result()).at(result().ends_at) == offered(None).at(result().ends_at)
    assert offered(None).at(result().ends_at).proof != "live"


def test_a_server_that_runs_on_drops_it_too() -> None:
    time = StageTime()
    time.elapsed_s = (result().ends_at - DAY_MS - time.now()) / 1000
    providers = Providers(Offers([offered(result())]), currencies=["USD"], clock=time)
    shown = providers.named(VENUE)
    assert shown.live is not None
    assert (shown.proof, shown.is_beta, shown.live.date, shown.live.until) == ("live", False, "2026-11-20", result().ends_at)
    time.elapsed_s += DAY_MS / 1000
    assert (providers.named(VENUE).live, providers.listed(None)[0].proof) == (None, offered(None).proof)


def test_another_connector_was_not_confirmed() -> None:
    assert live_of(VENUE, {VENUE: result(connector="0123456789abcdef")}) is None
    assert live_of(VENUE, {}) is None


def test_the_connector_changes_with_the_row_and_with_each_module_that_reads_it() -> None:
    row = exchanges.load(VENUE)
    assert connector.digest_of(row, connector.source) == connector.digest(VENUE)
    assert connector.digest_of(replace(row, sends_integers=True), connector.source) != connector.digest(VENUE)
    for changed in connector.modules_of(row):
        assert connector.digest_of(row, partial(with_a_change, changed)) != connector.digest(VENUE), changed


@pytest.mark.parametrize(
    ("venue", "own"),
    [
        (
            "bybiteu",
            {"quirks.bybit", "quirks.bybit_balances", "quirks.bybit_kinds", "quirks.bybit_positions", "signers.contract"},
        ),
        ("bitmex", {"quirks.bitmex", "quirks.bitmex_positions", "signers.bitmex", "signers.contract"}),
        ("blofin", {"quirks.unified", "quirks.unified_rows", "quirks.blofin", "signers.contract"}),
    ],
)
def test_a_connector_is_what_reads_the_venue_and_nothing_of_other_venues(venue: str, own: set[str]) -> None:
    modules = set(connector.modules_of(exchanges.load(venue)))
    assert own | {"reader", "paging", "answers"} <= modules
    assert {name for name in modules if name.startswith(("quirks.", "signers."))} == own


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "omnifolio-verification/1"},
        {"asked": "other"},
        {"date": "soon"},
        {"checks": {**GOOD["checks"], "history": "failed"}},  # type: ignore[dict-item]
        {"streams": {"balances": {"outcome": "failed", "streams": 1, "pages": 1, "rows": 1}}},
        {"streams": {"balances": {"outcome": "ok", "streams": 1, "pages": 1, "rows": 0}}},
        {"surprise": 1},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_result_that_confirms_nothing_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(FileRefused):
        result(**fields)


def test_the_results_that_came_in_are_of_known_venues_and_named_after_them() -> None:
    folder = resources.files("omnifolio.catalog") / "data" / "confirmed"
    names = {entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")}
    assert names == set(confirmed.results()) <= {*exchanges.ids(), *evm_chains()}


def test_a_best_effort_reader_that_was_confirmed_warns_no_more() -> None:
    (offer,) = (offer for offer in exchange_offers() if offer.name == "blofin")
    found = result(venue="blofin", connector=connector.digest("blofin"))
    assert offer.notice == BEST_EFFORT_NOTICE
    assert replace(offer, live=live_of("blofin", {"blofin": found})).at(EpochMs(0)).notice is None


BASE = evm_chain("base")
GOOD_CHAIN = {
    "format": CHAIN_FORMAT,
    "venue": BASE.id,
    "date": "2026-11-20",
    "omnifolio": "0.1.0",
    "sources": ["mainnet.base.org", "own"],
    "checks": {"chain": "ok", "head": "warning", "multicall": "ok", "balance": "ok"},
}


def chain_result(**fields: Any) -> ChainResult:
    """A result of the present row, with other fields where given."""
    found = read(msgspec.json.encode({**GOOD_CHAIN, "connector": BASE.connector, **fields}))
    assert isinstance(found, ChainResult)
    return found


def test_a_chain_whose_row_was_confirmed_is_live_until_that_ends() -> None:
    (offer,) = (offer for offer in chain_offers(()) if offer.name == BASE.id)
    assert (offer.proof, offer.live) == ("executed", None)
    held = replace(offer, live=live_of_chain(BASE, {BASE.id: chain_result()}))
    ends_at = chain_result().ends_at
    assert (held.at(EpochMs(ends_at - 1)).proof, held.at(ends_at).proof) == ("live", "executed")


def test_another_row_was_not_confirmed() -> None:
    assert live_of_chain(replace(BASE, rpc_url="https://example.org"), {BASE.id: chain_result()}) is None
    assert live_of_chain(BASE, {BASE.id: result(venue=BASE.id)}) is None
    assert live_of(VENUE, {VENUE: chain_result(venue=VENUE)}) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"checks": {**GOOD_CHAIN["checks"], "multicall": "failed"}},  # type: ignore[dict-item]
        {"checks": {**GOOD_CHAIN["checks"], "balance": "warning"}},  # type: ignore[dict-item]
        {"checks": {"chain": "ok"}},
        {"sources": ["own"]},
        {"date": "soon"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_chain_result_that_confirms_nothing_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(FileRefused):
        chain_result(**fields)
