// Parts of forms: what a person types stays in the input and is read once, on sending; no secret is ever bound to an attribute.

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "./icons.js";

export interface Input {
  name: string;
  label: string;
  hint?: string | undefined;
  /** The language of label and hint where it is not the page's. */
  lang?: string | undefined;
  required?: boolean;
  pattern?: string | undefined;
  /** What is said of it now, "" for nothing. */
  wrong?: string | undefined;
}

export interface Words {
  show: string;
  hide: string;
}

const described = (input: Input): string =>
  [input.hint ? `${input.name}-hint` : "", input.wrong ? `${input.name}-wrong` : ""].filter(Boolean).join(" ");

const framed = (input: Input, box: TemplateResult): TemplateResult => html`
  <div class="field">
    <label for=${input.name} lang=${input.lang ?? nothing}>${input.label}</label>
    ${input.hint ? html`<p class="small quiet" id="${input.name}-hint" lang=${input.lang ?? nothing}>${input.hint}</p>` : nothing}
    <div class="box">${box}</div>
    ${input.wrong ? html`<p class="wrong" id="${input.name}-wrong">${input.wrong}</p>` : nothing}
  </div>
`;

/** One line of text that is no secret. */
export const line = (input: Input, more: { type?: string; value?: string } = {}): TemplateResult =>
  framed(
    input,
    html`<input
      id=${input.name}
      name=${input.name}
      type=${more.type ?? "text"}
      .defaultValue=${more.value ?? ""}
      autocomplete="off"
      autocapitalize="off"
      autocorrect="off"
      spellcheck="false"
      ?required=${input.required}
      aria-invalid=${input.wrong ? "true" : "false"}
      aria-describedby=${described(input) || nothing}
    />`,
  );

/** Several lines of text; `masked` ones are secrets that need their line breaks, such as a PEM key. */
export const lines = (input: Input, more: { rows: number; masked?: boolean; value?: string }): TemplateResult =>
  framed(
    input,
    html`<textarea
      id=${input.name}
      name=${input.name}
      class=${more.masked ? "masked" : ""}
      rows=${more.rows}
      .defaultValue=${more.value ?? ""}
      autocomplete="off"
      autocapitalize="off"
      autocorrect="off"
      spellcheck="false"
      ?required=${input.required}
      aria-invalid=${input.wrong ? "true" : "false"}
      aria-describedby=${described(input) || nothing}
    ></textarea>`,
  );

/** A secret on one line, which can be looked at. Password managers are told that it is none of theirs. */
export const secret = (input: Input, words: Words): TemplateResult =>
  framed(
    input,
    html`<input
        id=${input.name}
        name=${input.name}
        type="password"
        autocomplete="off"
        autocapitalize="off"
        autocorrect="off"
        spellcheck="false"
        data-1p-ignore
        data-lpignore="true"
        data-bwignore
        ?required=${input.required}
        aria-invalid=${input.wrong ? "true" : "false"}
        aria-describedby=${described(input) || nothing}
      /><button
        class="button bare round"
        type="button"
        aria-pressed="false"
        aria-label="${words.show}: ${input.label}"
        title=${words.show}
        @click=${(event: Event) => reveal(event.currentTarget as HTMLButtonElement)}
      >
        ${icon("eye")}
      </button>`,
  );

function reveal(button: HTMLButtonElement): void {
  const input = button.previousElementSibling as HTMLInputElement;
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

/** What is in the form, without spaces around it, and without what was left empty. */
export function entered(form: HTMLFormElement): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value.trim()) found[name] = value.trim();
  }
  return found;
}

/** Empties a form for good: what was typed is in no input any more. */
export function wipe(form: HTMLFormElement): void {
  for (const input of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")) {
    if (input.type !== "radio" && input.type !== "checkbox") input.value = "";
  }
}

/** Copies on a press and says so. */
export const copy = (text: string, words: { copy: string; copied: string }): TemplateResult => html`
  <button
    class="button bare"
    type="button"
    @click=${async (event: Event) => {
      const said = (event.currentTarget as HTMLElement).querySelector("[role=status]");
      await navigator.clipboard.writeText(text);
      if (said) said.textContent = words.copied;
    }}
  >
    <span>${words.copy}</span><span role="status"></span>
  </button>
`;
