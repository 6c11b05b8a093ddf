"""Transactions and headers from their bytes: real ones by their names, made-up ones by their parts, and damaged ones refused."""

import pytest

from omnifolio.catalog.utxo_chains import utxo_chain
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.base58 import double_sha256
from omnifolio.venues.utxo.raw import read_header, read_transaction
from omnifolio.venues.utxo.zcash import read_zcash

FIRST_PAYMENT = (
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25f"
    "df3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00"
    "000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5"
    "c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf97444"
    "64f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000"
)
"""Bitcoin's first payment, in block 170."""
FIRST_NAME = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
SAPLING = (
    "0400008085202f890168039326c180fa7b1e999392e25a3ec6a8aec83c11b787ddb1746922020682e3000000006b483045022100f28298891f48706697a6"
    "f898ac18e39ce2c7cebe547b585d51cc22d80b1b21a602201a807b8a18544832d95d1e3ada82c0617bc6d97d3f24d1fb4801ac396647aa880121030e669a"
    "cac1f280d1ddf441cd2ba5e97417bf2689e4bbec86df4f831bf9f7ffd0ffffffff016c9be111000000001976a9145b157a678a10021243307e4bb58f3637"
    "5aa80e1088ac00000000000000000000000000000000000000"
)
"""A payment of Zcash's test network."""
SAPLING_NAME = "0cef132c1d6d67f11cfa48f7fca3209da29cf872ac782354bedb686e61a17a78"
GENESIS = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9f"
    "b8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
BODY = b"\x01" + b"\x07" * 32 + b"\x01\0\0\0" + b"\0" + b"\xff" * 4 + b"\x01" + (90).to_bytes(8, "little") + b"\x01\x51"
"""One input without a script, and one output of 90 units."""


def signed(units: int) -> bytes:
    """A signed amount."""
    return units.to_bytes(8, "little", signed=True)


def named(data: bytes) -> tuple[str, str]:
    """A transaction whose name is the hash of all its bytes."""
    return data.hex(), double_sha256(data)[::-1].hex()


def test_a_real_payment_is_read_and_known_by_its_name() -> None:
    found = read_transaction(FIRST_PAYMENT, FIRST_NAME)
    assert [(point.name[:8], point.n) for point in found.inputs] == [("0437cd7f", 0)]
    assert [output.units for output in found.outputs] == [10 * 10**8, 40 * 10**8]
    with pytest.raises(VenueBadResponse, match="another transaction"):
        read_transaction(FIRST_PAYMENT, FIRST_NAME[::-1])
    with pytest.raises(VenueBadResponse, match="another transaction"):
        read_transaction(FIRST_PAYMENT.replace("00ca9a3b", "01ca9a3b"), FIRST_NAME)


def test_witnesses_and_extension_blocks_do_not_count_for_the_name() -> None:
    plain = b"\x02\0\0\0" + BODY + b"\x09\0\0\0"
    name = double_sha256(plain)[::-1].hex()
    for flag, rest in ((b"\x01", b"\x01\x01\xaa"), (b"\x08", b"\0"), (b"\x09", b"\x01\x01\xaa\0")):
        segwit = b"\x02\0\0\0" + b"\0" + flag + BODY + rest + b"\x09\0\0\0"
        assert read_transaction(segwit.hex(), name).outputs[0].units == 90


def test_bytes_behind_the_lock_time_count_for_the_name() -> None:
    """Dash's special transactions."""
    assert read_transaction(*named(b"\x03\0\x08\0" + BODY + bytes(4) + b"\x02\xaa\xbb")).outputs[0].units == 90


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_transaction_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(VenueBadResponse):
        read_transaction(*named((b"\x02\0\0\0" + BODY + bytes(4))[:length]))


@pytest.mark.parametrize("text", ["zz", "02000000fdffffff", "02000000feffffffff", "0200000001" + "00" * 3])
def test_lengths_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(VenueBadResponse):
        read_transaction(text, FIRST_NAME)


def test_a_header_tells_its_hash_and_time() -> None:
    bitcoin = utxo_chain("bitcoin")
    found = read_header(GENESIS, bitcoin)
    assert (found.hash, found.at) == ("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 1_231_006_505_000)
    with pytest.raises(VenueBadResponse):
        read_header(GENESIS[:100], bitcoin)
    assert read_header(GENESIS + "aabb", utxo_chain("dogecoin")) == found, "a proof of mining with another coin may follow"


def test_a_payment_of_zcash_is_read_and_known_by_its_name() -> None:
    found = read_zcash(SAPLING, SAPLING_NAME)
    assert ([output.units for output in found.outputs], found.shielded) == ([299_998_060], 0)
    with pytest.raises(VenueBadResponse, match="another transaction"):
        read_zcash(SAPLING, SAPLING_NAME[::-1])


def test_what_moves_between_zcash_and_its_pools_is_one_number() -> None:
    sprout = signed(70) + signed(5) + bytes(288 + 192 + 1202)
    old_sprout = signed(70) + signed(5) + bytes(288 + 296 + 1202)
    head = bytes.fromhex("0400008085202f89")
    fourth = (
        head + BODY + bytes(8) + signed(-30) + b"\x01" + bytes(384) + b"\x01" + bytes(948) + b"\x01" + sprout + bytes(96 + 64)
    )
    assert read_zcash(*named(fourth)).shielded == -30 - 70 + 5
    second = b"\x02\0\0\0" + BODY + bytes(4) + b"\x01" + old_sprout + bytes(96)
    assert read_zcash(*named(second)).shielded == -65
    sapling = b"\x01" + bytes(96) + b"\x01" + bytes(756) + signed(40) + bytes(32 + 192 + 64 + 192 + 64)
    orchard = b"\x01" + bytes(820) + b"\x03" + signed(-25) + bytes(32)
    fifth = bytes.fromhex("050000800a27a726") + bytes(12) + BODY + sapling + orchard
    assert read_zcash(fifth.hex(), "any").shielded == 15
    assert read_zcash((bytes.fromhex("050000800a27a726") + bytes(12) + BODY + bytes(3)).hex(), "any").shielded == 0
    with pytest.raises(VenueBadResponse, match="version 6"):
        read_zcash((bytes.fromhex("06000080") + bytes(60)).hex(), "any")
