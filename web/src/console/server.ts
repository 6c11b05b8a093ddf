// What the page asks the server: the console's own questions with the cookie, the API with a token in the owner's name.

export interface Facts {
  prefix: string;
  version: string;
  is_sandbox: boolean;
  fiat: string;
}

/** An answer that is a refusal; `message` and `action` are for people. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly action: string,
  ) {
    super(message);
  }
}

const HEADERS = { "content-type": "application/json", "x-omnifolio-console": "1" };
const EARLY_MS = 60_000;

export class Server {
  #token = "";
  #until = 0;

  constructor(readonly prefix: string) {}

  /** The console's own routes. Throws a Refusal. */
  async ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#fetch(`${this.prefix}/console/api/${path}`, {
      method,
      headers: HEADERS,
      credentials: "same-origin",
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  /** A route of /v1 in the owner's name. Throws a Refusal. */
  async api<Answer>(method: string, path: string): Promise<Answer> {
    if (Date.now() > this.#until - EARLY_MS) {
      const found = await this.ask<{ token: string; expires_at: number }>("GET", "token");
      this.#token = found.token;
      this.#until = found.expires_at;
    }
    return this.#fetch(`${this.prefix}/v1/${path}`, { method, headers: { authorization: `Bearer ${this.#token}` }, credentials: "omit" });
  }

  /** Lets go of the token. */
  forget(): void {
    this.#token = "";
    this.#until = 0;
  }

  async #fetch<Answer>(url: string, options: RequestInit): Promise<Answer> {
    let answer: Response;
    try {
      answer = await fetch(url, { ...options, cache: "no-store" });
    } catch {
      throw new Refusal(0, "unreachable", "The server does not answer.", "Check that omnifolio serve runs, then try again.");
    }
    if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as Answer;
    const told = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, told.code ?? "internal", told.message ?? "Something went wrong here.", told.action ?? "");
  }
}
