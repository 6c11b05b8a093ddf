// What can go wrong, as panes: each has one way out that comes first, and says who must act.

import type { Account } from "./api.js";
import { Refused } from "./api.js";

/** What the first button does. */
export type Way = "edit" | "again" | "existing" | "search" | "leave";

export interface Fault {
  kind: FaultKind;
  code: string;
  /** What the server said, in English; "" for nothing beyond our own words. */
  told: string;
  requestId: string;
  /** Seconds to wait before trying again helps; 0 for none. */
  wait: number;
  /** What to turn off or on at the venue, by its names. */
  switches: readonly string[];
  /** The account that there is already. */
  existing: string | null;
}

const WAYS = {
  invalid_key: "edit",
  wrong_passphrase: "edit",
  ip_not_allowed: "again",
  clock: "again",
  permission_missing: "again",
  permission_excess: "again",
  sub_account_only: "edit",
  wrong_region: "search",
  key_expired: "edit",
  question: "edit",
  locked: "again",
  maintenance: "again",
  busy: "again",
  blocked: "search",
  duplicate: "existing",
  different_account: "edit",
  nothing_found: "edit",
  unsupported_chain: "search",
  private_key: "edit",
  field: "edit",
  file: "edit",
  offline: "again",
  expired: "leave",
  setup: "leave",
  internal: "again",
} as const satisfies Record<string, Way>;

export type FaultKind = keyof typeof WAYS;

const KINDS: Record<string, FaultKind> = {
  bad_credentials: "invalid_key",
  venue_refused: "invalid_key",
  secret_unreadable: "invalid_key",
  wrong_passphrase: "wrong_passphrase",
  ip_not_allowed: "ip_not_allowed",
  venue_clock_skew: "clock",
  missing_permission: "permission_missing",
  excess_permission: "permission_excess",
  sub_account_only: "sub_account_only",
  wrong_region: "wrong_region",
  key_expired: "key_expired",
  security_question: "question",
  account_locked: "locked",
  venue_unavailable: "maintenance",
  venue_failed: "maintenance",
  venue_bad_response: "maintenance",
  venue_busy: "busy",
  rate_limited: "busy",
  sync_in_progress: "busy",
  venue_banned: "blocked",
  already_connected: "duplicate",
  conflict: "duplicate",
  different_account: "different_account",
  unsupported_chain: "unsupported_chain",
  private_key_refused: "private_key",
  invalid_field: "field",
  bad_request: "field",
  file_refused: "file",
  too_large: "file",
  unsupported_media: "file",
  unauthenticated: "expired",
  offline: "offline",
};

export const wayOf = (fault: Fault): Way => WAYS[fault.kind];

export const fault = (kind: FaultKind, more: Partial<Fault> = {}): Fault => ({
  kind,
  code: kind,
  told: "",
  requestId: "",
  wait: 0,
  switches: [],
  existing: null,
  ...more,
});

/** What a refused request means. Reconnecting with the keys of another account is told apart from connecting one twice. */
export function ofRequest(error: unknown, reconnects: boolean): Fault {
  if (!(error instanceof Refused)) throw error;
  const known = KINDS[error.code] ?? "internal";
  return fault(known === "duplicate" && reconnects ? "different_account" : known, {
    code: error.code,
    told: error.message,
    requestId: error.problem.request_id ?? "",
    wait: error.retryAfter,
    existing: error.problem.existing_institution_id ?? null,
  });
}

/** What stands against an account that was just connected; null when nothing does. */
export function ofAccount(account: Account, now: number): Fault | null {
  const { error, permission } = account;
  if (permission?.expires_at && permission.expires_at <= now) return fault("key_expired", { code: "key_expired" });
  if (error === null) return null;
  const kind = error.name === "SecurityQuestionError" ? "question" : (KINDS[error.code] ?? "internal");
  const wait = kind === "busy" && account.next_sync_at ? Math.max(0, Math.ceil((account.next_sync_at - now) / 1000)) : 0;
  const switches = kind === "permission_excess" ? (permission?.switches ?? []) : kind === "permission_missing" ? (permission?.missing ?? []) : [];
  return fault(kind, { code: error.code, told: error.message, wait, switches });
}

/** The type under which Vezgo's SDKs know a fault. */
export function typeOf(found: Fault): string {
  if (found.kind === "duplicate") return "DUPLICATE_CONNECTION";
  if (found.kind === "question") return "SECURITY_QUESTION_REQUIRED";
  if (found.kind === "expired") return "SESSION_EXPIRED";
  const ofKey: FaultKind[] = ["invalid_key", "wrong_passphrase", "ip_not_allowed", "permission_missing", "permission_excess", "key_expired"];
  return ofKey.includes(found.kind) ? "INVALID_CREDENTIALS" : found.code.toUpperCase();
}
