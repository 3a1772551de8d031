// Maps: <div data-map="/console/....json"> shows {points: [{latitude, longitude, text, tone, title, address}], lines: [[[lat, lon], ...]]}.
import { L, openMap, pin } from "./lib/map.js";

document.querySelectorAll("[data-map]").forEach(async (place) => {
  const answer = await fetch(place.dataset.map, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const said = await answer.json();
  const map = openMap(place);
  const bounds = L.latLngBounds([]);
  (said.lines ?? []).forEach((line) => L.polyline(line, { weight: 3 }).addTo(map));
  said.points.forEach((point) => {
    const at = [point.latitude, point.longitude];
    bounds.extend(at);
    const marker = pin(at, point.text, point.tone, point.title).addTo(map);
    if (point.address) marker.on("click", () => { window.location.href = point.address; });
  });
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.2), { maxZoom: 15 });
  else map.setView([20.6, 79], 4);
});
