"""The assets of the simulated world: tickers, magnitudes of price, and the codes under which each venue names them."""

from dataclasses import dataclass
from decimal import Decimal

FIAT = "fiat"
STABLE = "stable"
CRYPTO = "crypto"


@dataclass(frozen=True, slots=True)
class Asset:
    """One economic asset: `anchor` is the USD price around which its deterministic price moves; None has no price."""

    ticker: str
    name: str
    kind: str
    anchor: Decimal | None
    gecko: str | None = None


def _asset(ticker: str, name: str, kind: str, anchor: str | None, gecko: str | None = None) -> Asset:
    return Asset(ticker, name, kind, None if anchor is None else Decimal(anchor), gecko)


ASSETS: dict[str, Asset] = {
    asset.ticker: asset
    for asset in (
        _asset("USD", "US Dollar", FIAT, "1"),
        _asset("EUR", "Euro", FIAT, None),
        _asset("USDC", "USD Coin", STABLE, "1", "usd-coin"),
        _asset("USDT", "Tether", STABLE, "1", "tether"),
        _asset("FDUSD", "First Digital USD", STABLE, "1", "first-digital-usd"),
        _asset("DAI", "Dai", STABLE, "1", "dai"),
        _asset("BTC", "Bitcoin", CRYPTO, "64000", "bitcoin"),
        _asset("ETH", "Ethereum", CRYPTO, "2900", "ethereum"),
        _asset("BNB", "BNB", CRYPTO, "540", "binancecoin"),
        _asset("SOL", "Solana", CRYPTO, "142", "solana"),
        _asset("XRP", "XRP", CRYPTO, "1.1", "ripple"),
        _asset("DOGE", "Dogecoin", CRYPTO, "0.17", "dogecoin"),
        _asset("ADA", "Cardano", CRYPTO, "0.52", "cardano"),
        _asset("LTC", "Litecoin", CRYPTO, "86", "litecoin"),
        _asset("DOT", "Polkadot", CRYPTO, "6.2", "polkadot"),
        _asset("ATOM", "Cosmos", CRYPTO, "7.4", "cosmos"),
        _asset("ALGO", "Algorand", CRYPTO, "0.21", "algorand"),
        _asset("LINK", "Chainlink", CRYPTO, "15.5", "chainlink"),
        _asset("UNI", "Uniswap", CRYPTO, "8.1", "uniswap"),
        _asset("CELO", "Celo", CRYPTO, "0.63", "celo"),
        _asset("SHIB", "Shiba Inu", CRYPTO, "0.000014", "shiba-inu"),
        _asset("TRX", "TRON", CRYPTO, "0.16", "tron"),
        # A token that no source prices.
        _asset("QNOVA", "Quiet Nova", CRYPTO, None),
        # Two different tokens share this ticker; only the one that Coinbase lists has a price (see `priced_token`).
        _asset("ORB", "Orb", CRYPTO, "0.84"),
    )
}

AMBIGUOUS_TICKERS = frozenset({"ORB"})
PRICED_AMBIGUOUS = frozenset({"venue:coinbase/ORB"})

# Code of the venue -> common ticker. A code that is missing here equals its ticker.
TICKERS: dict[str, dict[str, str]] = {
    "kraken": {
        "XXBT": "BTC",
        "XETH": "ETH",
        "XXRP": "XRP",
        "XXDG": "DOGE",
        "XLTC": "LTC",
        "ZUSD": "USD",
        "ZEUR": "EUR",
    },
    "binance": {},
    "coinbase": {"CGLD": "CELO"},
    "bybit": {},
    "okx": {},
    "demo": {},
}
CODES: dict[str, dict[str, str]] = {venue: {ticker: code for code, ticker in names.items()} for venue, names in TICKERS.items()}


def ticker_of(venue: str, code: str) -> str:
    """The common ticker of a venue's code: XXBT at Kraken is BTC."""
    return TICKERS[venue].get(code, code)


def code_of(venue: str, ticker: str) -> str:
    """The venue's own code of a ticker: BTC is XXBT at Kraken."""
    return CODES[venue].get(ticker, ticker)


def token_id(venue: str, code: str) -> str:
    """The token's id in normalised facts, `venue:<venue>/<code>`."""
    return f"venue:{venue}/{code}"


def kind_of(venue: str, code: str) -> str:
    """`fiat`, `stable` or `crypto`."""
    return ASSETS[ticker_of(venue, code)].kind


def is_priced(venue: str, code: str) -> bool:
    """Whether the world has a USD price for this token of this venue."""
    ticker = ticker_of(venue, code)
    if ticker in AMBIGUOUS_TICKERS:
        return token_id(venue, code) in PRICED_AMBIGUOUS
    return ASSETS[ticker].anchor is not None or ticker == "EUR"
