"""Which Binance symbols an account has traded: its trades are asked per symbol, and there are thousands.

Two finders: tokens that are held against each other and the common quotes, whenever a new one is seen; and, slowly, every other
symbol, because a token that was bought and sold again leaves no balance. A scope is `<base>-<quote>`, which a symbol alone does
not tell.
"""

import json
from collections.abc import Sequence
from typing import Any

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Evidence
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Scopes, read_list
from omnifolio.venues.exchanges.quirks.binance_balances import rows_of

QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BUSD", "TUSD", "BRL", "GBP", "AUD", "DAI", "USD")
"""Assets that others are quoted in: where a token was traded, it was against one of these or another token that is held."""
SWEEP_EVERY_MS = 90 * DAY_MS


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Held tokens are looked up again when there is a new one; the sweep over all symbols after ninety days."""
    state = json.loads(token) if token else {}
    if context.scope == "held":
        return _held(context, known) != state.get("tokens")
    return "after" in state or now - int(state.get("swept", 0)) >= SWEEP_EVERY_MS


def _held(context: Context, known: Known) -> list[str]:
    prefix = f"venue:{context.codes.venue}/"
    return sorted(context.codes.code_of(token) for token in known.tokens if token.startswith(prefix))


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Symbols that were never asked: those of held tokens, or, in the sweep, every other one in the order of their names."""
    state = json.loads(token) if token else {}
    symbols, _ = rows_of(answers[0], "symbols")
    held = _held(context, known)
    found: list[str] = []

    def read(row: Any) -> None:
        base, quote = context.codes.canonical(row["baseAsset"]), context.codes.canonical(row["quoteAsset"])
        if context.scope == "held" and not (base in held and (quote in held or quote in QUOTES)):
            return
        if f"{base}-{quote}" > state.get("after", "") and f"trades/{base}-{quote}" not in known.cursors:
            found.append(f"{base}-{quote}")

    gaps = read_list(context, symbols, read)
    if context.scope == "held":
        return Scopes(streams=tuple(f"trades/{scope}" for scope in sorted(found)), token=json.dumps({"tokens": held}), gaps=gaps)
    return Scopes(
        streams=tuple(f"trades/{scope}" for scope in sorted(found)),
        token=json.dumps({"swept": answers[0].received_at}),
        progress=lambda stream: json.dumps({"after": stream.partition("/")[2]}),
        keeps_empty=False,
        gaps=gaps,
    )


def scope_of(payload: Any) -> str:
    """The scope of recorded fills: their symbol, cut where a known quote begins. "" when they name none."""
    row = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], dict) else {}
    symbol = str(row.get("symbol", ""))
    quote = next((quote for quote in QUOTES if symbol.endswith(quote) and symbol != quote), "")
    return f"{symbol.removesuffix(quote)}-{quote}" if quote else ""


def symbol_of(scope: str) -> str:
    """The symbol as Binance spells it: BTC-USDT is BTCUSDT."""
    return scope.replace("-", "")
