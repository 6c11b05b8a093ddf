/** Gives a user's token (a JWT). It is asked for again when less than half a minute is left of the last one's life. */
export type GetToken = () => Promise<string>;

const LEFT_MS = 30_000;

/** Keeps a token as long as it is good, and asks once however many requests wait for it. */
export class Tokens {
  #token: string | undefined;
  #until = 0;
  #asked: Promise<string> | undefined;

  constructor(
    private readonly get: GetToken,
    private readonly now: () => number,
  ) {}

  async current(): Promise<string> {
    if (this.#token !== undefined && this.now() < this.#until) return this.#token;
    this.#asked ??= this.#ask().finally(() => (this.#asked = undefined));
    return this.#asked;
  }

  /** Forgets a token that the server did not accept. */
  drop(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #ask(): Promise<string> {
    const token = await this.get();
    this.#token = token;
    this.#until = expiry(token) - LEFT_MS;
    return token;
  }
}

/** When a token ends, in milliseconds since 1970; a token that does not say so is asked for each time. */
function expiry(token: string): number {
  try {
    const middle = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(middle)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : 0;
  } catch {
    return 0;
  }
}
