import { NoAnswer, OmnifolioError, Refused, refusal } from "./errors.js";
import type { Operations } from "./models.js";
import { Tokens, type GetToken } from "./tokens.js";

export interface Shared {
  /** Where the API is, with `/v1`. */
  baseURL: string;
  /** How often a request that may be sent again is tried in all; 4 by default. */
  tries?: number;
  /** Milliseconds for one try; 30,000 by default. */
  timeoutMs?: number;
  /** A `Retry-After` above so many milliseconds is not waited for; 60,000 by default. */
  patienceMs?: number;
  /** In the place of the platform's `fetch`. */
  fetch?: typeof fetch;
  /** How a pause between two tries is spent. */
  pause?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** What every call takes beside its own options. */
export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

type Path<Key extends string> = Key extends `${string}{${string}}${infer Rest}` ? [string, ...Path<Rest>] : [];

interface Asked<Key extends keyof Operations> extends CallOptions {
  query?: Operations[Key]["query"];
  body?: Operations[Key]["body"];
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
const PASSING = new Set([429, 500, 502, 503, 504]);

/** One request at a time: its token, its time limit, its tries. */
export class Transport {
  readonly #shared: Shared;
  readonly #base: string;
  readonly #tokens: Tokens;

  constructor(shared: Shared, getToken: GetToken) {
    this.#shared = shared;
    this.#base = shared.baseURL.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#tokens = new Tokens(getToken, this.#now);
  }

  readonly #now = (): number => this.#shared.now?.() ?? Date.now();

  /** Calls an operation by its name in the API's description, with the parts of its path in order. */
  async call<Key extends keyof Operations>(
    key: Key,
    path: Path<Key>,
    asked: Asked<Key> = {},
    headers?: Record<string, string>,
  ): Promise<Operations[Key]["answer"]> {
    const [method, template] = key.split(" ") as [string, string];
    const parts = [...(path as string[])];
    const filled = template.replace(/\{\w+\}/g, () => encodeURIComponent(part(parts.shift())));
    const url = `${this.#base}${filled}${search(asked.query)}`;
    const tries = this.#shared.tries ?? 4;
    let isFresh = false;
    for (let attempt = 1; ; attempt++) {
      const token = headers ? undefined : await this.#tokens.current();
      try {
        return await this.#once(method, url, asked, headers ?? { authorization: `Bearer ${token}` });
      } catch (error) {
        if (attempt > 1 && method === "DELETE" && error instanceof Refused && error.status === 404) {
          return undefined as Operations[Key]["answer"]; // an earlier try did it, and its answer was lost
        }
        if (token !== undefined && !isFresh && error instanceof Refused && error.status === 401) {
          this.#tokens.drop(token);
          isFresh = true;
          continue;
        }
        const pause = attempt < tries ? this.#pauseAfter(error, method, attempt) : undefined;
        if (pause === undefined) throw error;
        await (this.#shared.pause ?? sleep)(pause, asked.signal);
      }
    }
  }

  /** Milliseconds until the next try; undefined where there is none. A POST is sent again only if the server has not begun it. */
  #pauseAfter(error: unknown, method: string, attempt: number): number | undefined {
    const jitter = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    if (error instanceof NoAnswer) return method === "POST" ? undefined : jitter;
    if (!(error instanceof Refused) || !PASSING.has(error.status) || error.retry !== "later") return undefined;
    if (method === "POST" && error.status !== 429) return undefined;
    const asked = error.retryAfterMs ?? 0;
    return asked > (this.#shared.patienceMs ?? 60_000) ? undefined : asked + jitter;
  }

  async #once(method: string, url: string, asked: CallOptions & { body?: unknown }, headers: Record<string, string>): Promise<any> {
    const limit = AbortSignal.timeout(asked.timeoutMs ?? this.#shared.timeoutMs ?? 30_000);
    const signal = asked.signal ? AbortSignal.any([asked.signal, limit]) : limit;
    const body = asked.body === undefined ? null : JSON.stringify(asked.body);
    const init: RequestInit = {
      method,
      signal,
      body,
      headers: { accept: "application/json", ...(body && { "content-type": "application/json" }), ...headers },
      credentials: "omit",
      redirect: "error", // the API never redirects: a secret must not follow whoever does
    };
    let answer: Response;
    let text: string;
    try {
      answer = await (this.#shared.fetch ?? fetch)(url, init);
      text = await answer.text();
    } catch (error) {
      if (asked.signal?.aborted) throw error;
      if (limit.aborted) throw new NoAnswer("timed_out", "the server did not answer in time", { cause: error });
      throw new NoAnswer("connection_failed", "the server cannot be reached", { cause: error });
    }
    if (answer.status === 304) return undefined;
    if (!answer.ok) throw refusal(answer, text, this.#now());
    if (!/json/.test(answer.headers.get("content-type") ?? "")) return text || undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new OmnifolioError("unreadable_answer", "the answer is not JSON", { cause: error });
    }
  }
}

/** A part of a path. What would lead elsewhere is refused here, because `..` survives every escape. */
function part(text: string | undefined): string {
  if (!text || text === "." || text === "..") throw new TypeError("an id is missing");
  return text;
}

function search(query: Record<string, unknown> | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
