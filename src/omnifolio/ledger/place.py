"""Where a batch is written: the integers that its names stand for."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.ids import AccountId, UserId, WalletId
from omnifolio.model.tokens import TokenId


class Place(Struct, frozen=True, kw_only=True):
    """Where a batch is written: whose account, under which sequence, with which integers."""

    user: UserId
    account: AccountId
    seq: int
    stream: str
    tokens: Mapping[TokenId, TokenRow]
    wallets: Mapping[str, WalletId]
    evidence: Sequence[int]

    def is_fiat(self, token: TokenId) -> bool:
        """Government money, as the token's first facts said."""
        return self.tokens[token].kind == "fiat"
