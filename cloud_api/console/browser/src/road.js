// The road: <div data-road="/console/....json"> draws vans and doors, then follows each route by `/ws/tracking/{id}`.
// What else the page shows of the road, [data-road-part], is told `changed`, every two seconds at most.
import { L, openMap, pin } from "./lib/map.js";
import { follow } from "./lib/live.js";

const MOST_FOLLOWED = 40;
let waiting = null;
function tellParts() {
  if (waiting !== null) return;
  waiting = setTimeout(() => {
    waiting = null;
    document.querySelectorAll("[data-road-part]").forEach((part) => part.dispatchEvent(new CustomEvent("changed")));
  }, 2000);
}

class Road {
  constructor(place, words) {
    this.words = words;
    this.map = openMap(place);
    this.bounds = L.latLngBounds([]);
  }

  clock(at) {
    return new Intl.DateTimeFormat("en-GB", { timeZone: this.words.zone, hour: "2-digit", minute: "2-digit" }).format(new Date(at));
  }

  show(marker, tone, title) {
    const badge = marker.getElement()?.firstChild;
    if (badge) badge.className = `badge bg-${tone} text-${tone}-fg`;
    marker.getElement()?.setAttribute("title", title);
    marker.getElement()?.setAttribute("aria-label", title);
  }

  put(at, text, tone, title, address) {
    this.bounds.extend(at);
    const marker = pin(at, text, tone, title).addTo(this.map);
    this.show(marker, tone, title);
    if (address) marker.on("click keypress", (event) => { if (!event.originalEvent?.key || event.originalEvent.key === "Enter") window.location.href = address; });
    return marker;
  }

  titleOf(door) {
    const state = this.words.states[door.status] ?? door.status;
    return `${door.text}. ${door.name}: ${state}${door.p50_at ? `, ${this.words.eta} ${this.clock(door.p50_at)}` : ""}`;
  }

  draw(route) {
    const doors = new Map();
    if (route.trail.length > 1) L.polyline(route.trail, { weight: 3, className: "road-trail" }).addTo(this.map);
    route.trail.forEach((at) => this.bounds.extend(at));
    route.stops.forEach((door) => {
      const tone = this.words.tones[door.status] ?? "secondary";
      doors.set(door.id, { door, marker: this.put([door.latitude, door.longitude], door.text, tone, this.titleOf(door), door.address) });
    });
    let van = null;
    const move = (at, silent, since) => {
      const title = silent ? `${route.name}: ${this.words.silent} ${since ? this.clock(since) : ""}` : route.name;
      if (van === null) {
        van = this.put(at, route.name, silent ? "red" : "primary", title, route.address).setZIndexOffset(1000);
      } else {
        van.setLatLng(at);
        this.show(van, silent ? "red" : "primary", title);
      }
      van.getElement().dataset.van = route.id;
    };
    if (route.position) move(route.position, route.silent, null);
    const take = (items) => items.forEach((item) => {
      if (item.kind === "route" && item.latitude !== null) move([item.latitude, item.longitude], item.silent_since !== null, item.silent_since);
      const known = doors.get(item.id);
      if (item.kind !== "stop" || !known) return;
      Object.assign(known.door, { status: item.status, p50_at: item.p50_at });
      this.show(known.marker, this.words.tones[item.status] ?? "secondary", this.titleOf(known.door));
    });
    let first = true;
    return { id: route.id, onState: (items) => { take(items); if (!first) tellParts(); first = false; }, onChange: (items) => { take(items); tellParts(); } };
  }

  fit() {
    if (this.bounds.isValid()) this.map.fitBounds(this.bounds.pad(0.2), { maxZoom: 15 });
    else this.map.setView([20.6, 79], 4);
  }
}

document.querySelectorAll("[data-road]").forEach(async (place) => {
  const answer = await fetch(place.dataset.road, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const said = await answer.json();
  const road = new Road(place, said.words);
  road.fit();
  const followed = said.routes.map((route) => road.draw(route));
  road.fit();
  followed.slice(0, MOST_FOLLOWED).forEach((one) => follow(`/ws/tracking/${one.id}`, one));
  place.dataset.drawn = "yes";
});
