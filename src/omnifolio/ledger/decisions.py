"""Deciding and taking back: what a person may say of what, and how the ledger follows.

A type is folded into its transaction, so filters and earlier versions know it; everything else is laid over facts when they are
read. Whatever reads otherwise afterwards stands in the change log under the decision's own sequence.
"""

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import claims, links, overlays
from omnifolio.ledger.marks import mark_accounts, mark_transactions, with_party, with_token
from omnifolio.ledger.overlays import Overlay, OverlayKind, pair_of, transactions_in
from omnifolio.ledger.place import Place
from omnifolio.ledger.tokens import wallet_ids
from omnifolio.meaning.classify import meaning_of
from omnifolio.meaning.transfers import plain_address
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.ids import AccountId, TransactionId
from omnifolio.model.tokens import TokenId, token_id
from omnifolio.store.schema import transactions

ADDRESS = "address:"
ADDRESS_LENGTH_MAX = 200
YES, NO = "yes", "no"
_SUBJECTS: Mapping[OverlayKind, frozenset[str]] = {
    "label": frozenset({"transaction", "address"}),
    "note": frozenset({"transaction", "address", "token"}),
    "spam": frozenset({"transaction", "token"}),
    "type": frozenset({"transaction"}),
    "link": frozenset({"pair"}),
    "price": frozenset({"token"}),
}
"""What each kind of decision may be about."""

_one = sa.select(transactions.c.state, transactions.c.merged_into, transactions.c.account_id).where(
    transactions.c.id == sa.bindparam("transaction"), transactions.c.user_id == sa.bindparam("user")
)


def of_transaction(conn: Connection, principal: Principal, number: TransactionId) -> str:
    """The target that means a transaction of the user, or the one that it was merged into. Raises: NotFound."""
    return str(_stands(conn, principal, number))


def of_pair(conn: Connection, principal: Principal, one: TransactionId, two: TransactionId) -> str:
    """The target that means two transactions of the user together. Raises: NotFound, InvalidField when both are one."""
    numbers = _stands(conn, principal, one), _stands(conn, principal, two)
    if numbers[0] == numbers[1]:
        raise InvalidField("other: expected another transaction")
    return pair_of(*numbers)


def of_address(address: str) -> str:
    """The target that means an address: in lower case where it is one of an EVM chain. Raises: InvalidField."""
    text = address.strip()
    if not text or len(text) > ADDRESS_LENGTH_MAX or any(char.isspace() for char in text):
        raise InvalidField(f"address: expected one address of up to {ADDRESS_LENGTH_MAX} characters")
    return f"{ADDRESS}{plain_address(text)}"


def subject_of(target: str) -> str:
    """What kind of thing a target is: transaction, pair, address or token."""
    if numbers := transactions_in(target):
        return "transaction" if len(numbers) == 1 else "pair"
    return "address" if target.startswith(ADDRESS) else "token"


def decide(
    conn: Connection, principal: Principal, *, kind: OverlayKind, target: str, value: str, now: EpochMs, reason: str = ""
) -> Overlay:
    """Sets a decision in the place of an earlier one of that kind on that target. The ledger follows in the same transaction.

    Raises: NotFound; InvalidField for what a decision of that kind cannot be about, or cannot say.
    """
    subject = subject_of(target)
    if subject not in _SUBJECTS[kind]:
        raise InvalidField(f"{kind}: can be said of {' or '.join(sorted(_SUBJECTS[kind]))}, not of {subject}")
    if subject == "token":
        token_id(target.partition(" ")[0])
    _CHECKS[kind](value)
    made = overlays.put(conn, principal, kind=kind, target=target, value=value, now=now, reason=reason)
    _follow(conn, principal, kind, target, made.seq)
    if kind == "link" and value == YES and not links.is_said(conn, principal.data_user, transactions_in(target)):
        raise InvalidField("link: neither of the two sent what the other received")
    return made


def undo(conn: Connection, principal: Principal, *, kind: OverlayKind, target: str, now: EpochMs) -> None:
    """Takes a decision back: everything reads as if it had never been made. Raises: NotFound when there is none."""
    _follow(conn, principal, kind, target, overlays.drop(conn, principal, kind=kind, target=target, now=now))


def spam_tokens(conn: Connection, principal: Principal) -> Mapping[TokenId, bool]:
    """The tokens of which the user has said that they are spam, or that they are not."""
    said = overlays.all_of(conn, principal.data_user, "spam")
    return {TokenId(target): value == YES for target, value in said.items() if subject_of(target) == "token"}


def _follow(conn: Connection, principal: Principal, kind: OverlayKind, target: str, seq: int) -> None:
    user, numbers = principal.data_user, transactions_in(target)
    if kind == "type":
        _refold(conn, principal, TransactionId(*numbers), seq)
    if kind == "link":
        links.say(conn, user, numbers, seq)
    mark_transactions(conn, user, numbers, seq)
    if target.startswith(ADDRESS):
        mark_transactions(conn, user, with_party(conn, user, target.removeprefix(ADDRESS)), seq)
    elif kind == "spam" and not numbers:
        mark_accounts(conn, user, seq)
        mark_transactions(conn, user, with_token(conn, user, target), seq)


def _refold(conn: Connection, principal: Principal, number: TransactionId, seq: int) -> None:
    account = AccountId(conn.execute(_one, {"transaction": number, "user": principal.data_user}).one().account_id)
    place = Place(
        user=principal.data_user, account=account, seq=seq, stream="", tokens={},
        wallets=wallet_ids(conn, account, (), (), seq=seq), evidence=(),
    )  # fmt: skip
    claims.refold(conn, place, [number])


def _stands(conn: Connection, principal: Principal, number: int) -> int:
    while True:
        row = conn.execute(_one, {"transaction": number, "user": principal.data_user}).one_or_none()
        if row is None:
            raise NotFound("no transaction has this id")
        if row.state != "merged":
            return number
        number = row.merged_into


def _text(value: str) -> None:
    if not value.strip():
        raise InvalidField("value: expected some words")


def _yes_or_no(value: str) -> None:
    if value not in (YES, NO):
        raise InvalidField(f"value: expected {YES} or {NO}")


def _type(value: str) -> None:
    meaning_of(value)


def _price(value: str) -> None:
    raise InvalidField("price: is set by its own command")


_CHECKS: Mapping[OverlayKind, Callable[[str], None]] = {
    "label": _text, "note": _text, "spam": _yes_or_no, "type": _type, "link": _yes_or_no, "price": _price,
}  # fmt: skip
"""What each kind of decision may say."""
