"""All price and rate sources, in order of preference, and what each is made of."""

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

from msgspec import Struct

from omnifolio.catalog.assets import Assets
from omnifolio.model.errors import InvalidSettings
from omnifolio.pricing.contract import Endpoint, PriceSource, RateSource
from omnifolio.pricing.sources import binance, coinbase, coingecko, defillama, ecb, kraken, sandbox
from omnifolio.transport.egress import Budget, Egress, Rule

PUBLIC = ("defillama", "coingecko", "coinbase-market", "kraken-market", "binance-market")
"""The price sources of an installation, best first, where the settings name none; with a sandbox it is the sandbox alone.

DefiLlama first: no key, many prices in one question, any past instant. The markets come last: each knows its own tokens only.
"""


BUDGETS = {
    "defillama": Budget(burst=20, per_s=5),
    "coingecko": Budget(burst=5, per_s=0.2),
    "coinbase-market": Budget(burst=10, per_s=5),
    "kraken-market": Budget(burst=5, per_s=1),
    "binance-market": Budget(burst=600, per_s=50),
    "ecb": Budget(burst=5, per_s=1),
}
"""How fast the public servers are asked, in requests (Binance: in its own weight), below what each of them allows."""


class Sources(Struct, frozen=True):
    """The sources in use: prices in order of preference, and one of exchange rates; and the assets that they go by."""

    prices: tuple[PriceSource, ...]
    rates: RateSource
    assets: Assets

    def digest(self) -> int:
        """A number that changes when other tokens can be priced than before: other sources, other reviewed assets."""
        return crc32("\n".join([*(source.id for source in self.prices), self.assets.digest]).encode())

    def endpoints(self) -> Mapping[str, Sequence[Endpoint]]:
        """Everything that the sources may ask, by host, for the allow-list of the way out."""
        found: dict[str, dict[Endpoint, None]] = {}
        every = [endpoint for source in self.prices for endpoint in source.endpoints()]
        for endpoint in (*every, *self.rates.endpoints()):
            found.setdefault(endpoint.host, {})[endpoint] = None
        return {host: tuple(endpoints) for host, endpoints in found.items()}

    def open_way(self, egress: Egress) -> None:
        """Lets exactly what the sources ask pass the way out, as fast as each public server allows.

        Servers under a URL that the operator configured are asked without a limit of ours.
        """
        for host, endpoints in self.endpoints().items():
            egress.allow(host, [Rule(item.method, item.url, is_configured=item.is_configured) for item in endpoints])
            if not any(item.is_configured for item in endpoints):
                egress.limit(host, address=BUDGETS[host])


def build(*, chosen: Iterable[str], base_urls: Mapping[str, str], sandbox_url: str, assets: Assets) -> Sources:
    """The sources of an installation: `chosen` ids in order, or the default where that is empty.

    `base_urls` holds a URL for each source that is to be found elsewhere than at its own. Raises: InvalidSettings naming the ids
    there are.
    """
    made: dict[str, PriceSource] = {
        "defillama": defillama.DefiLlama(assets=assets, base_url=base_urls.get("defillama", defillama.BASE_URL)),
        "coingecko": coingecko.CoinGecko(assets=assets, base_url=base_urls.get("coingecko", coingecko.BASE_URL)),
        "coinbase-market": coinbase.CoinbaseMarket(base_url=base_urls.get("coinbase-market", coinbase.BASE_URL)),
        "kraken-market": kraken.KrakenMarket(base_url=base_urls.get("kraken-market", kraken.BASE_URL)),
        "binance-market": binance.BinanceMarket(
            base_url=base_urls.get("binance-market", binance.BASE_URL),
            coinbase_url=base_urls.get("coinbase-market", coinbase.BASE_URL),
        ),
    }
    rates: RateSource = ecb.Ecb(base_url=base_urls.get("ecb", ecb.BASE_URL))
    if sandbox_url:
        feed = sandbox.SandboxFeed(assets=assets, base_url=base_urls.get("sandbox", sandbox_url))
        made["sandbox"] = feed
        rates = feed
    wanted = tuple(chosen) or (("sandbox",) if sandbox_url else PUBLIC)
    for name in wanted:
        if name not in made:
            raise InvalidSettings(f"price_sources: {name!r} is none of {', '.join(made)}")
    return Sources(prices=tuple(made[name] for name in wanted), rates=rates, assets=assets)
