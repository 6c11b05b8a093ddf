// What goes over the wire, made from the server's own description by tools/typescript_models.py. Not written by hand.

/** Every `code` of an error. */
export type ErrorCode =
  | "account_locked"
  | "already_connected"
  | "bad_credentials"
  | "bad_request"
  | "conflict"
  | "connect_refused"
  | "egress_refused"
  | "excess_permission"
  | "file_refused"
  | "forbidden"
  | "internal"
  | "invalid_amount"
  | "invalid_field"
  | "invalid_settings"
  | "lease_lost"
  | "literal_secret_refused"
  | "method_not_allowed"
  | "missing_permission"
  | "not_found"
  | "pages_missing"
  | "private_key_refused"
  | "product_not_open"
  | "rate_limited"
  | "response_too_large"
  | "sandbox_failed"
  | "schema_too_new"
  | "secret_unreadable"
  | "store_unavailable"
  | "sync_in_progress"
  | "too_large"
  | "unauthenticated"
  | "unsupported_media"
  | "vault_unavailable"
  | "venue_bad_response"
  | "venue_banned"
  | "venue_busy"
  | "venue_clock_skew"
  | "venue_failed"
  | "venue_refused"
  | "venue_unavailable";

export interface Account {
  id: string;
  name: string | null;
  resource_type: "account";
  blockchain: string | null;
  created_at: number;
  updated_at: number;
  status: "ok" | "error" | "syncing" | "retry";
  status_details?: StatusDetails | undefined;
  error: AccountError | null;
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  missing: Missing[];
  stale: Missing[];
  provider: Provider;
  wallets: Wallet[];
  balances: Balance[];
  hidden: Hidden[];
  positions: Position[];
  v: number;
  authorized: boolean;
  permission: Permission | null;
  key_hint: string;
  synced_at: number | null;
  next_sync_at: number | null;
  live: Listening | null;
  coverage: Coverage;
  gaps: Gap[];
  warnings: Warning[];
}

export interface AccountChangeIn {
  credentials?: Record<string, string> | null | undefined;
  security_answer?: string | null | undefined;
  name?: string | null | undefined;
}

export interface AccountCoverage {
  resource_type: "coverage";
  account: string;
  complete_from: number | null;
  complete_to: number | null;
  kinds: Kind[];
  streams: Stream[];
  gaps: Gap[];
  warnings: Warning[];
}

export interface AccountError {
  name: string;
  message: string;
  code: string;
  cause: string;
  action: string;
  docs_url: string;
}

export interface AccountIn {
  provider: string;
  credentials: Record<string, string>;
  name?: string | null | undefined;
  sync_transactions?: boolean | null | undefined;
  sync_nfts?: boolean | null | undefined;
  daily_sync?: boolean | null | undefined;
}

export interface AccountTotal {
  id: string;
  name: string | null;
  provider: string;
  status: "ok" | "error" | "syncing" | "retry";
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
}

export interface Asset {
  asset: string;
  ticker: string;
  name: string;
  amount: string;
  asset_is_verified: boolean;
  represents: string | null;
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
}

export interface Balance {
  resource_type: "balance";
  ticker: string;
  provider_ticker: string;
  provider_ticker_name: string;
  ticker_address: string | null;
  name: string;
  asset_type: string;
  decimals: number | null;
  asset_is_verified: boolean;
  asset_id: string;
  logo: string | null;
  product: string;
  amount: string;
  fiat_value: string | null;
  fiat_ticker: string;
  fiat_asset_is_verified: boolean;
  updated_at: number;
  wallet: string;
  misc: Record<string, unknown> | null;
  is_suspect: boolean;
  fiat_price: string | null;
  fiat_source: string | null;
  fiat_reason: string | null;
  is_stale: boolean;
}

export interface Carried {
  kind: "label" | "note" | "spam" | "type" | "link" | "price";
  value: string;
  reason?: string | undefined;
  author?: string | undefined;
  at?: number | undefined;
  transaction?: Named | null | undefined;
  other?: Named | null | undefined;
  address?: string | null | undefined;
  token?: string | null | undefined;
  day?: string | null | undefined;
}

export interface Change {
  seq: number;
  kind: "account" | "balances" | "positions" | "transaction";
  id: string;
  is_removed: boolean;
  leads_to: string | null;
  product: string | null;
  scope: string | null;
  transaction: Transaction | null;
}

export interface Changes {
  resource_type: "changes";
  changes: Change[];
  cursor: string;
  has_more: boolean;
  is_reset: boolean;
}

