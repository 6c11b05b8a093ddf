"""Validators of Ethereum: what they hold on the beacon chain, and what was withdrawn from them.

Link field: `validators`, with indexes, public keys and withdrawal addresses, separated by commas. A beacon node of the operator's
own tells balances (`/eth/v1/beacon/states/head/validators`); an explorer tells withdrawals, and which validators pay to an
address. What a validator earns is in its balance and in no list: it is a gap, and the sum of withdrawals and balance tells it.
Source: Ethereum Beacon APIs v3 (2026-11); the withdrawals list of explorers as in `evm.explorer`.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Balance, Batch, Claim, Cursor, Evidence, Gap, Leg, Snapshot, Wallet
from omnifolio.transport.egress import Question
from omnifolio.venues.contract import Access, Stream, received_at
from omnifolio.venues.evm.address import parse_address
from omnifolio.venues.evm.explorer import WITHDRAWALS, Explorer, Refused, Source, Withdrawal, withdrawals
from omnifolio.venues.evm.movements import GWEI_DECIMALS, STAKE

VENUE = "ethereum-validators"
FIELD = "validators"
CHAIN = evm_chain("ethereum")
BALANCES, HISTORY = "balances/beacon", "withdrawals/beacon"
PATH = "/eth/v1/beacon/states/head/validators"

VALIDATORS_MAX = 2_000
"""Validators of one account."""
IDS_PER_REQUEST = 60
"""So that a question stays shorter than what servers take in a URL."""
ROWS = 1_000
FINAL_AFTER_MS = 30 * MINUTE_MS
"""The beacon chain is final after two epochs, 13 minutes; twice that and more."""

_INDEX = re.compile(r"\d{1,9}")
_PUBLIC_KEY = re.compile(r"0x[0-9a-f]{96}")
_CREDENTIALS = re.compile(r"0x0[12]0{22}([0-9a-f]{40})")


class _Validator(Struct, frozen=True):
    pubkey: str
    withdrawal_credentials: str
    slashed: bool = False


class Row(Struct, frozen=True):
    """A validator as the beacon node tells it: `balance` in gwei, credentials that name where it pays to."""

    index: str
    balance: str
    status: str
    validator: _Validator

    @property
    def address(self) -> str:
        """Where it pays to; "" while it has named no address."""
        found = _CREDENTIALS.fullmatch(self.validator.withdrawal_credentials.lower())
        return "0x" + found[1] if found else ""


class _Answer(Struct, frozen=True):
    data: list[Row]


class Entered(Struct, frozen=True):
    """What the user named: validators by index or public key, and addresses that they pay to."""

    ids: tuple[str, ...]
    addresses: tuple[str, ...]


def entered(text: str) -> Entered:
    """The link field's content. Raises: InvalidField, PrivateKeyRefused."""
    ids, addresses = [], []
    for part in (part.strip().lower() for part in text.split(",")):
        if _INDEX.fullmatch(part) or _PUBLIC_KEY.fullmatch(part):
            ids.append(part)
        elif part:
            addresses.append(parse_address(part))
    if not (ids or addresses) or len(ids) > VALIDATORS_MAX:
        raise InvalidField(f"{FIELD}: expected 1 to {VALIDATORS_MAX} indexes, public keys or withdrawal addresses, with commas")
    return Entered(tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(addresses)))


