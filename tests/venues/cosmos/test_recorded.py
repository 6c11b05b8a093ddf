"""Real transactions, as explorers and documentation recorded them, read to the last unit.

Each names its block and day, and where the facts are from. They are written down here in the form that nodes had at the time.
"""

import base64
import json
from typing import Any

from omnifolio.catalog.cosmos_chains import cosmos_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs, iso
from omnifolio.model.facts import Claim, Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.cosmos.history import decode_history
from omnifolio.venues.cosmos.movements import Subject, claims_of
from omnifolio.venues.cosmos.shapes import Told

JSON = dict[str, Any]
POOL = "osmo1mw0ac6rwlp5r8wapwk3zs6g29h8fcscxqakdzw9emkne6c8wjp9q0t3v8t"
ATOM_ON_OSMOSIS = "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2"
FEES, REWARDS = "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta", "cosmos1jv65s3grqf6v6jl3dp4t6c9t9rk99cd88lyufl"
BONDED, UNBONDING = "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", "cosmos1tygms3xhhs3yv487phx3dw4a95jn7t7lpm470r"


def event(kind: str, **words: str) -> JSON:
    return {"type": kind, "attributes": [{"key": key, "value": value, "index": True} for key, value in words.items()]}


def moved(source: str, target: str, amount: str) -> list[JSON]:
    """A movement of the bank, as software since SDK 0.44 tells it."""
    return [
        event("coin_spent", spender=source, amount=amount),
        event("coin_received", receiver=target, amount=amount),
        event("transfer", recipient=target, sender=source, amount=amount),
    ]


def encoded(events: list[JSON]) -> list[JSON]:
    """The events with their words in base64, as CometBFT before 0.37 gives them."""

    def word(plain: JSON) -> JSON:
        return {key: base64.b64encode(plain[key].encode()).decode() for key in ("key", "value")}

    return [one | {"attributes": list(map(word, one["attributes"]))} for one in events]


def transaction(name: str, height: int, at: str, events: list[JSON], *kinds: str, code: int = 0) -> JSON:
    messages = [{"@type": kind} for kind in kinds]
    return {
        "txhash": name, "height": str(height), "timestamp": at, "code": code, "events": events,
        "tx": {"body": {"messages": messages}, "auth_info": {}},
    }  # fmt: skip


def every(row: str, address: str, told: JSON) -> list[Claim]:
    return claims_of(Subject(cosmos_chain(row), address), shaped(json.dumps(told).encode(), Told))[0]


def read(row: str, address: str, told: JSON) -> Claim | None:
    return next(iter(every(row, address, told)), None)


def legs(claim: Claim | None) -> list[tuple[str, str, str, str | None]]:
    assert claim is not None
    return [(leg.token.rpartition("/")[2], canonical(leg.amount), leg.role, leg.counterparty) for leg in claim.legs]


def test_a_payment_on_cosmos_hub_told_in_base64() -> None:
    """Block 14,183,822, February 2023; BlockPI's documentation of `/tx` shows the node's whole answer."""
    sender, receiver = "cosmos1s5z672rlcfy596xvm3q2c4phfhg9pk704654af", "cosmos1f0d77kqccjcz95r4py478zppgwl3pl8w4x9s0p"
    name = "547DC59DD6EE54082183A5F75F1D350BE4D271825BB75C6A626F74DAE2FA2489"
    events = encoded(
        [
            *moved(sender, FEES, "2295uatom"),
            event("message", sender=sender),
            event("tx", fee="2295uatom", fee_payer=sender),
            event("tx", acc_seq=f"{sender}/276"),
            event("message", action="/cosmos.bank.v1beta1.MsgSend"),
            *moved(sender, receiver, "1719939uatom"),
            event("message", sender=sender),
            event("message", module="bank"),
        ]
    )
    told = transaction(name, 14183822, "2023-02-22T02:22:42Z", events, "/cosmos.bank.v1beta1.MsgSend")
    assert legs(read("cosmoshub", sender, told)) == [
        ("slip44:118", "-1.719939", "principal", receiver),
        ("slip44:118", "-0.002295", "fee", None),
    ]
    assert legs(read("cosmoshub", receiver, told)) == [("slip44:118", "1.719939", "principal", sender)]
    paid = read("cosmoshub", sender, told)
    assert paid is not None
    assert (paid.kind, paid.label, paid.event) == ("withdrawal", "send", f"cosmos:cosmoshub-4:{name}")
    assert read("cosmoshub", POOL, told) is None


