"""Who will be asked for a wallet is told before anybody is."""

from yarl import URL

from omnifolio.app.asking import asking, hosts_of
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.app.way_out import open_way_out
from omnifolio.catalog.assets import load
from omnifolio.model.clock import SystemClock
from omnifolio.model.settings import Settings
from omnifolio.pricing.registry import build
from omnifolio.transport.egress import Egress

ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
OWN = Settings(base_urls={"bitcoin": "tcp://127.0.0.1:50001"})


def told(settings: Settings, **fields: str) -> list[tuple[str, str, str, bool]]:
    """(what, who, how often, whether it is the operator's) of each step."""
    offer = Offers(all_offers(settings)).of("bitcoin")
    steps = asking(settings, offer, fields=fields, has_key=False)
    return [(step.reads, step.source, step.calls, step.is_own) for step in steps]


def test_a_single_address_is_asked_of_one_server_alone() -> None:
    assert told(Settings(), wallet=ADDRESS) == [
        ("balances", "mempool.space", "3", False),
        ("history", "mempool.space", "1 for each 25 transactions of an address", False),
    ]


def test_an_own_server_takes_the_place_of_all_and_no_history_costs_nothing() -> None:
    trips = "2, and 1 for each 20 used addresses of a branch; 40 addresses at first"
    for chosen in ({}, {"source": "electrum.emzy.de"}):
        assert told(OWN, wallet=ZPUB, history="balances", **chosen) == [("balances", "127.0.0.1", trips, True)]


def test_who_was_chosen_is_who_is_asked() -> None:
    offers = Offers(all_offers(Settings()))
    fields = {"wallet": ZPUB, "source": "electrum.emzy.de"}
    assert hosts_of(Settings(), offers, "bitcoin", fields=fields, has_key=False) == ["electrum.emzy.de"]
    assert hosts_of(Settings(), offers, "bitcoin", fields=fields | {"source": "gone.example"}, has_key=False) == []


def test_only_who_is_named_can_be_asked_and_an_own_server_without_a_pace() -> None:
    for settings, hosts in ((Settings(), {"mempool.space", "electrum.emzy.de"}), (OWN, {"127.0.0.1"})):
        egress = Egress(clock=SystemClock())
        open_way_out(egress, settings, build(chosen=(), base_urls={}, sandbox_url="", assets=load()))
        rules = egress.rules()["bitcoin"]
        assert hosts <= {str(URL(rule.url).host) for rule in rules}
        assert all(rule.is_configured for rule in rules) == (settings is OWN)
        assert not any("broadcast" in rule.method or "sendtx" in rule.url or rule.method == "POST" for rule in rules)
