// The vans as lanes on a timeline. Only lanes that are other than before are drawn again.
import { filled, lateSeconds, make } from "./model.js";

const HOUR = 3_600_000;
const COLOURS = ["blue", "orange", "teal", "purple", "pink", "lime", "cyan", "indigo", "yellow", "red"];
const LEAST = 26;
const WIDEST = 132;
const DONE = new Set(["delivered"]);
const FAILED = new Set(["failed", "returned"]);

export const colourOf = (place) => `var(--tblr-${COLOURS[place % COLOURS.length]})`;
export const toneOf = (place) => COLOURS[place % COLOURS.length];

export function timelineOf(board) {
  const place = document.getElementById("lanes");
  const hours = document.getElementById("hours");
  const words = board.words;
  const drawn = new Map();
  let hourPx = 0;
  let from = 0;
  let until = 0;

  const x = (at) => ((Date.parse(at) - from) / HOUR) * hourPx;

  function span(lanes) {
    const times = [];
    lanes.forEach((lane) => {
      if (lane.route?.departs_at) times.push(Date.parse(lane.route.departs_at));
      if (lane.route?.returns_at) times.push(Date.parse(lane.route.returns_at));
      lane.stops.forEach((stop) => { if (stop.starts_at) times.push(Date.parse(stop.starts_at), Date.parse(stop.leaves_at ?? stop.starts_at)); });
    });
    if (!times.length) Object.values(board.said.orders).forEach((order) => times.push(Date.parse(order.opens_at), Date.parse(order.closes_at)));
    if (!times.length) times.push(Date.parse(`${board.day}T06:00:00Z`), Date.parse(`${board.day}T14:00:00Z`));
    const first = Math.floor(Math.min(...times) / (HOUR / 2)) * (HOUR / 2);
    const last = Math.ceil((Math.max(...times) + HOUR / 4) / (HOUR / 2)) * (HOUR / 2);
    return [first, Math.max(last, first + 2 * HOUR)];
  }

  // as wide as half of the stops need to say their words, and no narrower than what is seen
  function fitting(lanes) {
    const gaps = lanes.flatMap((lane) => lane.stops.slice(1).map((stop, at) => (Date.parse(stop.starts_at) - Date.parse(lane.stops[at].starts_at)) / HOUR)).filter((gap) => gap > 0).sort((a, b) => a - b);
    const seen = document.getElementById("timeline").clientWidth - 220;
    const least = Math.max(70, seen / ((until - from) / HOUR));
    return gaps.length ? Math.min(Math.max(70 / gaps[Math.floor(gaps.length / 2)], least), 360) : least;
  }

  // from the left edge to the next full hour, half or quarter of the reader's clock
  function untilFull(step) {
    const [hour, minute] = board.clock(from).split(":").map(Number);
    const past = (hour * 60 + minute) * 60_000;
    return (step - (past % step)) % step;
  }

  function drawHours() {
    const step = hourPx >= 240 ? HOUR / 4 : hourPx >= 110 ? HOUR / 2 : HOUR;
    const marks = [];
    for (let at = from + untilFull(step); at <= until; at += step) {
      const mark = make("span", "", board.clock(at));
      mark.style.left = `${((at - from) / HOUR) * hourPx}px`;
      marks.push(mark);
    }
    hours.replaceChildren(...marks);
    hours.style.width = `${((until - from) / HOUR) * hourPx}px`;
  }

  function wordsOf(stop, order) {
    const late = lateSeconds(stop, order);
    if (DONE.has(stop.status)) return [words.delivered, "is-done"];
    if (FAILED.has(stop.status)) return [words.failed, "is-failed"];
    if (late >= 60) return [filled(words.late, { minutes: Math.round(late / 60) }), "is-late"];
    if (stop.status === "arrived") return [words.arrived, ""];
    return [words.on_time, ""];
  }

  function blockOf(lane, stop, at) {
    const order = board.said.orders[stop.order_id];
    const [word, tone] = wordsOf(stop, order);
    const window = order ? `${board.clock(order.opens_at)}–${board.clock(order.closes_at)}` : "";
    const start = x(stop.starts_at);
    const next = lane.stops[at + 1];
    const room = next ? x(next.starts_at) - start - 3 : WIDEST;
    const width = Math.max(LEAST, Math.min(WIDEST, Math.max(room, ((Date.parse(stop.leaves_at) - Date.parse(stop.starts_at)) / HOUR) * hourPx)));
    const number = order?.number ?? stop.order_number;
    const block = make("button", `stop ${tone} ${stop.locked ? "is-locked" : ""} ${lane.editable && !stop.is_pickup ? "" : "is-fixed"}`);
    block.type = "button";
    block.tabIndex = -1;
    block.dataset.order = stop.order_id;
    block.style.left = `${start}px`;
    block.style.width = `${width}px`;
    block.setAttribute("aria-pressed", "false");
    block.title = [`${number} ${order?.customer ?? ""}`, `${board.clock(stop.starts_at)} (${window})`, word].join("\n");
    const eta = stop.p50_at && !DONE.has(stop.status) ? board.clock(stop.p50_at) : board.clock(stop.starts_at);
    if (width < 44) block.append(make("span", "stop-top", String(stop.sequence)), make("span", "stop-word", tone === "is-late" ? words.late_short : ""));
    else block.append(make("span", "stop-top", `${stop.sequence} · ${eta}`), make("span", "", window.replaceAll(":00", "")), make("span", "stop-word", word));
    block.append(make("span", "visually-hidden", [`${number}`, order?.customer, `${words.arrives} ${board.clock(stop.starts_at)}`, window && `${words.window} ${window}`, word, stop.locked && words.locked, `${words.van} ${lane.number}`].filter(Boolean).join(", ")));
    return block;
  }

  function headOf(lane, place) {
    const head = make("div", "lane-head");
    const name = make("div", "lane-name", "", make("i"), make("span", "", lane.number));
    if (lane.status === "in_progress") name.append(make("span", "badge bg-azure-lt ms-auto", words.under_way));
    else if (lane.status === "completed") name.append(make("span", "badge bg-green-lt ms-auto", words.finished));
    head.style.setProperty("--lane-color", colourOf(place));
    head.append(name);
    if (lane.status === "unavailable") {
      head.append(make("div", "lane-line", `${words.unavailable}: ${lane.unavailable}`));
      return head;
    }
    head.append(make("div", "lane-line", lane.driver || (lane.hasDriver ? words.driver : words.no_driver)));
    const whole = lane.route?.loads?.find((load) => load.compartment === null);
    const load = whole?.load_g ?? lane.route?.load_g ?? 0;
    const capacity = whole?.capacity_g || lane.capacity;
    const over = capacity > 0 && load > capacity;
    const said = filled(words.load, { load: kilograms(load), capacity: kilograms(capacity) });
    head.append(make("div", "lane-line", `${said}${over ? ` · ${words.over}` : ""}`));
    if (capacity) {
      const full = make("i");
      full.style.width = `${Math.min(100, (load / capacity) * 100)}%`;
      head.append(make("div", `lane-load ${over ? "is-over" : ""}`, "", full));
    }
    const late = lane.stops.filter((stop) => !DONE.has(stop.status) && lateSeconds(stop, board.said.orders[stop.order_id]) >= 60);
    if (lane.route) {
      const line = make("div", "lane-line", `${filled(words.stops, { count: lane.stops.length })} · ${filled(words.km, { km: (lane.route.distance_m / 1000).toFixed(1) })}`);
      if (late.length) line.append(" · ", make("span", "lane-late", `${late.length} ${words.late_short}`));
      head.append(line);
    }
    return head;
  }

  function laneOf(lane, at) {
    const made = make("div", `lane ${lane.editable ? "" : "is-fixed"}`);
    made.dataset.lane = lane.key;
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", `${words.van} ${lane.number}`);
    made.style.setProperty("--lane-color", colourOf(at));
    const track = make("div", "lane-track");
    track.style.width = `${((until - from) / HOUR) * hourPx}px`;
    if (!lane.stops.length && lane.editable) track.append(make("span", "lane-empty", words.no_stops));
    if (lane.stops.length) {
      const drive = make("div", "lane-drive");
      const start = x(lane.route.departs_at);
      drive.style.left = `${start}px`;
      drive.style.width = `${Math.max(0, x(lane.route.returns_at ?? lane.stops.at(-1).leaves_at) - start)}px`;
      track.append(drive);
      lane.route.rests?.forEach((rest) => {
        const shown = make("div", "lane-rest");
        shown.title = words.rest;
        shown.style.left = `${x(rest.starts_at)}px`;
        shown.style.width = `${x(rest.ends_at) - x(rest.starts_at)}px`;
        track.append(shown);
      });
    }
    track.append(...lane.stops.filter((stop) => stop.starts_at).map((stop, place) => blockOf(lane, stop, place)));
    made.append(headOf(lane, at), track);
    return made;
  }

  // again what is other than it was; a wider view draws all
  function draw({ all = false } = {}) {
    const [first, last] = span(board.lanes);
    const other = first < from || last > until || from === 0 || all;
    if (other) [from, until] = [first, last];
    if (!hourPx) hourPx = fitting(board.lanes);
    if (other) {
      drawn.clear();
      drawHours();
      document.getElementById("timeline").style.setProperty("--hour", `${hourPx}px`);
      document.getElementById("timeline").style.setProperty("--shift", `${(untilFull(HOUR) / HOUR) * hourPx}px`);
    }
    const elements = board.lanes.map((lane, at) => {
      const signature = JSON.stringify([lane, at, lane.stops.map((stop) => board.said.orders[stop.order_id]?.number)]);
      const before = drawn.get(lane.key);
      if (before?.signature === signature) return before.element;
      const element = laneOf(lane, at);
      if (before) before.element.replaceWith(element);
      drawn.set(lane.key, { signature, element });
      return element;
    });
    if (elements.some((element, at) => place.children[at] !== element) || place.children.length !== elements.length) place.replaceChildren(...elements);
    if (!elements.length) place.replaceChildren(make("p", "text-secondary p-3 mb-0", words.no_lanes));
    mark();
  }

  // the chosen stop, and the window that was promised there
  function mark() {
    place.querySelectorAll(".is-selected, .lane-window").forEach((one) => {
      if (one.classList.contains("lane-window")) one.remove();
      else {
        one.classList.remove("is-selected");
        one.setAttribute("aria-pressed", "false");
      }
    });
    const blocks = [...place.querySelectorAll(".stop")];
    blocks.filter((one) => one.tabIndex === 0).forEach((one) => { one.tabIndex = -1; });
    const block = board.selected && blocks.find((one) => one.dataset.order === board.selected);
    (block || blocks[0])?.setAttribute("tabindex", "0");
    if (!block) return;
    block.classList.add("is-selected");
    block.setAttribute("aria-pressed", "true");
    const order = board.said.orders[board.selected];
    if (!order) return;
    const shown = make("div", "lane-window");
    const left = Math.max(0, x(order.opens_at));
    shown.style.left = `${left}px`;
    shown.style.width = `${Math.max(0, Math.min(x(order.closes_at), ((until - from) / HOUR) * hourPx) - left)}px`;
    block.parentElement.prepend(shown);
  }

  return {
    draw,
    mark,
    zoom(factor) {
      hourPx = Math.min(1200, Math.max(40, hourPx * factor));
      draw({ all: true });
    },
    // the place among a lane's other stops at which a point of its track lies
    placeAt(lane, left, orderId) {
      const others = lane.stops.filter((stop) => stop.order_id !== orderId && !stop.is_pickup);
      const at = others.findIndex((stop) => x(stop.starts_at) + LEAST / 2 > left);
      return at < 0 ? others.length : at;
    },
    markerAt(lane, at, orderId) {
      const others = lane.stops.filter((stop) => stop.order_id !== orderId && !stop.is_pickup);
      if (!others.length) return 4;
      return at < others.length ? x(others[at].starts_at) - 3 : x(others.at(-1).leaves_at) + LEAST;
    },
    block: (orderId) => place.querySelector(`.stop[data-order="${orderId}"]`),
    lane: (key) => drawn.get(key)?.element,
  };
}

export const kilograms = (grams) => (grams / 1000).toLocaleString("en-GB", { maximumFractionDigits: grams < 100_000 ? 1 : 0 });