def test_a_delegation_pays_out_what_was_earned() -> None:
    """Block 9,636,923, 2022-03-04T21:37:22Z; recorded by ShapeShift's indexer. The message tells nothing of rewards."""
    me = "cosmos179k2lz70rxvjrvvr65cynw9x5c8v3kftg46v05"
    name = "8136FF781B38919958249308CFABFD253CF371514661119BCD231875968BD06B"
    events = [
        *moved(me, FEES, "6250uatom"),
        event("tx", fee="6250uatom"),
        event("message", action="/cosmos.staking.v1beta1.MsgDelegate"),
        *moved(REWARDS, me, "78085uatom"),
        *moved(me, BONDED, "1920000uatom")[:2],
        event("delegate", validator="cosmosvaloper1lzhlnpahvznwfv4jmay2tgaha5kmz5qxerarrl", amount="1920000uatom"),
    ]
    told = transaction(name, 9636923, "2022-03-04T21:37:22Z", encoded(events), "/cosmos.staking.v1beta1.MsgDelegate")
    staked, earned = every("cosmoshub", me, told)
    assert legs(staked) == [
        ("slip44:118", "-1.92", "principal", BONDED),
        ("slip44:118", "1.92", "principal", None),
        ("slip44:118", "-0.00625", "fee", None),
    ]
    assert legs(earned) == [("slip44:118", "0.078085", "principal", REWARDS)]
    assert [(claim.kind, iso(claim.at)) for claim in (staked, earned)] == [
        ("staking", "2022-03-04T21:37:22.000Z"),
        ("staking_reward", "2022-03-04T21:37:22.000Z"),
    ]
    assert (staked.event, staked.name) == (earned.event, earned.name) == (f"cosmos:cosmoshub-4:{name}", name)
    assert set(staked.refs).isdisjoint(earned.refs)


def test_an_undelegation_moves_nothing_but_its_fee() -> None:
    """Block 9,636,932, 2022-03-04T21:38:35Z; recorded by ShapeShift's indexer. It stays staked until March 25."""
    me = "cosmos1fx4jwv3aalxqwmrpymn34l582lnehr3eqwuz9e"
    name = "1795FE6ED7B5A8C5478CBDE27F35C8FB64FC6229B7B90FA47D4406AA2078BBAB"
    validator = "cosmosvaloper1sjllsnramtg3ewxqwwrwjxfgc4n4ef9u2lcnj0"
    events = [
        *moved(me, FEES, "6250uatom"),
        event("tx", fee="6250uatom"),
        event("message", action="/cosmos.staking.v1beta1.MsgUndelegate"),
        *moved(BONDED, UNBONDING, "200000uatom"),
        event("unbond", validator=validator, amount="200000uatom", completion_time="2022-03-25T21:38:35Z"),
        event("message", module="staking", sender=me),
    ]
    told = transaction(name, 9636932, "2022-03-04T21:38:35Z", encoded(events), "/cosmos.staking.v1beta1.MsgUndelegate")
    claim = read("cosmoshub", me, told)
    assert legs(claim) == [("slip44:118", "-0.00625", "fee", None)]
    assert claim is not None
    assert (claim.kind, claim.label) == ("unstaking", "undelegate, free on 2022-03-25")


