// Texts in the language of the person who reads. The build has parsed them (icu.mjs); here numbers, plurals and choices are filled in.

type Branches = Record<string, Part[]>;
type Part = string | [name: string, kind?: string, branches?: Branches];
export type Catalogue<Key extends string = string> = Record<Key, string | Part[]>;
export type Values = Record<string, string | number>;

export class Messages<Key extends string> {
  readonly #texts: Catalogue<Key>;
  readonly #numbers: Intl.NumberFormat;

  constructor(
    readonly language: string,
    texts: Catalogue<Key>,
  ) {
    this.#texts = texts;
    this.#numbers = new Intl.NumberFormat(language);
  }

  /** The text with that key, its arguments filled in. */
  say = (key: Key, values: Values = {}): string => {
    const text = this.#texts[key];
    return typeof text === "string" ? text : this.#filled(text, values, 0);
  };

  has(key: string): key is Key {
    return key in this.#texts;
  }

  #filled(parts: Part[], values: Values, counted: number): string {
    return parts.map((part) => (typeof part === "string" ? part : this.#argument(part, values, counted))).join("");
  }

  #argument([name, kind, branches]: Exclude<Part, string>, values: Values, counted: number): string {
    if (name === "#") return this.#numbers.format(counted);
    const value = values[name] ?? "";
    if (kind === "number") return this.#numbers.format(Number(value));
    if (branches === undefined) return String(value);
    if (kind === "select") return this.#filled(branches[value] ?? branches.other ?? [], values, counted);
    const count = Number(value);
    const rule = new Intl.PluralRules(this.language, { type: kind === "ordinal" ? "ordinal" : "cardinal" }).select(count);
    return this.#filled(branches[`=${count}`] ?? branches[rule] ?? branches.other ?? [], values, count);
  }
}

/** The first of the wanted languages that there is: "fr-CA" finds "fr"; else English. */
export function chosen<Name extends string>(wanted: string, known: readonly Name[], fallback: Name): Name {
  const plain = wanted.split(/[-_]/)[0];
  return known.find((name) => name === wanted) ?? known.find((name) => name === plain) ?? fallback;
}
