import type { ErrorCode, ProblemBody } from "./models.js";

/** Anything that went wrong. `code` is the server's, or `connection_failed` and `timed_out` where no answer came. */
export class OmnifolioError extends Error {
  readonly code: ErrorCode | "connection_failed" | "timed_out" | "unreadable_answer" | "bad_signature";

  constructor(code: OmnifolioError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** No whole answer came: the server cannot be reached, or not in time. */
export class NoAnswer extends OmnifolioError {}

/** A webhook whose signature or age is not right. Answer it with 400 and believe nothing in it. */
export class BadSignature extends OmnifolioError {
  constructor(message: string) {
    super("bad_signature", message);
  }
}

/** The server refused: what, who can mend it, and whether the same request helps later. */
export class Refused extends OmnifolioError {
  readonly status: number;
  readonly blame: "caller" | "user" | "venue" | "us";
  readonly retry: "never" | "later" | "after_user";
  readonly action: string;
  readonly requestId: string;
  readonly docsUrl: string;
  /** Milliseconds that the server asks to wait for; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(body: Partial<ProblemBody>, status: number, retryAfterMs?: number) {
    super((body.code ?? "unreadable_answer") as OmnifolioError["code"], body.message ?? `the server answered ${status}`);
    this.status = status;
    this.blame = (body.blame ?? "us") as Refused["blame"];
    this.retry = (body.retry ?? (status >= 500 || status === 429 ? "later" : "never")) as Refused["retry"];
    this.action = body.action ?? "";
    this.requestId = body.request_id ?? "";
    this.docsUrl = body.docs_url ?? "";
    this.retryAfterMs = retryAfterMs;
  }
}

/** 400, 405, 413, 415: the request is not as it should be. */
export class InvalidRequest extends Refused {}

/** 401: client id and secret do not belong together, or the token is no longer good. */
export class Unauthenticated extends Refused {}

/** 403: the token does not allow this, or the team has been deactivated. */
export class Forbidden extends Refused {}

/** 404: nothing is here for this user. */
export class NotFound extends Refused {}

/** 409: it collides with what exists. */
export class Conflict extends Refused {
  /** The account that is connected already. */
  readonly existingAccount: string | undefined;

  constructor(body: Partial<ProblemBody>, status: number, retryAfterMs?: number) {
    super(body, status, retryAfterMs);
    this.existingAccount = body.existing_institution_id;
  }
}

/** 429: too many requests. */
export class RateLimited extends Refused {}

/** 5xx: not the caller's fault. */
export class ServerFailed extends Refused {}

const BY_STATUS: Record<number, typeof Refused> = {
  401: Unauthenticated,
  403: Forbidden,
  404: NotFound,
  409: Conflict,
  429: RateLimited,
};

/** The error of an answer that is no success. */
export function refusal(answer: Response, text: string, now: number): Refused {
  let body: Partial<ProblemBody> = {};
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null) body = found;
  } catch {
    // A proxy's page, or nothing: the status has to do.
  }
  const kind = BY_STATUS[answer.status] ?? (answer.status >= 500 ? ServerFailed : InvalidRequest);
  return new kind(body, answer.status, retryAfter(answer.headers.get("retry-after"), now));
}

/** `Retry-After` (seconds, or a date) in milliseconds from now. */
function retryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
