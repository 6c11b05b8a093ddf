"""Addresses, storage keys and records of accounts as they are documented, and recordings of nodes replayed."""

import json
from typing import Any

import pytest
from tests.fixtures import require
from tests.venues.substrate.world import ALICE, GENESIS, compact, wide

from omnifolio.app.link import check
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.app.replay import replay_file
from omnifolio.catalog import assets
from omnifolio.catalog.substrate_chains import substrate_chain, substrate_chains
from omnifolio.model.errors import FileRefused, InvalidField, PrivateKeyRefused, VenueBadResponse
from omnifolio.model.settings import Settings
from omnifolio.model.tokens import token_id
from omnifolio.venues.substrate import storage
from omnifolio.venues.substrate.address import account_of, decode, encode
from omnifolio.venues.substrate.fungibles import Fungibles, Unreadable, fungibles

KUSAMA, POLKADOT = substrate_chain("kusama"), substrate_chain("polkadot-asset-hub")
SPELT = {
    42: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    0: "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
    2: "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",
}
"""Alice's account on chains of three prefixes, from Substrate's documentation of accounts; seen 2026-11."""
ALICE_KEY = (
    "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9de1e86a9a8c739864cf3cc5ec2bea59f"
    "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
)
"""Where her coins stand: the vectors of polkadot-js; seen 2026-11."""
ASTAR, ASTAR_PREFIX = "ZEyDXf6563rc78ibEtYQAkHTSKLzMES1m2BrPNdLcma57Tg", 5
ASTAR_KEY = (
    "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9e3a5c81a65b0e6ba8e72e48e58704482"
    "922ee694ea772dc63a575845fa57a0c5ea93dfdc2a93ec631d9e426962f1e311"
)
ASTAR_RECORD = (
    "0x0000000001000000010000000000000032b41eb5b90885078a55030100000000"
    "0000000000000000000000000000000000000081da1cc2709a1dba000000000000000000000000000000000000000080"
)
"""A question and its answer in Dwellir's documentation of `state_getStorage`; seen 2026-11."""
STAKING_LEDGER = "5f3e4907f716ac89b6347d15ececedca422adb579f1dbf4f3886c5cfa3bb8cc4"
"""The prefix of Staking.Ledger, as every explorer of storage shows it."""
PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"


def recording(*pairs: tuple[str, list[Any], Any]) -> bytes:
    """A recorded conversation with a node."""
    requests = [
        {
            "method": "POST", "url": "https://kusama.invalid/rpc",
            "body": {"jsonrpc": "2.0", "method": method, "params": params, "id": 1},
            "response": {"jsonrpc": "2.0", "id": 1, "result": result},
        }
        for method, params, result in pairs
    ]  # fmt: skip
    return json.dumps({"name": "x", "group": "other", "venue": "substrate", "kind": "substrate", "requests": requests}).encode()


def record(free: int, reserved: int) -> str:
    return f"0x{(bytes(16) + wide(free, reserved, 0, 0)).hex()}"


@pytest.mark.parametrize("prefix", SPELT)
def test_an_account_has_a_spelling_on_every_chain(prefix: int) -> None:
    assert encode(ALICE, prefix) == SPELT[prefix]
    assert decode(SPELT[prefix]) == (prefix, ALICE)


def test_prefixes_of_two_bytes_are_understood() -> None:
    for prefix in (64, 255, 1284, 2092, 16_383):
        assert decode(encode(ALICE, prefix)) == (prefix, ALICE)


def test_an_address_is_kept_as_its_chain_writes_it() -> None:
    offers = Offers(all_offers(Settings()))
    for entered in (SPELT[42], SPELT[2], f" {SPELT[2]} "):
        assert check(offers.of("kusama-asset-hub"), {"address": entered}, fingerprint_key=b"k" * 32).fields == {
            "wallet": SPELT[2]
        }


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (SPELT[0], f"written for Polkadot Asset Hub or Polkadot; the same account on Kusama is {SPELT[2]}"),
        (encode(ALICE, 5), "a chain with prefix 5"),
        (SPELT[2][:-1] + "G", "checksum"),
        (SPELT[2][:-2], "is no account"),
        ("0x" + "ab" * 20, "Ethereum"),
        ("", "46 to 48 letters"),
    ],
)
def test_what_is_no_address_of_the_chain_is_told_why(text: str, wrong: str) -> None:
    with pytest.raises(InvalidField, match=wrong):
        account_of(KUSAMA, text)


