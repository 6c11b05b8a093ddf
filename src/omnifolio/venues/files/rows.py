"""What one line of a file means: a claim under the same book and ref as the venue's API would give where the file has its ids."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from omnifolio.model.facts import Claim
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.quirks import kraken
from omnifolio.venues.exchanges.times import from_iso
from omnifolio.venues.files.fields import Fields
from omnifolio.venues.files.movements import double, paired, single, wide

RowReader = Callable[[Fields, Codes], Claim | None]
"""One line's claim; None for a line that the layout knows to say nothing. Raises: InvalidField, InvalidAmount, KeyError."""


def kraken_ledger(fields: Fields, codes: Codes) -> Claim | None:
    """A line of Kraken's ledgers.csv. Lines without a ledger id announce an event that another line books."""
    row = fields.required
    if not row["id"]:
        return None
    claim = kraken.ledger_row(codes, row["id"], row, at=from_iso(row["time"]))
    wallet = row.get("wallet", "").partition(" ")[0]
    if wallet in ("spot", "earn"):
        claim = replace(claim, legs=tuple(replace(leg, wallet=wallet) for leg in claim.legs))
    return replace(claim, origin="file")


def kraken_trade(fields: Fields, codes: Codes) -> Claim | None:
    """A line of Kraken's trades.csv."""
    row = fields.required
    return replace(kraken.trade_row(codes, row["id"], row, at=from_iso(row["time"])), origin="file")


ROWS: Mapping[str, RowReader] = {
    "kraken_ledger": kraken_ledger,
    "kraken_trade": kraken_trade,
    "single": single,
    "double": double,
    "paired": paired,
    "wide": wide,
}
