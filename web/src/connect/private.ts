// What must never be sent anywhere: seed phrases and private keys are known by their form and stop here, in the browser.

const SEED_WORDS = new Set([12, 15, 18, 21, 24]);
const PRIVATE_FORMS = [
  /\b[xyztuv]prv[1-9A-HJ-NP-Za-km-z]{50,}/i, // an extended private key (BIP 32)
  /^[5KLc9][1-9A-HJ-NP-Za-km-z]{50,51}$/, // Bitcoin's wallet import format
  /^[0-9a-f]{64}$/i, // 32 bytes without a prefix, which no address is
  /^[1-9A-HJ-NP-Za-km-z]{86,88}$/, // Solana's pair of keys
  /^nsec1[0-9a-z]{50,}$/,
  /^suiprivkey1[0-9a-z]{50,}$/,
  /^ed25519-priv-0x[0-9a-f]{64}$/i,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
];

export function isPrivate(text: string): boolean {
  const plain = text.trim();
  const words = plain.split(/\s+/);
  if (SEED_WORDS.has(words.length) && words.every((word) => /^[\p{Ll}]{3,12}$/u.test(word))) return true;
  return words.some((word) => PRIVATE_FORMS.some((form) => form.test(word))) || PRIVATE_FORMS.some((form) => form.test(plain));
}
