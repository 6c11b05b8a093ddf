"""The command line, as a process where that matters: serving, credentials, truth, exports."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from omnifolio_sandbox import credentials
from omnifolio_sandbox.cli import main
from omnifolio_sandbox.truth import truth

NOW = 1_767_225_600_000
ROOT = Path(__file__).parents[2]


def test_it_serves_says_so_and_stops_on_a_signal() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "sandbox")}
    command = [sys.executable, "-m", "omnifolio_sandbox", "serve", "--now", str(NOW)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["ready"] is True
    with urllib.request.urlopen(f"{said['url']}/_sandbox/clock", timeout=10) as answer:
        assert json.load(answer)["at"] == NOW
    fetched = subprocess.run(
        [sys.executable, "-m", "omnifolio_sandbox", "truth", "--user", "demo", "--server", said["url"]],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert [json.loads(line) for line in fetched.stdout.splitlines()] == truth("demo", NOW)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_it_refuses_to_listen_for_others_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "--allow-remote" in capsys.readouterr().err


def test_it_prints_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["credentials", "--user", "alice", "--permission", "trade", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["credentials"]
    assert found.keys() == {"kraken", "binance", "coinbase", "bybit", "okx"}
    assert credentials.kraken_holder(found["kraken"]["apiKey"]) == credentials.Holder("alice", "trade")
    assert main(["credentials", "--user", "alice", "--venue", "demo"]) == 2
    assert main(["credentials", "--user", "No Name"]) == 2


@pytest.mark.parametrize("user", ["demo", "a", "whale-1000000", "abcdefghijklmnopqrstuv", "x.y_z-9"])
@pytest.mark.parametrize("permission", credentials.PERMISSIONS)
def test_every_key_says_whose_it_is_and_no_altered_one_does(user: str, permission: str) -> None:
    """Keys of all venues lead back to their holder, without any register."""
    holder = credentials.Holder(user, permission)
    kraken, binance = credentials.kraken(user, permission)[0], credentials.binance(user, permission)[0]
    coinbase, pem = credentials.coinbase(user, permission)
    bybit = credentials.bybit(user, permission)[0]
    assert credentials.bybit_holder(bybit) == holder
    okx = credentials.okx(user, permission)[0]
    assert credentials.okx_holder(okx) == holder
    assert credentials.okx_holder(okx[:-1] + ("0" if okx[-1] != "0" else "1")) is None
    assert credentials.bybit_holder(bybit + "0") is None
    assert credentials.kraken_holder(kraken) == holder
    assert credentials.binance_holder(binance) == holder
    assert credentials.coinbase_holder(coinbase) == holder
    assert pem.startswith("-----BEGIN EC PRIVATE KEY-----")
    assert credentials.kraken_holder(kraken.swapcase()) is None
    assert credentials.binance_holder(binance + "0") is None
    changed = coinbase[:-5] + ("0" if coinbase[-5] != "0" else "1") + coinbase[-4:]
    assert credentials.coinbase_holder(changed) is None


def test_it_prints_the_truth_of_one_venue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["truth", "--user", "bob", "--venue", "kraken", "--at", str(NOW)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == truth("bob", NOW, venues=["kraken"])


def test_sizes_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    common = ["truth", "--user", "bob", "--venue", "binance", "--at", str(NOW)]
    main([*common, "--user-size", "bob=30"])
    small = capsys.readouterr().out.count('"transaction"')
    main(common)
    assert small < 80 < capsys.readouterr().out.count('"transaction"')
    assert main([*common, "--user-size", "bob"]) == 2


def test_exports_overlap_the_history_of_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    """The ledger export's rows are the truth's events; the trade export names its ledger rows."""
    base = ["csv", "--user", "demo", "--venue", "kraken", "--at", str(NOW)]
    main([*base, "--kind", "ledgers"])
    text = capsys.readouterr().out
    assert text.splitlines()[0] == ('"txid","refid","time","type","subtype","aclass","asset","wallet","amount","fee","balance"')
    ledgers = list(csv.DictReader(io.StringIO(text)))
    told = [line for line in truth("demo", NOW, venues=["kraken"]) if line["kind"] == "transaction"]
    assert {row["refid"] for row in ledgers} == {line["ref"] for line in told}
    assert [row["time"] for row in ledgers] == sorted(row["time"] for row in ledgers)
    main([*base, "--kind", "trades"])
    trades = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    ids = {row["txid"] for row in ledgers}
    assert all(set(row["ledgers"].split(",")) <= ids for row in trades)
    assert {row["txid"] for row in trades} <= {row["refid"] for row in ledgers}
