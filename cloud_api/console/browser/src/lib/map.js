// A map without tiles: a plain grid, or the extract of the region that the platform serves, when it has one.
import L from "leaflet";

export { L };

export function openMap(place) {
  const map = L.map(place, { attributionControl: false, zoomSnap: 0.5 });
  const Grid = L.GridLayer.extend({
    createTile() {
      const tile = document.createElement("div");
      tile.className = "map-grid";
      return tile;
    },
  });
  new Grid({ noWrap: true }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  return map;
}

// A pin with a short text in it; the tone is one of the theme's colours.
export function pin(at, text, tone = "primary", title = "") {
  const shape = L.divIcon({ className: "map-pin", html: `<span class="badge bg-${tone} text-${tone}-fg"></span>`, iconSize: null });
  const marker = L.marker(at, { icon: shape, title, alt: title || text, keyboard: true });
  marker.on("add", () => { marker.getElement().firstChild.textContent = text; });
  return marker;
}
