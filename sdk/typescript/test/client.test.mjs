// How the client asks, waits, gives up and tells: against a server that answers from a script. No pause is waited for.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as sdk from "../dist/index.js";

const NOW = 1_700_000_000_000;
const jwt = (lifetimeS, mark = "x") => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ exp: NOW / 1000 + lifetimeS, mark })}.s`;
};
const problem = (status, code, more = {}) => ({
  status,
  body: { code, message: `${code} it is`, blame: "caller", retry: status === 429 || status >= 500 ? "later" : "never", ...more },
});

// A client whose server gives the scripted answers in turn, and what it was asked, and which pauses it made.
function scripted(script, options = {}) {
  const asked = [];
  const pauses = [];
  const answers = [...script];
  const client = new sdk.Omnifolio({
    baseURL: "https://api.example/v1",
    getToken: async () => jwt(1200),
    now: () => NOW,
    pause: async (ms) => void pauses.push(ms),
    fetch: async (url, init) => {
      asked.push({ url, ...init });
      const next = answers.shift();
      if (typeof next === "function") return next(init);
      if (next instanceof Error) throw next;
      const { status = 200, body, headers = {}, type = "application/json" } = next ?? {};
      const empty = status === 204 || status === 304;
      return new Response(empty ? null : typeof body === "string" ? body : JSON.stringify(body ?? {}), {
        status,
        headers: { "content-type": type, ...headers },
      });
    },
    ...options,
  });
  return { client, asked, pauses };
}

test("it sends its token and nothing else that it need not", async () => {
  const { client, asked } = scripted([{ body: [] }]);
  assert.deepEqual(await client.accounts.list({ fiat: "EUR", wallet: undefined }), []);
  assert.equal(asked[0].url, "https://api.example/v1/accounts?fiat=EUR");
  assert.deepEqual(Object.keys(asked[0].headers), ["accept", "authorization"]);
  assert.deepEqual([asked[0].body, asked[0].redirect, asked[0].credentials], [null, "error", "omit"]);
});

test("public routes are asked without a token", async () => {
  const { client, asked } = scripted([{ body: [] }], { getToken: () => assert.fail("no token is needed") });
  await client.providers.list({ category: "exchanges" });
  assert.equal(asked[0].headers.authorization, undefined);
});

test("ids are escaped, and one that leads elsewhere is not sent", async () => {
  const { client, asked } = scripted([{ body: {} }]);
  await client.accounts.get("a/b?x=1");
  assert.equal(asked[0].url, "https://api.example/v1/accounts/a%2Fb%3Fx%3D1");
  for (const id of ["", ".", "..", undefined]) await assert.rejects(client.accounts.get(id), TypeError);
  assert.equal(asked.length, 1);
});

test("a token is asked for once by all who wait, and again when it ends", async () => {
  let now = NOW;
  let count = 0;
  const getToken = async () => jwt(100, ++count);
  const { client } = scripted([1, 2, 3, 4].map(() => ({ body: [] })), { getToken, now: () => now });
  await Promise.all([client.accounts.list(), client.accounts.list()]);
  now += 69_000;
  await client.accounts.list();
  assert.equal(count, 1);
  now += 2_000;
  await client.accounts.list();
  assert.equal(count, 2);
});

test("a token that cannot be had is asked for again by the next call", async () => {
  let count = 0;
  const getToken = async () => {
    if (++count === 1) throw new Error("no session");
    return jwt(1200);
  };
  const { client } = scripted([{ body: [] }], { getToken });
  await assert.rejects(client.accounts.list(), /no session/);
  assert.deepEqual(await client.accounts.list(), []);
});

test("a token that the server does not accept is replaced once", async () => {
  let count = 0;
  const getToken = async () => jwt(1200, ++count);
  const no = problem(401, "unauthenticated");
  const good = scripted([no, { body: [] }], { getToken });
  assert.deepEqual(await good.client.accounts.list(), []);
  assert.notEqual(good.asked[0].headers.authorization, good.asked[1].headers.authorization);
  const bad = scripted([no, no], { getToken });
  await assert.rejects(bad.client.accounts.list(), sdk.Unauthenticated);
  assert.equal(bad.asked.length, 2);
});

test("with the secret it gets tokens itself, by the user's name", async () => {
  const asked = [];
  const client = new sdk.Omnifolio({
    baseURL: "https://api.example/v1/",
    clientId: "team",
    secret: "s",
    user: "u1",
    now: () => NOW,
    fetch: async (url, init) => {
      asked.push([url, init]);
      const body = url.endsWith("/auth/token") ? { token: jwt(1200) } : [];
      return Response.json(body);
    },
  });
  await client.accounts.list();
  assert.equal(asked[0][0], "https://api.example/v1/auth/token");
  assert.equal(asked[0][1].headers.loginName, "u1");
  assert.deepEqual(JSON.parse(asked[0][1].body), { clientId: "team", secret: "s" });
  assert.equal(asked[1][1].headers.authorization, `Bearer ${jwt(1200)}`);
});

test("a secret is not taken in a browser", () => {
  globalThis.document = {};
  try {
    assert.throws(() => new sdk.Omnifolio({ baseURL: "https://x/v1", clientId: "a", secret: "b", user: "c" }), /browser/);
  } finally {
    delete globalThis.document;
  }
});

test("each refusal is an error of its own kind with the server's words", async () => {
  const kinds = [
    [400, "invalid_field", sdk.InvalidRequest],
    [401, "unauthenticated", sdk.Unauthenticated],
    [403, "forbidden", sdk.Forbidden],
    [404, "not_found", sdk.NotFound],
    [409, "already_connected", sdk.Conflict],
    [413, "too_large", sdk.InvalidRequest],
    [429, "rate_limited", sdk.RateLimited],
    [500, "internal", sdk.ServerFailed],
    [503, "store_unavailable", sdk.ServerFailed],
  ];
  for (const [status, code, kind] of kinds) {
    const more = { action: "Do this.", request_id: "r1", docs_url: "https://docs/x", existing_institution_id: "abc" };
    const { client } = scripted([problem(status, code, more), problem(status, code, more)], { tries: 1 });
    const error = await client.portfolio().then(assert.fail, (found) => found);
    assert.equal(error.constructor, kind);
    assert.ok(error instanceof sdk.Refused && error instanceof sdk.OmnifolioError && error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.status, error.message, error.action, error.requestId, error.docsUrl],
      [kind.name, code, status, `${code} it is`, "Do this.", "r1", "https://docs/x"],
    );
    if (error instanceof sdk.Conflict) assert.equal(error.existingAccount, "abc");
  }
});

test("an answer that is not the server's own is an error too", async () => {
  const page = { status: 502, body: "<html>Bad gateway</html>", type: "text/html" };
  const { client } = scripted([page, { body: "{" }], { tries: 1 });
  const error = await client.portfolio().then(assert.fail, (found) => found);
  assert.deepEqual([error.constructor, error.code, error.status, error.retry], [sdk.ServerFailed, "unreadable_answer", 502, "later"]);
  await assert.rejects(client.portfolio(), { code: "unreadable_answer" });
});

test("what passes is tried again after growing pauses with jitter, and not for ever", async (t) => {
  for (const [random, expected] of [[0, [0, 0, 0]], [0.5, [500, 1000, 2000]]]) {
    t.mock.method(Math, "random", () => random);
    const { client, asked, pauses } = scripted(Array.from({ length: 9 }, () => problem(503, "store_unavailable")));
    await assert.rejects(client.accounts.list(), sdk.ServerFailed);
    assert.equal(asked.length, 4);
    assert.deepEqual(pauses, expected);
  }
});

test("Retry-After is waited for, in seconds or as a date, and a long one is not", async () => {
  const busy = (value) => ({ ...problem(429, "rate_limited"), headers: { "retry-after": value } });
  const date = new Date(NOW + 5_000).toUTCString();
  const { client, pauses } = scripted([busy("7"), busy(date), { body: [] }]);
  assert.deepEqual(await client.accounts.list(), []);
  assert.ok(pauses[0] >= 7_000 && pauses[0] < 8_000);
  assert.ok(pauses[1] >= 4_000 && pauses[1] < 7_000);
  const long = scripted([busy("3600"), { body: [] }]);
  const error = await long.client.accounts.list().then(assert.fail, (found) => found);
  assert.deepEqual([error.constructor, error.retryAfterMs, long.pauses], [sdk.RateLimited, 3_600_000, []]);
});

test("what would not help is not tried again", async () => {
  for (const found of [problem(400, "invalid_field"), problem(404, "not_found"), problem(500, "schema_too_new", { retry: "never" })]) {
    const { client, asked } = scripted([found, { body: [] }]);
    await assert.rejects(client.accounts.list(), sdk.Refused);
    assert.equal(asked.length, 1);
  }
});

test("what could be done twice is sent again only if the server has not begun it", async () => {
  const body = { provider: "demo", credentials: {} };
  const lost = scripted([new TypeError("fetch failed"), { body: {} }]);
  await assert.rejects(lost.client.accounts.add(body), { name: "NoAnswer", code: "connection_failed" });
  assert.equal(lost.asked.length, 1);
  const failed = scripted([problem(503, "store_unavailable"), { body: {} }]);
  await assert.rejects(failed.client.accounts.add(body), sdk.ServerFailed);
  const busy = scripted([problem(429, "rate_limited"), { status: 202, body: { id: "a" } }]);
  assert.equal((await busy.client.accounts.add(body)).id, "a");
});

test("a removal whose answer was lost is a removal", async () => {
  const { client, asked } = scripted([new TypeError("fetch failed"), problem(404, "not_found")]);
  assert.equal(await client.accounts.remove("a"), undefined);
  assert.equal(asked.length, 2);
  await assert.rejects(scripted([problem(404, "not_found")]).client.accounts.remove("a"), sdk.NotFound);
});

// A server that never answers; like an open socket it keeps the program alive.
const never = ({ signal }) =>
  new Promise((_, reject) => {
    const socket = setInterval(() => {}, 60_000);
    signal.addEventListener("abort", () => {
      clearInterval(socket);
      reject(signal.reason);
    });
  });

test("a server that does not answer in time is given up, once per try", async () => {
  const { client, asked } = scripted([never, never, never], { timeoutMs: 5, tries: 2 });
  await assert.rejects(client.accounts.list(), { name: "NoAnswer", code: "timed_out" });
  assert.equal(asked.length, 2);
});

test("who asked may stop waiting, also between two tries", async () => {
  const stop = new AbortController();
  const { client, asked } = scripted([never]);
  const waiting = client.accounts.list({}, { signal: stop.signal });
  setImmediate(() => stop.abort(new Error("enough")));
  await assert.rejects(waiting, /enough/);
  assert.equal(asked.length, 1);
  const pausing = new AbortController();
  const paused = scripted([problem(503, "store_unavailable")], { pause: undefined });
  const later = paused.client.accounts.list({}, { signal: pausing.signal });
  setTimeout(() => pausing.abort(new Error("enough")), 1);
  await assert.rejects(later, /enough/);
  assert.equal(paused.asked.length, 1);
});

test("rows come page by page until there are none", async () => {
  const pages = [[{ id: "1" }, { id: "2" }], [{ id: "3" }], []];
  const { client, asked } = scripted(pages.map((body) => ({ body })));
  const found = [];
  for await (const row of client.transactions.list("a", { types: "trade", pageSize: 2 })) found.push(row.id);
  assert.deepEqual(found, ["1", "2", "3"]);
  assert.deepEqual(
    asked.map(({ url }) => new URL(url).search),
    ["", "2", "3"].map((last) => `?types=trade&last=${last}&limit=2`),
  );
});

test("who has seen enough stops the asking", async () => {
  const { client, asked } = scripted([{ body: [{ id: "1" }, { id: "2" }] }]);
  for await (const order of client.orders.list("a")) {
    assert.equal(order.id, "1");
    break;
  }
  assert.equal(asked.length, 1);
});

test("changes are followed to their end", async () => {
  const page = (cursor, has_more) => ({ body: { changes: [], cursor, has_more, is_reset: false } });
  const { client, asked } = scripted([page("c2", true), page("c3", false)]);
  const cursors = [];
  for await (const { cursor } of client.changes("c1")) cursors.push(cursor);
  assert.deepEqual(cursors, ["c2", "c3"]);
  assert.deepEqual(asked.map(({ url }) => new URL(url).searchParams.get("cursor")), ["c1", "c2"]);
});

test("an account is waited for until no sync of it runs", async () => {
  const account = (status, v) => ({ body: { id: "a", status, v } });
  const { client, asked } = scripted([account("syncing", 3), { status: 304 }, account("ok", 4)]);
  assert.equal((await client.accounts.settled("a")).status, "ok");
  assert.deepEqual(asked.slice(1).map(({ url }) => new URL(url).search), ["?v=3", "?v=3"]);
});
