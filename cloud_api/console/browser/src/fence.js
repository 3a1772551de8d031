// Drawing a fence: <div data-fence="form-id"> shows what stands in the form's fields, and what is drawn is written there.
// Who has no pointer types: the fields are the fence, the map is a picture of them.
import { L, openMap, pin } from "./lib/map.js";

const METRES_A_DEGREE = 111_320;
const place = document.querySelector("[data-fence]");
const form = document.getElementById(place.dataset.fence);
const fields = form.elements;
const writes = !("readonly" in place.dataset);
const words = place.dataset;
const map = openMap(place);
const drawing = L.featureGroup().addTo(map);

const number = (text) => (text.trim() === "" ? Number.NaN : Number(text));
const isPlace = ([latitude, longitude]) => Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
const shape = () => fields.shape.value;
const write = (at) => at.map((one) => one.toFixed(6)).join(", ");
const cornersTyped = () => fields.polygon.value.split("\n").map((line) => line.trim().split(/[\s,;]+/).map(Number)).filter((at) => at.length === 2 && isPlace(at));

function circleTyped() {
  const at = [number(fields["circle.latitude"].value), number(fields["circle.longitude"].value)];
  const radius = number(fields["circle.radius_m"].value);
  return isPlace(at) ? { at, radius: radius > 0 ? radius : 200 } : null;
}

function putCircle(at, radius) {
  [fields["circle.latitude"].value, fields["circle.longitude"].value] = at.map((one) => one.toFixed(6));
  fields["circle.radius_m"].value = String(Math.min(50_000, Math.max(20, Math.round(radius))));
}

function putCorners(corners) {
  fields.polygon.value = corners.map(write).join("\n");
}

const here = (marker) => [marker.getLatLng().lat, marker.getLatLng().lng];

function handle(at, text, onDrag) {
  const marker = pin(at, "•", "primary", text);
  marker.options.draggable = writes;
  marker.addTo(drawing);
  marker.on("drag", () => onDrag(marker, false));
  marker.on("dragend", () => onDrag(marker, true));
  return marker;
}

function drawCircle({ at, radius }) {
  const drawn = L.circle(at, { radius }).addTo(drawing);
  const east = (centre, metres) => [centre[0], centre[1] + metres / (METRES_A_DEGREE * Math.cos((centre[0] * Math.PI) / 180))];
  const edge = handle(east(at, radius), words.edgeText, (marker, ended) => {
    const wide = map.distance(drawn.getLatLng(), marker.getLatLng());
    drawn.setRadius(wide);
    putCircle([drawn.getLatLng().lat, drawn.getLatLng().lng], wide);
    if (ended) draw();
  });
  handle(at, words.centreText, (marker, ended) => {
    drawn.setLatLng(marker.getLatLng());
    edge.setLatLng(east(here(marker), drawn.getRadius()));
    putCircle(here(marker), drawn.getRadius());
    if (ended) draw();
  });
}

function drawCorners(corners) {
  const drawn = L.polygon(corners).addTo(drawing);
  corners.forEach((at, turn) => handle(at, `${words.cornerText} ${turn + 1}`, (marker, ended) => {
    corners[turn] = here(marker);
    drawn.setLatLngs(corners);
    putCorners(corners);
    if (ended) draw();
  }));
}

function draw() {
  drawing.clearLayers();
  if (shape() === "polygon") drawCorners(cornersTyped());
  else if (circleTyped()) drawCircle(circleTyped());
  form.querySelectorAll("[data-of-shape]").forEach((part) => { part.hidden = part.dataset.ofShape !== shape(); });
}

function look() {
  const bounds = drawing.getBounds();
  const centre = (words.center || "").split(",").map(Number);
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.3), { maxZoom: 17, animate: false });
  else if (centre.length === 2) map.setView(centre, 13);
  else map.setView([20.6, 79], 4);
}

map.setView([20.6, 79], 4);
draw();
look();
if (writes) {
  map.on("click", ({ latlng }) => {
    const at = [latlng.lat, latlng.lng];
    if (shape() === "polygon") putCorners([...cornersTyped(), at]);
    else putCircle(at, circleTyped()?.radius ?? (number(fields["circle.radius_m"].value) || 200));
    draw();
  });
  form.addEventListener("change", (event) => {
    draw();
    if (event.target.name !== "name") look();
  });
  form.querySelector("[data-undo]").addEventListener("click", () => { putCorners(cornersTyped().slice(0, -1)); draw(); });
  form.querySelector("[data-clear]").addEventListener("click", () => {
    if (shape() === "polygon") putCorners([]);
    else fields["circle.latitude"].value = fields["circle.longitude"].value = "";
    draw();
  });
}
place.dataset.drawn = "yes";
