"""What the owner says, from the command line: made, listed, taken back, carried away and brought back."""

import json

import pytest

from tests.faces.cli.program import Program


@pytest.fixture
def demo(simulated: Program) -> Program:
    """An installation that has read the demo venue."""
    assert simulated("accounts", "add", "demo", "username=demo", "password=demo").code == 0
    return simulated


def test_words_are_listed_taken_back_and_carried(demo: Program) -> None:
    newest = demo("transactions", "--limit", "1", "-o", "json").json[0]["id"]
    assert demo("transactions", "label", newest, "rent").code == 0
    assert demo("transactions", "type", newest, "other/refund", "--reason", "they paid it back").code == 0
    assert demo("transactions", "spam", newest, "yes").code == 0
    assert demo("decisions", "label", "0xAA", "Mum").code == 0
    (row,) = demo("transactions", "--limit", "1", "-o", "json").json
    assert (row["label"], row["type"], row["subtype"], row["spam"]) == ("rent", "other", "refund", "you said so")
    said = demo("decisions", "list", "-o", "json").json
    assert [(item["kind"], item["value"], item["author"]) for item in said] == [
        ("label", "rent", "cli"), ("type", "other/refund", "cli"), ("spam", "yes", "cli"), ("label", "Mum", "cli"),
    ]  # fmt: skip
    assert said[1]["reason"] == "they paid it back"
    document = demo("decisions", "export").out
    for item in said:
        assert demo("decisions", "undo", item["id"]).code == 0
    assert demo("decisions", "list", "-o", "json").json == []
    assert demo("transactions", "--limit", "1", "-o", "json").json[0]["label"] is None
    done = demo("decisions", "import", "-", stdin=document)
    assert (done.code, done.out.split(",")[0]) == (0, "4 made")
    assert "rent" in demo("decisions", "list").out
    assert demo("decisions", "import", "-", stdin="{}").code == 2
    assert len(json.loads(document)["decisions"]) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("transactions", "type", "x", "gift"),
        ("transactions", "label", "x"),
        ("decisions", "undo", "x"),
        ("decisions", "spam", "eip155:1/erc20:0xaa", "yes"),
        ("decisions", "spam", "eip155:1/erc20:0xaa", "perhaps"),
        ("transfers", "link", "x", "y"),
    ],
)
def test_what_makes_no_sense_is_refused(demo: Program, words: tuple[str, ...]) -> None:
    assert demo(*words).code == 2


def test_nothing_is_a_transfer_and_nothing_spam_where_there_is_neither(demo: Program) -> None:
    assert "No transfers" in demo("transfers").out
    assert "Nothing waits" in demo("transfers", "--offered").out
    assert "Nothing is hidden" in demo("balances", "--spam").out
    assert demo("balances", "--spam", "--known-at", "1").code == 2
