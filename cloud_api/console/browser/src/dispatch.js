// The dispatch board: lanes, bucket and map of one day, or of a plan that is looked at. An edit is shown at once, sent to
// the API, and its answer replaces what it changed; what breaks rules is asked about before it is kept.
import { dragging } from "./dispatch/drag.js";
import { timelineOf } from "./dispatch/lanes.js";
import { mapOf } from "./dispatch/places.js";
import { assignment, filled, guessed, inverse, lanesOf, make, placeOf } from "./dispatch/model.js";
import { bucketOf, detailOf } from "./dispatch/side.js";
import { follow } from "./lib/live.js";
import { toast } from "./lib/toasts.js";

const AGAIN_MS = 30_000;
const MOST_UNDO = 50;
const byId = (id) => document.getElementById(id);

const place = byId("dispatch-board");
const words = JSON.parse(place.dataset.words);
const board = {
  place, words, day: place.dataset.day, job: place.dataset.job ?? null, said: null, lanes: [],
  selected: null, chosen: new Set(), undo: [], working: 0, asking: null, dragged: false,
  clock: () => "", locked: () => board.asking !== null,
};
let timeline;
let bucket;
let detail;
let map;
let queue = Promise.resolve();
const followed = new Map();
const etas = new Map();

const say = (text) => { byId("spoken").textContent = text; };

async function read() {
  const answer = await fetch(place.dataset.source, { headers: { Accept: "application/json" } });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.message ?? words.unreachable);
  return said;
}

function take(said) {
  board.said = said;
  board.lanes = lanesOf(withEtas(said));
}

// what the vans' own live views say comes over what was planned
function withEtas(said) {
  if (!etas.size) return said;
  const routes = said.routes.map((route) => (etas.has(route.route_id) ? { ...route, stops: route.stops.map((stop) => ({ ...stop, ...etas.get(route.route_id).get(stop.order_id) })) } : route));
  return { ...said, routes };
}

function show() {
  timeline.draw();
  bucket.draw();
  detail.draw();
  map.draw();
}

function select(orderId, { focus = false } = {}) {
  board.selected = orderId;
  timeline.mark();
  map.mark();
  bucket.draw();
  detail.draw();
  const block = orderId && timeline.block(orderId);
  if (!block) return;
  if (focus) block.focus({ preventScroll: true });
  bringIntoView(block);
}

// beside the vans' names, which lie over the left of the timeline
function bringIntoView(block) {
  const scroller = byId("timeline");
  const [outer, inner] = [scroller.getBoundingClientRect(), block.getBoundingClientRect()];
  const head = block.closest(".lane").firstElementChild.offsetWidth;
  if (inner.left < outer.left + head) scroller.scrollLeft -= outer.left + head + 12 - inner.left;
  else if (inner.right > outer.right) scroller.scrollLeft += inner.right - outer.right + 12;
  if (inner.top < outer.top + 28) scroller.scrollTop -= outer.top + 32 - inner.top;
  else if (inner.bottom > outer.bottom) scroller.scrollTop += inner.bottom - outer.bottom + 8;
}

// --- edits -----------------------------------------------------------------------------------------------------------

function edit(move, { undoing = null, said = "" } = {}) {
  if (!board.said.can_edit || board.locked()) return;
  const back = inverse(board.lanes, move);
  const focused = document.activeElement?.closest(".stop") !== null;
  take(guessed(board.said, move));
  show();
  board.working += 1;
  byId("saving").textContent = `${words.saving}…`;
  queue = queue.then(() => send(move, back, { undoing, said, focused })).finally(() => {
    board.working -= 1;
    if (!board.working) byId("saving").textContent = "";
  });
}

async function post(move, force) {
  const body = { moves: [move], force };
  if (board.job) body.version = board.version;
  else Object.assign(body, { warehouse_id: place.dataset.warehouse, delivery_date: board.day, route_versions: versions() });
  const address = board.job ? `/console/dispatch/jobs/${board.job}/edits` : "/console/dispatch/edits";
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return [answer.ok, await answer.json().catch(() => ({ message: words.unreachable }))];
}

