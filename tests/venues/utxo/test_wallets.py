"""Addresses, extended keys and descriptors against vectors: those of the BIPs, and accounts of the BIP-39 phrase of eleven times
"abandon" and "about" as two other implementations (bip_utils 2.12, embit 0.8) derive them."""

import pytest

from omnifolio.catalog.utxo_chains import utxo_chain
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.utxo.address import script_of, spelt
from omnifolio.venues.utxo.descriptors import checksum
from omnifolio.venues.utxo.keys import extended_key
from omnifolio.venues.utxo.scan import Scan
from omnifolio.venues.utxo.scripts import address_of
from omnifolio.venues.utxo.subject import Place, subject_of

XPUB_44 = "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj"
YPUB_49 = "ypub6Ww3ibxVfGzLrAH1PNcjyAWenMTbbAosGNB6VvmSEgytSER9azLDWCxoJwW7Ke7icmizBMXrzBx9979FfaHxHcrArf3zbeJJJUZPf663zsP"
ZPUB_84 = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
XPUB_86 = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
KEY_1 = "xpub6DkFAXWQ2dHxq2vatrt9qyA3bXYU4ToWQwCHbf5XB2mSTexcHZCeKS1VZYcPoBd5X8yVcbXFHJR9R8UCVpt82VX1VhR28mCyxUFL4r6KFrf"
KEY_2 = "xpub6DzhyrnFFYQ1HimDiM388xHnDiRPNdZJFBmmxge3Y1WWcHLtMJLfRuhRHqnQCPbTj3fGKTuKFLHzzwpJkp5Dtc3UtLKZKaVZe1yqMBXd6Vk"
KEY_3 = "xpub6EGx8sPr9FxPPE1rbZazhqWwpMXA3Hf5DYKtZbL7c4BSddzmQktp96UaTvecEkoCZysuaj79GMCFZYT1KKk7Ph2M3Kf5g8B82KZ8TZ9SKQR"

