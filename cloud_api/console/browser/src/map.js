// Maps: <div data-map="/console/....json"> shows {points: [{latitude, longitude, text, tone, title, address}], lines: [[[lat, lon], ...]],
// shapes: [{circle: {latitude, longitude, radius_m} | polygon: [[lat, lon], ...], tone, title, address}]}.
import { L, openMap, pin } from "./lib/map.js";

const colour = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--tblr-${tone}`).trim() || tone;

function shapeOf({ circle, polygon, tone }) {
  const look = { color: colour(tone), weight: 2, fillOpacity: 0.15 };
  return circle ? L.circle([circle.latitude, circle.longitude], { ...look, radius: circle.radius_m }) : L.polygon(polygon, look);
}

document.querySelectorAll("[data-map]").forEach(async (place) => {
  const answer = await fetch(place.dataset.map, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const said = await answer.json();
  const map = openMap(place);
  map.setView([20.6, 79], 4);
  const bounds = L.latLngBounds([]);
  (said.lines ?? []).forEach((line) => L.polyline(line, { weight: 3 }).addTo(map));
  (said.shapes ?? []).forEach((one) => {
    const shape = shapeOf(one).addTo(map);
    const name = document.createElement("span"); // as text: a name may look like markup
    name.textContent = one.title;
    shape.bindTooltip(name, { sticky: true });
    bounds.extend(shape.getBounds());
    shape.on("click", () => { window.location.href = one.address; });
  });
  said.points.forEach((point) => {
    const at = [point.latitude, point.longitude];
    bounds.extend(at);
    const marker = pin(at, point.text, point.tone, point.title).addTo(map);
    if (point.address) marker.on("click", () => { window.location.href = point.address; });
  });
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.2), { maxZoom: 15, animate: false });
  place.dataset.drawn = "yes";
});