@pytest.mark.parametrize("secret", [PHRASE, "0x" + ALICE.hex(), ALICE.hex()])
def test_a_seed_is_refused(secret: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        account_of(KUSAMA, secret)


def test_keys_of_the_storage_are_those_of_the_chain() -> None:
    assert storage.account_key(ALICE) == ALICE_KEY
    assert storage.account_in(ALICE_KEY) == ALICE
    assert [storage.account_in(key) for key in (ALICE_KEY[:-2], ALICE_KEY[:-1], "0x", "", f"0x{STAKING_LEDGER}")] == [None] * 5
    assert storage.ledger_key(ALICE).startswith(f"0x{STAKING_LEDGER}")
    assert f"{storage.xxh64(bytes(range(32)), 0):016x}" == "cbf59c5116ff32b4"
    assert f"{storage.xxh64(bytes(range(101)), 1):016x}" == "436499928c06f890"


def test_a_documented_answer_is_read() -> None:
    account = storage.account_in(ASTAR_KEY)
    assert account is not None
    assert encode(account, ASTAR_PREFIX) == ASTAR
    found = storage.amounts(bytes.fromhex(ASTAR_RECORD.removeprefix("0x")))
    assert (found.free, found.reserved) == (0x0103558A078508B9B51EB432, 0)


@pytest.mark.parametrize("counters", [8, 12, 16])
def test_records_of_earlier_forms_are_read_too(counters: int) -> None:
    assert storage.amounts(bytes(counters) + wide(3, 2, 1, 0)) == storage.Amounts(3, 2, 1)
    with pytest.raises(VenueBadResponse, match="no form of its record"):
        storage.amounts(bytes(counters + 2) + wide(3, 2, 1, 0))


@pytest.mark.parametrize(
    ("data", "number"),
    [("00", 0), ("fc", 63), ("0101", 64), ("feff0300", 65_535), ("0300000040", 1 << 30), ("130000000000000001", 1 << 56)],
)
def test_compact_numbers_are_read(data: str, number: int) -> None:
    """The examples of SCALE's documentation, and one number that is longer."""
    assert storage.compact(bytes.fromhex(data)) == number
    assert storage.compact(compact(number)) == number
    with pytest.raises(VenueBadResponse, match="too early"):
        storage.compact(bytes.fromhex(data)[:-1])


@pytest.mark.parametrize(
    ("data", "own", "others"),
    [
        ("00030400010000", {}, None),
        ("000304" + "00" + "0100" + "00" + "04", {}, 0),
        ("000504" + "00020432" + "05011f" + "00" + "a10f", {1984: 1000}, 0),
        ("000504" + "00020437" + "0528" + "00" + "04", {}, 1),
        ("000404" + "0202" + "0907" + "04" + "0300" + "ab" * 20 + "00" + "04", {}, 1),
        ("000404" + "0101" + "00a10f" + "00" + "04", {}, 1),
        ("000404" + "0001" + "06" + "02" + "cd" * 32 + "00" + "04", {}, 1),
        ("000404" + "0001" + "0101" + "00" + "ee" * 32 + "ab" * 32 + "00" + "04", {}, 1),
        ("000404" + "0001" + "0200" + "04" + "00" + "04", {}, 1),
        ("000400", {}, 0),
    ],
    ids=["cut", "the coin", "USDT", "of a pool", "of Ethereum", "a chain's", "with a key", "an account's", "an index", "none"],
)
def test_assets_of_every_location_are_read(data: str, own: dict[int, int], others: int | None) -> None:
    """Written by XCM's format, versions 3 to 5. A location with more behind it, or with less, is no answer."""
    if others is None:
        with pytest.raises(Unreadable):
            fungibles(bytes.fromhex(data))
        return
    assert fungibles(bytes.fromhex(data)) == Fungibles(own, others)
    for wrong in (data + "00", data[:-2]):
        with pytest.raises(Unreadable):
            fungibles(bytes.fromhex(wrong))


@pytest.mark.parametrize("data", ["", "01", "0002", "00040400010008" + "00", "00040400010800", "0004040000" + "01"])
def test_what_is_no_list_of_assets_is_said_to_be_none(data: str) -> None:
    with pytest.raises(Unreadable):
        fungibles(bytes.fromhex(data))


def test_rows_are_what_they_claim_to_be() -> None:
    members = assets.load().members()
    for chain in substrate_chains().values():
        tokens = [chain.native, *map(chain.asset, chain.assets)]
        assert all(token_id(facts.id) in members for facts in tokens)
        assert all(node.startswith("https://") for node in chain.nodes)
        assert substrate_chain(chain.caip2) is chain
    assert members[POLKADOT.asset(1337).id][0][1].id == "usd-coin"
    with pytest.raises(InvalidField, match="expected one of polkadot-asset-hub"):
        substrate_chain("kulupu")


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("state_getStorage", [ALICE_KEY], record(5 * 10**11, 25 * 10**10)),
        ("state_getStorageAt", [ALICE_KEY, GENESIS], record(5 * 10**11, 25 * 10**10)),
        ("state_queryStorageAt", [[ALICE_KEY]], [{"block": GENESIS, "changes": [[ALICE_KEY, record(5 * 10**11, 25 * 10**10)]]}]),
    ],
)
async def test_recorded_storage_gives_the_coins_of_its_accounts(method: str, params: list[Any], result: Any) -> None:
    lines: list[Any] = await replay_file(
        recording(
            ("system_properties", [], {"ss58Format": 2, "tokenDecimals": 12, "tokenSymbol": "KSM"}),
            ("state_getStorage", [f"0x{STAKING_LEDGER}"], None),
            (method, params, result),
        )
    )
    held = {(line["asset"], line["amount"]) for line in lines if line["kind"] == "balance"}
    assert held == {("KSM", "0.5"), ("KSM", "0.25")}


async def test_an_account_that_is_not_there_holds_nothing() -> None:
    lines: list[Any] = await replay_file(recording(("chain_getBlockHash", [0], GENESIS), ("state_getStorage", [ALICE_KEY], None)))
    assert [line for line in lines if line["kind"] == "balance"] == []


@pytest.mark.parametrize("name", ["Kulupu", None])
async def test_a_recording_of_an_unknown_chain_is_refused(name: str | None) -> None:
    with pytest.raises(FileRefused, match="which chain"):
        await replay_file(recording(("system_chain", [], name), ("state_getStorage", [ALICE_KEY], None)))


async def test_recorded_cases_are_read() -> None:
    """Cases that ask for no account give no facts."""
    for path in [path for path in require("other") if path.name.startswith("substrate__")]:
        case = json.loads(path.read_bytes())
        found: list[Any] = await replay_file(path.read_bytes())
        assert len([line for line in found if line["kind"] == "balance"]) == len(case["expected"])
