// The frame around every pane: who asks, the ways back and out, and where the focus goes.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { icon } from "../shared/icons.js";
import type { Facts } from "./facts.js";
import { Flow, type Text } from "./flow.js";
import { address } from "./panes/address.js";
import { checking, values } from "./panes/checking.js";
import { consent } from "./panes/consent.js";
import { ended } from "./panes/ended.js";
import { faultPane } from "./panes/fault.js";
import { file, preview } from "./panes/file.js";
import { main } from "./panes/frame.js";
import { key } from "./panes/key.js";
import { Search, search } from "./panes/search.js";
import { venue } from "./panes/venue.js";
import { Wallets, wallets } from "./panes/wallets.js";

export class Connect extends LitElement {
  #flow: Flow | null = null;
  #search = new Search();
  #wallets = new Wallets();
  #shown: unknown = null;

  /** In the page itself: labels, focus and the page's own style sheet reach everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  begin(facts: Facts, text: Text): void {
    this.#flow = new Flow(facts, text, () => this.requestUpdate());
    this.#flow.start();
  }

  protected override render(): TemplateResult | typeof nothing {
    const flow = this.#flow;
    if (flow === null) return nothing;
    const { say } = flow.text;
    const over = flow.pane.at === "ended";
    const logo = flow.facts.client.logo;
    return html`
      <div class="card-frame">
        <header>
          ${flow.canGoBack ? html`<button class="button bare round" type="button" aria-label=${say("back")} @click=${() => flow.back()}>${icon("back", "")}</button>` : html`<span class="round"></span>`}
          <p class="who">${logo ? html`<img src=${logo} alt="" height="24" />` : nothing}<bdi translate="no">${flow.facts.client.name || "Omnifolio"}</bdi></p>
          ${over ? html`<span class="round"></span>` : html`<button class="button bare round" type="button" aria-label=${say("close")} @click=${() => void flow.close()}>${icon("close", "")}</button>`}
        </header>
        <main class="stack" aria-labelledby="title">${this.#pane(flow)}</main>
        <footer class="small quiet">
          <span class="mark">${icon("lock", "")}<span>${say("footer")}</span></span>
          ${flow.facts.demo ? html`<span class="chip">${say("demo")}</span>` : nothing}
        </footer>
        <p class="hidden" role="status">${flow.said}</p>
      </div>
    `;
  }

  #pane(flow: Flow): TemplateResult {
    const { pane } = flow;
    switch (pane.at) {
      case "loading":
        return main(flow, "");
      case "consent":
        return consent(flow);
      case "search":
        return search(flow, this.#search);
      case "venue":
        return venue(flow, pane.venue);
      case "key":
        return key(flow, pane.venue);
      case "address":
        return address(flow, pane);
      case "file":
        return file(flow);
      case "preview":
        return preview(flow, pane.file, pane.found);
      case "wallets":
        return wallets(flow, this.#wallets);
      case "checking":
        return checking(flow, pane.venue, pane.checks);
      case "values":
        return values(flow, pane.accounts);
      case "fault":
        return faultPane(flow, pane.fault, pane.venue);
      case "ended":
        return ended(flow, pane);
    }
  }

  /** A new pane takes the focus: its search field where it has one, else its heading. */
  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const { pane } = this.#flow ?? {};
    const now = pane && `${pane.at} ${"asked" in pane}`;
    if (now === this.#shown) return;
    this.#shown = now;
    const field = this.querySelector<HTMLElement>("#search");
    (field ?? this.querySelector<HTMLElement>("#title"))?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

customElements.define("omnifolio-connect-page", Connect);
