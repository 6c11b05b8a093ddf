// What the page begins with. The block of data may hold the session, so it is read once and taken out of the page.

export interface Facts {
  mode: "connect" | "reconnect" | "error";
  lang: string;
  theme: "light" | "dark" | "auto";
  prefix: string;
  client: { name: string; logo: string | null; accent: string | null };
  session: string | null;
  expires_at: number;
  opener: string | null;
  redirect_uri: string | null;
  state: string | null;
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
  return facts;
}
