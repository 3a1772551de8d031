// Where the van is while a route is under way: noted now and then, sealed in batches.
const EVERY_MS = 30_000;

export class Positions {
  constructor(store) {
    this.store = store;
    this.watch = null;
    this.notedAt = 0;
    this.here = null;
  }

  follow(underWay) {
    if (!navigator.geolocation || underWay === (this.watch !== null)) return;
    if (underWay) {
      const options = { enableHighAccuracy: true, maximumAge: 10_000 };
      this.watch = navigator.geolocation.watchPosition((position) => this.note(position), () => {}, options);
    } else {
      navigator.geolocation.clearWatch(this.watch);
      this.watch = null;
    }
  }

  note({ coords, timestamp }) {
    this.here = { latitude: coords.latitude, longitude: coords.longitude };
    if (timestamp - this.notedAt < EVERY_MS) return;
    this.notedAt = timestamp;
    const at = new Date(timestamp).toISOString();
    const said = { recorded_at: at, ...this.here };
    if (Number.isFinite(coords.speed)) said.speed_kmh = Math.min(250, Math.max(0, coords.speed * 3.6));
    if (Number.isFinite(coords.heading)) said.heading_deg = coords.heading % 360;
    if (Number.isFinite(coords.accuracy)) said.accuracy_m = Math.min(100_000, coords.accuracy);
    this.store.write((of) => of("positions").put({ at, said })).catch(() => {});
  }
}
