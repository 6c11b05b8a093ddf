"""Which requests may leave: default deny, one rule per venue, METHOD, origin and path."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from msgspec import Struct
from yarl import URL

from omnifolio.model.errors import EgressRefused

PATH_LENGTH_MAX = 2000
_UNSAFE_PATH = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|%2e|%2f|%5c|\\|[\x00-\x20]", re.IGNORECASE)
_PARAMETER = re.compile(r"(\{[^{}]+\}|\*)")
_PLAIN = ("http", "tcp")
_SEALED = ("https", "tls")


class Rule(Struct, frozen=True):
    """One allowed kind of request.

    `url` is origin and path; `{name}` in it stands for one path segment, `*` for any rest. At a server that speaks JSON-RPC by
    lines (`tls://host:port`, `tcp://host:port`) `method` is the procedure's name. `is_configured`: the operator wrote this URL,
    so it may be plain http or tcp and lead to loopback or a private network.
    """

    method: str
    url: str
    is_configured: bool = False


@cache
def _compiled(rule: Rule) -> tuple[tuple[str, str | None, int | None], re.Pattern[str]]:
    scheme, _, rest = rule.url.partition("://")
    host, _, path = rest.partition("/")
    url = URL(f"{scheme}://{host}", encoded=True)
    pattern = "".join(
        ".*" if part == "*" else r"[^/]+" if part.startswith("{") else re.escape(part) for part in _PARAMETER.split("/" + path)
    )
    return (url.scheme, url.host, url.port), re.compile(pattern, re.DOTALL)


class Policy:
    """The rules of all venues. A venue without rules may send nothing."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[Rule, ...]] = {}

    def allow(self, venue: str, rules: Iterable[Rule]) -> None:
        """Adds rules for one venue; known ones stay as they are."""
        self._rules[venue] = tuple(dict.fromkeys((*self._rules.get(venue, ()), *rules)))

    def check(self, venue: str, method: str, url: URL) -> Rule:
        """The rule that lets this request pass. Raises: EgressRefused, naming method, host and path, never the query."""
        what = f"{venue}: {method} {url.scheme}://{url.host}{url.raw_path[:80]}"
        if url.scheme not in (*_PLAIN, *_SEALED) or url.raw_user is not None or not url.host:
            raise EgressRefused(f"{what}: only http(s), tls and tcp URLs without user and password may be asked")
        if len(url.raw_path) > PATH_LENGTH_MAX or _UNSAFE_PATH.search(url.raw_path):
            raise EgressRefused(f"{what}: the path has parts that servers read in different ways")
        for rule in self._rules.get(venue, ()):
            origin, path = _compiled(rule)
            if rule.method == method and origin == (url.scheme, url.host, url.port) and path.fullmatch(url.raw_path):
                if url.scheme in _PLAIN and not rule.is_configured:
                    raise EgressRefused(f"{what}: plain {url.scheme} is for URLs that the operator configured")
                return rule
        raise EgressRefused(f"{what} is on no list of allowed requests")

    def rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """All rules by venue."""
        return dict(self._rules)

    def hosts(self) -> tuple[str, ...]:
        """Every host that may be called, sorted."""
        return tuple(sorted({_compiled(rule)[0][1] or "" for rules in self._rules.values() for rule in rules}))
