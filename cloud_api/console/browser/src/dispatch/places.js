// The map: ways of the vans, their doors, orders without a van, and vans that are under way. Only what is other than it
// was is drawn again.
import { colour } from "./tones.js";
import { L, openMap, pin } from "../lib/map.js";
import { toneOf } from "./lanes.js";

export function mapOf(board, pick) {
  const map = openMap(document.getElementById("dispatch-map"));
  const renderer = L.canvas({ padding: 0.3 });
  const drawn = new Map();
  const vans = new Map();
  let chosen = null;
  let fitted = false;
  map.setView([20.6, 79], 4);

  const placeOf = (orderId, stop) => {
    const at = board.said.orders[orderId] ?? stop;
    return at?.latitude == null ? null : [at.latitude, at.longitude];
  };

  function door(part, orderId, at, tone, filling) {
    const marker = L.circleMarker(at, { renderer, radius: 6, weight: 2, color: colour(tone), fillColor: colour(tone), fillOpacity: filling });
    marker.on("click", () => pick(orderId));
    marker.bindTooltip(board.said.orders[orderId]?.number ?? "");
    part.doors.set(orderId, marker);
    part.group.addLayer(marker);
  }

  // a part of the map by its name, filled again when its signature is another one
  function part(name, signature, fill) {
    if (drawn.get(name)?.signature === signature) return;
    drawn.get(name)?.group.remove();
    const made = { signature, group: L.layerGroup(), doors: new Map() };
    fill(made);
    made.group.addTo(map);
    drawn.set(name, made);
  }

  function drawLane(lane, place, home) {
    const tone = toneOf(place);
    part(lane.key, `${tone} ${lane.stops.map((stop) => stop.order_id).join()}`, (made) => {
      const found = lane.stops.map((stop) => [stop, placeOf(stop.order_id, stop)]).filter(([, at]) => at);
      if (!found.length) return;
      const line = found.map(([, at]) => at);
      made.group.addLayer(L.polyline(home ? [home, ...line, home] : line, { renderer, weight: 2.5, opacity: 0.75, color: colour(tone), interactive: false }));
      found.forEach(([stop, at]) => door(made, stop.order_id, at, tone, 0.85));
    });
  }

  function draw() {
    const depot = board.said.depot;
    const home = depot && [depot.latitude, depot.longitude];
    const lanes = new Set(board.lanes.map((lane) => lane.key));
    [...drawn.keys()].filter((name) => !lanes.has(name) && name !== "left" && name !== "home").forEach((name) => {
      drawn.get(name).group.remove();
      drawn.delete(name);
    });
    board.lanes.forEach((lane, place) => drawLane(lane, place, home));
    part("left", board.said.unserved.map((one) => one.order_id).join(), (made) => {
      board.said.unserved.map((one) => [one.order_id, placeOf(one.order_id)]).filter(([, at]) => at).forEach(([orderId, at]) => door(made, orderId, at, "gray-500", 0.1));
    });
    if (home) part("home", home.join(), (made) => made.group.addLayer(pin(home, board.words.depot, "dark", depot.name)));
    if (!fitted) fit(home);
    mark();
  }

  function fit(home) {
    const seen = L.latLngBounds(home ? [home] : []);
    drawn.forEach(({ doors }) => doors.forEach((marker) => seen.extend(marker.getLatLng())));
    if (!seen.isValid()) return;
    map.fitBounds(seen.pad(0.15), { maxZoom: 15, animate: false });
    fitted = true;
  }

  function mark() {
    chosen?.remove();
    chosen = null;
    const marker = [...drawn.values()].map(({ doors }) => doors.get(board.selected)).find(Boolean);
    if (!marker) return;
    chosen = L.circleMarker(marker.getLatLng(), { radius: 11, weight: 3, color: colour("primary"), fill: false, interactive: false }).addTo(map);
    if (!map.getBounds().pad(-0.1).contains(marker.getLatLng())) map.panTo(marker.getLatLng());
  }

  // a van that is under way, by its route
  function van(routeId, said, number) {
    vans.get(routeId)?.remove();
    vans.delete(routeId);
    if (said.latitude == null || said.status !== "in_progress") return;
    const [tone, words] = said.silent_since ? ["red", board.words.silent] : ["green", board.words.live];
    vans.set(routeId, pin([said.latitude, said.longitude], `▶ ${number}`, tone, `${number}, ${words}`).setZIndexOffset(1000).addTo(map));
  }

  new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
  new MutationObserver(() => {
    drawn.forEach(({ group }) => group.remove());
    drawn.clear();
    draw();
  }).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  return { draw, mark, van };
}
