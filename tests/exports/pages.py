"""Pages of transactions made by hand: a line a leg."""

from decimal import Decimal

from omnifolio.ledger.read import StoredLeg, StoredTransaction, WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId, WalletId, WireIds
from omnifolio.model.tokens import venue_token
from omnifolio.views.transactions import TransactionPage, TransactionView
from omnifolio.views.valuation import Money, Value

IDS = WireIds(b"k" * 16)
ACCOUNT = AccountId(1)
ACCOUNTS = {ACCOUNT: "Main"}
AT = EpochMs(1_735_787_045_678)
"""2025-01-02 03:04:05.678 UTC."""
TICKERS = ("BTC", "ETH", "USD", "DOGE", "BNB", "=1+1")
TOKENS = {
    number: TokenRow(number, venue_token("kraken", ticker), ticker, ticker, "fiat" if ticker == "USD" else "crypto", None)
    for number, ticker in enumerate(TICKERS)
}
WALLETS = {
    WalletId(number): WalletRow(WalletId(number), ACCOUNT, key, key.title(), None) for number, key in enumerate(("spot", "earn"))
}


def leg(text: str, place: int = 0) -> tuple[StoredLeg, Value | None]:
    """A leg from "AMOUNT TICKER [earn] [fee] [@VALUE]"."""
    amount, ticker, *words = text.split()
    value = next((Decimal(word[1:]) for word in words if word.startswith("@")), None)
    stored = StoredLeg(
        key=f"leg{place}",
        wallet=WalletId(1 if "earn" in words else 0),
        token=TICKERS.index(ticker),
        amount=Decimal(amount),
        role="fee" if "fee" in words else "principal",
        counterparty=None,
    )
    return stored, None if value is None else Money(amount=value, currency="USD")


def transaction(
    kind: str, *legs: str, number: int = 1, status: str = "confirmed", event: str | None = None, label: str = ""
) -> TransactionView:
    """A transaction of "type[/subtype]" with its legs."""
    type_, _, subtype = kind.partition("/")
    made = [leg(text, place) for place, text in enumerate(legs)]
    stored = StoredTransaction(
        id=TransactionId(number),
        account=ACCOUNT,
        seq=1,
        at=AT,
        type=type_,
        subtype=subtype or None,
        status=status,
        name="n",
        label=label,
        event=event,
        confirmed_at=None,
        finality="final",
        legs=tuple(item for item, _ in made),
    )
    return TransactionView(transaction=stored, values={item.key: value for item, value in made if value is not None})


def page(*views: TransactionView) -> TransactionPage:
    """A page in dollars."""
    return TransactionPage(rows=views, currency="USD", tokens=TOKENS, wallets=WALLETS, venues={ACCOUNT: "kraken"})
