// The last pane, for where no host page takes this one away.

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../../shared/icons.js";
import type { Flow, Pane } from "../flow.js";
import { english, heading, main } from "./frame.js";

export function ended(flow: Flow, pane: Extract<Pane, { at: "ended" }>): TemplateResult {
  const { say } = flow.text;
  if (pane.how === "refused" && pane.fault !== undefined) {
    const { fault } = pane;
    return html`
      ${icon("warn", "warn large")} ${heading(say(`fault.${fault.kind}.title`))}
      <p>${say(`fault.${fault.kind}.text`)}</p>
      ${fault.told ? html`<p class="small quiet" lang=${english(flow) ?? nothing}>${fault.told}</p>` : nothing}
      <p class="small quiet mono" translate="no">${fault.code}</p>
      ${flow.facts.leave_to === null ? nothing : main(flow, say("leave"), () => flow.leave())}
    `;
  }
  const done = pane.how === "done";
  return html`
    ${icon(done ? "good" : "open", done ? "good large" : "large")} ${heading(say(done ? "done.title" : "closed.title"))}
    <p>${say(done ? "done.text" : "closed.text")}</p>
  `;
}
