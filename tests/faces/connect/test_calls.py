"""What an open page asks for: search, who will be asked, files, checks."""

from pathlib import Path

from omnifolio.app.offers import all_offers
from omnifolio.faces.api.edge import BODY_BYTES_MAX, UPLOAD_BYTES_MAX
from omnifolio.faces.connect import calls
from omnifolio.model.settings import Settings
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.faces.connect.opened import session_of

CSV = Path(__file__).parents[2] / "golden" / "file"


def headers_of(address: str, client: Client) -> dict[str, str]:
    """An open page's."""
    return session_of(address, client, token_of(address, client, "u1"))


def test_a_name_finds_its_venue_and_a_seed_phrase_is_refused(address: str, client: Client) -> None:
    headers = headers_of(address, client)

    def find(text: str) -> dict[str, object]:
        found: dict[str, object] = HTTP.post(f"{address}/connect/find", headers=headers, json={"text": text}).json()
        return found

    first = find("krak")["matches"][0]  # type: ignore[index]
    assert (first["provider"], first["kind"], first["category"]) == ("kraken", "name", "exchanges")
    assert find("binance_us")["matches"][0]["provider"] == "binanceus"  # type: ignore[index]
    phrase = " ".join(["abandon"] * 11 + ["about"])
    refused = find(phrase)
    assert (refused["matches"], refused["refused"]["code"]) == ([], "private_key_refused")  # type: ignore[index]
    assert "abandon" not in str(refused)
    assert find("")["matches"] == find("nothing is called so")["matches"] == []


def test_who_will_be_asked_is_told_before(address: str, client: Client) -> None:
    headers = headers_of(address, client)
    told = HTTP.post(f"{address}/connect/steps", headers=headers, json={"provider": "kraken", "credentials": {}})
    assert "kraken.com" in told.json()["steps"][0]["source"]
    missing = HTTP.post(f"{address}/connect/steps", headers=headers, json={"provider": "nowhere"})
    assert missing.status_code == 404


def test_checks_say_what_the_account_s_state_shows(world: World, address: str, client: Client) -> None:
    headers = headers_of(address, client)
    link = client.user("u1").account("kraken")

    def states() -> dict[str, str]:
        found = HTTP.get(f"{address}/connect/checks/{link.id}", headers=headers).json()["checks"]
        assert all(check["fix"] for check in found if check["state"] == "failed")
        return {check["name"]: check["state"] for check in found}

    assert set(states().values()) == {"waiting"}
    link.finish(status="error", error_code="bad_credentials", error_text="Kraken does not know this key")
    assert (states()["reached"], states()["signature"], states()["no_withdraw"]) == ("ok", "failed", "unknown")
    other = client.user("u1").account("kraken", mark="2")
    other.finish(status="error", error_code="excess_permission", error_text="it can withdraw")
    link = other
    assert (states()["signature"], states()["no_withdraw"]) == ("ok", "failed")


def test_a_file_is_looked_at_before_anything_is_stored(address: str, client: Client) -> None:
    headers = headers_of(address, client)
    sample = next(CSV.glob("kraken*/*/*.csv"))
    found = HTTP.post(f"{address}/connect/preview", headers=headers, content=sample.read_bytes()).json()
    assert (found["provider"], found["lines"] > 0, found["unreadable"]) == ("kraken", True, [])
    assert found["first"][0][:2] == "20"
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json() == []
    wrong = HTTP.post(f"{address}/connect/preview?provider=bitstamp", headers=headers, content=sample.read_bytes())
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_field")
    garbage = HTTP.post(f"{address}/connect/preview", headers=headers, content=b"\xff\x00garbage")
    assert (garbage.status_code, garbage.json()["code"]) == (400, "file_refused")


def test_a_file_goes_into_an_account_that_the_page_made(world: World, address: str, client: Client) -> None:
    headers = headers_of(address, client)
    sample = next(CSV.glob("kraken*/*/*.csv")).read_bytes()
    body = {"provider": "kraken", "credentials": {"key": "K" * 56, "secret": "s" * 88}}
    made = HTTP.post(f"{address}/v1/accounts", headers=headers, json=body).json()["id"]
    first = HTTP.post(f"{address}/connect/import?account={made}", headers=headers, content=sample).json()
    again = HTTP.post(f"{address}/connect/import?account={made}", headers=headers, content=sample).json()
    assert (first["new"] > 0, again["new"], first["lines"]) == (True, 0, again["lines"])
    older = client.user("u1").account("kraken", mark="older")
    older.finish()
    assert HTTP.post(f"{address}/connect/import?account={older.id}", headers=headers, content=sample).status_code == 403


def test_only_files_of_open_pages_may_be_large(address: str, client: Client) -> None:
    headers = headers_of(address, client)
    large = b"x" * (BODY_BYTES_MAX + 1)
    assert HTTP.post(f"{address}/connect/preview", headers=headers, content=large).json()["code"] == "file_refused"
    assert HTTP.post(f"{address}/connect/preview", content=large).status_code == 401
    assert HTTP.post(f"{address}/connect/find", headers=headers, content=large).status_code == 413
    too_large = HTTP.post(f"{address}/connect/preview", headers=headers, content=b"x" * (UPLOAD_BYTES_MAX + 1))
    assert (too_large.status_code, str(UPLOAD_BYTES_MAX) in too_large.json()["message"]) == (413, True)


def test_no_venue_is_called_as_a_route_of_the_page() -> None:
    taken = {route.path.split("/")[2] for route in calls.ROUTER.routes}
    names = {name for offer in all_offers(Settings()) for name in (offer.name, *offer.alternate_names)}
    assert not taken & names
