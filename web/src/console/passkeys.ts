// Passkeys: WebAuthn's questions and answers between the server's JSON form and what the browser wants.

interface Described {
  id: string;
  type: PublicKeyCredentialType;
  transports?: AuthenticatorTransport[];
}

interface Question {
  challenge: string;
  excludeCredentials?: Described[];
  allowCredentials?: Described[];
  user?: { id: string; name: string; displayName: string };
  [name: string]: unknown;
}

export const canPasskey = (): boolean => window.isSecureContext && "PublicKeyCredential" in window;

const decoded = (text: string): ArrayBuffer => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0)).buffer;
};

const encoded = (data: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(data)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const described = (list: Described[] | undefined): PublicKeyCredentialDescriptor[] => (list ?? []).map((one) => ({ ...one, id: decoded(one.id) }));

/** Makes a passkey; gives the answer for the server. */
export async function make(question: Question): Promise<string> {
  const { user, ...rest } = question;
  const options = {
    ...rest,
    challenge: decoded(question.challenge),
    excludeCredentials: described(question.excludeCredentials),
    user: { ...user, id: decoded(user?.id ?? "") },
  } as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey: options })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return JSON.stringify({
    id: made.id,
    rawId: encoded(made.rawId),
    type: made.type,
    response: { clientDataJSON: encoded(response.clientDataJSON), attestationObject: encoded(response.attestationObject) },
  });
}

/** Signs with a passkey; gives the answer for the server. */
export async function prove(question: Question): Promise<string> {
  const options = {
    ...question,
    challenge: decoded(question.challenge),
    allowCredentials: described(question.allowCredentials),
  } as PublicKeyCredentialRequestOptions;
  const made = (await navigator.credentials.get({ publicKey: options })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAssertionResponse;
  return JSON.stringify({
    id: made.id,
    rawId: encoded(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: encoded(response.clientDataJSON),
      authenticatorData: encoded(response.authenticatorData),
      signature: encoded(response.signature),
      userHandle: response.userHandle ? encoded(response.userHandle) : null,
    },
  });
}
