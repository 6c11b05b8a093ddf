"""Sub-users of an HTX parent user's key: the accounts of each, by the same types as the parent's own.

Which sub-users there are is a list; each is asked about by its number. Their contracts are not told here.
Source: huobiapi.github.io/docs/spot/v1/en, Get Sub User's List, Get Account Balance of a Sub-User, in excerpts and
samples, 2026-11-28.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Product
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.quirks.htx_balances import HELD, OWED, UNUSED, code_of, product_of, rows_of, wallet_of
from omnifolio.venues.exchanges.subaccounts import HeldThere, Purse, balances

LIST_CALL, BALANCE_CALL = "spotPrivateGetV2SubUserUserList", "spotPrivateGetV1AccountAccountsSubUid"
_LIST_PATH = "/sub-user/user-list"


def asked(answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Each sub-user of the list once."""
    rows = [row for item in answers if item.request.endswith(_LIST_PATH) for row in rows_of(item) if isinstance(row, dict)]
    return [{"sub-uid": name} for name in dict.fromkeys(str(row["uid"]) for row in rows if row.get("uid"))]


def following(last: Evidence | None) -> dict[str, str] | None:
    """The next page of the list, from the number that an answer states where there is one."""
    if last is None:
        return {}
    number = expect_dict(decode(last), last, where="the answer").get("nextId")
    return {"fromId": str(number)} if number else None


def _purses(evidence: Evidence) -> Iterable[Purse]:
    """A purse for each sort of account; those of one sort, such as isolated margin pairs, lie together."""
    if evidence.request.endswith(_LIST_PATH):
        return
    name, rows = evidence.request.rpartition("/")[2], rows_of(evidence)
    together: dict[str, list[Any]] = {}
    for row in rows:
        account = expect_dict(row, evidence, where="data")
        together.setdefault(wallet_of(str(account.get("type"))), []).extend(
            expect_list(account.get("list"), evidence, where="list")
        )
    for place, held in together.items():
        product = product_of(place)
        tells: tuple[Product, ...] = (product, "debt") if place == "margin" else (product,)
        yield Purse(name=name, place=place, rows=held, read=_reader(product), tells=tells)


def _reader(product: Product) -> Callable[[Context, Any], Iterable[HeldThere]]:
    return partial(_held, product)


def _held(product: Product, context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    word, amount = row["type"], parse_amount(row["balance"], where="balance")
    if word in UNUSED or not amount:
        return
    token = context.codes.token(code_of(row["currency"]))
    if word in HELD:
        yield product, token, amount
    elif word in OWED and product == "margin":
        yield "debt", token, -abs(amount)
    else:
        raise InvalidField(f"type: {str(word)[:24]!r} is not known")


of_subusers = balances(_purses)