def test_rewards_of_two_validators_are_one_reward() -> None:
    """Block 9,636,957, 2022-03-04T21:41:28Z; recorded by ShapeShift's indexer."""
    me = "cosmos179k2lz70rxvjrvvr65cynw9x5c8v3kftg46v05"
    name = "E34AFB3A28198957040073034E16D4A979B403E672859651B41C207538136ABE"
    kind = "/cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward"
    events = [*moved(me, FEES, "7000uatom"), event("tx", fee="7000uatom")]
    for amount in ("39447uatom", "7uatom"):
        events += [event("message", action=kind), *moved(REWARDS, me, amount), event("withdraw_rewards", amount=amount)]
    claim = read("cosmoshub", me, transaction(name, 9636957, "2022-03-04T21:41:28Z", encoded(events), kind, kind))
    assert legs(claim) == [("slip44:118", "0.039454", "principal", REWARDS), ("slip44:118", "-0.007", "fee", None)]
    assert claim is not None
    assert (claim.kind, claim.label) == ("staking_reward", "withdraw delegator reward")


def test_a_transfer_to_osmosis_names_the_receiver_there() -> None:
    """Block 11,875,225, 2022-08-31T20:43:53Z; recorded by ShapeShift's indexer."""
    me, there = "cosmos1syj2za9lxkhgpd9zm5lzfss9f6qcuyca354whm", "osmo1syj2za9lxkhgpd9zm5lzfss9f6qcuycae0x7pf"
    name = "0CEBDC92B69909CF1642846618E527A81D738F9000FFE89BE84410ECCF3CC11F"
    packet = f'{{"amount":"600000","denom":"uatom","receiver":"{there}","sender":"{me}"}}'
    kind = "/ibc.applications.transfer.v1.MsgTransfer"
    events = [
        *moved(me, FEES, "3250uatom"),
        event("tx", fee="3250uatom"),
        event("message", action=kind),
        *moved(me, "cosmos1x54ltnyg88k0ejmk8ytwrhd3ltm84xehrnlslf", "600000uatom"),
        event("send_packet", packet_data=packet, packet_data_hex=packet.encode().hex(), packet_src_channel="channel-141"),
        event("ibc_transfer", sender=me, receiver=there),
    ]
    claim = read("cosmoshub", me, transaction(name, 11875225, "2022-08-31T20:43:53Z", encoded(events), kind))
    assert legs(claim) == [("slip44:118", "-0.6", "principal", there), ("slip44:118", "-0.00325", "fee", None)]


def test_a_transfer_from_osmosis_is_told_in_a_relayers_transaction() -> None:
    """Block 9,636,880, 2022-03-04T21:31:57Z; recorded by ShapeShift's indexer. The fee of 417 uatom is the relayer's."""
    me, there = "cosmos1fx4jwv3aalxqwmrpymn34l582lnehr3eqwuz9e", "osmo1fx4jwv3aalxqwmrpymn34l582lnehr3eg40jnt"
    escrow, relayer = "cosmos1x54ltnyg88k0ejmk8ytwrhd3ltm84xehrnlslf", "cosmos1p4zuqdcx9ytqyqhmmt3hk54nlzzdhlctdrmlg5"
    name = "D78AB26809244FD2E9D65120285624CB61BCB5B9FBC2164DAC379C2CC7A78DE8"
    packet = f'{{"amount":"3230396","denom":"transfer/channel-0/uatom","receiver":"{me}","sender":"{there}"}}'
    kinds = ("/ibc.core.client.v1.MsgUpdateClient", "/ibc.core.channel.v1.MsgRecvPacket")
    events = [
        *moved(relayer, FEES, "417uatom"),
        event("tx", fee="417uatom"),
        event("message", action=kinds[0]),
        event("update_client", client_id="07-tendermint-259"),
        event("message", action=kinds[1]),
        event("recv_packet", packet_data_hex=packet.encode().hex(), packet_dst_channel="channel-141"),
        *moved(escrow, me, "3230396uatom"),
        event("fungible_token_packet", module="transfer", receiver=me, denom="transfer/channel-0/uatom", amount="3230396"),
    ]
    claim = read("cosmoshub", me, transaction(name, 9636880, "2022-03-04T21:31:57Z", encoded(events), *kinds))
    assert legs(claim) == [("slip44:118", "3.230396", "principal", there)]
    assert claim is not None
    assert claim.kind == "deposit"