const versions = () => Object.fromEntries((board.kept.made ?? []).filter((route) => route.status === "planned").map((route) => [route.id, route.version]));

async function send(move, back, { undoing, said, focused }, force = Boolean(undoing?.force)) {
  // an edit before this one is being asked about: this one was of a board that is gone
  if (board.asking) return;
  let ok;
  let draft;
  try {
    [ok, draft] = await post(move, force);
  } catch {
    [ok, draft] = [false, { message: words.unreachable }];
  }
  if (!ok) {
    toast(draft.code === "STALE_PLAN" ? words.changed_elsewhere : draft.message, draft.code === "STALE_PLAN" ? "orange" : "red");
    if (draft.code === "STALE_PLAN") board.undo = [];
    await again();
    return;
  }
  const known = new Set(board.kept.violations.map((one) => one.words));
  if (!draft.kept && draft.violations.every((one) => known.has(one.words))) {
    await send(move, back, { undoing, said, focused }, true);
    return;
  }
  if (!draft.kept) {
    ask(move, back, draft, { undoing, said, focused });
    return;
  }
  remember(back, undoing, known.size > 0);
  board.version = draft.version;
  document.querySelectorAll("[data-board-version]").forEach((field) => { field.value = draft.version; });
  if (board.working <= 1) {
    settle(merged(draft), focused);
    if (said) say(said);
  } else board.kept = merged(draft);
}

// back: what takes this move back; of an undo there is none
function remember(back, undoing, force) {
  if (!undoing) board.undo = [...board.undo, { move: back, force }].slice(-MOST_UNDO);
  const button = byId("undo");
  if (button) button.disabled = board.undo.length === 0;
}

// a planned route as the board lists it: with the version that the next edit names
const madeOf = (route) => ({ ...board.kept.made.find((one) => one.id === route.route_id), id: route.route_id, version: route.version, status: "planned", vehicle_id: route.vehicle_id, driver_id: route.driver_id });

// what was known last, with what an edit's answer says of the vans that it concerns
function merged(draft) {
  const concerned = new Set(draft.vehicle_ids);
  const stays = (route) => !concerned.has(route.vehicle_id) || (!board.job && route.status !== "planned");
  const told = new Set([...draft.routes.flatMap((route) => route.stops), ...draft.unserved].map((one) => one.order_id));
  return {
    ...board.kept,
    made: board.job ? board.kept.made : [...board.kept.made.filter(stays), ...draft.routes.filter((route) => route.route_id).map(madeOf)],
    routes: [...board.kept.routes.filter(stays), ...draft.routes.map((route) => ({ ...route, status: "planned" }))],
    unserved: [...board.kept.unserved.filter((one) => !told.has(one.order_id)), ...draft.unserved],
    violations: draft.violations,
    total: draft.total,
  };
}

function settle(said, focused) {
  board.kept = said;
  take(said);
  show();
  showRules(said.violations);
  showTotal(said.total);
  if (focused && board.selected) select(board.selected, { focus: true });
}

function showRules(violations) {
  const box = byId("violations");
  if (!box) return;
  box.classList.toggle("d-none", violations.length === 0);
  box.querySelector("ul").replaceChildren(...violations.map((one) => make("li", "", one.words)));
}

function showTotal(total) {
  if (!total) return;
  document.querySelectorAll("[data-total]").forEach((one) => {
    one.textContent = `${(total[one.dataset.total] / Number(one.dataset.scale)).toFixed(1)} ${one.dataset.unit}`;
  });
  const served = document.querySelector("[data-figure=served]");
  if (served) served.textContent = String(board.said.routes.reduce((sum, route) => sum + route.stops.filter((stop) => !stop.is_pickup).length, 0));
}

// it was not kept: shown as it would be, until somebody says
function ask(move, back, draft, how) {
  board.asking = { move, back, how };
  take(merged(draft));
  show();
  byId("breaks-title").textContent = words.breaks;
  byId("breaks-list").replaceChildren(...draft.violations.map((one) => make("li", "", one.words)));
  byId("put-back").querySelector("span").textContent = words.put_back;
  byId("keep").textContent = words.keep;
  byId("breaks").classList.remove("d-none");
  byId("put-back").focus();
}

