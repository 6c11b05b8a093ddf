"""The list of providers: small enough for a page that opens with it, the most used first, and with the addresses to allow."""

import gzip

import msgspec

from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.catalog import exchanges
from omnifolio.catalog.wallets import wallet_brands
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.model.settings import Settings
from tests.stage import StageTime

PACKED_MAX_BYTES = 120 * 1024
LEVEL = 6
ADDRESSES = ("203.0.113.7", "203.0.113.16/28", "2001:db8::/48")


def providers(settings: Settings) -> Providers:
    return Providers(Offers(all_offers(settings)), currencies=["USD", "EUR"], clock=StageTime())


def test_the_whole_list_is_small_when_it_is_packed() -> None:
    body = msgspec.json.encode(providers(Settings(egress_ips=ADDRESSES)).listed(None))
    assert len(gzip.compress(body, LEVEL)) <= PACKED_MAX_BYTES


def test_the_most_used_come_first() -> None:
    names = [provider.name for provider in providers(Settings()).listed(None)]
    assert names[:4] == ["binance", "coinbase", "kraken", "okx"]
    ranks = [exchanges.rank_of(name) for name in names]
    assert ranks == sorted(ranks)
    wallets = [name for name in names if name in wallet_brands()]
    assert wallets == [name for name in wallet_brands() if name in wallets]
    assert wallets == names[-len(wallets) :]
    unranked = [name for name in names[: -len(wallets)] if exchanges.rank_of(name) == exchanges.UNRANKED]
    assert unranked == sorted(unranked)


def test_addresses_stand_where_a_key_can_be_bound_to_them() -> None:
    shown = providers(Settings(egress_ips=ADDRESSES))
    binance = shown.named("binance")
    assert binance.egress_ips == list(ADDRESSES)
    assert "203.0.113.16/28" in binance.instructions.en
    for name in ("ethereum", "hyperliquid", "manual"):
        assert shown.named(name).egress_ips == []
        assert "203.0.113" not in shown.named(name).instructions.en
    assert providers(Settings()).named("binance").instructions.en == exchanges.load("binance").fields[0].hint


def test_each_says_what_its_venue_tells_of_a_key() -> None:
    shown = providers(Settings())
    assert shown.named("mexc").key_check == "rights"
    assert shown.named("deribit").key_check == "not known: the venue lists what keys may do together with their secrets"
    assert shown.named("upbit").key_check == "not known: the venue tells when a key ends, but not what it may do"
    assert shown.named("bitstamp").key_check == "not known: the venue has no call for it"
    assert shown.named("hyperliquid").key_check is None


def test_more_than_twenty_exchanges_tell_what_a_key_may_do() -> None:
    telling = [name for name in exchanges.ids() if exchanges.load(name).key_check == "rights"]
    assert len(telling) > 20
