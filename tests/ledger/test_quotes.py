"""Stored prices: what is believed, what is looked up, what is asked again; on both databases."""

import itertools
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from omnifolio.ledger import overrides, quotes, rates, spikes
from omnifolio.ledger.overrides import Override
from omnifolio.ledger.tokens import intern
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.errors import CallerError, NotFound
from omnifolio.model.facts import Quote
from omnifolio.model.ids import TeamId, UserId
from omnifolio.model.prices import ALL_TIME, NOW_INTERVAL_MS, Absence, Price, Quotes, Rate, Reason, Unpriced, Wanted, bucket_of
from omnifolio.model.tokens import TokenId
from omnifolio.store.engine import Store
from omnifolio.store.schema import quotes as quotes_table
from omnifolio.store.schema import teams, users

NOON = EpochMs(1_714_564_800_000)  # 2024-05-01 12:00 UTC
BTC = TokenId("venue:kraken/XXBT")
ORB = TokenId("venue:coinbase/ORB")


def at(*, days: int = 0, hours: int = 0, minutes: int = 0) -> EpochMs:
    """An instant relative to noon of 2024-05-01, 30 seconds into its minute."""
    return EpochMs(NOON + days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + 30_000)


def priced(
    price: str, when: EpochMs, *, token: TokenId = BTC, resolution: int = MINUTE_MS, source: str = "one", seen: int = 0
) -> Quote:
    return Quote(
        token=token,
        currency="USD",
        bucket=bucket_of(when, resolution),
        resolution=resolution,
        price=Decimal(price),
        source=source,
        observed_at=EpochMs(when + seen),
    )


def absent(reason: Reason, when: EpochMs, *, token: TokenId = BTC, resolution: int = MINUTE_MS) -> Absence:
    bucket = EpochMs(0) if resolution == ALL_TIME else bucket_of(when, resolution)
    return Absence(token=token, bucket=bucket, resolution=resolution, reason=reason, source="", observed_at=when)


def minute(when: EpochMs, *, token: TokenId = BTC) -> Wanted:
    return Wanted(token=token, ticker="X", at=when, resolution=MINUTE_MS)


class Shelf:
    """A store with two tokens, and short ways to put and look up."""

    def __init__(self, store: Store, numbers: dict[TokenId, int]) -> None:
        self.store, self.numbers = store, numbers

    async def put(self, *found: Quote, absences: Sequence[Absence] = ()) -> quotes.Stored:
        return await self.store.write_sync(quotes.put, found, absences)

    async def lookup(
        self, *instants: EpochMs, token: TokenId = BTC, tolerance_ms: int = 0, principal: Principal | None = None
    ) -> Quotes:
        asked = [(self.numbers[token], instant) for instant in instants]
        return await self.store.read(quotes.lookup, asked, principal=principal, tolerance_ms=tolerance_ms)

    async def price(self, when: EpochMs, *, token: TokenId = BTC, tolerance_ms: int = 0) -> str:
        """`"60000"`, `"60000 stale"`, or the reason in brackets."""
        answer = (await self.lookup(when, token=token, tolerance_ms=tolerance_ms)).at(self.numbers[token], when)
        if isinstance(answer, Unpriced):
            return f"({answer.reason})"
        return f"{answer.price}{' stale' if answer.is_stale else ''}"

    async def version(self) -> int:
        return await self.store.read(quotes.version)


@pytest.fixture
async def shelf(store: Store) -> Shelf:
    found = await store.write(intern, [BTC, ORB], ())
    return Shelf(store, {token: row.number for token, row in found.items()})


async def test_the_finest_bucket_around_the_instant_gives_the_price(shelf: Shelf) -> None:
    await shelf.put(priced("1", at(), resolution=DAY_MS))
    assert await shelf.price(at()) == "1"
    await shelf.put(priced("2", at(), resolution=HOUR_MS))
    assert await shelf.price(at()) == "2"
    await shelf.put(priced("3", at()))
    assert await shelf.price(at()) == "3"
    assert await shelf.price(at(minutes=1)) == "2"
    assert await shelf.price(at(hours=1)) == "1"