function answered(keep) {
  const asked = board.asking;
  if (!asked) return;
  board.asking = null;
  byId("breaks").classList.add("d-none");
  if (keep) {
    board.working += 1;
    queue = queue.then(() => send(asked.move, asked.back, asked.how, true)).finally(() => { board.working -= 1; });
    return;
  }
  take(board.kept);
  show();
  if (board.selected) select(board.selected, { focus: true });
}

function undo() {
  const last = board.undo.at(-1);
  if (!last || board.locked()) {
    if (!last) say(words.nothing_to_undo);
    return;
  }
  if (board.working) {
    queue = queue.then(undo);
    return;
  }
  board.undo = board.undo.slice(0, -1);
  edit(last.move, { undoing: last, said: words.undone });
}

async function again() {
  try {
    const said = await read();
    if (board.asking) return;
    board.kept = said;
    board.version = said.version;
    document.querySelectorAll("[data-board-version]").forEach((field) => { if (said.version) field.value = said.version; });
    take(said);
    show();
    showRules(said.violations);
    showTotal(said.total);
    followVans();
    remember(null, {}, false);
  } catch (error) {
    toast(error.message, "red");
  }
}

const numberOf = (orderId) => board.said.orders[orderId]?.number ?? placeOf(board.lanes, orderId)?.stop.order_number ?? "";

const act = {
  toVan(key, at = null, orderId = board.selected) {
    const lane = board.lanes.find((one) => one.key === key && one.editable);
    if (lane) edit(assignment(orderId, lane, at), { said: filled(words.moved, { number: numberOf(orderId), van: lane.number }) });
  },
  within(step) {
    const was = placeOf(board.lanes, board.selected);
    const to = (was?.at ?? -1) + step;
    if (!was?.lane.editable || to < 0 || to >= was.lane.stops.length) return;
    edit(assignment(board.selected, was.lane, to), { said: filled(words.moved, { number: numberOf(board.selected), van: was.lane.number }) });
  },
  across(step) {
    const was = placeOf(board.lanes, board.selected);
    const open = board.lanes.filter((lane) => lane.editable);
    const to = open[open.indexOf(was?.lane) + step];
    if (was?.lane.editable && to) act.toVan(to.key);
  },
  takeOff() {
    const was = placeOf(board.lanes, board.selected);
    if (was?.lane.editable) edit({ action: "unassign", order_id: board.selected }, { said: filled(words.taken_off, { number: numberOf(board.selected) }) });
  },
  lock: () => { if (board.job && placeOf(board.lanes, board.selected)) edit({ action: "lock", order_id: board.selected }); },
  unlock: () => { const was = placeOf(board.lanes, board.selected); if (board.job && was) edit({ action: "unlock", vehicle_id: was.lane.vehicleId }); },
};

// --- hands -----------------------------------------------------------------------------------------------------------

function walk(block, key) {
  const lane = block.closest(".lane");
  const blocks = [...lane.querySelectorAll(".stop")];
  const at = blocks.indexOf(block);
  if (key === "ArrowLeft" || key === "ArrowRight") return blocks[at + (key === "ArrowLeft" ? -1 : 1)];
  let other = lane;
  do other = key === "ArrowUp" ? other.previousElementSibling : other.nextElementSibling;
  while (other && !other.querySelector(".stop"));
  const left = block.offsetLeft;
  return [...(other?.querySelectorAll(".stop") ?? [])].sort((one, two) => Math.abs(one.offsetLeft - left) - Math.abs(two.offsetLeft - left))[0];
}

function pressed(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input, textarea")) {
    event.preventDefault();
    undo();
    return;
  }
  if (event.key === "Escape") {
    if (board.asking) answered(false);
    else if (board.selected) select(null);
    return;
  }
  const block = event.target.closest?.(".stop");
  if (!block || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    if (block.dataset.order === board.selected) {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") act.within(event.key === "ArrowLeft" ? -1 : 1);
      else act.across(event.key === "ArrowUp" ? -1 : 1);
      return;
    }
    const next = walk(block, event.key);
    if (!next) return;
    block.tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
    bringIntoView(next);
  } else if (block.dataset.order === board.selected && event.key === "Delete") act.takeOff();
  else if (block.dataset.order === board.selected && event.key.toLowerCase() === "l") act.lock();
}

