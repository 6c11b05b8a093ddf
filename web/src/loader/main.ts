// The loader that host pages name: it shows the Connect page in a frame over theirs and hears its messages.
//
// Only messages of that very frame's window and of the server's exact origin count. Nothing is written as markup, no style sheet and
// no inline style is made, so it works under a host's strict policy; tokens go into a form or an address of the frame and nowhere else.

import type { ConnectOptions, Given, Opened } from "./connect.js";

const HERE = (document.currentScript as HTMLScriptElement | null)?.src.replace(/\/static\/connect\.js.*$/, "") ?? location.origin;
let count = 0;

const got = async (given: Given | undefined): Promise<string> => (typeof given === "function" ? given() : (given ?? ""));

function addressOf(options: ConnectOptions, server: string): URL {
  const { account, provider } = options;
  const address = new URL(`${server}/${account ? `reconnect/${encodeURIComponent(account)}` : `connect${provider ? `/${encodeURIComponent(provider)}` : ""}`}`);
  const asked: Record<string, string | undefined> = {
    client_id: options.clientId,
    redirect_uri: options.redirectUri,
    state: options.state,
    lang: options.lang ?? "en",
    origin: options.mode === "redirect" ? undefined : location.origin,
    provider_categories: options.categories?.join(),
    providers: options.providers?.join(),
    disabled_providers: options.disabledProviders?.join(),
    theme: options.theme,
    multi_wallet: options.multiWallet ? "true" : undefined,
  };
  for (const [name, value] of Object.entries(asked)) if (value) address.searchParams.set(name, value);
  return address;
}

/** Sends a token as a form's field, so that it stands in no address. */
function post(action: string, target: string, name: string, value: string): void {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action, target, hidden: true });
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}

async function send(options: ConnectOptions, server: string, target: string): Promise<void> {
  if (options.linkToken !== undefined) post(`${server}/connect`, target, "link_token", await got(options.linkToken));
  else post(addressOf(options, server).href, target, "token", await got(options.token));
}

function open(options: ConnectOptions): Opened {
  const server = (options.server ?? HERE).replace(/\/$/, "");
  const origin = new URL(server).origin;
  const failed = (error: unknown): void => options.onError?.({ type: "LOAD_FAILED", message: String(error) });
  if (options.mode === "redirect") {
    send(options, server, "_self").catch(failed);
    return { close: () => undefined };
  }
  const before = document.activeElement as HTMLElement | null;
  const frame = document.createElement("iframe");
  frame.name = `omnifolio-connect-${++count}`;
  frame.title = "Connect";
  frame.allow = "clipboard-read *; clipboard-write *";
  Object.assign(frame.style, { position: "fixed", inset: "0", width: "100%", height: "100%", border: "0", zIndex: "2147483647", colorScheme: "normal" });

  function close(): void {
    removeEventListener("message", hear);
    frame.remove();
    before?.focus?.();
  }
  function hear(message: MessageEvent): void {
    if (message.origin !== origin || message.source !== frame.contentWindow || !message.data?.vezgo) return;
    const { event, account, error, data } = message.data;
    if (event === "success") {
      close();
      options.onSuccess?.(account);
    } else if (event === "error") {
      close();
      const { error_type: type, ...more } = error;
      options.onError?.({ type, ...more });
    } else if (event === "close") {
      close();
      options.onClose?.();
    } else options.onEvent?.(event, data);
  }
  addEventListener("message", hear);
  document.body.append(frame);
  frame.focus();
  send(options, server, frame.name).catch((error: unknown) => {
    close();
    failed(error);
  });
  return { close };
}

class Button extends HTMLElement {
  options: ConnectOptions = {};
  #open: Opened | null = null;

  connectedCallback(): void {
    this.addEventListener("click", this.#press);
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#press);
    this.#open?.close();
  }

  #press = (): void => {
    this.#open?.close();
    const tell = (name: string, detail?: unknown): boolean => this.dispatchEvent(new CustomEvent(name, { detail }));
    const said: ConnectOptions = {};
    for (const [attribute, name] of [["client-id", "clientId"], ["provider", "provider"], ["account", "account"], ["lang", "lang"], ["theme", "theme"], ["server", "server"]] as const) {
      const value = this.getAttribute(attribute);
      if (value !== null) Object.assign(said, { [name]: value });
    }
    this.#open = open({
      ...said,
      ...this.options,
      onSuccess: (account) => tell("success", account),
      onError: (error) => tell("error", error),
      onClose: () => tell("close"),
      onEvent: (name, data) => tell("event", { name, data }),
    });
  };
}

window.Connect = { open };
if (!customElements.get("omnifolio-connect")) customElements.define("omnifolio-connect", Button);
