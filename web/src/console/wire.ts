// The parts of the server's answers that the page shows.

export interface Door {
  signed_in: boolean;
  has_password: boolean;
  has_passkey: boolean;
}

export interface Missing {
  ticker: string;
  reason: string;
}

export interface Account {
  id: string;
  name: string | null;
  status: "ok" | "error" | "syncing" | "retry";
  error: { message: string; action: string } | null;
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  missing: Missing[];
  provider: { name: string; display_name: string };
  permission: { state: "read_only" | "can_trade" | "can_withdraw" | "unknown"; switches: string[]; method: string } | null;
  key_hint: string;
  synced_at: number | null;
  coverage: { complete_from: number | null; complete_to: number | null; gaps: number };
  gaps: { text: string; is_failure: boolean }[];
  warnings: { text: string }[];
}

export interface Asset {
  asset: string;
  ticker: string;
  name: string;
  amount: string;
  fiat_value: string | null;
  fiat_ticker: string;
}

export interface Portfolio {
  fiat_value: string | null;
  fiat_ticker: string;
  complete: boolean;
  is_partial: boolean;
  unread: { id: string; name: string | null; provider: string; reason: string }[];
  missing: Missing[];
  stale: Missing[];
  assets: Asset[];
  positions_value: string | null;
}

export interface Team {
  client_id: string;
  name: string;
  is_active: boolean;
  is_owner: boolean;
  created_at: number;
  redirect_uris: string[];
  origins: string[];
  secrets: { id: number; hint: string; created_at: number; expires_at: number | null; last_used_at: number | null }[];
}

export interface Noted {
  at: number;
  method: string;
  route: string;
  status: number;
  took_ms: number;
  team: string | null;
  request_id: string;
}

export interface Security {
  methods: { id: number; kind: "password" | "passkey"; name: string; created_at: number; last_used_at: number | null }[];
  browsers: { method: string; agent: string; created_at: number; seen_at: number; is_this: boolean }[];
}

export interface Webhook {
  id: string;
  url: string;
  format: "omnifolio" | "vezgo";
  types: string[];
  is_active: boolean;
  off_reason: string;
  counts: { waiting?: number; delivered?: number; dead?: number };
}

export interface Delivery {
  id: string;
  message: string;
  type: string;
  at: number;
  state: "waiting" | "delivered" | "dead";
  tries: number;
}

export interface Reached {
  step: string;
  visits: number;
}