ACCOUNTS = [
    ("bitcoin", YPUB_49, 0, "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf", "34K56kSjgUCUSD8GTtuF7c9Zzwokbs6uZ7"),
    ("bitcoin", ZPUB_84, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
    ("bitcoin", XPUB_44, 4, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA", "1J3J6EvPrv8q6AC3VCjWV45Uf3nssNMRtH"),
    (
        "bitcoin",
        f"tr([73c5da0a/86h/0h/0h]{XPUB_86}/<0;1>/*)",
        0,
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
    ),
    (
        "litecoin",
        "zpub6rPo5mF47z5coVm5rvWv7fv181awb7Vckn5Cf3xQXBVKu18kuBHDhNi1Jrb4br6vVD3ZbrnXemEsWJoR18mZwkUdzwD8TQnHDUCGxqZ6swA",
        0,
        "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
        "ltc1qyeljcy9v88jg8sqvnqh0m5q390xruc5r98q9yy",
    ),
    (
        "litecoin",
        "ypub6WZ2nNciqS7sCCFCH64AswfvBu4pLXTdDQcvTkrSFyEbashNb6vEJwXTCB7axKdR4TSbNYTqnU7S6sYPs9afBYqTytiTdjzmcDVRuYcrtso",
        0,
        "M7wtsL7wSHDBJVMWWhtQfTMSYYkyooAAXM",
        "MKM96scwusdaN84dfbQrFDxocYFnoBuc4Z",
    ),
    (
        "litecoin",
        "xpub6BnJJjq783EdyBeQPA9P9ao9DTS3fUqyKG5NJDcrCiwwxEkesGoHN94LZRGE7rz1jgcvmmp8j55BNx573KFq1WBwKiemzkdfNKffKx6Mvku",
        4,
        "LUWPbpM43E2p7ZSh8cyTBEkvpHmr3cB8Ez",
        "LPCewns5E4BFTQ8NirD7sJZYFguXEJTxbL",
    ),
    (
        "dogecoin",
        "dgub8rUhDtD3YFGZTUphBfpBbzvFxSMKQXYLzg87Me2ta78r2SdVLmypBUkkxrrn9RTnchsyiJSkHZyLWxD13ibBiXtuFWktBoDaGaZjQUBLNLs",
        0,
        "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC",
        "D7ReBLrRv12mi9pYh5HtfFLTt1PSoeAa7e",
    ),
    (
        "dash",
        "xpub6CYEjsU6zPM3sADS2ubu2aZeGxCm3C5KabkCpo4rkNbXGAH9M7rRUJ4E5CKiyUddmRzrSCopPzisTBrXkfCD4o577XKM9mzyZtP1Xdbizyk",
        0,
        "XoJA8qE3N2Y3jMLEtZ3vcN42qseZ8LvFf5",
        "XeBdurzVrhrFtgqf9SxzQqvhHodb53njW4",
    ),
    (
        "zcash",
        "xpub6CLX6bXDznyoBCRaHYmzfApq4dLc34UydL1gRHQTG55pNwbKSC2GvXjTQ4VS3n6P24fRd14uKz7P92xJQ3MWdRzUxGkqiftZf3riboiJLJs",
        0,
        "t1XVXWCvpMgBvUaed4XDqWtgQgJSu1Ghz7F",
        "t1YF8h4qviS77p36wWdUfe8faw4DXduYZnm",
    ),
    (
        "bitcoin-cash",
        "xpub6ByHsPNSQXTWZ7PLESMY2FufyYWtLXagSUpMQq7Un96SiThZH2iJB1X7pwviH1WtKVeDP6K8d6xxFzzoaFzF3s8BKCZx8oEDdDkNnp4owAZ",
        0,
        "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6",
        "bitcoincash:qr8aeharupyrmhfu0d4tdmsnc5y8cfk47y6qrsjsrx",
    ),
]

DESCRIPTORS = [
    (
        f"wsh(sortedmulti(2,{KEY_1}/0/*,{KEY_2}/0/*,{KEY_3}/0/*))",
        "bc1q2sz6vvu6k7y9gtc6kfgfe0p6xkhmvmdlu97eecjkykpdktvps08scdjgr5",
        "bc1q4564ve45hvvajvlsrtnfrmnlcpxzq2qtsfezhu0p6dednymfzx5s3z60la",
    ),
    (
        f"sh(wsh(sortedmulti(2,{KEY_1}/0/*,{KEY_2}/0/*)))",
        "3AG1jR5vBFrPwo7LG9D7tYsK8RSp3dfyiT",
        "3Fc9d7zZiBo4ubHf4ZdFSVFNk3xLpociEJ",
    ),
    (
        f"sh(sortedmulti(1,{KEY_1}/0/*,{KEY_2}/0/*))",
        "33w42PcofpHrhVwtEnqkMUYjLhEmrMPgxD",
        "35YM4bzMkb1X4ZJ3YyT3QQGiUF6NCZprMg",
    ),
    (
        f"wsh(multi(2,{KEY_1}/0/*,{KEY_2}/0/*))",
        "bc1qpa7l8h70m9vjty6580zfhvkmu8xgu5g5gt7c86agydecu0yppd2s29csg0",
        "bc1qva8cgcalhnhme874usc58w30wwl96mc430eezj623802qytmrfhqhtt60w",
    ),
    (
        f"tr({KEY_1}/0/*)",
        "bc1pfuyvyhs0qrzngwl99v432nm0lwcpm3rhp3g4qfmucvm3nhce407sum2cf6",
        "bc1pzk6utw6e36ux20tjd7k8077xfty4ew2k06y77y9nj5mjaaqz773qhdtc6s",
    ),
    (f"sh(wpkh({KEY_1}/0/*))", "3F7KWS3DgxrCbCyoD32RvSpcCwLcJWhDYM", "3L28WPcujD1MpBLsqqvkkezhyGUFfGxt5W"),
    (f"pkh({KEY_1}/0/*)", "19UR2SuvBxrYgTodozcD7hhxwekkskMQGc", "1qwk8baoBkooWCFvdVRpcWgUS8hrLFiog"),
]


@pytest.mark.parametrize(("chain", "entered", "branch", "receiving", "change"), ACCOUNTS)
def test_an_account_has_the_addresses_that_other_wallets_derive(
    chain: str, entered: str, branch: int, receiving: str, change: str
) -> None:
    subject = subject_of(chain, entered)
    assert subject.address(Place(branch, 0)) == receiving
    assert subject.address(Place(branch + 1, 0)) == change
    assert not subject.is_address


@pytest.mark.parametrize(("text", "first", "eighth"), DESCRIPTORS, ids=[text[:16] for text, _, _ in DESCRIPTORS])
def test_a_descriptor_has_the_addresses_that_other_wallets_derive(text: str, first: str, eighth: str) -> None:
    subject = subject_of("bitcoin", text)
    assert (subject.address(Place(0, 0)), subject.address(Place(0, 7))) == (first, eighth)
    assert subject_of("bitcoin", f"{text}#{checksum(text)}").wallet == subject.wallet


def test_the_second_and_later_children_are_right_too() -> None:
    subject = subject_of("bitcoin", ZPUB_84)
    assert subject.address(Place(0, 1)) == "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"
    many = subject.branches[0].places[0].keys(range(40))
    assert many == [subject.branches[0].places[0].keys([index])[0] for index in range(40)]


def test_public_children_follow_bip_32() -> None:
    """Test vector 2 of BIP-32: the master's child 0, which is not hardened."""
    master = "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB"
    child = "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"
    bitcoin = utxo_chain("bitcoin")
    derived, stated = extended_key(master, bitcoin).child(0), extended_key(child, bitcoin)
    assert (derived.key, derived.chain_code) == (stated.key, stated.chain_code)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
        ("BC1SW50QGDZ25J", "6002751e"),
        (
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
        ),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
        ("17AkKFFZmMJgvvuwT2tJbSv149us1ya1cy", "76a91443a8a7d224aeb9709fb7edc136e2e95d06cdd4c288ac"),
        ("3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V", "a914748284390f9e263a4b766a75d0633c50426eb87587"),
    ],
)
def test_an_address_is_its_script_and_back(text: str, script: str) -> None:
    """Segwit vectors of BIP-350."""
    bitcoin = utxo_chain("bitcoin")
    assert script_of(bitcoin, text).hex() == script
    shown = address_of(bitcoin, bytes.fromhex(script))
    assert shown is not None
    assert shown == (text.lower() if text[:2].lower() == "bc" else text) == spelt(bitcoin, text)


