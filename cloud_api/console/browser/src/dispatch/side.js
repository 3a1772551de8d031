// Beside the lanes: orders that have no van, and all of what is chosen.
import { filled, lateSeconds, make, placeOf } from "./model.js";
import { kilograms } from "./lanes.js";

export function bucketOf(board) {
  const place = document.getElementById("bucket");
  const search = document.getElementById("bucket-search");
  const count = document.getElementById("bucket-count");
  const plan = document.getElementById("plan-chosen");
  const words = board.words;
  search.addEventListener("input", draw);
  place.addEventListener("change", (event) => {
    const { value, checked } = event.target;
    if (checked) board.chosen.add(value);
    else board.chosen.delete(value);
    offer();
  });

  function offer() {
    if (!plan) return;
    plan.classList.toggle("d-none", board.chosen.size === 0);
    const address = new URL(board.place.dataset.plan, window.location.href);
    board.chosen.forEach((id) => address.searchParams.append("order_ids", id));
    plan.href = address.pathname + address.search;
  }

  function itemOf(unserved) {
    const order = board.said.orders[unserved.order_id];
    const item = make("li", `bucket-item ${board.selected === unserved.order_id ? "is-selected" : ""}`);
    item.dataset.order = unserved.order_id;
    if (plan) {
      const tick = make("input", "form-check-input");
      tick.type = "checkbox";
      tick.value = unserved.order_id;
      tick.checked = board.chosen.has(unserved.order_id);
      tick.setAttribute("aria-label", `${words.order} ${unserved.order_number}`);
      item.append(tick);
    }
    const button = make("button");
    button.type = "button";
    button.dataset.pick = unserved.order_id;
    button.setAttribute("aria-pressed", String(board.selected === unserved.order_id));
    const top = make("span", "bucket-top", "", make("span", "", unserved.order_number));
    if (order) top.append(make("span", "fw-normal", `${board.clock(order.opens_at)}–${board.clock(order.closes_at)}`));
    button.append(top);
    if (order) button.append(make("span", "bucket-sub", `${order.customer} · ${kilograms(order.weight_g ?? 0)} kg`));
    if (order?.attempts) button.append(make("span", "badge bg-orange-lt", `${words.attempts}: ${order.attempts}`));
    button.append(make("span", "bucket-why", unserved.reason || words.no_reason));
    item.append(button);
    return item;
  }

  function draw() {
    const said = board.said.unserved;
    const wanted = search.value.trim().toLowerCase();
    const shown = said.filter((one) => {
      const order = board.said.orders[one.order_id];
      return !wanted || [one.order_number, order?.customer, order?.address, one.reason].some((text) => text?.toLowerCase().includes(wanted));
    });
    count.textContent = wanted ? `${shown.length} / ${said.length}` : String(said.length);
    document.querySelectorAll("[data-figure=unplanned]").forEach((one) => { one.textContent = String(said.length); });
    const ids = new Set(said.map((one) => one.order_id));
    [...board.chosen].filter((id) => !ids.has(id)).forEach((id) => board.chosen.delete(id));
    offer();
    if (shown.length) place.replaceChildren(...shown.map(itemOf));
    else place.replaceChildren(make("li", "text-secondary p-3", said.length ? words.no_match : words.nothing_unplanned));
  }

  return { draw };
}

// `act` has what can be done to the chosen order.
export function detailOf(board, act) {
  const place = document.getElementById("detail");
  const words = board.words;

  function draw() {
    const order = board.said.orders[board.selected];
    const was = placeOf(board.lanes, board.selected);
    const left = board.said.unserved.find((one) => one.order_id === board.selected);
    if (!was && !left) {
      place.replaceChildren(make("p", "text-secondary mb-0", words.select));
      return;
    }
    const facts = make("dl", "detail-facts");
    const fact = (name, text) => { if (text) facts.append(make("dt", "", name), make("dd", "", text)); };
    fact(words.window, order && `${board.clock(order.opens_at)}–${board.clock(order.closes_at)}`);
    if (was) {
      const { stop, lane } = was;
      const late = lateSeconds(stop, order);
      fact(words.van, `${lane.number}${lane.driver ? ` · ${lane.driver}` : ""}`);
      fact(words.arrives, `${board.clock(stop.arrives_at)}${stop.waits_s ? ` · ${filled(words.too_early, { minutes: Math.round(stop.waits_s / 60) })}` : ""}`);
      fact(words.leaves, board.clock(stop.leaves_at));
      if (late >= 60) facts.append(make("dt", "", words.late_short), make("dd", "lane-late", filled(words.late, { minutes: Math.round(late / 60) })));
      if (stop.locked) fact(words.locked, "✓");
    }
    const weight = was?.stop.load_g ?? order?.weight_g;
    fact(words.weight, weight != null && `${kilograms(weight)} kg`);
    if (left) {
      fact(words.why, left.reason || words.no_reason);
      fact(words.remedy, left.remedy);
    }
    const number = order?.number ?? was?.stop.order_number ?? left.order_number;
    const link = make("a", "fw-bold", number);
    link.href = `/console/orders/${board.selected}`;
    place.replaceChildren(make("div", "mb-2", "", link, make("div", "", order?.customer ?? ""), make("div", "text-secondary small", order?.address ?? "")), facts);
    if (board.said.can_edit && (!was || was.lane.editable)) place.append(actions(was));
    else if (was && board.said.can_edit) place.append(make("p", "text-secondary small mt-2 mb-0", words.not_editable));
  }

  function actions(was) {
    const made = make("div", "mt-3");
    const label = make("label", "form-label mb-1", words.put_on);
    label.htmlFor = "put-on";
    const select = make("select", "form-select form-select-sm mb-2");
    select.id = "put-on";
    select.append(new Option("–", ""));
    board.lanes.filter((lane) => lane.editable && lane !== was?.lane).forEach((lane) => select.append(new Option(lane.number, lane.key)));
    select.addEventListener("change", () => { if (select.value) act.toVan(select.value); });
    made.append(label, select);
    if (!was) return made;
    const button = (text, done, disabled = false) => {
      const one = make("button", "btn btn-sm", text);
      one.type = "button";
      one.disabled = disabled;
      one.addEventListener("click", done);
      return one;
    };
    const list = make("div", "btn-list", "", button(words.earlier, () => act.within(-1), was.at === 0), button(words.later, () => act.within(1), was.at === was.lane.stops.length - 1), button(words.take_off, act.takeOff));
    if (board.said.mode === "job") list.append(button(words.lock, act.lock), button(words.unlock, act.unlock, !was.lane.stops.some((stop) => stop.locked)));
    made.append(list);
    return made;
  }

  return { draw };
}
