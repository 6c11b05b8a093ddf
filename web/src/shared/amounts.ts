// Exact decimals for people: amounts and money come as texts and are never turned into binary floats.

type Exact = Intl.StringNumericLiteral;

const DIGITS_MAX = 8;

/** Money in a currency of ISO 4217, else the number with the ticker. */
export function money(amount: string, currency: string, language: string): string {
  try {
    return new Intl.NumberFormat(language, { style: "currency", currency }).format(amount as Exact);
  } catch {
    return `${quantity(amount, language)} ${currency}`;
  }
}

/** An amount of a coin, cut to eight decimals for reading. */
export const quantity = (amount: string, language: string): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: DIGITS_MAX, roundingMode: "trunc" } as Intl.NumberFormatOptions).format(
    amount as Exact,
  );

/** A day in the reader's own time zone. */
export const day = (at: number, language: string): string => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(at);

/** "a, b and c" as the language says it. */
export const listed = (items: readonly string[], language: string): string => new Intl.ListFormat(language).format(items);
