export { Omnifolio, type BrowserOptions, type ServerOptions } from "./client.js";
export {
  BadSignature,
  Conflict,
  Forbidden,
  InvalidRequest,
  NoAnswer,
  NotFound,
  OmnifolioError,
  RateLimited,
  Refused,
  ServerFailed,
  Unauthenticated,
} from "./errors.js";
export type * from "./models.js";
export type { GetToken } from "./tokens.js";
export type { CallOptions } from "./transport.js";
export { verifyWebhook, type WebhookOptions } from "./webhooks.js";
