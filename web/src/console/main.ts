// The console: signs in, then shows one view at a time. Which one stands in the address, so that going back works.

import { html, nothing, render } from "lit";
import "./console.css";
import { Accounts } from "./accounts.js";
import { Entry } from "./entry.js";
import { asRefusal } from "./parts.js";
import { Requests } from "./requests.js";
import { Security } from "./security.js";
import { type Facts, Server } from "./server.js";
import { Teams } from "./teams.js";
import type { View } from "./view.js";
import { Webhooks } from "./webhooks.js";

const element = document.getElementById("facts") as HTMLScriptElement;
const facts = JSON.parse(element.textContent ?? "{}") as Facts;
element.remove();

const server = new Server(facts.prefix);
const root = document.createElement("div");
document.body.append(root);

const changed = (): void => show();
const left = (): void => {
  server.forget();
  isIn = false;
  void entry.load().finally(show);
};
const views: Record<string, View> = {
  accounts: new Accounts(server, changed, left),
  keys: new Teams(server, changed, left),
  webhooks: new Webhooks(server, changed, left),
  requests: new Requests(server, changed, left),
  security: new Security(server, changed, left),
};
const entry = new Entry(server, changed, left);
const FIRST = "accounts";
let isIn = false;
let current = FIRST;

entry.in = () => {
  isIn = true;
  void open(FIRST);
};

async function open(name: string): Promise<void> {
  current = name in views ? name : FIRST;
  if (location.hash !== `#${current}`) history.replaceState(null, "", `#${current}`);
  const view = views[current] as View;
  document.title = `${view.title} · Omnifolio`;
  await view.act(() => view.load());
  root.querySelector<HTMLElement>("h1")?.focus();
}

async function signOut(): Promise<void> {
  await server.ask("POST", "sign-out").catch(() => undefined);
  left();
}

function show(): void {
  if (!isIn) {
    document.title = "Sign in · Omnifolio";
    render(html`<main class="outside">${entry.body()}</main>`, root);
    return;
  }
  const view = views[current] as View;
  render(
    html`<header class="bar">
        <span class="brand">Omnifolio</span>
        <nav aria-label="Console">
          ${Object.entries(views).map(
            ([name, one]) => html`<a href="#${name}" aria-current=${name === current ? "page" : nothing}>${one.title}</a>`,
          )}
        </nav>
        <button class="button bare" type="button" @click=${signOut}>Sign out</button>
        ${facts.is_sandbox ? html`<p class="sandbox">Sandbox: the venues are simulated, and nothing here is money.</p>` : nothing}
      </header>
      <main class="stack" aria-busy=${view.busy ? "true" : "false"}>
        <h1 tabindex="-1">${view.title}</h1>
        ${view.body()}
      </main>
      <footer class="quiet small">Omnifolio ${facts.version}, read-only by construction</footer>`,
    root,
  );
}

window.addEventListener("hashchange", () => {
  if (isIn) void open(location.hash.slice(1));
});

// Connect opens beside this page; whoever comes back sees what it has linked.
document.addEventListener("visibilitychange", () => {
  if (isIn && document.visibilityState === "visible" && current === FIRST) void open(FIRST);
});

async function begin(): Promise<void> {
  const given = location.hash.slice(1);
  if (given && !(given in views)) {
    // A link's secret: it leaves the address before anything else happens, so that no history keeps it.
    history.replaceState(null, "", location.pathname);
    await entry.load();
    await entry.byLink(given);
    return;
  }
  await entry.load();
  isIn = entry.door.signed_in;
  if (isIn) await open(given || FIRST);
}

begin().catch((thrown: unknown) => {
  entry.refusal = asRefusal(thrown);
}).finally(show);