async def test_a_price_is_carried_forward_for_three_days_and_says_so(shelf: Shelf) -> None:
    await shelf.put(priced("7", at()))
    assert await shelf.price(at(minutes=5)) == "7 stale"
    assert await shelf.price(at(minutes=5), tolerance_ms=NOW_INTERVAL_MS) == "7"
    assert await shelf.price(at(minutes=20), tolerance_ms=NOW_INTERVAL_MS) == "7 stale"
    assert await shelf.price(at(days=2, hours=23)) == "7 stale"
    assert await shelf.price(at(days=4)) == "(not_asked)"
    assert await shelf.price(at(minutes=-1)) == "(not_asked)"


async def test_a_recent_minute_stands_before_the_hour_only_for_the_price_of_now(shelf: Shelf) -> None:
    await shelf.put(priced("1", at(), resolution=HOUR_MS), priced("2", at(minutes=3)))
    assert await shelf.price(at(minutes=5)) == "1"
    assert await shelf.price(at(minutes=5), tolerance_ms=NOW_INTERVAL_MS) == "2"


async def test_an_absence_keeps_its_reason_and_never_becomes_zero(shelf: Shelf) -> None:
    await shelf.put(absences=[absent("source_failed", at()), absent("no_source", at(), token=ORB, resolution=ALL_TIME)])
    assert await shelf.price(at()) == "(source_failed)"
    assert await shelf.price(at(hours=2)) == "(not_asked)"
    assert await shelf.price(at(days=-900), token=ORB) == "(no_source)"


async def test_a_coarser_answer_is_no_absence(shelf: Shelf) -> None:
    await shelf.put(priced("5", at(), resolution=HOUR_MS), absences=[absent("coarser", at())])
    assert await shelf.price(at()) == "5"


async def test_a_tenfold_jump_is_kept_apart_until_a_second_source_confirms_it(shelf: Shelf) -> None:
    await shelf.put(priced("60000", at()))
    stored = await shelf.put(priced("660000", at(minutes=20)))
    assert [item.price for item in stored.suspects] == [Decimal(660000)]
    assert await shelf.price(at(minutes=20), tolerance_ms=NOW_INTERVAL_MS) == "60000 stale"
    again = await shelf.put(priced("660000", at(minutes=20)))
    assert len(again.suspects) == 1, "a source does not confirm itself"
    confirmed = await shelf.put(priced("650000", at(minutes=20), source="two"))
    assert confirmed.suspects == ()
    answer = (await shelf.lookup(at(minutes=20))).at(shelf.numbers[BTC], at(minutes=20))
    assert isinstance(answer, Price)
    assert (answer.price, answer.source, answer.route) == (Decimal(660000), "one", "confirmed by two")


async def test_a_second_source_that_agrees_with_the_neighbours_replaces_the_spike(shelf: Shelf) -> None:
    await shelf.put(priced("60000", at()))
    await shelf.put(priced("6", at(minutes=20)))
    stored = await shelf.put(priced("60100", at(minutes=20), source="two"))
    assert stored.suspects == ()
    assert await shelf.price(at(minutes=20)) == "60100"


async def test_a_spike_alone_gives_no_price_but_its_reason(shelf: Shelf) -> None:
    await shelf.put(priced("60000", at(days=-20)))
    await shelf.put(priced("1", at()))
    assert await shelf.price(at()) == "(spike)"


async def test_two_first_prices_that_contradict_each_other_are_both_doubted(shelf: Shelf) -> None:
    stored = await shelf.put(priced("1", at()), priced("100", at(minutes=1)))
    assert len(stored.suspects) == 2
    assert await shelf.price(at()) == "(spike)"


async def test_a_spike_in_the_first_series_does_not_take_its_neighbours_with_it(shelf: Shelf) -> None:
    series = [priced(price, at(hours=hour)) for hour, price in enumerate(["5000", "50", "51", "52"])]
    stored = await shelf.put(*series)
    assert [item.price for item in stored.suspects] == [Decimal(5000)]
    assert await shelf.price(at(hours=3)) == "52"


async def test_a_stored_price_never_changes(shelf: Shelf) -> None:
    await shelf.put(priced("60000", at()))
    before = await shelf.version()
    await shelf.put(priced("60001", at(), source="two"), absences=[absent("source_failed", at())])
    assert await shelf.price(at()) == "60000"
    assert await shelf.version() == before


