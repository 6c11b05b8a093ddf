import { BadSignature } from "./errors.js";

const TOLERANCE_S = 300;

export interface WebhookOptions {
  /** Seconds that a message may be old, or ahead; 300 by default. */
  toleranceS?: number;
  /** Milliseconds since 1970; the machine's clock by default. */
  now?: number;
}

/**
 * The body of a webhook, once its signature (Standard Webhooks, `v1`) and its age are right. Give the body as it came, not parsed
 * and written again, and several secrets while one is being replaced. Keep the `webhook-id`s that you have seen: a message can come twice.
 *
 * @throws BadSignature
 */
export async function verifyWebhook<Body = unknown>(
  body: string | Uint8Array,
  headers: Headers | Record<string, string | string[] | undefined>,
  secrets: string | readonly string[],
  options: WebhookOptions = {},
): Promise<Body> {
  const [id, at, given] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => header(headers, name));
  if (!id || !at || !given) throw new BadSignature("a header of the signature is missing");
  const age = (options.now ?? Date.now()) / 1000 - Number(at);
  if (!(Math.abs(age) <= (options.toleranceS ?? TOLERANCE_S))) {
    throw new BadSignature("the message is too old or from the future");
  }
  const encoder = new TextEncoder();
  const text = typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  const signed = encoder.encode(`${id}.${at}.${text}`);
  const signatures = given.split(" ").filter((part) => part.startsWith("v1,")).map((part) => bytes(part.slice(3)));
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const raw = bytes(secret.replace(/^whsec_/, ""));
    if (raw === undefined || raw.length === 0) throw new TypeError("a webhook secret is base64, after whsec_");
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const signature of signatures) {
      if (signature && (await crypto.subtle.verify("HMAC", key, signature, signed))) return JSON.parse(text) as Body;
    }
  }
  throw new BadSignature("no signature is that of a known secret");
}

function header(headers: Headers | Record<string, string | string[] | undefined>, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : undefined;
}

function bytes(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}