def test_a_swap_on_osmosis_is_what_went_and_what_came() -> None:
    """Block 5,742,225, 2022-08-25T22:19:48Z; recorded by ShapeShift's indexer. Nobody had to pay fees at the time."""
    me, kind = "osmo1qxtuxfu0axkrvwpncj26asv4py3x6mmw8hln6h", "/osmosis.gamm.v1beta1.MsgSwapExactAmountIn"
    name = "281639B2B73391DFDE5038FD67B5AEB74AFBB5A90C1910C3401EFDF658207B2B"
    events = [
        {"type": "tx", "attributes": [{"key": "fee", "value": None}]},
        event("message", action=kind),
        *moved(me, POOL, "790572uosmo"),
        *moved(POOL, me, f"76734{ATOM_ON_OSMOSIS}"),
        event("token_swapped", pool_id="1", tokens_in="790572uosmo", tokens_out=f"76734{ATOM_ON_OSMOSIS}"),
    ]
    claim = read("osmosis", me, transaction(name, 5742225, "2022-08-25T22:19:48Z", events, kind))
    assert legs(claim) == [
        ("slip44:118", "-0.790572", "principal", POOL),
        (ATOM_ON_OSMOSIS.replace("/", ":"), "0.076734", "principal", POOL),
    ]
    assert claim is not None
    assert (claim.kind, claim.label) == ("trade", "swap exact amount in")


def test_a_payment_that_numbers_its_messages() -> None:
    """Akash, block 24,481,569, 2025-12-04T18:41:56Z, SDK 0.50 and later; as a public client's notes record it."""
    sender, receiver = "akash1lgars47nzhfzt0mqsjrdzrx2zcg7c2sktrsrjs", "akash1asagzdynnr5h6c7sq3qgn4azjmsewt0lr97wj5"
    name = "4407219321D8F430A89B3B3A788383DF292A93B8F78438377779135376B47A6C"
    numbered = [
        one | {"attributes": [*one["attributes"], {"key": "msg_index", "value": "0", "index": True}]}
        for one in moved(sender, receiver, "1uakt")
    ]
    events = [*moved(sender, "akash17xpfvakm2amg962yls6f84z3kell8c5lazw8j8", "5000uakt"), *numbered]
    told = transaction(name, 24481569, "2025-12-04T18:41:56Z", events, "/cosmos.bank.v1beta1.MsgMultiSend")
    assert legs(read("akash", receiver, told)) == [("slip44:118", "0.000001", "principal", sender)]
    assert [leg[1:3] for leg in legs(read("akash", sender, told))] == [("-0.000001", "principal"), ("-0.005", "fee")]


def test_a_failed_transaction_of_which_old_software_tells_no_events_is_a_gap() -> None:
    """Stratos, block 475,232, out of gas; the documentation of its tx service shows the answer, whose fee is empty."""
    name = "1682BBF647E8E326F4581986D7334883EC9783F41D892E6E425F6E962E50296C"
    told = transaction(name, 475232, "2022-07-19T19:59:10Z", [], "/cosmos.bank.v1beta1.MsgMultiSend", code=11)
    body = json.dumps({"txs": [], "tx_responses": [told], "pagination": {"next_key": None, "total": "1"}}).encode()
    params = {"read": "found", "wallet": "st1fw6tcpku363yz6le7569wzzg84val68e9eayq7", "wanted": ""}
    evidence = Evidence(stream="transfers/stratos", request="GET", params=params, received_at=EpochMs(0), body=body)
    page = decode_history(cosmos_chain("stratos"), "transfers/stratos", [evidence])
    assert page.claims == ()
    text = "the node lists 1 transactions and does not tell what they did"
    assert [(gap.code, gap.text) for gap in page.gaps] == [("events_unread", text)]