async def test_the_version_rises_with_every_change_and_only_then(shelf: Shelf) -> None:
    versions = [await shelf.version()]
    for found, gone in (((priced("1", at()),), ()), ((), (absent("no_source", at(minutes=1)),)), ((priced("1", at()),), ())):
        await shelf.put(*found, absences=gone)
        versions.append(await shelf.version())
    await shelf.store.write(rates.put_rates, [rate("1.1", NOON)])
    versions.append(await shelf.version())
    await shelf.store.write(rates.put_rates, [rate("1.1", NOON)])
    versions.append(await shelf.version())
    assert [later - earlier for earlier, later in itertools.pairwise(versions)] == [1, 1, 0, 1, 0]


async def test_what_was_answered_is_not_asked_again_before_its_time(shelf: Shelf) -> None:
    await shelf.put(priced("1", at()), absences=[absent("source_failed", at(minutes=1)), absent("coarser", at(minutes=2))])
    wants = [minute(at(minutes=n)) for n in range(4)]
    soon = await shelf.store.read(quotes.missing, wants, now=at(minutes=5))
    later = await shelf.store.read(quotes.missing, wants, now=at(hours=1))
    assert soon == wants[3:]
    assert later == [wants[1], wants[3]]
    again = await shelf.store.read(quotes.retries, now=at(hours=1), wants_max=10)
    assert [want.bucket for want in again] == [wants[1].bucket]


async def test_a_token_that_no_source_can_know_is_not_asked_minute_by_minute(shelf: Shelf) -> None:
    await shelf.put(absences=[absent("no_source", at(), token=ORB, resolution=ALL_TIME)])
    assert await shelf.store.read(quotes.missing, [minute(at(days=-5), token=ORB)], now=at(hours=1)) == []
    assert len(await shelf.store.read(quotes.missing, [minute(at(days=-5), token=ORB)], now=at(days=8))) == 1


async def test_a_price_of_an_unknown_token_is_refused(shelf: Shelf) -> None:
    with pytest.raises(NotFound, match="venue:kraken/NEW"):
        await shelf.put(priced("1", at(), token=TokenId("venue:kraken/NEW")))


async def test_equal_tickers_share_no_price(shelf: Shelf) -> None:
    await shelf.put(priced("0.84", at(), token=ORB))
    assert await shelf.price(at(), token=ORB) == "0.84"
    assert await shelf.price(at()) == "(not_asked)"


async def test_a_users_price_wins_for_this_user_alone(shelf: Shelf) -> None:
    def add(conn: Connection) -> list[Principal]:
        team = conn.execute(sa.insert(teams).values(client_id="c", name="n", created_at=1).returning(teams.c.id)).scalar_one()
        found = []
        for uuid in ("mine", "other"):
            user = conn.execute(sa.insert(users).values(team_id=team, uuid=uuid, created_at=1).returning(users.c.id)).scalar_one()
            found.append(Principal(team=TeamId(team), user=UserId(user), actor="test"))
        mine = found[0]
        overrides.set_price(conn, mine, BTC, Override(price=Decimal(2), currency="EUR"), day=None, now=at())
        overrides.set_price(conn, mine, BTC, Override(price=Decimal("3.50")), day=date(2024, 5, 1), now=at())
        return found

    mine, other = await shelf.store.write(add)
    await shelf.put(priced("60000", at()), priced("59000", at(days=-1)))
    number = shelf.numbers[BTC]
    seen = await shelf.lookup(at(), at(days=-1), principal=mine)
    today, yesterday = seen.at(number, at()), seen.at(number, at(days=-1))
    assert isinstance(today, Price)
    assert isinstance(yesterday, Price)
    assert (today.price, today.currency, today.source) == (Decimal("3.5"), "USD", "user")
    assert (yesterday.price, yesterday.currency) == (Decimal("2"), "EUR")
    theirs = (await shelf.lookup(at(), principal=other)).at(number, at())
    assert isinstance(theirs, Price)
    assert theirs.source == "one"


@pytest.mark.parametrize(
    "override", [Override(price=Decimal(-1)), Override(price=Decimal("NaN")), Override(price=Decimal(1), currency="dollars")]
)
async def test_what_can_be_no_price_is_refused_from_a_user_too(store: Store, override: Override) -> None:
    who = Principal(team=TeamId(1), user=UserId(1), actor="test")
    with pytest.raises(CallerError):
        await store.write(overrides.set_price, who, BTC, override, day=None, now=NOON)


