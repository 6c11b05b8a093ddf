"""A Solana chain in this process behind JSON-RPC on loopback: `chain.py PORT`. Run by the bed's own Python, which has solders.

LiteSVM runs the real System, Token, Token-2022, Associated Token and Stake programs. `POST /act` does one thing to the chain,
`POST /` answers as a node does, and keeps what a node keeps of each transaction. All on one thread, because LiteSVM must be.
"""

import base64
import http.server
import json
import struct
import sys
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import Transaction

SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
SPL = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
SPL_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
STAKE = Pubkey.from_string("Stake11111111111111111111111111111111111111")
RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
HISTORY = Pubkey.from_string("SysvarStakeHistory1111111111111111111111111")
PROGRAMS = {"spl": SPL, "2022": SPL_2022}
BANK_LAMPORTS = 10**12
BEGIN_S = 1_790_000_000
LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def pair(name: str) -> Keypair:
    """The same key for the same name, always."""
    return Keypair.from_seed(name.encode().ljust(32, b"."))


def key(name: str) -> Pubkey:
    """The public key of a name."""
    return pair(name).pubkey()


def associated(owner: str, mint: str, program: Pubkey) -> Pubkey:
    """The token account that is derived from an owner and a mint."""
    return Pubkey.find_program_address([bytes(key(owner)), bytes(program), bytes(mint_key(mint))], ASSOCIATED)[0]


def mint_key(name: str) -> Pubkey:
    """A mint's key; `wsol` is the wrapped coin's."""
    return Pubkey.from_string("So11111111111111111111111111111111111111112") if name == "wsol" else key(name)


