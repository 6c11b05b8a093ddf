// Addresses: one or several, checked for secrets before anything leaves; whoever will be asked about them is named first.

import { html, nothing, type TemplateResult } from "lit";
import { entered, line, lines, wipe } from "../../shared/forms.js";
import { icon } from "../../shared/icons.js";
import type { Provider, Step } from "../api.js";
import { fault } from "../faults.js";
import type { Flow, Pane } from "../flow.js";
import { isPrivate } from "../private.js";
import { english, heading, main, name, note, other, told, withName } from "./frame.js";

type Entry = Extract<Pane, { at: "address" }>;

const EXTENDED = /^(?:[xyztuv]pub|wpkh\(|sh\(|pkh\(|tr\(|wsh\()/i;
const AT_ONCE_MAX = 50;
const OPTIONS = ["all", "balances", "from"] as const;

export function address(flow: Flow, pane: Entry): TemplateResult {
  return pane.asked === undefined ? entry(flow, pane) : asked(flow, pane, pane.asked);
}

function entry(flow: Flow, pane: Entry): TemplateResult {
  const { say } = flow.text;
  const { venue } = pane;
  const label = venue.display_name;
  const several = flow.facts.multi_wallet && flow.facts.mode !== "reconnect";
  const given = { name: "wallet", label: say(several ? "address.many" : "address.one"), required: true };
  const how = told(flow, venue.instructions);
  return html`
    ${heading(withName(say("address.title", { venue: label }), label))}
    <p class="small quiet" lang=${how.lang ?? nothing}>${how.text}</p>
    <form class="stack" autocomplete="off" novalidate @submit=${(event: Event) => sent(event, flow, pane)}>
      ${several ? lines({ ...given, hint: say("address.many.hint") }, { rows: 3, value: pane.value }) : line(given, { value: pane.value })}
      ${venue.credentials.includes("source") ? sources(flow, venue) : nothing}
      <details>
        <summary>${say("address.more")}</summary>
        <div class="stack">${extras(flow, venue)}</div>
      </details>
      <p class="wrong" role="alert" hidden></p>
      ${main(flow, say("continue"))}
    </form>
    <p class="small quiet mark">${icon("lock", "")}<span>${say("address.readonly")}</span></p>
  `;
}

/** Whom an extended key is shown to is the person's choice, because it tells that all its addresses are theirs. */
function sources(flow: Flow, venue: Provider): TemplateResult {
  const { say } = flow.text;
  if (venue.sources.length === 0) return html``;
  return html`
    <details>
      <summary>${say("address.source")}</summary>
      <fieldset class="stack tight">
        <legend class="small">${say("address.source.text")}</legend>
        ${venue.sources.map((host, at) => html`<label class="row"><input type="radio" name="source" value=${host} id="source-${at}" /><span translate="no">${host}</span></label>`)}
      </fieldset>
    </details>
  `;
}

function extras(flow: Flow, venue: Provider): TemplateResult {
  const { say } = flow.text;
  const rest = venue.credentials.filter((field) => !["wallet", "source", "history"].includes(field));
  return html`
    ${venue.credentials.includes("history") ? html`
      <div class="field">
        <label for="depth">${say("address.history")}</label>
        <div class="box">
          <select id="depth" name="depth">${OPTIONS.map((option) => html`<option value=${option}>${say(`depth.${option}`)}</option>`)}</select>
        </div>
      </div>
      ${line({ name: "from", label: say("address.from") }, { type: "date" })}
    ` : nothing}
    ${rest.map((field) => {
      const known = venue.misc[field];
      const label = told(flow, known?.label);
      return line({ name: field, label: label.text, lang: label.lang, hint: told(flow, known?.hint).text }, { type: known?.secret ? "password" : "text" });
    })}
  `;
}

function sent(event: Event, flow: Flow, pane: Entry): void {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const { wallet = "", depth = "all", from = "", ...rest } = entered(form);
  const wallets = [...new Set(wallet.split(/[\n,;]+/).map((one) => one.trim()).filter(Boolean))];
  if (isPrivate(wallet) || wallets.some(isPrivate)) {
    wipe(form);
    pane.value = "";
    return flow.refuse(fault("private_key", { code: "private_key_refused" }), pane.venue);
  }
  const wrong = complaint(flow, pane.venue, wallets, rest.source);
  if (wrong !== null) return complain(form, wrong);
  const history = depth === "from" ? from : depth === "balances" ? depth : "";
  const all = wallets.map((one) => ({ wallet: one, ...rest, ...(history && { history }) }));
  pane.value = wallet;
  void flow.run(async () => {
    const steps = await flow.linking.steps(pane.venue, all[0] ?? {});
    flow.go({ ...pane, asked: { steps, entered: all } });
  }, pane.venue);
}

function complaint(flow: Flow, venue: Provider, wallets: string[], source: string | undefined): string | null {
  const { say } = flow.text;
  if (wallets.length === 0) return say("address.missing");
  if (wallets.length > AT_ONCE_MAX) return say("address.toomany", { count: AT_ONCE_MAX });
  if (venue.credentials.includes("source") && source === undefined && wallets.some((one) => EXTENDED.test(one))) return say("address.choose");
  const pattern = venue.misc.wallet?.pattern;
  const bad = wallets.find((one) => pattern !== undefined && !one.includes(".") && !new RegExp(`^(?:${pattern})$`).test(one));
  return bad === undefined ? null : say("address.form", { address: bad.length > 24 ? `${bad.slice(0, 12)}…${bad.slice(-6)}` : bad });
}

function complain(form: HTMLFormElement, text: string): void {
  const said = form.querySelector<HTMLElement>("[role=alert]");
  const input = form.elements.namedItem("wallet") as HTMLElement;
  if (said) {
    said.hidden = false;
    said.textContent = text;
  }
  const choice = form.querySelector<HTMLDetailsElement>("fieldset")?.closest("details");
  if (choice && EXTENDED.test((input as HTMLInputElement).value.trim())) choice.open = true;
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

/** Who will be asked, with what and how often: nobody has been yet. */
function asked(flow: Flow, pane: Entry, given: NonNullable<Entry["asked"]>): TemplateResult {
  const { say } = flow.text;
  const { venue } = pane;
  const count = given.entered.length;
  return html`
    ${heading(say("asked.title"))}
    <p>${say("asked.text", { count })}</p>
    <ul class="plain stack tight">
      ${given.entered.slice(0, 5).map(({ wallet }) => html`<li class="mono" translate="no">${wallet}</li>`)}
      ${count > 5 ? html`<li class="quiet">${say("asked.more", { count: count - 5 })}</li>` : nothing}
    </ul>
    ${given.steps.length === 0 ? note("plain", "open", say("asked.nobody")) : html`<ul class="plain stack">${given.steps.map((step) => one(flow, step))}</ul>`}
    ${main(flow, say("connect"), () => void flow.run(() => flow.linking.connectAll(venue, given.entered), venue))}
    ${other(say("asked.change"), () => flow.back())}
  `;
}

const one = (flow: Flow, step: Step): TemplateResult => html`
  <li class="card stack tight">
    <strong>${name(step.source)}${step.own ? html` <span class="chip">${flow.text.say("asked.own")}</span>` : nothing}</strong>
    <span class="small" lang=${english(flow) ?? nothing}>${step.reads}</span>
    <span class="small quiet" lang=${english(flow) ?? nothing}>${[step.calls, step.time].filter(Boolean).join(" · ")}</span>
  </li>
`;

