// How the phone seals its commands: numbered, chained by hash, signed with a key that cannot leave it. Written from
// docs/delivery.md: ECDSA with SHA-256 on P-256, signatures in DER, hashes in lower-case hexadecimal.
const text = new TextEncoder();
const P256 = { name: "ECDSA", namedCurve: "P-256" };

export const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

export const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);

// The private half is a key that nobody can read out, not even this script: IndexedDB keeps it as it is.
export async function newKey() {
  const pair = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
  return { private: pair.privateKey, der: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)) };
}

export async function firstHash(key) {
  const before = text.encode("coldfleet-phone-log-1\n");
  const all = new Uint8Array(before.length + key.der.length);
  all.set(before);
  all.set(key.der, before.length);
  return hex(await sha256(all));
}

export async function seal(key, number, previousHash, command) {
  const digest = await sha256(text.encode(`coldfleet-phone-entry-1\n${number}\n${previousHash}\n${command}`));
  return { hash: hex(digest), signature: await sign(key, digest) };
}

export const possession = (key, device, user) => sign(key, text.encode(`coldfleet-phone-key-1\n${device}\n${user}\n${base64(key.der)}`));

async function sign(key, message) {
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.private, message));
  return base64(der(raw));
}

// The browser says r and s side by side; in DER they are two integers, without zeros in front, and never negative.
export function der(raw) {
  const half = raw.length / 2;
  const body = [...integer(raw.subarray(0, half)), ...integer(raw.subarray(half))];
  return new Uint8Array([0x30, body.length, ...body]);
}

function integer(bytes) {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = [...bytes.subarray(start)];
  if (digits[0] & 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}