def base58(data: bytes) -> str:
    """Bytes as base58."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = LETTERS[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def can_write(account: Pubkey, *, signs: bool = False) -> AccountMeta:
    """An account that the instruction may change."""
    return AccountMeta(account, signs, is_writable=True)


def can_read(account: Pubkey, *, signs: bool = False) -> AccountMeta:
    """An account that the instruction only sees."""
    return AccountMeta(account, signs, is_writable=False)


class Chain:
    """The chain, its clock, and what happened on it. `act` methods name people and mints by words."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.slot = 100
        self.told: list[dict[str, Any]] = []
        self.svm.airdrop(key("bank"), BANK_LAMPORTS)
        # The wrapped coin's mint is part of a network's first block: nobody may issue it, nine decimals, in use.
        self.svm.set_account(mint_key("wsol"), Account(10**9, bytes(44) + b"\x09\x01" + bytes(36), SPL))

    def pay(self, source: str, target: str, lamports: int) -> str:
        """Coins from one to another."""
        return self.send(source, [self._transfer(source, key(target), lamports)])

    def pay_too_much(self, source: str, target: str) -> str:
        """A payment that fails, because nobody has so much."""
        return self.send(source, [self._transfer(source, key(target), 10**18)])

    def mint(self, name: str, decimals: int, program: str) -> str:
        """A new token whose mint is the bank's."""
        used = PROGRAMS[program]
        new = CreateAccountParams(
            from_pubkey=key("bank"),
            to_pubkey=key(name),
            lamports=self.svm.minimum_balance_for_rent_exemption(82),
            space=82,
            owner=used,
        )
        begun = Instruction(used, bytes([20, decimals]) + bytes(key("bank")) + b"\0", [can_write(key(name))])
        return self.send("bank", [create_account(new), begun], signers=[name])

    def open(self, payer: str, owner: str, mint: str, program: str) -> str:
        """A token account for an owner, its rent paid by somebody."""
        return self.send(payer, [self._open(payer, owner, mint, program)])

    def issue(self, mint: str, owner: str, units: int, program: str) -> str:
        """New tokens for an owner."""
        used = PROGRAMS[program]
        target = associated(owner, mint, used)
        data = b"\x07" + struct.pack("<Q", units)
        return self.send(
            "bank", [Instruction(used, data, [can_write(key(mint)), can_write(target), can_read(key("bank"), signs=True)])]
        )

    def give(self, source: str, target: str, mint: str, units: int, program: str) -> str:
        """Tokens from one owner to another, between accounts that are open."""
        return self.send(source, [self._give(source, target, mint, units, program)])

    def swap(self, one: str, other: str, lamports: int, mint: str, units: int) -> str:
        """Coins for tokens, with a tip to a third, in one transaction that both sign."""
        paid = [self._transfer(one, key(other), lamports), self._transfer(one, key("tips"), 10_000)]
        return self.send(one, [*paid, self._give(other, one, mint, units, "spl")], signers=[other])

    def wrap(self, owner: str, lamports: int) -> str:
        """Coins into the owner's account of the wrapped coin, which is opened."""
        target = associated(owner, "wsol", SPL)
        paid = self._transfer(owner, target, lamports)
        return self.send(owner, [self._open(owner, owner, "wsol", "spl"), paid, Instruction(SPL, b"\x11", [can_write(target)])])

    def close(self, owner: str, mint: str, program: str) -> str:
        """Closes a token account; all its lamports go to the owner."""
        used = PROGRAMS[program]
        metas = [can_write(associated(owner, mint, used)), can_write(key(owner)), can_read(key(owner), signs=True)]
        return self.send(owner, [Instruction(used, b"\x09", metas)])

    def stake(self, owner: str, account: str, lamports: int) -> str:
        """A new stake account of the owner's, not delegated: that would need a validator."""
        rent = self.svm.minimum_balance_for_rent_exemption(200)
        new = CreateAccountParams(
            from_pubkey=key(owner), to_pubkey=key(account), lamports=rent + lamports, space=200, owner=STAKE
        )
        data = struct.pack("<I", 0) + bytes(key(owner)) * 2 + struct.pack("<qQ", 0, 0) + bytes(32)
        begun = Instruction(STAKE, data, [can_write(key(account)), can_read(RENT)])
        return self.send(owner, [create_account(new), begun], signers=[account])

    def unstake(self, owner: str, account: str, lamports: int) -> str:
        """Takes coins out of a stake account."""
        metas = [
            can_write(key(account)),
            can_write(key(owner)),
            can_read(CLOCK),
            can_read(HISTORY),
            can_read(key(owner), signs=True),
        ]
        return self.send(owner, [Instruction(STAKE, struct.pack("<IQ", 4, lamports), metas)])

    def address(self, name: str) -> str:
        """The address of a name."""
        return str(mint_key(name))

    def send(self, payer: str, instructions: list[Instruction], signers: list[str] | None = None) -> str:
        """Sends a transaction and keeps what a node tells of it. A failed one is kept too."""
        blockhash = self.svm.latest_blockhash()
        message = Message.new_with_blockhash(instructions, key(payer), blockhash)
        keys = list(message.account_keys)
        signed = Transaction([pair(name) for name in dict.fromkeys([payer, *(signers or [])])], message, blockhash)
        before = self._balances(keys)
        done = self.svm.send_transaction(signed)
        is_failed = hasattr(done, "err")
        meta = done.meta() if is_failed else done
        self.svm.expire_blockhash()
        self.slot += 1
        after = self._balances(keys)
        name = str(signed.signatures[0])
        self.told.append(
            {
                "slot": self.slot,
                "blockTime": BEGIN_S + self.slot,
                "version": "legacy",
                "transaction": {
                    "signatures": [str(one) for one in signed.signatures],
                    "message": {
                        "accountKeys": [str(one) for one in keys],
                        "instructions": list(map(_told, message.instructions)),
                    },
                },
                "meta": {
                    "err": {"InstructionError": [0, {"Custom": 1}]} if is_failed else None,
                    "fee": before[0][0] - after[0][0] if is_failed else meta.fee(),
                    "preBalances": before[0],
                    "postBalances": after[0],
                    "preTokenBalances": before[1],
                    "postTokenBalances": after[1],
                    "innerInstructions": [
                        {"index": n, "instructions": [_told(one.instruction()) for one in group]}
                        for n, group in enumerate(meta.inner_instructions())
                        if group
                    ],
                    "loadedAddresses": {"readonly": [], "writable": []},
                },
            }
        )
        return name

    def _transfer(self, source: str, target: Pubkey, lamports: int) -> Instruction:
        return transfer(TransferParams(from_pubkey=key(source), to_pubkey=target, lamports=lamports))

    def _open(self, payer: str, owner: str, mint: str, program: str) -> Instruction:
        used = PROGRAMS[program]
        seen = [can_read(key(owner)), can_read(mint_key(mint)), can_read(SYSTEM), can_read(used)]
        changed = [can_write(key(payer), signs=True), can_write(associated(owner, mint, used))]
        return Instruction(ASSOCIATED, b"", changed + seen)

    def _give(self, source: str, target: str, mint: str, units: int, program: str) -> Instruction:
        used = PROGRAMS[program]
        ends = [can_write(associated(owner, mint, used)) for owner in (source, target)]
        return Instruction(used, b"\x03" + struct.pack("<Q", units), [*ends, can_read(key(source), signs=True)])

    def _balances(self, keys: list[Pubkey]) -> tuple[list[int], list[dict[str, Any]]]:
        rows = []
        for place, one in enumerate(keys):
            account = self.svm.get_account(one)
            if account is not None and account.owner in (SPL, SPL_2022) and len(account.data) >= 165:
                data = bytes(account.data)
                mint = Pubkey(data[:32])
                decimals = 9 if mint == mint_key("wsol") else bytes(self.svm.get_account(mint).data)[44]
                units = str(int.from_bytes(data[64:72], "little"))
                amount = {"amount": units, "decimals": decimals, "uiAmount": None, "uiAmountString": units}
                told = {
                    "accountIndex": place,
                    "mint": str(mint),
                    "owner": str(Pubkey(data[32:64])),
                    "programId": str(account.owner),
                }
                rows.append(told | {"uiTokenAmount": amount})
        return [self.svm.get_balance(one) or 0 for one in keys], rows


