import type { Account, Changes, Operations, Order, Sync, Transaction } from "./models.js";
import type { GetToken } from "./tokens.js";
import { Transport, type CallOptions, type Shared } from "./transport.js";

/** On your server: the team's id and secret, and your own id of the person. Never in a browser. */
export interface ServerOptions extends Shared {
  clientId: string;
  secret: string;
  /** Your id of the person, up to 255 ASCII characters; only a keyed hash of it is stored. */
  user: string;
}

/** In a browser or an app: your back end gives the token. */
export interface BrowserOptions extends Shared {
  getToken: GetToken;
}

type Query<Key extends keyof Operations> = Operations[Key]["query"];
type Body<Key extends keyof Operations> = Operations[Key]["body"];

/** Rows that come page by page: `pageSize` are fetched at a time (500 by default), and all are given. */
type Rows<Key extends keyof Operations> = Omit<Query<Key>, "limit" | "last" | "exclude_fields"> & { pageSize?: number };

const PAGE = 500;
const PUBLIC = {};

/** Omnifolio's API for one user. Instants are milliseconds since 1970, amounts are decimal strings, unknown is null. */
export class Omnifolio {
  readonly #server: ServerOptions | undefined;
  readonly #call: Transport["call"];

  constructor(options: ServerOptions | BrowserOptions) {
    this.#server = "secret" in options ? options : undefined;
    if (this.#server && typeof document !== "undefined") {
      throw new TypeError("a secret does not belong into a browser: give getToken");
    }
    const transport = new Transport(options, "getToken" in options ? options.getToken : () => this.token());
    this.#call = transport.call.bind(transport);
  }

