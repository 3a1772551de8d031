// The map of the region, drawn from vectors in the theme's colours: fetched only where the platform has such a map.
import { leafletLayer } from "protomaps-leaflet";

export function layerOf(address, { dark, language, bounds, mostZoom }) {
  return leafletLayer({ url: address, maxDataZoom: mostZoom, flavor: dark ? "dark" : "light", lang: language, bounds, noWrap: true, attribution: "" });
}