export interface Component {
  role: "unrealised" | "value" | "supplied" | "borrowed" | "reward" | "collateral";
  ticker: string;
  asset_id: string;
  amount: string;
  fiat_value: string | null;
  fiat_reason: string | null;
}

export interface Coverage {
  complete_from: number | null;
  complete_to: number | null;
  gaps: number;
}

export interface DataKind {
  kind: string;
  proof: string;
  look_back_days: number | null;
}

export interface Decision {
  resource_type: "decision";
  id: string;
  kind: "label" | "note" | "spam" | "type" | "link" | "price";
  transaction: string | null;
  other: string | null;
  address: string | null;
  asset_id: string | null;
  day: string | null;
  value: string;
  currency: string | null;
  reason: string;
  author: string;
  at: number;
  v: number;
}

export interface DecisionIn {
  kind: "label" | "note" | "spam" | "type" | "link" | "price";
  value: string;
  transaction?: string | null | undefined;
  other?: string | null | undefined;
  address?: string | null | undefined;
  asset_id?: string | null | undefined;
  day?: string | null | undefined;
  currency?: string | null | undefined;
  reason?: string | undefined;
}

export interface DecisionsDocument {
  format?: "omnifolio-decisions/1" | undefined;
  decisions: Carried[];
}

export interface Features {
  account: boolean;
  positions: boolean;
  transactions: boolean;
  nfts: boolean;
  streaming: boolean;
}

export interface Fee {
  ticker: string;
  provider_ticker: string;
  ticker_address: string | null;
  asset_is_verified: boolean;
  asset_id: string;
  id: string;
  resource_type: "transaction_fee";
  type: string;
  amount: string;
  fiat_ticker: string;
  fiat_value: string | null;
  fiat_asset_is_verified: boolean;
  fiat_source: string | null;
  fiat_reason: string | null;
  wallet: string;
  misc: Record<string, unknown> | null;
}

export interface Gap {
  stream: string;
  code: string;
  text: string;
  start: number | null;
  end: number | null;
  is_failure: boolean;
  since: number;
}

export interface Health {
  status: "ok";
  version: string;
}

export interface Hidden {
  ticker: string;
  name: string;
  ticker_address: string | null;
  asset_id: string;
  wallet: string;
  product: string;
  amount: string;
  reasons: Reason[];
}

export interface History {
  id: string;
  date: number;
  wallet: string;
  fiat_ticker: string;
  fiat_value: string | null;
  fiat_source: "ledger" | "observed";
  complete: boolean;
  missing: Missing[];
}

export interface Hole {
  stream: string;
  why: "unread" | "unreachable" | "gap";
  start: number | null;
  end: number | null;
  text: string;
}

export interface Instructions {
  en: string;
  fr: string;
}

export interface Interval {
  start: number;
  end: number;
}

export interface KeyChange {
  at: number;
  code: string;
  text: string;
}

export interface Kind {
  kind: string;
  streams: string[];
  records: number | null;
  look_back_ms: number | null;
  fetched: Interval[];
  empty: Interval[];
  uploaded: Interval[];
  unreachable: Interval[];
  unread: Interval[];
  fill: Upload[];
}

export interface Known {
  resource_type: "known";
  seq: number;
  at: number | null;
  balances: KnownBalance[];
  positions: KnownPosition[];
}

export interface KnownBalance {
  account: string;
  wallet: string;
  product: string;
  ticker: string;
  asset_id: string;
  amount: string;
}

export interface KnownComponent {
  role: string;
  ticker: string;
  asset_id: string;
  amount: string;
}

export interface KnownPosition {
  account: string;
  wallet: string;
  scope: string;
  kind: string;
  name: string;
  size: string;
  size_ticker: string;
  entry_price: string | null;
  components: KnownComponent[];
}

export interface LinkToken {
  link_token: string;
  url: string;
  expires_at: number;
}

export interface LinkTokenIn {
  origin?: string | null | undefined;
  redirect_uri?: string | null | undefined;
  state?: string | null | undefined;
  provider?: string | null | undefined;
  account?: string | null | undefined;
  providers?: string[] | null | undefined;
  disabled_providers?: string[] | null | undefined;
  categories?: string[] | null | undefined;
  lang?: string | null | undefined;
  theme?: string | null | undefined;
  multi_wallet?: boolean | undefined;
  sync_nfts?: boolean | undefined;
  demo?: boolean | undefined;
}

