// What the page begins with. The block of data may hold the session, so it is read once and taken out of the page,
// and the address, which may have brought a token, keeps its path only.

export interface Facts {
  mode: "connect" | "reconnect" | "error";
  lang: string;
  theme: "light" | "dark" | "auto";
  prefix: string;
  /** The name is "" where the page does not even know who asks. */
  client: { name: string; logo: string | null; accent: string | null };
  session: string | null;
  expires_at: number | null;
  opener: string | null;
  /** Where to go when the page is closed or refused; null in a frame. */
  leave_to: string | null;
  provider: string | null;
  account: { id: string; provider: string; name: string | null } | null;
  categories: string[] | null;
  providers: string[] | null;
  disabled_providers: string[];
  providers_per_line: 1 | 2;
  multi_wallet: boolean;
  sync_nfts: boolean;
  demo: boolean;
  egress_ips: string[];
  error: { type: string; message: string } | null;
}

export function taken(): Facts {
  const block = document.getElementById("facts");
  const facts = JSON.parse(block?.textContent ?? "null") as Facts;
  block?.remove();
  history.replaceState(null, "", location.pathname);
  return facts;
}
