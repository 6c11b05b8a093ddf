"""What one line of a file means: a claim under the same book and ref as the venue's API would give, so that both merge."""

import re
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from omnifolio.catalog.layouts import LayoutRow
from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.quirks import kraken
from omnifolio.venues.exchanges.times import from_iso
from omnifolio.venues.files.table import Line

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._$-]{0,39}")
"""A token code in a file: nothing in it can be a formula, a path or a link."""

RowReader = Callable[[LayoutRow, Codes, Line], Claim | None]
"""One line's claim; None for a line that the layout knows to say nothing. Raises: InvalidField, InvalidAmount, KeyError."""


def fields_of(layout: LayoutRow, line: Line) -> dict[str, str]:
    """The line's cells under our names of fields; absent columns are absent."""
    found = {field: line.cells[column].strip() for field, column in layout.columns.items() if column in line.cells}
    for name in ("asset", "fee_asset"):
        if found.get(name) and not CODE.fullmatch(found[name]):
            raise InvalidField(f"{name}: not a token code")
    return found


def kraken_ledger(layout: LayoutRow, codes: Codes, line: Line) -> Claim | None:
    """A line of Kraken's ledgers.csv. Lines without a ledger id announce an event that another line books."""
    row = fields_of(layout, line)
    if not row["id"]:
        return None
    claim = kraken.ledger_row(codes, row["id"], row, at=from_iso(row["time"]))
    wallet = row.get("wallet", "").partition(" ")[0]
    if wallet in ("spot", "earn"):
        claim = replace(claim, legs=tuple(replace(leg, wallet=wallet) for leg in claim.legs))
    return replace(claim, origin="file")


def kraken_trade(layout: LayoutRow, codes: Codes, line: Line) -> Claim | None:
    """A line of Kraken's trades.csv."""
    row = fields_of(layout, line)
    return replace(kraken.trade_row(codes, row["id"], row, at=from_iso(row["time"])), origin="file")


def plain(layout: LayoutRow, codes: Codes, line: Line) -> Claim | None:
    """A line of our own layout: one signed movement and its fee. Lines with the same group are one event."""
    row = fields_of(layout, line)
    word = row["type"].lower()
    kind: Kind = layout.kinds.get(word, "other")  # type: ignore[assignment]  # the row's check test compares it with Kind
    amount = parse_amount(row["amount"])
    if kind == "withdrawal" and amount > 0:
        amount = -amount
    ref = row.get("id") or f"{line.digest}:{line.occurrence}"
    wallet = row.get("wallet") or "spot"
    legs = [Leg(ref, wallet, codes.token(row["asset"]), amount, "principal", row.get("counterparty") or None)]
    if row.get("fee"):
        fee = abs(parse_amount(row["fee"], where="fee"))
        legs.append(Leg(f"{ref}:fee", wallet, codes.token(row.get("fee_asset") or row["asset"]), -fee, "fee"))
    refs = [f"{layout.venue}:{ref}"]
    if row.get("group"):
        refs.append(f"{layout.venue}-group:{row['group']}")
    return Claim(
        book="file",
        ref=ref,
        refs=tuple(refs),
        name=row.get("group") or ref,
        at=from_iso(row["time"]),
        kind=kind,
        label=row["type"],
        legs=tuple(leg for leg in legs if leg.amount),
        origin="file",
        evidence=0,
    )


ROWS: Mapping[str, RowReader] = {"kraken_ledger": kraken_ledger, "kraken_trade": kraken_trade, "plain": plain}
