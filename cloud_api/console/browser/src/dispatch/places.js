// The map: ways of the vans, their doors, orders without a van, and vans that are under way.
import { colour } from "./tones.js";
import { L, openMap, pin } from "../lib/map.js";
import { toneOf } from "./lanes.js";

export function mapOf(board, pick) {
  const map = openMap(document.getElementById("dispatch-map"));
  const renderer = L.canvas({ padding: 0.3 });
  const ways = L.layerGroup().addTo(map);
  const doors = new Map();
  const vans = new Map();
  let chosen = null;
  let fitted = false;
  map.setView([20.6, 79], 4);

  const placeOf = (orderId, stop) => {
    const at = board.said.orders[orderId] ?? stop;
    return at?.latitude == null ? null : [at.latitude, at.longitude];
  };

  function door(orderId, at, tone, filling) {
    const marker = L.circleMarker(at, { renderer, radius: 6, weight: 2, color: colour(tone), fillColor: colour(tone), fillOpacity: filling });
    marker.on("click", () => pick(orderId));
    marker.bindTooltip(board.said.orders[orderId]?.number ?? "");
    doors.set(orderId, marker);
    ways.addLayer(marker);
  }

  function draw() {
    ways.clearLayers();
    doors.clear();
    const seen = L.latLngBounds([]);
    const depot = board.said.depot;
    const home = depot && [depot.latitude, depot.longitude];
    board.lanes.forEach((lane, place) => {
      const tone = toneOf(place);
      const found = lane.stops.map((stop) => [stop, placeOf(stop.order_id, stop)]).filter(([, at]) => at);
      if (!found.length) return;
      const line = found.map(([, at]) => at);
      ways.addLayer(L.polyline(home ? [home, ...line, home] : line, { renderer, weight: 2.5, opacity: 0.75, color: colour(tone), interactive: false }));
      found.forEach(([stop, at]) => { door(stop.order_id, at, tone, 0.85); seen.extend(at); });
    });
    board.said.unserved.forEach((one) => {
      const at = placeOf(one.order_id);
      if (!at) return;
      door(one.order_id, at, "gray-500", 0.1);
      seen.extend(at);
    });
    if (home) {
      ways.addLayer(pin(home, board.words.depot, "dark", depot.name));
      seen.extend(home);
    }
    if (!fitted && seen.isValid()) {
      map.fitBounds(seen.pad(0.15), { maxZoom: 15, animate: false });
      fitted = true;
    }
    mark();
  }

  function mark() {
    chosen?.remove();
    chosen = null;
    const marker = doors.get(board.selected);
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
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  return { draw, mark, van };
}
