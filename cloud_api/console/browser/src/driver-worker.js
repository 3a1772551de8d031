// The app without a network: its page and files are kept here, and what waits is sent even when nobody looks at it.
// `self.shell` stands before this: {page, files} of this version.
import { openStore } from "./driver/store.js";
import { sync } from "./driver/sync.js";

const { page, files } = self.shell;
const CACHE = `coldfleet-driver ${files.join(" ")}`;
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.data === "forget page" && event.waitUntil(forget()));
self.addEventListener("sync", (event) => event.tag.startsWith("send:") && event.waitUntil(send(event.tag.slice(5))));
self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && address.pathname === page) event.respondWith(thePage(event));
  else if (address.pathname.startsWith("/console/static/")) event.respondWith(theFile(event.request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(files);
  const fresh = await fetch(page, { redirect: "manual", cache: "no-store" });
  if (fresh.ok) await cache.put(page, fresh);
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith("coldfleet-driver ") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function forget() {
  await (await caches.open(CACHE)).delete(page);
}

// As it is now, when the platform answers soon; or else as it was. A way to the sign-in is gone as well.
async function thePage(event) {
  const kept = await caches.match(page, { cacheName: CACHE });
  if (kept && navigator.onLine === false) return kept;
  const asked = fetch(event.request).then(async (answer) => {
    if (answer.ok && !answer.redirected) await (await caches.open(CACHE)).put(page, answer.clone());
    return answer;
  });
  if (!kept) return asked;
  const late = new Promise((done) => setTimeout(() => done(kept), PATIENCE_MS));
  const sound = asked.then((answer) => (answer.status >= 500 ? kept : answer)).catch(() => kept);
  event.waitUntil(sound);
  return Promise.race([sound, late]);
}

async function theFile(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

// There is signal again: whose app this is may have been closed since.
async function send(user) {
  const store = await openStore(user);
  try {
    await sync(store);
  } finally {
    store.db.close();
  }
  (await self.clients.matchAll()).forEach((client) => client.postMessage("sent"));
}