  /** A new token of this user, for a browser: good for twenty minutes. Needs the secret. */
  async token(call?: CallOptions): Promise<string> {
    if (!this.#server) throw new TypeError("only a client with a secret can ask for tokens");
    const { clientId, secret, user } = this.#server;
    const headers = { loginName: user };
    return (await this.#call("POST /v1/auth/token", [], { ...call, body: { clientId, secret } }, headers)).token;
  }

  /** A token that opens Connect once, within half an hour. `origin` is the page that will hear what comes of it. */
  linkToken(body: Body<"POST /v1/link-tokens">, call?: CallOptions) {
    return this.#call("POST /v1/link-tokens", [], { ...call, body });
  }

  /** What can be connected; needs no token. */
  readonly providers = {
    list: (query: Query<"GET /v1/providers"> = {}, call?: CallOptions) =>
      this.#call("GET /v1/providers", [], { ...call, query }, PUBLIC),
    get: (name: string, call?: CallOptions) => this.#call("GET /v1/providers/{name}", [name], call, PUBLIC),
  };

  /** The user's connections, with wallets, balances, positions and values. */
  readonly accounts = {
    list: (query: Query<"GET /v1/accounts"> = {}, call?: CallOptions) =>
      this.#call("GET /v1/accounts", [], { ...call, query }),
    get: (id: string, query: Query<"GET /v1/accounts/{account_id}"> = {}, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}", [id], { ...call, query }),
    /** Connects an account; `settled` waits for its first sync. */
    add: (body: Body<"POST /v1/accounts">, call?: CallOptions) =>
      this.#call("POST /v1/accounts", [], { ...call, body }),
    change: (id: string, body: Body<"PUT /v1/accounts/{account_id}">, call?: CallOptions) =>
      this.#call("PUT /v1/accounts/{account_id}", [id], { ...call, body }),
    /** Disconnects an account and deletes everything of it. */
    remove: (id: string, call?: CallOptions) => this.#call("DELETE /v1/accounts/{account_id}", [id], call),
    sync: (id: string, call?: CallOptions) => this.#call("POST /v1/accounts/{account_id}/sync", [id], call),
    /** The account once its version is above `v`; undefined if that takes longer than the server waits (25 s). */
    poll: (id: string, v: number, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/poll", [id], { ...call, query: { v } }),
    /** The account once no sync of it runs. */
    settled: async (id: string, call?: CallOptions): Promise<Account> => {
      let account = await this.accounts.get(id, {}, call);
      while (account.status === "syncing") account = (await this.accounts.poll(id, account.v, call)) ?? account;
      return account;
    },
    coverage: (id: string, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/coverage", [id], call),
    reconciliation: (id: string, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/reconciliation", [id], call),
    /** The value of each wallet at the end of each day. */
    history: (id: string, query: Query<"GET /v1/accounts/{account_id}/history"> = {}, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/history", [id], { ...call, query }),
    positions: (id: string, query: Query<"GET /v1/accounts/{account_id}/positions"> = {}, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/positions", [id], { ...call, query }),
  };

  readonly transactions = {
    /** Every transaction of an account, newest first, of the last 365 days unless `from` says otherwise. */
    list: (id: string, query: Rows<"GET /v1/accounts/{account_id}/transactions"> = {}, call?: CallOptions) =>
      rows<Transaction>(query, (page) =>
        this.#call("GET /v1/accounts/{account_id}/transactions", [id], { ...call, query: page }),
      ),
    get: (id: string, transaction: string, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/transactions/{transaction_id}", [id, transaction], call),
  };

  readonly orders = {
    /** Every order of an account, newest first, of the last 365 days unless `from` says otherwise. */
    list: (id: string, query: Rows<"GET /v1/accounts/{account_id}/orders"> = {}, call?: CallOptions) =>
      rows<Order>(query, (page) =>
        this.#call("GET /v1/accounts/{account_id}/orders", [id], { ...call, query: page }),
      ),
    get: (id: string, order: string, call?: CallOptions) =>
      this.#call("GET /v1/accounts/{account_id}/orders/{order_id}", [id, order], call),
  };

  /** What a user decided: labels, notes, types, spam, links, prices. */
  readonly decisions = {
    list: (call?: CallOptions) => this.#call("GET /v1/decisions", [], call),
    put: (body: Body<"PUT /v1/decisions">, call?: CallOptions) => this.#call("PUT /v1/decisions", [], { ...call, body }),
    undo: (id: string, call?: CallOptions) => this.#call("DELETE /v1/decisions/{decision_id}", [id], call),
  };

  /** What the user owns in all. */
  portfolio(query: Query<"GET /v1/portfolio"> = {}, call?: CallOptions) {
    return this.#call("GET /v1/portfolio", [], { ...call, query });
  }

  /** One page of transfers between the user's own wallets; `before` leads on. */
  transfers(query: Query<"GET /v1/transfers"> = {}, call?: CallOptions) {
    return this.#call("GET /v1/transfers", [], { ...call, query });
  }

  /** Transactions as the file of a tax program. */
  exported(target: string, query: Query<"GET /v1/exports/{target}"> = {}, call?: CallOptions) {
    return this.#call("GET /v1/exports/{target}", [target], { ...call, query });
  }

  /**
   * What has changed since a cursor, page by page. Store a page's `cursor` with what you made of the page, in one transaction;
   * where `is_reset` is true, drop what you hold first.
   */
  async *changes(cursor = "", call?: CallOptions): AsyncGenerator<Changes, void, undefined> {
    for (let has_more = true; has_more; ) {
      const page = await this.#call("GET /v1/changes", [], { ...call, query: { cursor, limit: PAGE } });
      yield page;
      ({ cursor, has_more } = page);
    }
  }

  /**
   * All that a copy of the user's books lacks, answer by answer until it is whole. Take in an answer and keep its `next_cursor` in one
   * transaction; drop what you hold where `is_reset` is true. Values are those of the moment, and are not followed.
   */
  async *sync(cursor = "", query: Omit<Query<"GET /v1/sync">, "cursor"> = {}, call?: CallOptions): AsyncGenerator<Sync, void, undefined> {
    for (let has_more = true; has_more; ) {
      const answer = await this.#call("GET /v1/sync", [], { ...call, query: { limit: PAGE, ...query, cursor } });
      yield answer;
      ({ next_cursor: cursor, has_more } = answer);
    }
  }

  /** Deletes the user with all accounts, facts and keys. */
  forget(call?: CallOptions) {
    return this.#call("DELETE /v1/users/me", [], call);
  }
}

/** Rows until a page is empty: the id of the last one leads on, so what arrives meanwhile neither repeats nor hides any. */
async function* rows<Row extends { id: string }>(
  { pageSize = PAGE, ...query }: { pageSize?: number },
  fetch: (query: { last: string; limit: number }) => Promise<Row[]>,
): AsyncGenerator<Row, void, undefined> {
  for (let last = ""; ; ) {
    const page = await fetch({ ...query, last, limit: pageSize });
    yield* page;
    const end = page.at(-1);
    if (!end) return;
    last = end.id;
  }
}
