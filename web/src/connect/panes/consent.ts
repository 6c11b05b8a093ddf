// What is asked for, what can never be done, and how that is enforced.

import { html, type TemplateResult } from "lit";
import { icon } from "../../shared/icons.js";
import type { Flow, Key } from "../flow.js";
import { heading, main, withName } from "./frame.js";

const SEEN: Key[] = ["consent.balances", "consent.positions", "consent.history"];
const NEVER: Key[] = ["consent.trade", "consent.withdraw", "consent.keys"];
const ENFORCED: Key[] = ["consent.how.check", "consent.how.list", "consent.how.sealed", "consent.how.delete"];

export function consent(flow: Flow): TemplateResult {
  const { say } = flow.text;
  const client = flow.client;
  const column = (title: Key, keys: Key[], sign: "good" | "bad"): TemplateResult => html`
    <section class="stack tight">
      <h2>${say(title)}</h2>
      <ul class="plain stack tight">
        ${keys.map((key) => html`<li class="mark">${icon(sign)}<span>${say(key)}</span></li>`)}
      </ul>
    </section>
  `;
  const again = flow.facts.mode === "reconnect";
  return html`
    ${heading(withName(say(again ? "consent.again" : "consent.title", { client }), client))}
    <div class="columns">
      ${column("consent.can", SEEN, "good")} ${column("consent.cannot", NEVER, "bad")}
    </div>
    <p class="small quiet">${withName(say("consent.kept", { client }), client)}</p>
    <details>
      <summary>${say("consent.how")}</summary>
      <ul class="stack tight small">
        ${ENFORCED.map((key) => html`<li>${say(key)}</li>`)}
      </ul>
    </details>
    ${main(flow, say("continue"), () => void flow.run(() => flow.begin()))}
  `;
}
