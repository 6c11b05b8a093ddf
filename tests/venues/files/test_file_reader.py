"""Uploaded files: bad lines are named and cost nothing else, equal lines count, sizes are bounded, nothing is executed."""

import json

import pytest

from omnifolio.catalog import layouts
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access
from omnifolio.venues.files import table
from omnifolio.venues.files.reader import FileReader
from omnifolio.venues.registry import reader_for

HEADER = "date,type,asset,amount,fee,fee_asset,id,group\n"
LEDGER_HEADER = '"txid","refid","time","type","subtype","aclass","asset","wallet","amount","fee","balance"\n'


class Clock:
    def now(self) -> EpochMs:
        return EpochMs(1_700_000_000_000)

    def monotonic(self) -> float:
        return 0.0


def access(content: str, **fields: str) -> Access:
    clock = Clock()
    return Access(
        venue="file-omnifolio", egress=Egress(clock=clock), clock=clock, key_label="", fields={"content": content, **fields}
    )


async def read(content: str, token: str = "", **fields: str) -> list[Batch]:
    reader, given = FileReader(), access(content, **fields)
    (stream,) = reader.streams(given)
    return [batch async for batch in reader.read(given, Cursor(stream.name, token))]


async def claims(content: str) -> list[Claim]:
    return [claim for batch in await read(content) for claim in batch.claims]


def legs(claim: Claim) -> list[str]:
    return [f"{leg.amount} {leg.token.partition('/')[2]} {leg.role}" for leg in claim.legs]


async def test_lines_of_one_group_share_a_name_and_a_fee_is_a_leg() -> None:
    sell, buy = await claims(
        HEADER + "2024-01-02 03:04:05,sell,BTC,-0.5,,,,t1\n2024-01-02T03:04:05Z,buy,EUR,20000,12.5,EUR,,t1\n"
    )
    assert set(sell.refs) & set(buy.refs)
    assert (sell.kind, legs(sell)) == ("trade", ["-0.5 BTC principal"])
    assert legs(buy) == ["20000 EUR principal", "-12.5 EUR fee"]
    assert sell.at == buy.at == 1_704_164_645_000


async def test_equal_lines_are_different_events_and_the_same_file_twice_is_not() -> None:
    line = "2024-01-02,deposit,BTC,1,,,,\n"
    first, second = await claims(HEADER + line + line)
    assert first.ref != second.ref
    assert [claim.ref for claim in await claims(HEADER + line + line)] == [first.ref, second.ref]
    assert [claim.ref for claim in await claims(HEADER + line)] == [first.ref]


async def test_equal_lines_on_different_pages_are_different_events() -> None:
    line = "2024-01-02,deposit,BTC,1,,,,\n"
    found = await claims(HEADER + line * (table.PAGE_LINES * 2 + 1))
    assert len({claim.ref for claim in found}) == table.PAGE_LINES * 2 + 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2024-13-02,deposit,BTC,1,,,,", "time"),
        ("2024-01-02,deposit,BTC,1;000,,,,", "amount"),
        ("2024-01-02,deposit,BTC,NaN,,,,", "amount"),
        ("2024-01-02,deposit,BTC,=1+1,,,,", "amount"),
        ("2024-01-02,deposit,=HYPERLINK(1),1,,,,", "asset"),
        ("2024-01-02,deposit,,1,,,,", "token code"),
        ("2024-01-02", "type"),
    ],
)
async def test_a_bad_line_is_named_by_its_number_and_the_good_ones_stay(line: str, reason: str) -> None:
    good = "2024-01-02,deposit,BTC,1,,,,\n"
    (batch,) = await read(HEADER + good + line + "\n" + good)
    assert len(batch.claims) == 2
    assert [gap.text.startswith("line 3 was left out: ") and reason in gap.text for gap in batch.gaps] == [True]


async def test_line_numbers_hold_across_pages_and_quoted_line_breaks() -> None:
    good = '2024-01-02,"deposit\n",BTC,1,,,,\n'
    batches = await read(HEADER + good * table.PAGE_LINES + "bad,deposit,BTC,1,,,,\n")
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert gap.text.startswith(f"line {table.PAGE_LINES * 2 + 2} ")


async def test_a_reading_goes_on_after_the_last_page_and_starts_anew_for_another_file() -> None:
    content = HEADER + "".join(f"2024-01-02,deposit,BTC,{n},,,,\n" for n in range(1, table.PAGE_LINES + 10))
    first, second = await read(content)
    assert second.done
    assert not first.done
    assert [batch.claims for batch in await read(content, first.cursor.token)] == [second.claims]
    assert await read(content, second.cursor.token) == []
    assert len(await read(content + "2024-01-02,deposit,BTC,5,,,,\n", second.cursor.token)) == 2