async def test_a_page_of_three_hundred_prices_takes_a_handful_of_statements(shelf: Shelf) -> None:
    """A page of 100 transactions with 3 legs each must not ask leg by leg."""
    instants = [at(minutes=7 * n) for n in range(300)]
    await shelf.put(*(priced(str(1000 + n), instant) for n, instant in enumerate(instants)))

    def count(conn: Connection, instants: Sequence[EpochMs]) -> tuple[int, Quotes]:
        ran: list[str] = []
        sa.event.listen(conn, "before_execute", lambda *_: ran.append("x"))
        who = Principal(team=TeamId(1), user=UserId(1), actor="test")
        found = quotes.lookup(conn, [(shelf.numbers[BTC], when) for when in instants], principal=who, tolerance_ms=0)
        return len(ran), found

    statements, found = await shelf.store.read(count, instants)
    assert statements == 2, "the minutes and the user's own prices"
    assert (await shelf.store.read(count, [EpochMs(when + 60_000) for when in instants]))[0] == 3, "and what else there is"
    answers = [found.at(shelf.numbers[BTC], when) for when in instants]
    assert [answer.price for answer in answers if isinstance(answer, Price)] == [Decimal(1000 + n) for n in range(300)]


def rate(text: str, day: EpochMs, *, currency: str = "USD") -> Rate:
    return Rate(currency=currency, day=bucket_of(day, DAY_MS), rate=Decimal(text), source="ecb", observed_at=day)


async def test_the_last_published_rate_holds_for_thirty_days(store: Store) -> None:
    friday = EpochMs(NOON + 2 * DAY_MS)
    await store.write(rates.put_rates, [rate("1.07", NOON), rate("1.08", friday), rate("157.5", friday, currency="JPY")])
    days = [date(2024, 4, 30), date(2024, 5, 1), date(2024, 5, 5), date(2024, 6, 2), date(2024, 6, 3)]
    found = await store.read(rates.lookup_rates, currencies=["USD", "JPY", "EUR"], days=days)
    assert [found.per_euro("USD", day) for day in days] == [
        Unpriced("no_rate"),
        Decimal("1.07"),
        Decimal("1.08"),
        Decimal("1.08"),
        Unpriced("no_rate"),
    ]
    assert found.per_euro("EUR", days[0]) == 1
    assert await store.read(rates.rates_span) == (bucket_of(NOON, DAY_MS), bucket_of(friday, DAY_MS))


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=12), st.integers(1, 10**9))
def test_no_believed_price_is_tenfold_away_from_the_one_before_it(prices: list[int], known: int) -> None:
    """Random walks with jumps: going through the believed prices in time, no step is larger than the factor."""
    points = [(EpochMs(NOON + n * HOUR_MS), Decimal(price)) for n, price in enumerate(prices)]
    anchor = (EpochMs(NOON - HOUR_MS), Decimal(known))
    verdicts = spikes.believed(points, [anchor])
    path = [anchor[1], *(price for (_, price), is_believed in zip(points, verdicts, strict=True) if is_believed)]
    assert all(spikes.within(a, b, spikes.FACTOR_MAX) for a, b in itertools.pairwise(path))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_comes_in_whatever_order_a_price_is_believed_or_named(store: Store, data: st.DataObject) -> None:
    """Random puts: a stored price never changes, and no lookup gives a suspect or an absent one."""
    found = await store.write(intern, [BTC, ORB], ())
    await store.write(lambda conn: conn.execute(sa.delete(quotes_table)))
    shelf = Shelf(store, {token: row.number for token, row in found.items()})
    instants = [at(minutes=5 * n) for n in range(4)]
    seen: dict[EpochMs, str] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        when = data.draw(st.sampled_from(instants))
        if data.draw(st.booleans()):
            price = data.draw(st.sampled_from(["1", "5", "60", "700"]))
            await shelf.put(priced(price, when, source=data.draw(st.sampled_from(["one", "two"]))))
        else:
            await shelf.put(absences=[absent("source_failed", when)])
        for instant in instants:
            answer = (await shelf.lookup(instant)).at(shelf.numbers[BTC], instant)
            if isinstance(answer, Price) and not answer.is_stale:
                assert seen.setdefault(instant, str(answer.price)) == str(answer.price)
