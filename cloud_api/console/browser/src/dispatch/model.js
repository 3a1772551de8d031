// What the board knows, without a page: lanes of vans, where a stop stands, and how a move is taken back.

// Lanes in the order of their vans: each route one, and each van that could still get stops.
export function lanesOf(said) {
  const ofJob = said.mode === "job";
  const vans = new Map(said.vans.map((van) => [van.vehicle_id, van]));
  const names = new Map([...said.vans, ...(said.made ?? [])].map((each) => [each.driver_id, each.driver_name]));
  const lanes = said.routes.map((route) => {
    const van = vans.get(route.vehicle_id);
    const status = ofJob ? "planned" : route.status;
    const driverId = route.driver_id ?? van?.driver_id;
    return {
      key: status === "planned" ? route.vehicle_id : `${route.vehicle_id}:${route.route_id}`,
      vehicleId: route.vehicle_id,
      number: route.vehicle_number,
      driver: names.get(driverId) ?? "",
      hasDriver: Boolean(driverId),
      capacity: van?.capacity_g ?? 0,
      status,
      editable: said.can_edit && status === "planned",
      route,
      stops: route.stops,
    };
  });
  const planned = new Set(lanes.filter((lane) => lane.status === "planned").map((lane) => lane.vehicleId));
  const driving = new Set(lanes.map((lane) => lane.vehicleId));
  for (const van of said.vans) {
    if (planned.has(van.vehicle_id)) continue;
    if (van.unavailable && (ofJob || driving.has(van.vehicle_id))) continue;
    lanes.push({ key: van.vehicle_id, vehicleId: van.vehicle_id, number: van.number, driver: van.driver_name ?? "", hasDriver: Boolean(van.driver_id), capacity: van.capacity_g, status: van.unavailable ? "unavailable" : "free", unavailable: van.unavailable, editable: said.can_edit && !van.unavailable, route: null, stops: [] });
  }
  return lanes.sort((one, other) => Number(one.status === "unavailable") - Number(other.status === "unavailable") || one.number.localeCompare(other.number, undefined, { numeric: true }) || one.key.localeCompare(other.key));
}

// Where an order stands: its lane, and its place there.
export function placeOf(lanes, orderId) {
  for (const lane of lanes) {
    const at = lane.stops.findIndex((stop) => stop.order_id === orderId && !stop.is_pickup);
    if (at >= 0) return { lane, at, stop: lane.stops[at] };
  }
  return null;
}

// An order put at a place of a lane, as the API takes it.
export function assignment(orderId, lane, at) {
  const others = lane.stops.filter((stop) => stop.order_id !== orderId && !stop.is_pickup);
  const move = { action: "assign", order_id: orderId, vehicle_id: lane.vehicleId };
  if (at === null || others.length === 0) return move;
  return at < others.length ? { ...move, before: others[at].order_id } : { ...move, after: others.at(-1).order_id };
}

// What takes a move back, of the lanes as they were before it.
export function inverse(lanes, move) {
  if (move.action === "swap") return move;
  if (move.action === "lock" || move.action === "unlock") {
    const lane = move.action === "lock" ? placeOf(lanes, move.order_id)?.lane : lanes.find((one) => one.key === move.vehicle_id);
    const locked = lane?.stops.filter((stop) => stop.locked) ?? [];
    return locked.length ? { action: "lock", order_id: locked.at(-1).order_id } : { action: "unlock", vehicle_id: lane.vehicleId };
  }
  const was = placeOf(lanes, move.order_id);
  return was ? assignment(move.order_id, was.lane, was.at) : { action: "unassign", order_id: move.order_id };
}

// The lanes as they will look until the API has said the times.
export function guessed(said, move) {
  const routes = said.routes.map((route) => ({ ...route, stops: route.stops.slice() }));
  let stop = null;
  for (const route of routes) {
    const at = route.stops.findIndex((one) => one.order_id === move.order_id && !one.is_pickup);
    if (at >= 0) [stop] = route.stops.splice(at, 1);
  }
  let unserved = said.unserved.filter((one) => one.order_id !== move.order_id);
  if (move.action === "unassign") {
    unserved = [...unserved, { order_id: move.order_id, order_number: said.orders[move.order_id]?.number ?? stop?.order_number ?? "", reason: "", remedy: "" }];
    return { ...said, routes, unserved };
  }
  if (move.action !== "assign") return said;
  let route = routes.find((one) => one.vehicle_id === move.vehicle_id && (said.mode === "job" || one.status === "planned"));
  const order = said.orders[move.order_id];
  if (!route) {
    const van = said.vans.find((one) => one.vehicle_id === move.vehicle_id);
    route = { vehicle_id: move.vehicle_id, vehicle_number: van?.number ?? "", driver_id: van?.driver_id, route_id: null, status: "planned", departs_at: order?.opens_at ?? stop?.starts_at, returns_at: null, distance_m: 0, late_s: 0, loads: [], rests: [], stops: [] };
    routes.push(route);
  }
  const anchor = route.stops.findIndex((one) => one.order_id === (move.before ?? move.after));
  const at = anchor < 0 ? route.stops.length : anchor + (move.after ? 1 : 0);
  const near = route.stops[at]?.arrives_at ?? route.stops[at - 1]?.leaves_at ?? stop?.starts_at ?? order?.opens_at;
  const put = stop ?? { order_id: move.order_id, order_number: order?.number ?? "", late_s: 0, waits_s: 0, load_g: order?.weight_g, latitude: order?.latitude, longitude: order?.longitude, locked: false };
  route.stops.splice(at, 0, { ...put, arrives_at: near, starts_at: near, leaves_at: near, late_s: 0 });
  route.stops.forEach((one, place) => { route.stops[place] = { ...one, sequence: place + 1 }; });
  return { ...said, routes, unserved };
}

// Seconds that a stop is, or will be, after its promise: what its van says now comes over what was planned.
export function lateSeconds(stop, order) {
  if (stop.status === "failed" || stop.status === "returned") return 0;
  if (!stop.p50_at || !order) return stop.late_s;
  return Math.max(0, Math.round((Date.parse(stop.p50_at) - Date.parse(order.closes_at)) / 1000));
}

// "{count} stops" with its places filled.
export const filled = (text, places = {}) => text.replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "");

// An element with its class, its words and what is in it; words are never read as HTML.
export function make(tag, classes = "", words = "", ...inside) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (words !== "") made.textContent = words;
  made.append(...inside);
  return made;
}
