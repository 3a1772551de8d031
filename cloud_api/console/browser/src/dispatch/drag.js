// Dragging a stop with the mouse or a pen: all of it is done here, and the edit is sent when it is dropped.
import { make } from "./model.js";

const FAR = 5;
const EDGE = 40;

// `drop(orderId, lane, at)` is told where; lane null: into the bucket.
export function dragging(board, timeline, drop) {
  const scroller = document.getElementById("timeline");
  const bucket = document.getElementById("bucket").parentElement;
  let held = null;

  function begin(event) {
    if (event.button !== 0 || event.pointerType === "touch" || board.locked() || !board.said.can_edit) return;
    if (event.target.closest("input, select")) return;
    const source = event.target.closest("[data-order]");
    if (!source || source.classList.contains("is-fixed")) return;
    held = { source, orderId: source.dataset.order, x: event.clientX, y: event.clientY, ghost: null };
  }

  function move(event) {
    if (!held) return;
    if (!held.ghost) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR) return;
      held.ghost = make("div", "drag-ghost", board.said.orders[held.orderId]?.number ?? "");
      held.marker = make("div", "lane-marker");
      document.body.append(held.ghost);
      document.body.classList.add("is-dragging");
      held.source.classList.add("is-dragged");
      board.dragged = true;
    }
    event.preventDefault();
    held.ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 8}px)`;
    over(event);
    const box = scroller.getBoundingClientRect();
    if (event.clientX > box.right - EDGE) scroller.scrollLeft += 14;
    else if (event.clientX > box.left && event.clientX < box.left + EDGE + 200 && event.clientX > box.left + 200) scroller.scrollLeft -= 14;
    if (event.clientY > box.bottom - EDGE && event.clientY < box.bottom) scroller.scrollTop += 10;
    else if (event.clientY < box.top + EDGE && event.clientY > box.top) scroller.scrollTop -= 10;
  }

  function over(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const element = under?.closest(".lane");
    if (held.over && held.over !== element) held.over.classList.remove("is-over");
    held.over = element;
    held.lane = element ? board.lanes.find((lane) => lane.key === element.dataset.lane && lane.editable) : null;
    held.toBucket = !element && bucket.contains(under);
    if (!held.lane) {
      held.marker.remove();
      return;
    }
    element.classList.add("is-over");
    const track = element.querySelector(".lane-track");
    held.at = under.closest(".lane-head") ? null : timeline.placeAt(held.lane, event.clientX - track.getBoundingClientRect().left, held.orderId);
    if (held.at === null) held.marker.remove();
    else {
      held.marker.style.left = `${timeline.markerAt(held.lane, held.at, held.orderId)}px`;
      if (held.marker.parentElement !== track) track.append(held.marker);
    }
  }

  function end(event) {
    if (!held) return;
    const done = held;
    held = null;
    if (!done.ghost) return;
    done.ghost.remove();
    done.marker.remove();
    done.over?.classList.remove("is-over");
    done.source.classList.remove("is-dragged");
    document.body.classList.remove("is-dragging");
    setTimeout(() => { board.dragged = false; });
    if (event.type !== "pointerup") return;
    if (done.lane) drop(done.orderId, done.lane, done.at);
    else if (done.toBucket) drop(done.orderId, null, null);
  }

  board.place.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && held?.ghost) end(event); });
  // a drag is no click
  board.place.addEventListener("click", (event) => { if (board.dragged) { event.stopPropagation(); event.preventDefault(); } }, true);
}