export interface Listening {
  since: number | null;
  heard_at: number | null;
  problem: string | null;
}

export interface Live {
  date: string;
  connector: string;
  until: number;
}

export interface Loaded {
  resource_type: "loaded";
  made: number;
  same: number;
  outweighed: number;
  unfound: Unfound[];
}

export interface Missing {
  ticker: string;
  reason: string;
}

export interface Named {
  venue: string;
  account: string;
  names: string[];
}

export interface Order {
  id: string;
  account: string;
  wallet: string;
  resource_type: "order";
  order_id: string;
  order_status: string;
  type: string;
  time_in_force: string | null;
  side: "buy" | "sell";
  base_ticker: string;
  quote_ticker: string;
  order_quantity: number;
  order_price: number | null;
  filled_price: number;
  filled_quantity: number;
  average_execution_price: number | null;
  order_creation_time: number;
  updated_at: number;
  misc: OrderMisc;
}

export interface OrderMisc {
  base_asset_id: string;
  quote_asset_id: string;
}

export interface Part {
  ticker: string;
  provider_ticker: string;
  ticker_address: string | null;
  asset_is_verified: boolean;
  asset_id: string;
  id: string;
  direction: "sent" | "received";
  amount: string;
  fiat_ticker: string;
  fiat_value: string | null;
  fiat_asset_is_verified: boolean;
  fiat_source: string | null;
  fiat_reason: string | null;
  wallet: string;
  from_address: string | null;
  to_address: string | null;
  other_parties: string[];
  misc: Record<string, unknown> | null;
}

export interface Permission {
  state: "read_only" | "can_trade" | "can_withdraw" | "unknown";
  method: string;
  rights: string[];
  excess: string[];
  switches: string[];
  missing: string[];
  ip_restricted: boolean | null;
  expires_at: number | null;
  checked_at: number;
  changes: KeyChange[];
}

export interface Portfolio {
  resource_type: "portfolio";
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  is_partial: boolean;
  unread: Unread[];
  missing: Missing[];
  stale: Missing[];
  accounts: AccountTotal[];
  assets: Asset[];
  positions_value: string | null;
  hidden: number;
  at: number;
  v: number;
}

export interface Position {
  resource_type: "position";
  id: string;
  account: string;
  wallet: string;
  provider: string;
  scope: string;
  kind: "perpetual" | "future" | "option" | "margin";
  name: string;
  side: "long" | "short";
  size: string;
  size_ticker: string;
  contracts: string | null;
  base_ticker: string | null;
  quote_ticker: string | null;
  settle_ticker: string | null;
  entry_price: string | null;
  mark_price: string | null;
  liquidation_price: string | null;
  unrealised_pnl: string | null;
  margin: string | null;
  margin_mode: "cross" | "isolated" | null;
  leverage: string | null;
  expires_at: number | null;
  strike: string | null;
  option: "call" | "put" | null;
  opened_at: number | null;
  components: Component[];
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  updated_at: number;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  message: string;
  error: string;
  code: string;
  blame: string;
  retry: string;
  action: string;
  request_id: string;
  docs_url: string;
  existing_institution_id?: string | undefined;
  existing_connection_id?: string | undefined;
}

export interface Provider {
  resource_type: "provider";
  name: string;
  display_name: string;
  alternate_names: string[] | null;
  logo: string | null;
  type: string;
  category: string;
  categories: string[];
  auth_type: "oauth" | "password" | "token" | "wallet";
  scopes: string[];
  available_scopes: string[];
  available_currencies: string[];
  status: string;
  is_beta: boolean;
  connect_notice: string | null;
  credentials: string[];
  instructions: Instructions;
  misc: Record<string, unknown>;
  features: Features;
  key_check: string | null;
  egress_ips: string[];
  proof: string;
  live: Live | null;
  sources: string[];
  data: DataKind[];
}

export interface Reason {
  code: string;
  text: string;
}

export interface Reconciled {
  wallet: string;
  ticker: string;
  asset_id: string;
  reported: string | null;
  calculated: string;
  difference: string | null;
  state: "proved" | "explained" | "open";
  reasons: Reason[];
  diverged_at: number | null;
  suspects: Suspect[];
}

export interface Reconciliation {
  resource_type: "reconciliation";
  account: string;
  state: "proved" | "explained" | "open" | null;
  balances: Reconciled[];
}

export interface Side {
  account: string;
  provider: string;
  transaction: string;
  wallet: string;
  ticker: string;
  asset_id: string;
  amount: string;
  at: number;
}