async def test_the_pages_alone_give_the_same_claims() -> None:
    """A rebuild has only the evidence, which is the file cut in pieces."""
    for batch in await read(HEADER + "2024-01-02,deposit,BTC,1,,,,\n" * (table.PAGE_LINES + 3)):
        again = reader_for("kraken", batch.cursor.stream).decode("file-omnifolio", batch.cursor.stream, batch.evidence)
        assert again.claims == batch.claims


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b,c\n1,2,3\n", "none that is known"),
        ("", "none that is known"),
        (HEADER + 'x,"unclosed\n', "not a CSV record"),
        (HEADER + "\0", "binary"),
        (HEADER + "x" * (table.FIELD_CHARS_MAX + 1) + "\n", "not a CSV record"),
        (",".join(f"c{n}" for n in range(table.COLUMNS_MAX + 1)), "columns"),
    ],
)
async def test_what_is_no_known_table_is_refused(content: str, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        await read(content)


@pytest.mark.parametrize(
    ("venue", "token"),
    [
        ("kraken", "venue:kraken/XXBT"),
        ("binance", "venue:binance/BTC"),
        ("demo", "venue:demo/BTC"),
        ("ethereum", "venue:file/BTC"),
    ],
)
async def test_what_is_added_by_hand_counts_for_the_balance_of_its_venue(venue: str, token: str) -> None:
    """Else a gap could be filled without its balance ever adding up."""
    [batch] = await read(HEADER + "2024-01-02,deposit,BTC,1,,,,\n")
    told = reader_for(venue, batch.cursor.stream).decode(venue, batch.cursor.stream, batch.evidence)
    assert [leg.token for claim in told.claims for leg in claim.legs] == [token]


async def test_a_named_layout_must_fit_the_file() -> None:
    with pytest.raises(FileRefused, match="no column 'txid'"):
        await read(HEADER, layout="kraken-ledgers")
    with pytest.raises(FileRefused, match="no file layout"):
        await read(HEADER, layout="unheard-of")


async def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LINES_MAX", 2)
    with pytest.raises(FileRefused, match="more than 2 records"):
        await read(HEADER + "2024-01-02,deposit,BTC,1,,,,\n" * 3)
    monkeypatch.setattr(table, "FILE_BYTES_MAX", 10)
    with pytest.raises(FileRefused, match="larger than"):
        await read(HEADER)


async def test_krakens_announcing_lines_say_nothing_and_the_wallet_column_decides() -> None:
    """Older exports announce a deposit in a line without a ledger id before another line books it."""
    content = (
        LEDGER_HEADER
        + '"","QDEP","2024-01-02 03:04:05","deposit","","currency","XXBT","","1.5","0",""\n'
        + '"LDEP","QDEP","2024-01-02 03:04:06","deposit","","currency","XXBT","spot / main","1.5","0","1.5"\n'
        + '"LEARN","QEARN","2024-01-02 03:04:07","earn","reward","currency","ATOM","earn / flexible","0.1","0","0.1"\n'
    )
    deposit, reward = await claims(content)
    assert (deposit.ref, deposit.book, deposit.origin) == ("LDEP", "ledger", "file")
    assert [leg.wallet for leg in reward.legs] == ["earn"]


@pytest.mark.parametrize("layout", layouts.ids())
def test_every_layout_is_recognised_by_its_own_header(layout: str) -> None:
    row = layouts.load(layout)
    assert table.recognised((",".join(row.header) + "\n").encode()) == row


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_the_delimiter_is_that_of_the_header(delimiter: str) -> None:
    content = f"date,type,asset,amount\n2024-01-02,deposit,BTC,{'1.5'}\n".replace(",", delimiter)
    [batch] = await read(content)
    assert [legs(claim) for claim in batch.claims] == [["1.5 BTC principal"]]
    assert reader_for("kraken", batch.cursor.stream).decode("kraken", batch.cursor.stream, batch.evidence).claims[0].ref


async def test_lines_before_the_header_are_not_read_and_counted() -> None:
    content = "\nTransactions\nUser,someone\n" + HEADER + "2024-01-02,deposit,BTC,1,,,,\nbad,deposit,BTC,1,,,,\n"
    [batch] = await read(content)
    assert len(batch.claims) == 1
    assert [gap.text.partition(" was")[0] for gap in batch.gaps] == ["line 6"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    body = HEADER.encode(encoding)
    if encoding == "utf-16-le":
        with pytest.raises(FileRefused, match="binary"):
            table.opened(body)
    else:
        assert table.opened(body).layout.id == "omnifolio"


def test_the_second_column_of_a_name_has_a_name_of_its_own() -> None:
    evidence = Evidence(stream="file/x", request="FILE x", received_at=EpochMs(0), body=b"Buy,Cur.,Sell,Cur.\n1,BTC,2,EUR\n")
    assert [line.cells for line in table.lines_of(evidence)] == [{"Buy": "1", "Cur.": "BTC", "Sell": "2", "Cur.#2": "EUR"}]


async def test_what_we_guarded_against_a_spreadsheet_is_read_as_it_was() -> None:
    [claim] = await claims(HEADER + "2024-01-02,'-odd,BTC,1,,,,\n")
    assert claim.label == "-odd"


async def test_a_file_that_says_its_zone_is_given_none() -> None:
    with pytest.raises(FileRefused, match="says itself"):
        await read(HEADER, time_zone="Europe/Berlin")


async def test_the_zone_and_what_is_known_are_kept_with_the_pages() -> None:
    """Else a rebuild would read other times, and what was joined would come apart."""
    content = "no,time,action_desc,action_data,type,change_amount\n1,2024-07-15 12:00:00,Deposits,,USDT,10\n"
    [plain] = await read(content, time_zone="Europe/Berlin")
    [ref] = [claim.ref for claim in plain.claims]
    [joined] = await read(content, time_zone="Europe/Berlin", matches=json.dumps({ref: "deposit:77"}))
    [claim] = reader_for("gate", joined.cursor.stream).decode("gate", joined.cursor.stream, joined.evidence).claims
    assert claim.at == plain.claims[0].at == 1_721_037_600_000
    assert (claim.refs, claim.legs) == ((f"file-gate:{ref}", "deposit:77"), ())
    [elsewhere] = await read(content, time_zone="Europe/Berlin", matches=json.dumps({ref: ""}))
    assert elsewhere.claims == ()
