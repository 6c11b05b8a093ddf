"""What a user owns in all: totals per account, asset and of open positions, in one currency, and what is missing from them."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.assets import Assets
from omnifolio.ledger.accounts import Account
from omnifolio.model.amounts import total
from omnifolio.model.clock import EpochMs
from omnifolio.views.accounts import AccountView, Holding
from omnifolio.views.valuation import Total, sum_up

_Named = tuple[str, str, str, bool, str]
"""Id, ticker and name of an asset, whether it is reviewed, and what it represents."""


class AssetLine(Struct, frozen=True, kw_only=True):
    """One asset over all accounts. `asset` is the catalog's id, or the token's own id where nobody has reviewed the token.

    `represents` is the asset that a bridged, wrapped or staked form stands for, "" for an asset by itself.
    """

    asset: str
    ticker: str
    name: str
    is_verified: bool
    represents: str
    amount: Decimal
    value: Total


class Unread(Struct, frozen=True):
    """An account that could not be read wholly, and why in words for people."""

    account: Account
    text: str


class Portfolio(Struct, frozen=True, kw_only=True):
    """Everything of one user: `assets` are what balances add up to, `positions` what open positions are worth besides, `total` is
    both. `hidden` is how many tokens are spam and in none of it. `unread` accounts have an error, an open failure or a doubted
    balance: their last data count."""

    total: Total
    accounts: Sequence[AccountView]
    assets: Sequence[AssetLine]
    positions: Total
    unread: Sequence[Unread]
    hidden: int

    @property
    def is_partial(self) -> bool:
        """Whether an account could not be read wholly."""
        return bool(self.unread)


def portfolio(views: Sequence[AccountView], assets: Assets, *, now: EpochMs, currency: str) -> Portfolio:
    """The accounts of one user folded: assets by value, the largest first, unpriced ones last."""
    groups: dict[_Named, list[Holding]] = {}
    for view in views:
        for holding in view.holdings:
            groups.setdefault(_asset_of(holding, assets, now), []).append(holding)
    lines = [
        AssetLine(
            asset=asset,
            ticker=ticker,
            name=name,
            is_verified=is_verified,
            represents=represents,
            amount=total(item.held.amount for item in items),
            value=sum_up([(ticker, item.value) for item in items], currency=currency),
        )
        for (asset, ticker, name, is_verified, represents), items in groups.items()
    ]
    lines.sort(key=lambda line: (bool(line.value.missing), -line.value.amount, line.ticker, line.asset))
    parts = [(item.token.ticker, item.value) for view in views for item in view.holdings]
    stands = [part for view in views for position in view.positions for part in position.parts]
    return Portfolio(
        total=sum_up([*parts, *stands], currency=currency),
        accounts=views,
        assets=lines,
        positions=sum_up(stands, currency=currency),
        unread=[Unread(view.account, text) for view in views if (text := _unread(view)) is not None],
        hidden=len({item.token.number for view in views for item in view.hidden}),
    )


def _unread(view: AccountView) -> str | None:
    if view.account.status in ("error", "retry"):
        return view.account.error_text or "it could not be read yet"
    failure = next((gap.text for gap in view.gaps if gap.is_failure), None)
    if failure is not None:
        return failure
    if any(item.held.is_suspect for item in view.holdings):
        return "the venue's latest answer lacks what it told before"
    return None


def _asset_of(holding: Holding, assets: Assets, now: EpochMs) -> _Named:
    token = holding.token
    if token.kind == "fiat":
        return f"fiat:{token.ticker}", token.ticker, token.name or token.ticker, True, ""
    found = assets.of(token.id, now)
    if found is None:
        return token.id, token.ticker, token.name or token.ticker, False, ""
    return found.id, found.ticker, found.name, True, found.represents
