"""How an exchange is read, as data: its wallets, codes, networks, key permissions and history streams.

Part of the exchange's row (`data/exchanges/<id>.toml`, table `reading`). Rows hold values, never expressions: what values
cannot say is code in `venues/exchanges/quirks/<id>.py`.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Pager = Literal["once", "window", "time", "since", "id", "cursor", "scopes"]
"""How a stream is walked.

`once`    one answer, or pages of one snapshot.
`window`  time windows walked forward, each read by page token, offset, page number or, where there is none, by halving it.
`time`    ascending from an inclusive start.
`since`   from an inclusive start where nobody says in which order rows come.
`id`      ascending from an inclusive id.
`cursor`  newest first by the venue's own page token, down to what is known.
`scopes`  finds the accounts or symbols that other streams are read for, and reads the new ones.
"""

Right = Literal["read", "trade", "withdraw"]


class StreamRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One history or balance endpoint and the way to walk it.

    `kind`       the first part of the stream's name; the parser in the quirks bears it too.
    `scope`      the second part; with `is_per_scope` it is the name of what is asked for (a symbol, an account).
    `scopes_of`  another kind whose scopes are this one's too, once they have rows; "" where a finder finds them.
    `calls`      ccxt's implicit methods (`GET group path` where ccxt does not have the exchange), or one of its own `fetch_*`, in
                 order; history streams have one. `paths` are theirs at the venue.
    `lookups`    calls whose answers name what the rows only number; every page is read together with them.
    `params`     sent with each call. `scope_param` names the parameter that carries the scope, `id_param` an id to start at,
                 which is `first_id` in the beginning.
    `window_ms`  longest span that one question may cover, 0 = any. `floor_ms` is before the venue's first customer.
    `offset_unit` `rows` counts rows, `pages` counts pages from `first_page` on.
    `overlap_ms` how far each round steps back; `rescan_ms` how often everything is read again, 0 = never.
    `is_balances`, `is_positions` it tells what is held or what is open now; one stream may tell both.
    `product`    what the account must have opened, as the finder `products/all` notes it in its token; "" for what everyone has.
    `is_optional` a refusal says only that the account has none of it, which is asked again a day later, as is an empty answer:
                 the sub-accounts of a key that need not be a master's.
    `is_asked`   false where another stream tells the same: never asked for, but understood where a recording holds it.
    """

    kind: str
    scope: str = "all"
    is_per_scope: bool = False
    scopes_of: str = ""
    calls: tuple[str, ...]
    paths: tuple[str, ...]
    lookups: tuple[str, ...] = ()
    pager: Pager
    params: Mapping[str, str] = {}
    scope_param: str = ""
    id_param: str = ""
    first_id: str = "0"
    start_param: str = ""
    end_param: str = ""
    time_unit: Literal["ms", "s", "iso"] = "ms"
    offset_param: str = ""
    offset_unit: Literal["rows", "pages"] = "rows"
    first_page: int = 1
    cursor_param: str = ""
    limit_param: str = ""
    page_rows: int = 0
    page_rows_max: int = 0
    window_ms: int = 0
    floor_ms: int = 0
    overlap_ms: int = 0
    rescan_ms: int = 0
    look_back_ms: int | None = None
    is_balances: bool = False
    is_positions: bool = False
    product: str = ""
    is_asked: bool = True
    is_optional: bool = False

    @property
    def name(self) -> str:
        """The stream's name where it has one fixed scope."""
        return f"{self.kind}/{self.scope}"


class ReadingRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a reader of one exchange knows as data.

    `aliases`     other spellings of a code → the venue's canonical one; `tickers` canonical code → common ticker where they
                  differ; `fiat` canonical codes of government money.
    `networks`    the venue's names of chains → CAIP-2.
    `permissions` the venue's names of key rights → what they allow; `required` those without which we cannot read; `switches`
                  the names of rights → what the switch is called on the venue's page of keys, where that is another name.
    """

    wallets: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}
    tickers: Mapping[str, str] = {}
    fiat: tuple[str, ...] = ()
    networks: Mapping[str, str] = {}
    permissions: Mapping[str, Right] = {}
    required: tuple[str, ...] = ()
    switches: Mapping[str, str] = {}
    streams: tuple[StreamRow, ...] = ()
