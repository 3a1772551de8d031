// What can be wrong with a phone, in words: no room, a browser that keeps nothing, a clock that is wrong.
import { t } from "./words.js";

const CLOCK_S = 60;
const LITTLE_BYTES = 30_000_000;

// What was done could not be kept.
export function inWords(error) {
  if (error?.name === "QuotaExceededError") return t("This phone is full, and what you just did is not kept. Delete pictures or apps, then do it again.");
  return t("It could not be kept on this phone: {error}", { error: error?.message || String(error) });
}

// There is no store at all.
export const nothingIsKept = () => t("This browser keeps nothing: is it a private window, or is storage switched off? Open the app in a usual window, or install it.");

// What the driver should see to now; `skewMs`: how far the phone's clock is behind the platform's.
export async function troublesOf(skewMs) {
  const found = [];
  const minutes = Math.round(Math.abs(skewMs ?? 0) / 60_000);
  if (Math.abs(skewMs ?? 0) > CLOCK_S * 1000) {
    found.push(skewMs > 0 ? t("The clock of this phone is {minutes} min slow. Set it by the network; the platform corrects the times meanwhile.", { minutes }) : t("The clock of this phone is {minutes} min fast. Set it by the network; the platform corrects the times meanwhile.", { minutes }));
  }
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  if (quota !== undefined && quota - usage < LITTLE_BYTES) found.push(t("There is little room left on this phone for pictures: delete what you do not need."));
  return found;
}

// Whether the browser has promised not to clear what has not been sent.
export const isKeptForSure = async () => (await navigator.storage?.persisted?.().catch(() => true)) ?? true;
