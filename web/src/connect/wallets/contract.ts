// A wallet in this browser, whatever chain it is of: it can say its address, and sign a text that proves it. Nothing else is asked.

export interface BrowserWallet {
  name: string;
  /** A data URL, or "". */
  icon: string;
  /** The venue under which its addresses are connected. */
  venue: string;
  address(): Promise<string>;
  /** The signature of a text by that address. */
  sign(address: string, message: string): Promise<string>;
}

/** Wallets say their picture; only one that brings its own bytes is shown, because nothing is loaded from elsewhere. */
export const pictured = (icon: unknown): string => (typeof icon === "string" && /^data:image\/(?:png|webp|gif|jpeg|svg\+xml)[;,]/.test(icon) ? icon : "");
