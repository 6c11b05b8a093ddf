// The server as this page sees it. The session is held in a private field and nowhere else.

export interface Field {
  label: Record<string, string>;
  hint?: Record<string, string>;
  pattern?: string;
  secret: boolean;
  required: boolean;
}

export interface Provider {
  name: string;
  display_name: string;
  alternate_names: string[] | null;
  category: string;
  auth_type: string;
  status: string;
  is_beta: boolean;
  connect_notice: string | null;
  credentials: string[];
  instructions: Record<string, string>;
  misc: Record<string, Field>;
  features: { account: boolean; positions: boolean; transactions: boolean };
  key_check: string | null;
  egress_ips: string[];
  proof: string;
  live: { date: string } | null;
  sources: string[];
  data: { kind: string; look_back_days: number | null }[];
  oauth?: boolean;
}

export interface Balance {
  ticker: string;
  amount: string;
  fiat_value: string | null;
  fiat_ticker: string;
}

export interface Account {
  id: string;
  name: string | null;
  status: "ok" | "error" | "syncing" | "retry";
  status_details?: Record<"wallets" | "balances" | "transactions", string>;
  error: { name: string; code: string; message: string; cause: string; action: string } | null;
  provider: Provider;
  balances: Balance[];
  wallets: { address: string | null }[];
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  permission: { state: string; switches: string[]; excess: string[]; missing: string[]; expires_at: number | null } | null;
  coverage: { complete_from: number | null; complete_to: number | null };
  synced_at: number | null;
  next_sync_at: number | null;
  v: number;
}

export interface Match {
  provider: string;
  display_name: string;
  category: string;
  field: string;
  value: string;
  kind: "name" | "alias" | "ticker" | "address" | "xpub" | "ens";
}

export interface Check {
  name: string;
  state: "waiting" | "ok" | "failed" | "unknown";
  text: string;
  fix: string | null;
}

export interface Step {
  reads: string;
  source: string;
  own: boolean;
  calls: string;
  time: string;
}

export interface Preview {
  layout: string;
  lines: number;
  new: number;
  unreadable: string[];
  first: unknown;
}

interface Problem {
  code?: string;
  message?: string;
  action?: string;
  request_id?: string;
  existing_institution_id?: string;
}

/** A request that was answered with a problem, or not at all (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retryAfter: number,
  ) {
    super(problem.message ?? "");
  }

  get code(): string {
    return this.problem.code ?? (this.status === 0 ? "offline" : "internal");
  }
}

export class Api {
  readonly #prefix: string;
  readonly #session: string | null;
  readonly #end = new AbortController();

  constructor(prefix: string, session: string | null) {
    this.#prefix = prefix;
    this.#session = session;
  }

  get = <T>(path: string): Promise<T> => this.#ask<T>("GET", path) as Promise<T>;
  post = <T>(path: string, body: unknown = {}): Promise<T> => this.#ask<T>("POST", path, body) as Promise<T>;
  put = <T>(path: string, body: unknown): Promise<T> => this.#ask<T>("PUT", path, body) as Promise<T>;

  async delete(path: string): Promise<void> {
    await this.#ask("DELETE", path);
  }

  /** The bytes of a file as they are. */
  send = <T>(path: string, file: Blob): Promise<T> => this.#ask<T>("POST", path, file) as Promise<T>;

  /** The account when it differs from version `v`; null when the wait is over without a change. */
  poll = (account: string, v: number): Promise<Account | null> => this.#ask<Account>("GET", `/v1/accounts/${account}/poll?v=${v}`);

  /** A step of the funnel: it is sent even when the page ends meanwhile, and nobody waits for it. */
  note(step: Record<string, string>): void {
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.#session ?? ""}` };
    const init: RequestInit = { method: "POST", headers, body: JSON.stringify(step), credentials: "omit", redirect: "error", keepalive: true };
    void fetch(`${this.#prefix}/connect/event`, init).catch(() => undefined);
  }

  /** Ends whatever still waits. */
  end(): void {
    this.#end.abort();
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T | null> {
    const headers = new Headers({ accept: "application/json" });
    if (this.#session !== null) headers.set("authorization", `Bearer ${this.#session}`);
    const raw = body instanceof Blob;
    if (body !== undefined) headers.set("content-type", raw ? "text/csv" : "application/json");
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit", redirect: "error", signal: this.#end.signal };
    if (body !== undefined) init.body = raw ? body : JSON.stringify(body);
    const answer = await fetch(this.#prefix + path, init).catch(() => null);
    if (answer === null) throw new Refused(0, {}, 0);
    if (answer.status === 304 || answer.status === 204) return null;
    const found = (await answer.json().catch(() => ({}))) as T & Problem;
    if (!answer.ok) throw new Refused(answer.status, found, Number(answer.headers.get("retry-after") ?? 0));
    return found;
  }
}