def _told(one: Any) -> dict[str, Any]:
    return {"programIdIndex": one.program_id_index, "accounts": list(one.accounts), "data": base58(bytes(one.data))}


class Node:
    """What a node answers, by method."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def answer(self, question: dict[str, Any]) -> Any:
        """The result of one question."""
        params = question.get("params", [])
        options = params[-1] if params and isinstance(params[-1], dict) else {}
        known: dict[str, Callable[..., Any]] = {
            "getSlot": self._slot,
            "getBalance": self._balance,
            "getMultipleAccounts": self._multiple_accounts,
            "getTokenAccountsByOwner": self._token_accounts_by_owner,
            "getProgramAccounts": self._program_accounts,
            "getSignaturesForAddress": self._signatures_for_address,
            "getTransaction": self._transaction,
        }
        return known[question["method"]](*params[: len(params) - bool(options)], options=options)

    def _slot(self, options: Any) -> Any:
        return self.chain.slot

    def _balance(self, address: str, options: Any) -> Any:
        return self._in_context(self.chain.svm.get_balance(Pubkey.from_string(address)) or 0)

    def _multiple_accounts(self, names: list[str], options: Any) -> Any:
        return self._in_context([self._raw(self.chain.svm.get_account(Pubkey.from_string(name))) for name in names])

    def _token_accounts_by_owner(self, owner: str, where: Any, options: Any) -> Any:
        found = self.chain.svm.get_program_accounts(Pubkey.from_string(where["programId"]))
        own = [(one, account) for one, account in found if _is_owned(bytes(account.data), owner)]
        return self._in_context([{"pubkey": str(one), "account": self._raw(account)} for one, account in own])

    def _program_accounts(self, program: str, options: Any) -> Any:
        size, place = options["filters"][0]["dataSize"], options["filters"][1]["memcmp"]
        wanted = bytes(Pubkey.from_string(place["bytes"]))
        return [
            {"pubkey": str(one), "account": self._raw(account)}
            for one, account in self.chain.svm.get_program_accounts(Pubkey.from_string(program))
            if len(account.data) == size and bytes(account.data)[place["offset"] :].startswith(wanted)
        ]

    def _signatures_for_address(self, address: str, options: Any) -> Any:
        rows = [told for told in reversed(self.chain.told) if address in told["transaction"]["message"]["accountKeys"]]
        names = [told["transaction"]["signatures"][0] for told in rows]
        start = names.index(options["before"]) + 1 if "before" in options else 0
        end = names.index(options["until"]) if "until" in options else len(rows)
        return [
            {"signature": name, "slot": told["slot"], "blockTime": told["blockTime"], "err": told["meta"]["err"], "memo": None}
            for name, told in list(zip(names, rows, strict=True))[start:end][: options["limit"]]
        ]

    def _transaction(self, name: str, options: Any) -> Any:
        return next((told for told in self.chain.told if told["transaction"]["signatures"][0] == name), None)

    def _in_context(self, value: Any) -> Any:
        return {"context": {"slot": self.chain.slot, "apiVersion": "test"}, "value": value}

    def _raw(self, account: Any) -> Any:
        if account is None:
            return None
        data = [base64.b64encode(bytes(account.data)).decode(), "base64"]
        return {"lamports": account.lamports, "owner": str(account.owner), "executable": account.executable, "data": data}


def _is_owned(data: bytes, owner: str) -> bool:
    return len(data) >= 165 and str(Pubkey(data[32:64])) == owner


class Handler(http.server.BaseHTTPRequestHandler):
    """One request a connection: a kept one would hold the only thread."""

    chain = Chain()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/act":
            told: Any = getattr(self.chain, asked["what"])(*asked["words"])
        else:
            told = {"jsonrpc": "2.0", "id": asked["id"], "result": Node(self.chain).answer(asked)}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
