// <div data-door="addresses.0."> is a map with one pin: it stands where the fields `addresses.0.latitude` and `.longitude`
// say, and they say where it is put. `data-center="lat,lng"` is where the map begins without; a place that was found,
// <input type="radio" data-at="lat,lng" data-of="addresses.0.">, moves it.
import { openMap, pin } from "./lib/map.js";

const CLOSE = 15;
const doors = new Map();

function numbers(text) {
  const said = (text ?? "").split(",").map(Number);
  return said.length === 2 && text && said.every(Number.isFinite) ? said : null;
}

function open(place) {
  const before = place.dataset.door;
  const [latitude, longitude] = ["latitude", "longitude"].map((name) => document.getElementsByName(before + name)[0]);
  const map = openMap(place);
  const typed = () => (latitude.value && longitude.value ? numbers(`${latitude.value},${longitude.value}`) : null);
  let marker = null;
  const put = (at, write) => {
    if (marker === null) {
      marker = pin(at, place.dataset.text ?? "", "primary", place.dataset.text ?? "");
      marker.options.draggable = true;
      marker.addTo(map);
      marker.on("dragend", () => put([marker.getLatLng().lat, marker.getLatLng().lng], true));
    } else marker.setLatLng(at);
    if (write) [latitude.value, longitude.value] = at.map((one) => one.toFixed(6));
  };
  const show = () => {
    const at = typed();
    if (at) put(at, false);
    return at;
  };
  const at = show();
  const center = numbers(place.dataset.center);
  if (at) map.setView(at, CLOSE);
  else if (center) map.setView(center, 12);
  else map.setView([20.6, 79], 4);
  map.on("click", (event) => put([event.latlng.lat, event.latlng.lng], true));
  [latitude, longitude].forEach((input) => input.addEventListener("change", () => {
    const now = show();
    if (now) map.setView(now, Math.max(map.getZoom(), 12));
  }));
  doors.set(before, (found) => { put(found, true); map.setView(found, CLOSE); });
}

document.querySelectorAll("[data-door]").forEach(open);
document.addEventListener("change", (event) => {
  const found = numbers(event.target.dataset?.at);
  if (found) doors.get(event.target.dataset.of)?.(found);
});
