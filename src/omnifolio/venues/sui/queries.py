"""What a server of GraphQL RPC is asked; each question by the name under which its answer is kept as evidence.

Balances and stakes are read at one checkpoint, all pages of them. Source: the published schema of GraphQL RPC and Sui's guide for
the way from JSON-RPC to it, seen 2026-11.
"""

from collections.abc import Mapping

PAGE = 50
"""Rows of one page; the public servers allow no more."""
EVENTS = 20
"""Events of a transaction that are looked through for stakes."""
STAKE_TYPE = "0x3::staking_pool::StakedSui"
HEAD, BALANCES, STAKES, VALIDATORS, RATES, COINS, HISTORY, CHANGES, SINGLE = (
    "head", "balances", "stakes", "validators", "rates", "coins", "history", "changes", "single",
)  # fmt: skip
COINS_PER_QUESTION = 10
_INFO = "pageInfo { hasNextPage endCursor }"
_CHANGES = f"balanceChanges(first: {PAGE}, after: $more) {{ {_INFO} nodes {{ amount coinType {{ repr }} owner {{ address }} }} }}"
_TRANSACTION = f"""digest sender {{ address }} gasInput {{ gasSponsor {{ address }} }} effects {{
    status timestamp checkpoint {{ sequenceNumber }}
    gasEffects {{ gasSummary {{ computationCost storageCost storageRebate }} }}
    events(first: {EVENTS}) {{ nodes {{ contents {{ type {{ repr }} json }} }} }}
    {_CHANGES} }}"""

QUERIES: Mapping[str, str] = {
    HEAD: """query {
        chainIdentifier
        checkpoint { sequenceNumber timestamp }
        serviceConfig { availableRange(type: "Query", field: "transactions", filters: ["affectedAddress"]) {
            first { sequenceNumber timestamp } } }
    }""",
    BALANCES: f"""query ($address: SuiAddress!, $at: UInt53, $after: String) {{
        chainIdentifier
        checkpoint(sequenceNumber: $at) {{ sequenceNumber timestamp epoch {{ epochId }} query {{ address(address: $address) {{
            balances(first: {PAGE}, after: $after) {{ {_INFO} nodes {{ coinType {{ repr }} totalBalance }} }} }} }} }}
    }}""",
    STAKES: f"""query ($address: SuiAddress!, $at: UInt53, $after: String) {{
        checkpoint(sequenceNumber: $at) {{ query {{ address(address: $address) {{
            objects(first: {PAGE}, after: $after, filter: {{ type: "{STAKE_TYPE}" }}) {{
                {_INFO} nodes {{ contents {{ bcs }} }} }} }} }} }}
    }}""",
    VALIDATORS: f"""query ($at: UInt53, $after: String) {{
        checkpoint(sequenceNumber: $at) {{ query {{ epoch {{ validatorSet {{
            activeValidators(first: {PAGE}, after: $after) {{ {_INFO} nodes {{ contents {{ json }} }} }} }} }} }} }}
    }}""",
    RATES: """query ($at: UInt53, $table: SuiAddress!, $keys: [DynamicFieldName!]!) {
        checkpoint(sequenceNumber: $at) { query { address(address: $table) {
            multiGetDynamicFields(keys: $keys) { value { __typename ... on MoveValue { bcs } } } } } }
    }""",
    HISTORY: f"""query ($address: SuiAddress!, $from: UInt53, $to: UInt53, $before: String, $more: String) {{
        transactions(last: {PAGE}, before: $before,
                filter: {{ affectedAddress: $address, afterCheckpoint: $from, beforeCheckpoint: $to }}) {{
            pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_TRANSACTION} }} }}
    }}""",
    SINGLE: f"""query ($digest: String!, $more: String) {{
        chainIdentifier
        transaction(digest: $digest) {{ {_TRANSACTION} }}
    }}""",
    CHANGES: f"""query ($digest: String!, $more: String) {{ transaction(digest: $digest) {{ effects {{ {_CHANGES} }} }} }}""",
}


def coins_query(count: int) -> str:
    """The question for what so many types of coins say of themselves, each under a name of its own."""
    names = range(count)
    declared = ", ".join(f"$t{n}: String!" for n in names)
    asked = " ".join(f"c{n}: coinMetadata(coinType: $t{n}) {{ decimals symbol name }}" for n in names)
    return f"query ({declared}) {{ {asked} }}"
