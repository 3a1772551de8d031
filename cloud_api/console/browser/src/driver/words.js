// What the app says: English stands here, another language came with the page.
export const told = JSON.parse(document.getElementById("told").textContent);

export function t(text, places = {}) {
  return (told.texts[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "");
}

const locale = told.language === "hi" ? "hi-IN-u-nu-latn" : "en-IN";
const clock = new Intl.DateTimeFormat(locale, { timeZone: told.zone, hour: "2-digit", minute: "2-digit", hour12: false });
const date = new Intl.DateTimeFormat(locale, { timeZone: told.zone, weekday: "short", day: "numeric", month: "short" });
const cash = new Intl.NumberFormat(locale, { style: "currency", currency: told.currency });

export const time = (moment) => clock.format(new Date(moment));
export const day = (moment) => date.format(new Date(moment));
export const money = (minor) => cash.format(minor / 100);
export const quantity = (said) => String(Number(said));

// codes of the platform as words
const WORDS = {
  planned: "Planned", in_progress: "Under way", completed: "Finished", pending: "Pending", assigned: "To do", loaded: "To do",
  in_transit: "To do", out_for_delivery: "To do", arrived: "At the door", delivered: "Delivered", failed: "Not delivered",
  returned: "Brought back", cancelled: "Cancelled",
  start_route: "Route started", scan: "Load scanned", complete_route: "Route finished", arrive: "Arrived", send_otp: "Code asked for",
  enter_otp: "Code entered", payment: "Payment taken", deliver: "Handed over", fail: "Could not deliver", note: "Note",
  contact: "Message to the customer", position_batch: "Where the van was",
  customer_absent: "Nobody there", refused: "Refused by the customer", wrong_address: "Wrong address", damaged: "Goods damaged",
  excursion: "Too warm or too cold", vehicle: "Trouble with the van", other: "Something else",
};
export const REASONS = ["customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other"];
export const word = (code) => t(WORDS[code] ?? code.replaceAll("_", " "));
const RESULTS = { "": "Not yet sent", waiting: "Waits for something", applied: "Sent", duplicate: "Sent", refused: "Not accepted", conflict: "Does not fit" };
export const resultWord = (entry) => t(RESULTS[entry.result]);
