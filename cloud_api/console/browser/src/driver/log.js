// The log of commands. What was sealed is never changed but for what the platform said of it; when the key was revoked,
// what has no final answer is sealed again with another one, under the same ids. What was answered before that stays to
// be looked at, before the new log's first entry: its numbers are negative.
import { firstHash, hex, newKey, seal, sha256 } from "./sealing.js";

export const FINAL = ["applied", "duplicate", "refused", "conflict"];
export const TURNED_DOWN = ["refused", "conflict"];
const KEPT_MS = 14 * 24 * 3600 * 1000;
export const isFinal = (entry) => FINAL.includes(entry.result);

// one at a time, in all tabs and in the worker
const alone = (store, work) => navigator.locks.request(`coldfleet-log-${store.user}`, work);

export async function keyOf(store) {
  const kept = await store.fact("key");
  if (kept) return kept;
  const made = await newKey();
  await store.keep("key", made);
  return made;
}

export async function deviceOf(store) {
  const kept = await store.fact("device");
  if (kept) return kept;
  const made = `web-${hex(crypto.getRandomValues(new Uint8Array(8)))}`;
  await store.keep("device", made);
  return made;
}

// Seal a command behind the last one; kept when this returns. `after`: ids of the entries that it builds on (their numbers
// may have become others meanwhile); `photos`: [{sha256, blob}] that it names; `positions`: the instants of those in it.
export function append(store, kind, { target = null, payload = {}, after = [], photos = [], positions = [] }) {
  return alone(store, async () => {
    const key = await keyOf(store);
    const numbers = new Map((after.length ? await store.all("entries") : []).map((entry) => [entry.id, entry.number]));
    const entry = await sealed(key, await store.last("entries"), {
      id: crypto.randomUUID(),
      kind,
      at: new Date().toISOString(),
      target,
      payload,
      // what another key sealed is answered already
      after: [...new Set(after.map((id) => numbers.get(id)))].filter((number) => number > 0).sort((a, b) => a - b),
    });
    await store.write((of) => {
      of("entries").add(entry);
      photos.forEach(({ sha256, blob }) => of("photos").put({ sha256, blob, sent: false }));
      positions.forEach((at) => of("positions").delete(at));
    });
    return entry;
  });
}

async function sealed(key, last, said) {
  const begins = !(last?.number > 0);
  const number = begins ? 1 : last.number + 1;
  const previousHash = begins ? await firstHash(key) : last.hash;
  const command = JSON.stringify({ id: said.id, kind: said.kind, at: said.at, target_id: said.target, after: said.after, payload: said.payload });
  return { ...said, number, previousHash, command, ...(await seal(key, number, previousHash, command)), result: "", code: "", message: "" };
}

// As it travels.
export const asSent = (entry) => ({
  number: entry.number,
  previous_hash: entry.previousHash,
  hash: entry.hash,
  signature: entry.signature,
  command: entry.command,
});

export function sealAgain(store) {
  return alone(store, async () => {
    const entries = await store.all("entries");
    const settled = entries.filter(isFinal);
    const key = await newKey();
    const numbers = new Map();
    const again = [];
    for (const entry of entries.filter((one) => !isFinal(one))) {
      const after = entry.after.filter((number) => numbers.has(number)).map((number) => numbers.get(number));
      const { id, kind, at, target, payload } = entry;
      const made = await sealed(key, again.at(-1), { id, kind, at, target, payload, after });
      numbers.set(entry.number, made.number);
      again.push(made);
    }
    await store.write((of) => {
      of("entries").clear();
      settled.forEach((entry, place) => of("entries").add({ ...entry, number: place - settled.length }));
      again.forEach((entry) => of("entries").add(entry));
      of("facts").put({ name: "key", value: key });
      of("facts").delete("key_id");
    });
  });
}

// Write down what the platform said; what is final stays. Pictures go when nothing waits for them any more.
export function hear(store, results) {
  return alone(store, async () => {
    const entries = new Map((await store.all("entries")).map((entry) => [entry.number, entry]));
    const heard = results
      .filter((one) => entries.has(one.number) && !isFinal(entries.get(one.number)))
      .map((one) => ({ ...entries.get(one.number), result: one.result, code: one.code, message: one.message }));
    heard.forEach((entry) => entries.set(entry.number, entry));
    const wanted = new Set([...entries.values()].filter((entry) => !isFinal(entry)).flatMap(picturesOf));
    const done = (await store.all("photos")).filter((photo) => photo.sent && !wanted.has(photo.sha256));
    await store.write((of) => {
      heard.forEach((entry) => of("entries").put(entry));
      done.forEach((photo) => of("photos").delete(photo.sha256));
      // what was typed is of use again when it was not taken, and then only
      heard.filter((entry) => ["deliver", "fail"].includes(entry.kind) && !TURNED_DOWN.includes(entry.result) && isFinal(entry)).forEach((entry) => {
        of("facts").delete(`draft:${entry.target}:deliver`);
        of("facts").delete(`draft:${entry.target}:fail`);
      });
    });
  });
}

// What was settled long ago is not needed any more, but for the last: the next is sealed behind it.
export function prune(store) {
  return alone(store, async () => {
    const entries = await store.all("entries");
    const before = new Date(Date.now() - KEPT_MS).toISOString();
    const old = entries.slice(0, -1).filter((entry) => isFinal(entry) && entry.at < before);
    await store.write((of) => old.forEach((entry) => of("entries").delete(entry.number)));
  });
}

export const picturesOf = (entry) => [entry.payload.photo_sha256, entry.payload.signature_sha256].filter(Boolean);

export async function pictureOf(blob) {
  return { sha256: hex(await sha256(await blob.arrayBuffer())), blob };
}
