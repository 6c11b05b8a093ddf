// What /static/connect.js gives to a host page. Copy this file beside your own sources, or read it as the reference.

export interface ConnectError {
  /** Such as `SESSION_EXPIRED`, `INVALID_ORIGIN`, `DUPLICATE_CONNECTION`; `LOAD_FAILED` when the page could not be shown. */
  type: string;
  message: string;
  existing_institution_id?: string;
}

/** The account's id; with `multiWallet` what became of each address. */
export type Connected = string | { message: string; accounts: { account: string | null; wallet?: string; network?: string; message?: string }[] };

/** A text, or a function that gets one when it is needed: a link token opens only once. */
export type Given = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /** From `POST /v1/link-tokens`, made with this page's origin. Everything below but the callbacks is then part of it. */
  linkToken?: Given;
  /** In the place of a link token: the team's public id and a user's token. */
  clientId?: string;
  token?: Given;
  provider?: string;
  /** An account that gets new credentials. */
  account?: string;
  providers?: string[];
  disabledProviders?: string[];
  categories?: ("exchanges" | "wallets" | "blockchains")[];
  lang?: "en" | "es" | "fr" | "it" | "de";
  theme?: "light" | "dark" | "auto";
  multiWallet?: boolean;
  state?: string;
  /** With `mode: "redirect"`: where to return to, exactly as registered. */
  redirectUri?: string;
  /** `frame` (the default) lays the page over this one; `redirect` leaves this page for it. */
  mode?: "frame" | "redirect";
  /** Where Omnifolio is; by default where this script came from. */
  server?: string;
  onSuccess?: (account: Connected) => void;
  onError?: (error: ConnectError) => void;
  onClose?: () => void;
  onEvent?: (name: string, data: unknown) => void;
}

export interface Opened {
  /** Takes the page away; no callback is called afterwards. */
  close(): void;
}

export interface Connect {
  open(options: ConnectOptions): Opened;
}

/** `<omnifolio-connect>`: opens Connect when something in it is pressed, and tells by events `success`, `error`, `close`, `event`. */
export interface OmnifolioConnectElement extends HTMLElement {
  options: ConnectOptions;
}

declare global {
  interface Window {
    Connect: Connect;
  }
  interface HTMLElementTagNameMap {
    "omnifolio-connect": OmnifolioConnectElement;
  }
}
