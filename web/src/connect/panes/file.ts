// A file that a venue or program has exported: it is looked at first, and imported only when the person has seen what it brings.

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../../shared/icons.js";
import { type Account, type Preview, Refused } from "../api.js";
import { fault } from "../faults.js";
import type { Flow } from "../flow.js";
import { english, heading, main, name, note, other } from "./frame.js";

const BYTES_MAX = 20 * 1024 * 1024;
const UNREADABLE_SHOWN = 5;
const MANUAL = "manual";
const TITLE_MAX = 80;
const TRIES_MAX = 20;
const PAUSE_MS = 500;

export function file(flow: Flow): TemplateResult {
  const { say } = flow.text;
  const take = (list: FileList | null | undefined): void => {
    const chosen = list?.[0];
    if (chosen !== undefined) void flow.run(() => look(flow, chosen));
  };
  return html`
    ${heading(say("file.title"))}
    <p>${say("file.text")}</p>
    <label
      class="drop"
      @dragover=${(event: DragEvent) => event.preventDefault()}
      @drop=${(event: DragEvent) => {
        event.preventDefault();
        take(event.dataTransfer?.files);
      }}
    >
      ${icon("file", "")}<strong>${say("file.choose")}</strong><span class="small quiet">${say("file.kinds")}</span>
      <input type="file" accept=".csv,.txt,text/csv" @change=${(event: Event) => take((event.target as HTMLInputElement).files)} />
    </label>
    <p class="small quiet">${say("file.unedited")}</p>
  `;
}

async function look(flow: Flow, chosen: File): Promise<void> {
  if (chosen.size > BYTES_MAX) return flow.refuse(fault("file", { code: "too_large" }), null);
  const found = await flow.api.send<Preview>(`/connect/preview?provider=${MANUAL}`, chosen);
  flow.go({ at: "preview", file: chosen, found });
}

export function preview(flow: Flow, chosen: File, found: Preview): TemplateResult {
  const { say } = flow.text;
  const left = found.unreadable;
  return html`
    ${heading(say("preview.title"))}
    <p>${name(chosen.name)}</p>
    <dl class="facts">
      <dt>${say("preview.layout")}</dt><dd translate="no">${found.layout}</dd>
      <dt>${say("preview.lines")}</dt><dd>${say("number", { count: found.lines })}</dd>
      <dt>${say("preview.new")}</dt><dd>${say("number", { count: found.new })}</dd>
    </dl>
    ${left.length > 0 ? note("warn", "warn", html`<strong>${say("preview.unreadable", { count: left.length })}</strong>
      <ul class="small" lang=${english(flow) ?? nothing}>${left.slice(0, UNREADABLE_SHOWN).map((text) => html`<li>${text}</li>`)}</ul>`) : nothing}
    ${main(flow, say("preview.import"), () => void flow.run(() => bring(flow, chosen, found)))}
    ${other(say("preview.other"), () => flow.back())}
  `;
}

async function bring(flow: Flow, chosen: File, found: Preview): Promise<void> {
  const title = `${found.layout} ${chosen.name}`.slice(0, TITLE_MAX);
  const account = await accountOf(flow, title);
  await patient(() => flow.api.send(`/connect/import?account=${account}`, chosen));
  await flow.linking.keep(await flow.api.get<Account>(`/v1/accounts/${account}`));
}

/** An account for files of that name: a new one, or the one that an earlier import has made. */
async function accountOf(flow: Flow, title: string): Promise<string> {
  try {
    return (await flow.api.post<Account>("/v1/accounts", { provider: MANUAL, credentials: { title }, name: title })).id;
  } catch (error) {
    const existing = error instanceof Refused ? error.problem.existing_institution_id : undefined;
    if (existing === undefined) throw error;
    return existing;
  }
}

/** A new account is looked at by a worker for a moment, and nothing can be imported meanwhile. */
async function patient(act: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES_MAX; ; left--) {
    try {
      await act();
      return;
    } catch (error) {
      if (left === 0 || !(error instanceof Refused) || error.code !== "sync_in_progress") throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
