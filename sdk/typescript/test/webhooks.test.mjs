// Webhooks are believed only with a good signature of a known secret, and only while they are fresh.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { BadSignature, verifyWebhook } from "../dist/index.js";

// The example that the Standard Webhooks specification's own libraries are tested with.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"test": 2432232314}';
const HEADERS = {
  "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": "1614265330",
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const now = 1_614_265_330_000;

test("the specification's example is good, as text, as bytes, and in any kind of headers", async () => {
  const expected = { test: 2432232314 };
  assert.deepEqual(await verifyWebhook(BODY, HEADERS, SECRET, { now }), expected);
  assert.deepEqual(await verifyWebhook(new TextEncoder().encode(BODY), new Headers(HEADERS), SECRET, { now }), expected);
  const shouted = Object.fromEntries(Object.entries(HEADERS).map(([name, value]) => [name.toUpperCase(), value]));
  assert.deepEqual(await verifyWebhook(BODY, shouted, SECRET, { now }), expected);
});

test("our own signature of any text is good", async () => {
  const body = '{"name":"Zoë 🪙","n":1}';
  const raw = Buffer.from("another secret of ours, long enough");
  const signature = createHmac("sha256", raw).update(`m.1614265330.${body}`).digest("base64");
  const headers = { ...HEADERS, "webhook-id": "m", "webhook-signature": `v1,${signature}` };
  assert.equal((await verifyWebhook(body, headers, `whsec_${raw.toString("base64")}`, { now })).name, "Zoë 🪙");
});

test("while a secret is being replaced, either of two is good, and either of two signatures", async () => {
  const other = "whsec_" + Buffer.from("x".repeat(32)).toString("base64");
  assert.ok(await verifyWebhook(BODY, HEADERS, [other, SECRET], { now }));
  const two = { ...HEADERS, "webhook-signature": `v1a,AAAA v1,AAAA ${HEADERS["webhook-signature"]}` };
  assert.ok(await verifyWebhook(BODY, two, SECRET, { now }));
  await assert.rejects(verifyWebhook(BODY, HEADERS, other, { now }), BadSignature);
});

test("what was changed, is old, from the future, unsigned or oddly signed is not believed", async () => {
  const cases = [
    [BODY.replace("2", "3"), HEADERS, now],
    [`${BODY} `, HEADERS, now],
    [BODY, { ...HEADERS, "webhook-id": "msg_2" }, now],
    [BODY, { ...HEADERS, "webhook-timestamp": "1614265331" }, now],
    [BODY, HEADERS, now + 301_000],
    [BODY, HEADERS, now - 301_000],
    ...Object.keys(HEADERS).map((name) => [BODY, { ...HEADERS, [name]: undefined }, now]),
    [BODY, { ...HEADERS, "webhook-timestamp": "1614265330.0" }, now],
    [BODY, { ...HEADERS, "webhook-timestamp": "soon" }, now],
    [BODY, { ...HEADERS, "webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v2,") }, now],
    [BODY, { ...HEADERS, "webhook-signature": "v1,%%%" }, now],
    [BODY, { ...HEADERS, "webhook-signature": "v1," }, now],
  ];
  for (const [body, headers, at] of cases) {
    await assert.rejects(verifyWebhook(body, headers, SECRET, { now: at }), { name: "BadSignature", code: "bad_signature" });
  }
});

test("a secret that is none is the programmer's mistake, not a bad signature", async () => {
  for (const secret of ["whsec_", "", "whsec_%%%"]) await assert.rejects(verifyWebhook(BODY, HEADERS, secret, { now }), TypeError);
});
