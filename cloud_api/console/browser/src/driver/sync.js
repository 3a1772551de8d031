// Getting the log to the platform over whatever line there is, and hearing what has changed. The platform is asked by
// way of the console, which knows from a cookie who is signed in.
import { FINAL, asSent, deviceOf, hear, keyOf, sealAgain } from "./log.js";
import { base64, possession } from "./sealing.js";

const BASE = "/console/driver";
const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 2_000_000;

// There is no signal, or the platform is not well: later.
export class NoSignal extends Error {}
// The sign-in has run out: everything is kept.
export class SignedOut extends Error {}
// The platform will not have it.
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function ask(user, method, path, { json, body, headers = {} } = {}) {
  if (navigator.onLine === false) throw new NoSignal("offline");
  const sent = { method, redirect: "manual", cache: "no-store", headers: { "X-Driver": user, ...headers } };
  if (json !== undefined) {
    sent.body = JSON.stringify(json);
    sent.headers["Content-Type"] = "application/json";
  } else if (body !== undefined) sent.body = body;
  const answer = await fetch(`${BASE}${path}`, sent).catch((error) => {
    throw new NoSignal(String(error));
  });
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (answer.status === 304) return { etag: "", data: null };
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return { etag: answer.headers.get("ETag") ?? "", data: told.data ?? told };
  if (answer.status >= 500 || answer.status === 429) throw new NoSignal(`${answer.status}`);
  throw new Refused(answer.status, told.error?.code ?? "", told.error?.message ?? `${answer.status}`);
}

// who has shown their key since the app was opened
const shown = new Set();

// Everything once; false: somebody else is at it. Rejects with NoSignal, SignedOut or Refused; what arrived has arrived.
export function sync(store) {
  return navigator.locks.request(`coldfleet-sync-${store.user}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    const line = { store, ask: (...rest) => ask(store.user, ...rest) };
    for (let attempt = 0; ; attempt += 1) {
      try {
        await register(line);
        await sendPhotos(line);
        await sendLog(line);
        break;
      } catch (error) {
        const code = error instanceof Refused ? error.code : "";
        if (attempt > 1 || !["KEY_REVOKED", "KEY_TAKEN", "KEY_UNKNOWN"].includes(code)) throw error;
        shown.delete(store.user);
        if (code === "KEY_UNKNOWN") await store.forget("key_id");
        else await sealAgain(store);
      }
    }
    await listen(line);
    return true;
  });
}

async function register({ store, ask: asks }) {
  if (shown.has(store.user) && (await store.fact("key_id"))) return;
  const [key, device] = [await keyOf(store), await deviceOf(store)];
  const json = { device_id: device, public_key: base64(key.der), proof: await possession(key, device, store.user) };
  const { data } = await asks("POST", "/keys", { json });
  await store.keep("key_id", data.id);
  shown.add(store.user);
}

async function sendPhotos({ store, ask: asks }) {
  for (const photo of await store.all("photos")) {
    if (photo.sent) continue;
    try {
      const headers = { "Content-Type": photo.blob.type, "X-Content-SHA256": photo.sha256 };
      await asks("POST", "/photos", { body: photo.blob, headers });
    } catch (error) {
      // a picture that is not taken holds up nothing else; what names it says that it waits
      if (error instanceof Refused && error.code !== "SOMEBODY_ELSE") continue;
      throw error;
    }
    await store.write((of) => of("photos").put({ ...photo, sent: true }));
  }
}

async function sendLog({ store, ask: asks }) {
  const open = (await store.all("entries")).filter((entry) => !FINAL.includes(entry.result));
  // what waits is said again: done meanwhile, it may be
  for (const part of partsOf([...open.filter((one) => !one.result), ...open.filter((one) => one.result)])) {
    const json = { key_id: await store.fact("key_id"), sent_at: new Date().toISOString(), entries: part.map(asSent) };
    const { data } = await asks("POST", "/sync", { json });
    await hear(store, data.results);
    if (data.skew_ms !== (await store.fact("skew_ms"))) await store.keep("skew_ms", data.skew_ms);
    if (data.photos_wanted.length) await sendAgain(store, data.photos_wanted);
  }
}

// The platform does not have these pictures: those that are still here go out with the next part.
async function sendAgain(store, wanted) {
  const here = (await store.all("photos")).filter((photo) => wanted.includes(photo.sha256) && photo.sent);
  await store.write((of) => here.forEach((photo) => of("photos").put({ ...photo, sent: false })));
}

function partsOf(entries) {
  const parts = [];
  let length = 0;
  for (const entry of entries) {
    length += entry.command.length;
    if (!parts.length || parts.at(-1).length >= MOST_ENTRIES || length > MOST_CHARACTERS) {
      parts.push([]);
      length = entry.command.length;
    }
    parts.at(-1).push(entry);
  }
  return parts;
}

async function listen({ store, ask: asks }) {
  let cursor = (await store.fact("cursor")) ?? "";
  for (;;) {
    const tag = cursor ? await store.fact("feed_tag") : "";
    let said;
    try {
      said = await asks("GET", cursor ? `/sync?cursor=${encodeURIComponent(cursor)}` : "/sync", { headers: tag ? { "If-None-Match": tag } : {} });
    } catch (error) {
      if (!(error instanceof Refused) || !cursor || !["CURSOR_GONE", "BAD_CURSOR"].includes(error.code)) throw error;
      cursor = "";
      continue;
    }
    if (said.data === null) return;
    await take(store, said, cursor);
    if (!said.data.more) return;
    cursor = said.data.cursor;
  }
}

function take(store, { data, etag }, cursor) {
  return store.write((of) => {
    if (!cursor) of("items").clear();
    data.items.forEach((item) => of("items").put({ kind: item.kind, id: item.id, route_id: item.route_id, gone: item.gone, said: item[item.kind] }));
    of("facts").put({ name: "cursor", value: data.cursor });
    of("facts").put({ name: "feed_tag", value: data.more ? "" : etag });
  });
}