export interface StatusDetails {
  wallets: "ok" | "error" | "syncing" | "retry";
  balances: "ok" | "error" | "syncing" | "retry";
  transactions: "ok" | "error" | "syncing" | "retry";
}

export interface Stream {
  stream: string;
  intervals: Interval[];
  updated_at: number | null;
  reached_present_at: number | null;
}

export interface Suspect {
  start: number | null;
  end: number;
  amount: string;
  missing_before: number | null;
  missing_after: number | null;
  streams: string[];
  holes: Hole[];
}

export interface Team {
  name: string;
  redirect_uris: string[];
  deactivated: boolean;
  features: string[];
  instructions: string[];
  preferences: Record<string, unknown>;
  logo: string | null;
}

export interface Tie {
  part: string;
  direction: "sent" | "received";
  account: string;
  provider: string;
  transaction: string;
  evidence: ("user" | "hash" | "withdrawal_id" | "address" | "amount" | "fee" | "time")[];
  confidence: string;
}

export interface Token {
  token: string;
}

export interface TokenIn {
  clientId: string;
  secret: string;
}

export interface Transaction {
  id: string;
  resource_type: "transaction";
  status: "pending" | "confirmed" | "failed" | "cancelled";
  transaction_type: string;
  transaction_subtype: string | null;
  transaction_hash: string | null;
  fiat_calculated_at: number;
  initiated_at: number;
  confirmed_at: number | null;
  wallet: string | null;
  account: string;
  misc: TransactionMisc;
  parts: Part[];
  fees: Fee[];
  label: string | null;
  note: string | null;
  transfers: Tie[];
  is_spam: boolean;
  spam_reasons: Reason[];
  finality: string;
  v: number;
}

export interface TransactionMisc {
  origin_id: string;
  origin_type: string;
  is_swap?: boolean | undefined;
  incomplete: string[];
}

export interface Transfer {
  resource_type: "transfer";
  state: "linked" | "offered";
  source: Side;
  target: Side;
  evidence: ("user" | "hash" | "withdrawal_id" | "address" | "amount" | "fee" | "time")[];
  confidence: string;
  lost: string | null;
}

export interface Unfound {
  place: number;
  reason: string;
}

export interface Unread {
  id: string;
  name: string | null;
  provider: string;
  reason: string;
}

export interface Upload {
  layout: string;
  name: string;
  columns: string[];
  docs_url: string;
}

export interface Wallet {
  id: string;
  name: string | null;
  address: string | null;
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  is_reconciled: boolean;
}

export interface Warning {
  code: "look_back";
  stream: string;
  text: string;
  look_back_ms: number;
  unread_from: number;
  lost_from: number;
}