@pytest.mark.parametrize(
    "text",
    [
        "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        "bc1pw5dgrnzv",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
        "bc1gmk9yu",
    ],
)
def test_invalid_segwit_addresses_are_refused(text: str) -> None:
    """The invalid vectors of BIP-350 that can be meant for Bitcoin's main network."""
    with pytest.raises(InvalidField):
        script_of(utxo_chain("bitcoin"), text)


def test_a_cash_address_is_known_in_all_its_spellings() -> None:
    """The pair is one of the CashAddr specification."""
    chain, shown = utxo_chain("bitcoin-cash"), "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"
    spellings = [shown, shown.upper(), shown.removeprefix("bitcoincash:"), "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu"]
    assert {spelt(chain, text) for text in spellings} == {shown}
    script_hash = "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"
    assert spelt(chain, "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC") == script_hash
    with pytest.raises(InvalidField, match="checksum"):
        script_of(chain, shown[:-1] + "q")


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("17AkKFFZmMJgvvuwT2tJbSv149us1ya1cz", "checksum does not fit"),
        ("17AkKFFZmMJgvvuwT2tJbSv149us1ya1c0", "'0' is in no such text"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum does not fit"),
        ("bc1QW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "mixes small and capital letters"),
        ("LUWPbpM43E2p7ZSh8cyTBEkvpHmr3cB8Ez", "this is a Litecoin address; connect it under litecoin"),
        ("ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh", "this is a Litecoin address"),
        (ZPUB_84[:-1] + "t", "checksum does not fit"),
        (
            "dgub8rUhDtD3YFGZTUphBfpBbzvFxSMKQXYLzg87Me2ta78r2SdVLmypBUkkxrrn9RTnchsyiJSkHZyLWxD13ibBiXtuFWktBoDaGaZjQUBLNLs",
            "version bytes 02facafd are not those of a Bitcoin key",
        ),
        (f"wpkh({KEY_1}/0/*)#qqqqqqqq", "its checksum does not fit"),
        (f"wpkh({KEY_1}/0h/*)", "hardened steps behind the key"),
        (f"wsh(sortedmulti(3,{KEY_1}/0/*,{KEY_2}/0/*))", "no more signers than keys"),
        (f"wsh(pkh({KEY_1}))", "is not read"),
        (f"tr({KEY_1}/0/*,pk({KEY_2}))", "a tr with scripts is not read"),
        (f"wsh(sortedmulti(1,{KEY_1}/<0;1>/*,{KEY_2}/<0;1;2>/*))", "different numbers of branches"),
        ("", "expected an address"),
    ],
)
def test_what_is_wrong_is_said(entered: str, said: str) -> None:
    with pytest.raises(InvalidField, match=said):
        subject_of("bitcoin", entered)


def test_witness_scripts_are_refused_where_the_chain_has_none() -> None:
    with pytest.raises(InvalidField, match="Dogecoin has no witness scripts"):
        subject_of("dogecoin", f"wpkh({KEY_1}/0/*)")


XPRV = "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"
WIF = base58.encode_check(bytes([0x80]) + bytes(range(1, 33)) + b"\x01")


@pytest.mark.parametrize("entered", [XPRV, f"wpkh({XPRV}/0/*)", WIF, f"pkh({WIF})"])
def test_private_keys_are_refused_as_what_they_are(entered: str) -> None:
    """The extended one is of test vector 2 of BIP-32."""
    with pytest.raises(PrivateKeyRefused):
        subject_of("bitcoin", entered)


def test_the_checksum_of_a_descriptor_follows_bip_380() -> None:
    assert checksum("raw(deadbeef)") == "89f8spxm"
    with pytest.raises(InvalidField, match="stands in no descriptor"):
        checksum("raw(Ü)")


def test_a_scan_goes_on_until_each_branch_ends_in_a_gap() -> None:
    scan = Scan(subject_of("bitcoin", ZPUB_84), gap=5)
    assert [str(place) for place in scan.next_places()] == [f"{branch}/{index}" for branch in (0, 1) for index in range(5)]
    scan.used([Place(0, 4)])
    assert [str(place) for place in scan.next_places()] == [f"0/{index}" for index in range(5, 10)]
    scan.used([])
    assert scan.next_places() == []
    assert scan.ends == (10, 5)
    again = Scan(subject_of("bitcoin", ZPUB_84), gap=5, ends=scan.ends)
    assert len(again.next_places()) == 15


def test_an_address_is_one_place_and_its_own_key() -> None:
    subject = subject_of("bitcoin", " 17AkKFFZmMJgvvuwT2tJbSv149us1ya1cy ")
    assert subject.wallet == "bip122:000000000019d6689c085ae165831e93:17AkKFFZmMJgvvuwT2tJbSv149us1ya1cy"
    assert [str(place) for place in Scan(subject).next_places()] == ["0/0"]
