// The client against a running server, with an account at a simulated exchange. Needs OMNIFOLIO_URL, CLIENT_ID, SECRET and KRAKEN (its
// fields as JSON).

import assert from "node:assert/strict";
import { test } from "node:test";

import * as sdk from "../dist/index.js";

const { OMNIFOLIO_URL, CLIENT_ID, SECRET, KRAKEN } = process.env;
const server = (user) => new sdk.Omnifolio({ baseURL: OMNIFOLIO_URL, clientId: CLIENT_ID, secret: SECRET, user });
const client = server("live-1");
const credentials = JSON.parse(KRAKEN);
let account;

test("an account is connected and read", async () => {
  account = await client.accounts.add({ provider: "kraken", credentials, name: "Live" });
  assert.equal(account.status, "syncing");
  account = await client.accounts.settled(account.id);
  assert.equal(account.status, "ok");
  assert.ok(account.balances.length > 3);
  assert.match(account.balances[0].amount, /^-?\d+(\.\d+)?$/);
  assert.deepEqual((await client.accounts.list()).map(({ id }) => id), [account.id]);
  assert.equal((await client.accounts.get(account.id, { fiat: "EUR" })).fiat_ticker, "EUR");
});

test("every transaction is listed once, whatever the size of a page", async () => {
  const ids = async (pageSize) => {
    const found = [];
    for await (const { id } of client.transactions.list(account.id, { from: "2020-01-01", pageSize })) found.push(id);
    return found;
  };
  const [few, many] = [await ids(20), await ids(1000)];
  assert.deepEqual(few, many);
  assert.ok(many.length > 100);
  assert.equal(new Set(many).size, many.length);
  const one = await client.transactions.get(account.id, many[0]);
  assert.equal(one.account, account.id);
  for await (const trade of client.transactions.list(account.id, { types: "trade" })) {
    assert.equal(trade.transaction_type, "trade");
    break;
  }
});

test("everything else is read", async () => {
  const portfolio = await client.portfolio({ fiat: "EUR" });
  assert.equal(portfolio.accounts[0].id, account.id);
  assert.ok((await client.accounts.history(account.id)).length > 0);
  assert.equal((await client.accounts.coverage(account.id)).account, account.id);
  assert.equal((await client.accounts.reconciliation(account.id)).account, account.id);
  assert.deepEqual(await client.accounts.positions(account.id), []);
  assert.ok(Array.isArray(await client.transfers()));
  for await (const order of client.orders.list(account.id)) assert.equal(order.account, account.id);
  assert.match(await client.exported("koinly"), /^Date,/i);
  assert.ok((await client.providers.list({ category: "exchanges" })).length > 10);
  assert.equal((await client.providers.get("binanceglobal")).name, "binance");
});

test("changes tell what was listed", async () => {
  const kinds = new Map();
  for await (const page of client.changes()) {
    for (const { kind } of page.changes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.equal(kinds.get("account"), 1);
  assert.ok(kinds.get("transaction") > 100);
});

// A copy of the user's books by the rules of /v1/sync, in a few lines.
async function copied(copy = { cursor: "", accounts: new Map(), transactions: new Map() }) {
  for await (const { added, modified, removed, next_cursor, is_reset } of client.sync(copy.cursor, { limit: 50 })) {
    if (is_reset) [copy.accounts, copy.transactions].forEach((rows) => rows.clear());
    for (const { id } of removed.transactions) copy.transactions.delete(id);
    for (const { id } of removed.accounts) {
      copy.accounts.delete(id);
      for (const row of copy.transactions.values()) if (row.account === id) copy.transactions.delete(row.id);
    }
    for (const { accounts, transactions } of [added, modified]) {
      for (const row of accounts) copy.accounts.set(row.id, row);
      for (const row of transactions) copy.transactions.set(row.id, row);
    }
    copy.cursor = next_cursor;
  }
  return copy;
}

test("a copy equals what is listed, and follows what changes and goes", async () => {
  const copy = await copied();
  const listed = [];
  for await (const { id, v } of client.transactions.list(account.id, { from: "2020-01-01" })) listed.push([id, v]);
  assert.deepEqual([...copy.transactions.values()].map(({ id, v }) => [id, v]).sort(), listed.sort());
  const other = await client.accounts.add({ provider: "demo", credentials: { username: "demo", password: "demo" } });
  await client.accounts.settled(other.id);
  const held = copy.transactions.size;
  await copied(copy);
  assert.deepEqual([...copy.accounts.keys()].sort(), [account.id, other.id].sort());
  assert.ok(copy.transactions.size > held);
  await client.accounts.remove(other.id);
  await copied(copy);
  assert.deepEqual([[...copy.accounts.keys()], copy.transactions.size], [[account.id], held]);
});

test("what a user decided is kept and taken back", async () => {
  const decision = await client.decisions.put({ kind: "label", address: "0x00000000000000000000000000000000000000aa", value: "Savings" });
  assert.deepEqual((await client.decisions.list()).map(({ id }) => id), [decision.id]);
  await client.decisions.undo(decision.id);
  assert.deepEqual(await client.decisions.list(), []);
});

test("a browser's client works with a token that the server gave it", async () => {
  const browser = new sdk.Omnifolio({ baseURL: OMNIFOLIO_URL, getToken: () => client.token() });
  assert.equal((await browser.accounts.get(account.id)).name, "Live");
  await assert.rejects(browser.token(), TypeError);
});

test("refusals are told apart", async () => {
  const other = (options) => new sdk.Omnifolio({ baseURL: OMNIFOLIO_URL, ...options }).accounts.list();
  const cases = [
    [() => client.accounts.add({ provider: "kraken", credentials }), sdk.Conflict, "already_connected"],
    [() => client.accounts.add({ provider: "nowhere", credentials: {} }), sdk.NotFound, "not_found"],
    [() => client.accounts.add({ provider: "kraken", credentials: {} }), sdk.InvalidRequest, "invalid_field"],
    [() => server("live-2").accounts.get(account.id), sdk.NotFound, "not_found"],
    [() => other({ clientId: CLIENT_ID, secret: "no", user: "u" }), sdk.Unauthenticated, "unauthenticated"],
    [() => other({ getToken: async () => "a.b.c" }), sdk.Unauthenticated, "unauthenticated"],
    [() => other({ getToken: async () => "t", baseURL: "http://127.0.0.1:1/v1", tries: 1 }), sdk.NoAnswer, "connection_failed"],
  ];
  for (const [ask, kind, code] of cases) {
    const error = await ask().then(() => assert.fail(`${code} was expected`), (found) => found);
    assert.deepEqual([error.constructor, error.code], [kind, code]);
    if (error instanceof sdk.Conflict) assert.equal(error.existingAccount, account.id);
  }
});

test("an account is synced and removed, and a user forgotten", async () => {
  assert.equal((await client.accounts.change(account.id, { name: "Renamed" })).name, "Renamed");
  await client.accounts.settled(account.id);
  assert.equal((await client.accounts.sync(account.id)).status, "syncing");
  await client.accounts.settled(account.id);
  assert.equal(await client.accounts.remove(account.id), undefined);
  await assert.rejects(client.accounts.remove(account.id), sdk.NotFound);
  assert.equal(await client.forget(), undefined);
});