/** Every operation: what may be asked in the address, what is sent, and what is answered. */
export interface Operations {
  "POST /v1/auth/token": {
    query: Record<string, never>;
    body: TokenIn;
    answer: Token;
  };
  "GET /v1/providers": {
    query: {
      /** Only these providers. */
      category?: "exchanges" | "wallets" | "blockchains" | undefined;
    };
    body: undefined;
    answer: Provider[];
  };
  "GET /v1/providers/{name}": {
    query: Record<string, never>;
    body: undefined;
    answer: Provider;
  };
  "GET /v1/teams/info": {
    query: {
      /** The team's public id. */
      client_id?: string | undefined;
    };
    body: undefined;
    answer: Team;
  };
  "GET /health": {
    query: Record<string, never>;
    body: undefined;
    answer: Health;
  };
  "GET /v1/accounts": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
    };
    body: undefined;
    answer: Account[];
  };
  "POST /v1/accounts": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: AccountIn;
    answer: Account;
  };
  "GET /v1/accounts/{account_id}": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
    };
    body: undefined;
    answer: Account;
  };
  "PUT /v1/accounts/{account_id}": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: AccountChangeIn;
    answer: Account;
  };
  "DELETE /v1/accounts/{account_id}": {
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  "POST /v1/accounts/{account_id}/sync": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Account;
  };
  "GET /v1/accounts/{account_id}/poll": {
    query: {
      /** The `v` of the account that the caller has. */
      v?: number | undefined;
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Account | undefined;
  };
  "GET /v1/accounts/{account_id}/coverage": {
    query: Record<string, never>;
    body: undefined;
    answer: AccountCoverage;
  };
  "GET /v1/accounts/{account_id}/reconciliation": {
    query: Record<string, never>;
    body: undefined;
    answer: Reconciliation;
  };
  "GET /v1/accounts/{account_id}/transactions": {
    query: {
      /** Only with this ticker. */
      ticker?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
      /** Only these types, separated by commas. */
      types?: string | undefined;
      /** First day (UTC), included. Default: 365 days ago. */
      from?: string | undefined;
      /** Last day (UTC), included. */
      to?: string | undefined;
      /** The id of the last row of the page before; empty at first. */
      last?: string | undefined;
      /** Rows on a page; 100 by default. */
      limit?: number | undefined;
      /** By time; newest first by default. */
      sort?: "asc" | "desc" | undefined;
      /** Fields to leave out wherever they occur, separated by commas. */
      exclude_fields?: string | undefined;
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Transaction[];
  };
  "GET /v1/accounts/{account_id}/transactions/{transaction_id}": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Transaction;
  };
  "GET /v1/accounts/{account_id}/orders": {
    query: {
      /** First day (UTC), included. Default: 365 days ago. */
      from?: string | undefined;
      /** Last day (UTC), included. */
      to?: string | undefined;
      /** The id of the last row of the page before; empty at first. */
      last?: string | undefined;
      /** Rows on a page; 100 by default. */
      limit?: number | undefined;
      /** By time; newest first by default. */
      sort?: "asc" | "desc" | undefined;
    };
    body: undefined;
    answer: Order[];
  };
  "GET /v1/accounts/{account_id}/orders/{order_id}": {
    query: Record<string, never>;
    body: undefined;
    answer: Order;
  };
  "GET /v1/positions": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
    };
    body: undefined;
    answer: Position[];
  };
  "GET /v1/accounts/{account_id}/positions": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
    };
    body: undefined;
    answer: Position[];
  };
  "GET /v1/accounts/{account_id}/history": {
    query: {
      /** First day (UTC), included. Default: 365 days ago. */
      from?: string | undefined;
      /** Last day (UTC), included. */
      to?: string | undefined;
      /** Only this wallet, by its id. */
      wallet?: string | undefined;
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: History[];
  };
  "GET /v1/accounts/{account_id}/kyc-data": {
    query: Record<string, never>;
    body: undefined;
    answer: string | undefined;
  };
  "GET /v1/exports/{target}": {
    query: {
      /** Only this account, by its id; all by default. */
      account?: string | undefined;
      /** First day (UTC), included. Default: 365 days ago. */
      from?: string | undefined;
      /** Last day (UTC), included. */
      to?: string | undefined;
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: string;
  };
  "GET /v1/transfers": {
    query: {
      /** `linked` (the default), or `offered`: candidates that wait for a word. */
      state?: "linked" | "offered" | undefined;
      /** Only those that left before this instant; to page on, the last `at`. */
      before?: number | undefined;
      /** Rows on a page; 100 by default. */
      limit?: number | undefined;
    };
    body: undefined;
    answer: Transfer[];
  };
  "GET /v1/decisions": {
    query: Record<string, never>;
    body: undefined;
    answer: Decision[];
  };
  "PUT /v1/decisions": {
    query: Record<string, never>;
    body: DecisionIn;
    answer: Decision;
  };
  "DELETE /v1/decisions/{decision_id}": {
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  "GET /v1/decisions/export": {
    query: Record<string, never>;
    body: undefined;
    answer: DecisionsDocument;
  };
  "POST /v1/decisions/import": {
    query: Record<string, never>;
    body: DecisionsDocument;
    answer: Loaded;
  };
  "GET /v1/portfolio": {
    query: {
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Portfolio;
  };
  "GET /v1/changes": {
    query: {
      /** The cursor of an earlier answer; none to begin. */
      cursor?: string | undefined;
      /** Changes in one answer; 100 by default. */
      limit?: number | undefined;
      /** ISO 4217 currency of all values; the server's own by default. */
      fiat?: string | undefined;
    };
    body: undefined;
    answer: Changes;
  };
  "DELETE /v1/users/me": {
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  "GET /v1/known": {
    query: {
      /** The `v` of an account or the portfolio, or a change's `seq`; the last one by default. */
      seq?: number | undefined;
    };
    body: undefined;
    answer: Known;
  };
  "POST /v1/link-tokens": {
    query: Record<string, never>;
    body: LinkTokenIn;
    answer: LinkToken;
  };
  "GET /v1/openapi.json": {
    query: Record<string, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
}
