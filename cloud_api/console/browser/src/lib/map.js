// A map without tiles of others: a plain grid, and over it the map of the region when the platform has one.
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
  const told = document.documentElement.dataset;
  if (told.region) layRegion(map, told).catch((error) => console.warn("the map of the region is not drawn:", error));
  return map;
}

// Under all that is drawn on the map; again in other colours when the theme changes.
async function layRegion(map, { region, regionScript, regionBounds, regionZoom, regionAttribution }) {
  window.L = L; // the layer is made of what it finds there
  const { layerOf } = await import(regionScript);
  const page = document.documentElement;
  const [south, west, north, east] = regionBounds.split(",").map(Number);
  let layer = null;
  const lay = () => {
    layer?.remove();
    const look = { dark: page.getAttribute("data-bs-theme") === "dark", language: page.lang, bounds: [[south, west], [north, east]], mostZoom: Number(regionZoom) };
    layer = layerOf(new URL(region, page.baseURI).href, look).addTo(map);
  };
  lay();
  new MutationObserver(lay).observe(page, { attributeFilter: ["data-bs-theme"] });
  const credit = document.createElement("a");
  Object.assign(credit, { href: "https://www.openstreetmap.org/copyright", rel: "noreferrer", target: "_blank", textContent: regionAttribution });
  L.control.attribution({ prefix: false }).addAttribution(credit.outerHTML).addTo(map);
  map.getContainer().dataset.region = "drawn";
}

// A pin with a short text in it; the tone is one of the theme's colours.
export function pin(at, text, tone = "primary", title = "") {
  const shape = L.divIcon({ className: "map-pin", html: `<span class="badge bg-${tone} text-${tone}-fg"></span>`, iconSize: null });
  const marker = L.marker(at, { icon: shape, title, alt: title || text, keyboard: true });
  marker.on("add", () => { marker.getElement().firstChild.textContent = text; });
  return marker;
}
