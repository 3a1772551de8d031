// The day as this phone knows it: what the platform told, and over it what was done here and has not been answered.
import { TURNED_DOWN, append, isFinal } from "./log.js";

const ENDED = ["delivered", "failed", "returned", "cancelled"];
const MOST_POSITIONS = 400;

export async function readDay(store) {
  const [entries, items, photos, positions] = await Promise.all(["entries", "items", "photos", "positions"].map((name) => store.all(name)));
  return new Day(store, entries, items.filter((item) => !item.gone), photos, positions);
}

export class Day {
  constructor(store, entries, items, photos, positions) {
    this.store = store;
    this.entries = entries;
    this.photos = photos;
    this.positions = positions;
    const of = (kind) => items.filter((item) => item.kind === kind);
    this.stopItems = of("stop");
    this.messages = of("message").map((item) => item.said).sort((a, b) => b.created_at.localeCompare(a.created_at));
    this.routes = of("route").map((item) => this.routeOf(item.said)).sort(underWayFirst);
    this.route = this.routes.find((route) => route.status !== "completed");
    this.finished = this.routes.filter((route) => route.status === "completed");
    this.stops = this.route ? this.stopsOf(this.route.id) : [];
    this.next = this.stops.find((stop) => !stop.done);
  }

  // what is not answered for good, pictures that have not arrived, and entries that wait for something
  get unsent() {
    return this.entries.filter((entry) => !entry.result).length;
  }

  get waiting() {
    return this.entries.filter((entry) => entry.result === "waiting").length;
  }

  get photosUnsent() {
    return this.photos.filter((photo) => !photo.sent).length;
  }

  get settled() {
    return this.unsent + this.waiting + this.photosUnsent === 0;
  }

  about(target, ...kinds) {
    return this.entries.filter((entry) => entry.target === target && (!kinds.length || kinds.includes(entry.kind)));
  }

  routeOf(said) {
    const took = (kind) => this.about(said.id, kind).some((entry) => !TURNED_DOWN.includes(entry.result));
    const status = took("complete_route") ? "completed" : took("start_route") && said.status === "planned" ? "in_progress" : said.status;
    return { ...said, status };
  }

  stopsOf(routeId) {
    const stops = this.stopItems.filter((item) => item.route_id === routeId).map((item) => this.stopOf(item));
    return stops.sort((a, b) => a.sequence - b.sequence || a.id.localeCompare(b.id));
  }

  stopOf({ id, route_id, said }) {
    const last = this.about(id, "deliver", "fail").at(-1) ?? this.alsoHandedOver(id);
    const refused = last && TURNED_DOWN.includes(last.result) ? last : null;
    let status = said.status;
    if (last && !refused && !(isFinal(last) && ENDED.includes(status))) status = last.kind === "deliver" ? "delivered" : "failed";
    else if (!ENDED.includes(status) && this.arrivedAt(id)) status = "arrived";
    const done = ENDED.includes(status);
    const unsent = this.about(id).some((entry) => !isFinal(entry)) || (last && !isFinal(last));
    return { ...said, id, route_id, status, done, unsent, turnedDown: done ? null : refused };
  }

  // another parcel for the same door was proved with this one
  alsoHandedOver(id) {
    return this.entries.filter((entry) => entry.kind === "deliver" && entry.payload.also?.includes(id)).at(-1);
  }

  arrivedAt(id) {
    return this.about(id, "arrive").some((entry) => !TURNED_DOWN.includes(entry.result));
  }

  lastAbout(target) {
    return this.about(target).filter((entry) => entry.kind !== "position_batch").at(-1)?.id;
  }

  // what a command about a stop builds on, by ids: the last about it, or else the start of its route
  before(stop) {
    const lasts = [this.lastAbout(stop.id), this.alsoHandedOver(stop.id)?.id].filter(Boolean);
    return lasts.length ? lasts : this.about(stop.route_id, "start_route").map((entry) => entry.id);
  }

  beforeTheEnd(route) {
    const here = new Set(this.stopsOf(route.id).map((stop) => stop.id));
    const elsewhere = this.entries.filter((entry) => ["deliver", "fail"].includes(entry.kind) && !here.has(entry.target));
    const lasts = [...here].map((id) => this.lastAbout(id)).concat(this.lastAbout(route.id), elsewhere.map((entry) => entry.id).slice(-200));
    return lasts.filter(Boolean);
  }

  // Seal what happened at a stop, behind what happened there before.
  tell(kind, stop, payload = {}, more = {}) {
    return append(this.store, kind, { target: stop.id, payload, after: this.before(stop), ...more });
  }

  start(route, payload) {
    const after = this.entries.filter((entry) => entry.kind === "complete_route").slice(-1).map((entry) => entry.id);
    return append(this.store, "start_route", { target: route.id, payload, after });
  }

  complete(route, payload) {
    return append(this.store, "complete_route", { target: route.id, payload, after: this.beforeTheEnd(route) });
  }

  scanned(route, codes) {
    return append(this.store, "scan", { target: route.id, payload: { codes } });
  }

  // Where the van was since the last time.
  async sealPositions(routeId) {
    const noted = (await this.store.all("positions")).slice(0, MOST_POSITIONS);
    if (!noted.length) return;
    await append(this.store, "position_batch", { target: routeId, payload: { positions: noted.map((one) => one.said) }, positions: noted.map((one) => one.at) });
  }

  // what has to be unloaded: failed here, and not yet in the store
  comingBack(route) {
    return this.stopsOf(route.id).filter((stop) => stop.status === "failed");
  }

  // stops of the same route at the same door
  sameDoor(stop) {
    return this.stops.filter((other) => other.id !== stop.id && !other.done && other.address === stop.address && other.customer_name === stop.customer_name);
  }
}

const order = (route) => `${route.status === "completed" ? 2 : route.status === "in_progress" ? 0 : 1} ${route.departs_at} ${route.id}`;
const underWayFirst = (a, b) => order(a).localeCompare(order(b));
