"""What assets are called and counted in: CIP-14's fingerprints, the registry, and metadata of CIP-25 and CIP-68."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import Raw

from omnifolio.catalog import assets
from omnifolio.catalog.cardano_chains import cardano_chain, cardano_chains
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.tokens import token_id
from omnifolio.venues.cardano.shapes import AssetInfo, Registered
from omnifolio.venues.cardano.tokens import fingerprint, known

NETWORK = cardano_chain("cip34:1-764824073")
POLICY = "7eae28af2208be856f7a119668ae52a49b73725e326dc16579dcc373"
OTHER = "1e349c9bdea19fd6c147626a5260bc44b71635f398b67c59881df209"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (POLICY, "asset1rjklcrnsdzqp65wjgrg55sy9723kw09mlgvlc3"),
        (OTHER, "asset1uyuxku60yqe57nusqzjx38aan3f2wq6s93f6ea"),
        (f"{POLICY}504154415445", "asset13n25uv0yaf5kus35fm2k86cqy60z58d9xmde92"),
        (f"{OTHER}{POLICY}", "asset1aqrdypg669jgazruv5ah07nuyqe0wxjhe2el6f"),
    ],
)
def test_fingerprints_are_those_of_the_vectors(key: str, text: str) -> None:
    assert fingerprint(key) == text


def info(name: str, **more: object) -> AssetInfo:
    """What a server says of an asset of which there are many."""
    return AssetInfo(policy_id=POLICY, asset_name=name, total_supply="5000", **more)  # type: ignore[arg-type]  # fields by name


def datum(label: str, **values: object) -> Raw:
    """Metadata of CIP-68 as a server shows a datum."""
    pairs = [
        {
            "k": {"bytes": name.encode().hex()},
            "v": {"int": value} if isinstance(value, int) else {"bytes": str(value).encode().hex()},
        }
        for name, value in values.items()
    ]
    return Raw(msgspec.json.encode({label: {"constructor": 0, "fields": [{"map": pairs}, {"int": 1}]}}))


def test_decimals_are_what_somebody_states_and_unknown_is_not_zero() -> None:
    name = b"HOSKY".hex()
    silent = known(NETWORK, POLICY + name, info(name))
    assert (silent.is_stated, silent.facts.decimals, silent.amount(1_500)) == (False, None, Decimal(1_500))
    assert known(NETWORK, POLICY + name, None).facts.decimals is None
    empty = known(NETWORK, POLICY + name, info(name, token_registry_metadata=Registered(name="Hosky", ticker="HOSKY")))
    assert (empty.is_stated, empty.facts.name) == (False, "Hosky")
    zero = known(NETWORK, POLICY + name, info(name, token_registry_metadata=Registered(ticker="HOSKY", decimals=0)))
    assert (zero.is_stated, zero.facts.decimals) == (True, 0)
    three = known(NETWORK, POLICY + name, info(name, token_registry_metadata=Registered(ticker="HOSKY", decimals=3)))
    assert (three.facts.decimals, three.amount(1_500)) == (3, Decimal("1.5"))
    stated = known(
        NETWORK, f"{POLICY}0014df10{name}", info(f"0014df10{name}", cip68_metadata=datum("333", name="Hosky coin", decimals=2))
    )
    assert (stated.facts.decimals, stated.amount(1_500), stated.facts.name) == (2, Decimal(15), "Hosky coin")
    absurd = known(NETWORK, POLICY + name, info(name, token_registry_metadata=Registered(decimals=900)))
    assert absurd.facts.decimals is None


def test_one_alone_is_a_collectible_and_is_called_as_its_metadata_says() -> None:
    name = b"Duck1".hex()
    minted = Raw(msgspec.json.encode({"721": {POLICY: {"Duck1": {"name": "Duck the First"}}, "version": 1}}))
    alone = AssetInfo(policy_id=POLICY, asset_name=name, total_supply="1", minting_tx_metadata=minted)
    first = known(NETWORK, POLICY + name, alone)
    assert (first.facts.kind, first.facts.decimals, first.facts.name) == ("nft", 0, "Duck the First")
    labelled = known(NETWORK, f"{POLICY}000de140{name}", info(f"000de140{name}", cip68_metadata=datum("222", name="Duck")))
    assert (labelled.facts.kind, labelled.facts.ticker) == ("nft", "Duck")
    plain = known(NETWORK, f"{POLICY}000de140{name}", None)
    assert (plain.facts.kind, plain.facts.ticker) == ("nft", "Duck1")


@pytest.mark.parametrize("metadata", [b"null", b'{"721": []}', b'{"721": {"x": 1}}', b'"words"', b"[1]", b'{"721": {"%s": 7}}'])
def test_metadata_of_any_shape_costs_its_name_alone(metadata: bytes) -> None:
    key = POLICY + "ff00"
    odd = AssetInfo(policy_id=POLICY, asset_name="ff00", minting_tx_metadata=Raw(metadata), cip68_metadata=Raw(metadata))
    assert known(NETWORK, key, odd).facts.name == fingerprint(key)


def test_nobody_is_called_like_the_coin() -> None:
    assert known(NETWORK, POLICY + b"ADA".hex(), None).facts.ticker == "ADA?"


def test_what_is_no_policy_and_name_is_refused() -> None:
    for key in (POLICY[:-2], POLICY + "f", POLICY + "zz", POLICY.upper()):
        with pytest.raises(VenueBadResponse):
            known(NETWORK, key, None)


def test_the_rows_are_what_they_claim_to_be() -> None:
    for chain in cardano_chains().values():
        assert token_id(chain.native.id) == chain.native.id
        assert cardano_chain(chain.caip2) is chain
        assert all(server.startswith("https://") for server in chain.servers)
        assert assets.load().members()[chain.native.id][0][1].id == "cardano"
    # Epoch 381 had reached its slot 37,082 when the clock said 1670832173, a second a slot.
    assert NETWORK.began(381) == (1_670_832_173 - 37_082) * 1_000
    with pytest.raises(InvalidField, match="expected one of cardano"):
        cardano_chain("cardona")