function hands() {
  byId("lanes").addEventListener("click", (event) => {
    const block = event.target.closest(".stop");
    if (block) select(block.dataset.order, { focus: true });
  });
  byId("bucket").addEventListener("click", (event) => {
    const picked = event.target.closest("[data-pick]");
    if (!picked) return;
    select(picked.dataset.pick);
    byId("bucket").querySelector(`[data-pick="${picked.dataset.pick}"]`)?.focus();
  });
  document.addEventListener("keydown", pressed);
  byId("undo")?.addEventListener("click", undo);
  byId("wider").addEventListener("click", () => timeline.zoom(1.4));
  byId("narrower").addEventListener("click", () => timeline.zoom(1 / 1.4));
  byId("keep").addEventListener("click", () => answered(true));
  byId("put-back").addEventListener("click", () => answered(false));
  dragging(board, timeline, (orderId, lane, at) => {
    board.selected = orderId;
    if (lane) act.toVan(lane.key, at, orderId);
    else if (placeOf(board.lanes, orderId)) act.takeOff();
  });
}

// --- what others do --------------------------------------------------------------------------------------------------

const numberOfVan = (route) => board.said.vans.find((van) => van.vehicle_id === route.vehicle_id)?.number ?? route.number;

function followVans() {
  if (board.job) return;
  board.said.made.filter((route) => !followed.has(route.id)).forEach((route) => map.van(route.id, route, numberOfVan(route)));
  if (!board.said.can_follow) return;
  const going = new Set(board.said.made.filter((route) => route.status === "in_progress").map((route) => route.id));
  for (const [id, leave] of followed) {
    if (!going.has(id)) { leave(); followed.delete(id); }
  }
  board.said.made.filter((route) => going.has(route.id) && !followed.has(route.id)).forEach((route) => {
    const number = numberOfVan(route);
    const heard = (items) => {
      const stops = etas.get(route.id) ?? new Map();
      items.filter((item) => item.kind === "stop").forEach((item) => stops.set(item.order_id, { status: item.status, p50_at: item.p50_at }));
      etas.set(route.id, stops);
      items.filter((item) => item.kind === "route").forEach((item) => map.van(route.id, item, number));
      if (board.asking || board.working) return;
      take(board.said);
      timeline.draw();
      detail.draw();
    };
    followed.set(route.id, follow(`/ws/tracking/${route.id}`, { onState: heard, onChange: heard }));
  });
}

function followPlan() {
  const heard = ([job]) => {
    if (!job || board.working || board.asking) return;
    if (job.status !== "succeeded") window.location.assign(`/console/dispatch?warehouse_id=${place.dataset.warehouse}&date=${board.day}`);
    else if (job.version !== board.version) {
      toast(words.changed_elsewhere, "orange");
      board.undo = [];
      again();
    }
  };
  follow(`/ws/dispatch/jobs/${board.job}`, { onState: heard, onChange: heard });
}

async function open() {
  try {
    board.kept = await read();
  } catch (error) {
    place.setAttribute("aria-busy", "false");
    toast(error.message, "red");
    return;
  }
  const times = new Intl.DateTimeFormat("en-GB", { timeZone: board.kept.zone, hour: "2-digit", minute: "2-digit" });
  board.clock = (at) => (at ? times.format(typeof at === "number" ? at : Date.parse(at)) : "–");
  board.version = board.kept.version;
  take(board.kept);
  place.classList.toggle("can-edit", board.said.can_edit);
  timeline = timelineOf(board);
  bucket = bucketOf(board);
  detail = detailOf(board, act);
  map = mapOf(board, (orderId) => select(orderId));
  show();
  hands();
  place.setAttribute("aria-busy", "false");
  if (board.job) followPlan();
  else {
    followVans();
    setInterval(() => { if (!document.hidden && !board.working && !board.asking && !board.dragged) again(); }, AGAIN_MS);
  }
}

open();
