"""What is particular to Coinbase: one account an asset, each with a ledger of its own that is read newest first.

The v2 transactions are complete, fills of orders included, so nothing else is asked for history.
Source: docs.cdp.coinbase.com, Track API (accounts, transactions), Advanced Trade API (key permissions).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from omnifolio.model.amounts import total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Balance, Claim, Evidence, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known, received_at
from omnifolio.venues.exchanges.answers import (
    Context,
    Page,
    Quirks,
    Scopes,
    Seen,
    decode,
    distinct,
    expect_dict,
    expect_list,
    read_list,
)
from omnifolio.venues.exchanges.quirks.coinbase_rows import BOOK, claim_of, money_of, split_code
from omnifolio.venues.exchanges.rights import Rights, flags_of

PAGE_ROWS = 100


def data_of(evidence: Evidence) -> tuple[list[Any], str]:
    """The rows of a v2 answer, and the id after which the next page starts ("" for none). Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    rows = expect_list(body.get("data"), evidence, where="data")
    pagination = body.get("pagination")
    if not isinstance(pagination, dict) or not pagination.get("next_uri"):
        return rows, ""
    return rows, next(iter(parse_qs(urlsplit(str(pagination["next_uri"])).query).get("starting_after", [""])))


def transactions(context: Context, evidence: Evidence) -> Page:
    """A page of one account's transactions: each row is one claim with what this account gained or lost."""
    rows, following_id = data_of(evidence)
    wallet = context.scope.partition(":")[0] or "spot"
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(claim_of(context, wallet, row)))
    times = [claim.at for claim in claims]
    seen = Seen(
        rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None), next=following_id
    )
    return Page(seen=seen, claims=claims, gaps=gaps)


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """All accounts of all pages: spot and staked in the wallet `spot`, vaults in `vault`."""
    held: dict[tuple[str, Product], dict[TokenId, list[Decimal]]] = {
        ("spot", "spot"): {},
        ("spot", "staked"): {},
        ("vault", "spot"): {},
    }
    accounts = [row for item in evidence for row in data_of(item)[0]]

    def read(row: Any) -> None:
        amount, code = money_of(row["balance"])
        token, product = split_code(context.codes, code)
        wallet = wallet_of(row)
        held[wallet, "spot" if wallet == "vault" else product].setdefault(token, []).append(amount)

    gaps = read_list(context, accounts, read)
    at = received_at(evidence)
    snapshots = [] if gaps else [_snapshot(wallet, product, rows, at) for (wallet, product), rows in held.items()]
    return Page(seen=Seen(rows=len(accounts)), snapshots=snapshots, gaps=gaps)


def _snapshot(wallet: str, product: Product, rows: Mapping[TokenId, list[Decimal]], at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return Snapshot(wallet=wallet, product=product, at=at, balances=tuple(Balance(*item) for item in sums if item[1]), evidence=0)


def wallet_of(row: Mapping[str, Any]) -> str:
    """The wallet that an account belongs to."""
    return "vault" if row.get("type") == "vault" else "spot"


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The next page of accounts."""
    if last is None:
        return {"limit": str(PAGE_ROWS)}
    _, after = data_of(last)
    return {"limit": str(PAGE_ROWS), "starting_after": after} if after else None


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Accounts that were never asked. An account that was never used has no ledger, only its currency's code for an id."""
    found: list[str] = []

    def read(row: Any) -> None:
        stream = f"{BOOK}/{wallet_of(row)}:{row['id']}"
        if row.get("created_at") and stream not in known.cursors:
            found.append(stream)

    rows = [row for item in answers for row in data_of(item)[0]]
    gaps = read_list(context, rows, read)
    return Scopes(streams=tuple(found), token="", gaps=gaps)  # a cursor, no secret


def account_of(scope: str) -> str:
    """The account id in a scope such as `spot:2bbf394c-…`."""
    return scope.partition(":")[2]


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from key_permissions: every field that is set is a right, whether we know it or not."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    return Rights(
        granted=flags_of(info, ignored=("portfolio_uuid", "portfolio_type")),
        is_known=all(name in info for name in ("can_view", "can_trade", "can_transfer")),
    )


def scope_of(payload: Any) -> str:
    """The scope of recorded transactions: the account in their resource path."""
    rows = payload.get("data") if isinstance(payload, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    parts = str(row.get("resource_path", "")).split("/")
    return f"spot:{parts[3]}" if len(parts) > 3 else "spot:recorded"


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: rows, one row, or rows grouped by event may have lost their envelope."""
    if isinstance(payload, list):
        return [{"data": payload}]
    if isinstance(payload, dict) and "data" not in payload:
        groups = list(payload.values())
        is_grouped = bool(groups) and all(isinstance(group, list) for group in groups)
        return [{"data": [row for group in groups for row in group] if is_grouped else [payload]}]
    return [payload]


QUIRKS = Quirks(
    parsers={BOOK: transactions},
    snapshots={"balances": balances},
    rights=rights,
    following=following,
    scopes=scopes,
    scope_value=account_of,
    scope_of=scope_of,
    forms=forms,
)