class ValidatorReader:
    """The reader of validators. Stateless."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances, and withdrawals where an explorer can be asked."""
        balances = Stream(name=BALANCES, is_balances=True)
        return (balances, Stream(name=HISTORY)) if _source(access) is not None else (balances,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """The page of balances, or pages of withdrawals. Raises: InvalidField, VenueError."""
        wanted = entered(access.fields.get(FIELD, ""))
        if not access.base_url:
            raise InvalidField(f"validators are read from a beacon node of your own: set base_urls.{VENUE}")
        return self._balances(access, wanted) if since.stream == BALANCES else self._withdrawals(access, wanted, since)

    async def _balances(self, access: Access, wanted: Entered) -> AsyncIterator[Batch]:
        ids = list(wanted.ids)
        kept: list[Evidence] = []
        if wanted.addresses:
            found = [row async for page in _listed(access, wanted.addresses, start=0) for row in withdrawals(page.body)]
            ids += [index for index in dict.fromkeys(row.validator_index for row in found) if index not in ids]
        for start in range(0, len(ids), IDS_PER_REQUEST):
            kept.append(await _ask(access, ids[start : start + IDS_PER_REQUEST]))
        if not kept:
            text = "no validator has paid anything to these addresses yet: name it by its index"
            gap = Gap(stream=BALANCES, code="no_validators", text=text)
            yield Batch(cursor=Cursor(BALANCES, "read"), observed_at=access.clock.now(), gaps=(gap,), done=True)
            return
        batch = self.decode(access.venue, BALANCES, kept)
        yield structs.replace(batch, cursor=Cursor(BALANCES, "read"), done=True)

    async def _withdrawals(self, access: Access, wanted: Entered, since: Cursor) -> AsyncIterator[Batch]:
        told = [await _ask(access, wanted.ids[n : n + IDS_PER_REQUEST]) for n in range(0, len(wanted.ids), IDS_PER_REQUEST)]
        rows = [row for page in told for row in rows_of(page)]
        addresses = dict.fromkeys((*wanted.addresses, *(row.address for row in rows if row.address)))
        mine = ",".join(row.index for row in rows)
        start, last = int(since.token or "0"), 0
        async for page in _listed(access, tuple(addresses), start=start):
            last = max([last, *(row_height(row) for row in withdrawals(page.body))])
            asked = structs.replace(page, params={**page.params, "validators": mine, "addresses": ",".join(wanted.addresses)})
            batch = self.decode(access.venue, HISTORY, [asked])
            yield structs.replace(batch, cursor=Cursor(HISTORY, since.token))
        # The addresses are read one after another, so only their end is a place to go on from.
        yield Batch(
            cursor=Cursor(HISTORY, str(max(start, last))),
            observed_at=access.clock.now(),
            gaps=(Gap(stream=HISTORY, code="rewards_not_listed", text="what validators earn: their balance alone tells it"),),
            done=True,
        )

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page. Raises: VenueBadResponse."""
        at = received_at(evidence)
        batch = Batch(cursor=Cursor(stream), observed_at=at, tokens=(CHAIN.native,), evidence=tuple(evidence))
        if stream == BALANCES:
            rows = [(number, row) for number, page in enumerate(evidence) for row in rows_of(page)]
            return structs.replace(
                batch,
                wallets=tuple(_wallet(row.index) for _, row in rows),
                snapshots=tuple(_snapshot(row, at, number) for number, row in rows),
            )
        claims = tuple(claim for number, page in enumerate(evidence) for claim in _claims(page, number))
        return structs.replace(
            batch, claims=claims, wallets=tuple(_wallet(leg.wallet.partition(":")[2]) for leg in _legs(claims))
        )

    async def certificate(self, access: Access) -> Certificate:
        """An index can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def rows_of(page: Evidence) -> list[Row]:
    """The validators in an answer. Raises: VenueBadResponse."""
    try:
        return msgspec.json.decode(page.body, type=_Answer).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VenueBadResponse(f"the beacon node's answer has another shape than its API says ({error})") from None


def row_height(row: Withdrawal) -> int:
    """The block of a withdrawal."""
    return int(row.block_number)


def _source(access: Access) -> Source | None:
    url = access.explorer_url or CHAIN.explorer_api
    return Source(url=url) if url else None


async def _ask(access: Access, ids: Sequence[str]) -> Evidence:
    """The validators with these ids. Raises: VenueError."""
    params = {"id": ",".join(ids)}
    answer = await access.egress.request(
        venue=access.venue,
        method="GET",
        url=f"{access.base_url}{PATH}?id={params['id']}",
        key_label=access.key_label,
        question=Question(method="GET", path=PATH, params=params),
    )
    if answer.status == 429:
        raise VenueBusy("the beacon node asked us to slow down")
    if answer.status >= 500:
        raise VenueUnavailable(f"the beacon node answered with HTTP status {answer.status}")
    if answer.status != 200:
        raise VenueBadResponse(f"the beacon node answered with HTTP status {answer.status}")
    return Evidence(stream=BALANCES, request=f"GET {PATH}", params=params, received_at=answer.received_at, body=answer.body)


async def _listed(access: Access, addresses: Sequence[str], *, start: int) -> AsyncIterator[Evidence]:
    """The pages of withdrawals to each address from a block on, up to what is final. Raises: VenueError."""
    source = _source(access)
    if source is None:
        raise InvalidField("an explorer is needed to tell which validators pay to an address")
    explorer = Explorer(access, source, stream=HISTORY)
    try:
        end = await explorer.height_at(EpochMs(access.clock.now() - FINAL_AFTER_MS))
        for address in addresses:
            first = start
            while first <= end:
                page = await explorer.rows(WITHDRAWALS, address, start=first, end=end, size=ROWS)
                yield page
                rows = withdrawals(page.body)
                if len(rows) < ROWS:
                    break
                # The last block may be cut: its rows come again, under the same names.
                first = max(row_height(rows[-1]), first + 1)
    except Refused:
        raise VenueBadResponse("the explorer does not list withdrawals") from None


def _wallet(index: str) -> Wallet:
    return Wallet(key=f"validator:{index}", name=f"Validator {index}")


def _snapshot(row: Row, at: EpochMs, evidence: int) -> Snapshot:
    amount = from_units(int(row.balance), GWEI_DECIMALS)
    held = (Balance(CHAIN.native.id, amount),) if amount else ()
    return Snapshot(wallet=f"validator:{row.index}", product="staked", at=at, balances=held, evidence=evidence)


def _claims(page: Evidence, evidence: int) -> Iterator[Claim]:
    """What left validators of the account: all that pay to an address that was named, else those that were."""
    mine, addresses = set(page.params["validators"].split(",")), page.params["addresses"].split(",")
    is_all = page.params["address"] in addresses
    for row in withdrawals(page.body):
        if is_all or row.validator_index in mine:
            amount = from_units(int(row.amount), GWEI_DECIMALS)
            name = f"withdrawal:{row.withdrawal_index}"
            yield Claim(
                book="beacon",
                ref=name,
                refs=(f"beacon:{name}",),
                name=name,
                at=row.at,
                kind="unstaking" if amount >= STAKE else "staking_reward",
                label=f"withdrawal of validator {row.validator_index}",
                legs=(
                    Leg(
                        "withdrawal",
                        f"validator:{row.validator_index}",
                        CHAIN.native.id,
                        -amount,
                        "principal",
                        page.params["address"],
                    ),
                ),
                confirmed_at=row.at,
                event=f"{CHAIN.caip2}:{name}",
                height=row_height(row),
                evidence=evidence,
            )


def _legs(claims: Sequence[Claim]) -> list[Leg]:
    seen = {leg.wallet: leg for claim in claims for leg in claim.legs}
    return list(seen.values())
