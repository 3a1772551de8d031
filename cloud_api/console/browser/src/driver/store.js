// What the phone keeps: the sealed log, pictures, what it has heard, drafts. One database for each person, in IndexedDB.
const STORES = {
  facts: { keyPath: "name" },
  entries: { keyPath: "number" },
  photos: { keyPath: "sha256" },
  items: { keyPath: ["kind", "id"] },
  positions: { keyPath: "at" },
};

const said = (request) =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });

export async function openStore(user) {
  const opening = indexedDB.open(`coldfleet-driver-${user}`, 1);
  opening.onupgradeneeded = () => Object.entries(STORES).forEach(([name, options]) => opening.result.createObjectStore(name, options));
  return new Store(user, await said(opening));
}

export class Store {
  constructor(user, db) {
    this.user = user;
    this.db = db;
    // another version of the app wants to change it
    db.onversionchange = () => db.close();
  }

  // Several writes, all or none; on the disk when this returns.
  async write(change) {
    const writing = this.db.transaction(Object.keys(STORES), "readwrite", { durability: "strict" });
    const done = new Promise((ended, failed) => {
      writing.oncomplete = () => ended();
      writing.onabort = () => failed(writing.error ?? new Error("not kept"));
    });
    try {
      change((name) => writing.objectStore(name));
    } catch (error) {
      writing.abort(); // what was written before it is not to stay alone
      await done.catch(() => {});
      throw error;
    }
    await done;
  }

  get(store, key) {
    return said(this.db.transaction(store).objectStore(store).get(key));
  }

  all(store) {
    return said(this.db.transaction(store).objectStore(store).getAll());
  }

  async last(store) {
    const cursor = await said(this.db.transaction(store).objectStore(store).openCursor(null, "prev"));
    return cursor?.value;
  }

  async fact(name) {
    return (await this.get("facts", name))?.value;
  }

  keep(name, value) {
    return this.write((of) => of("facts").put({ name, value }));
  }

  forget(name) {
    return this.write((of) => of("facts").delete(name));
  }
}
