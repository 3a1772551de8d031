// Pictures: scaled down to what a proof needs, signatures, codes that the camera sees.
import { button, h } from "./elements.js";
import { t, told } from "./words.js";

const LONGEST = 1600;
//: a driver's day of pictures goes out over a poor line
const MOST_BYTES = 300_000;
const LOOK_EVERY_MS = 250;
//: wide enough for a bar code that fills a third of the picture
const LOOK_WIDTH = 960;

export async function scaled(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  let share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  for (let quality = 0.82; ; quality -= 0.12) {
    const canvas = h("canvas", { width: Math.max(1, Math.round(picture.width * share)), height: Math.max(1, Math.round(picture.height * share)) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await asBlob(canvas, "image/jpeg", Math.max(0.4, quality));
    if (blob.size <= MOST_BYTES || share < 0.05) return blob;
    share *= 0.8;
  }
}

const asBlob = (canvas, kind, quality) => new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), kind, quality));

// A field to sign in with a finger; who cannot, types their name. What is drawn is told to `keep` as a PNG after each
// stroke, null when it was wiped; `first` is the one of before.
export function signatureField(typed, first, keep) {
  const canvas = h("canvas", { class: "signature", width: 700, height: 260, role: "img", "aria-label": t("Field to sign in with a finger") });
  const pen = canvas.getContext("2d");
  let signed = false;
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = pen.fillStyle = "#111";
    pen.lineWidth = 4;
    pen.lineCap = pen.lineJoin = "round";
    signed = false;
  };
  const blob = () => (signed ? asBlob(canvas, "image/png") : null);
  const tell = async () => keep(await blob());
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    pen.lineTo(...at(event));
    pen.stroke();
    signed = true; // a tap alone is no signature
  });
  canvas.addEventListener("pointerup", tell);
  typed.addEventListener("input", () => {
    clear();
    if (typed.value.trim()) {
      pen.font = "italic 64px cursive, serif";
      pen.textBaseline = "middle";
      pen.fillText(typed.value.trim(), 30, canvas.height / 2, canvas.width - 60);
      signed = true;
    }
    tell();
  });
  clear();
  if (first) createImageBitmap(first).then((drawn) => { pen.drawImage(drawn, 0, 0); signed = true; }).catch(() => {});
  const wipe = button(t("Wipe"), "eraser", { onclick: () => { clear(); typed.value = ""; tell(); } });
  return { canvas, wipe, blob };
}

// The browser's own reader where it has one, or else ours, which is fetched now: the worker keeps it for days without signal.
async function reader() {
  if ("BarcodeDetector" in window) {
    const kinds = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
    if (kinds.includes("qr_code") && kinds.includes("code_128")) {
      const detector = new window.BarcodeDetector();
      return async (picture) => (await detector.detect(picture)).map((code) => code.rawValue);
    }
  }
  const { read } = await import(told.reader);
  return async (picture) => [read(picture.getContext("2d").getImageData(0, 0, picture.width, picture.height))];
}

// Rows of a QR code of `text`: true is dark.
export const qr = async (text) => (await import(told.reader)).write(text);

export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

// Show what the camera sees in `place`, and say each code once; returns how to stop.
export async function readCodes(place, found) {
  const [stream, look] = await Promise.all([navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } }), reader()]);
  const video = h("video", { class: "finder", autoplay: true, muted: true, playsinline: true, "aria-label": t("What the camera sees") });
  video.srcObject = stream;
  place.replaceChildren(video);
  const canvas = h("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const seen = new Set();
  let stopped = false;
  const next = async () => {
    if (stopped) return;
    if (video.videoWidth) {
      const share = Math.min(1, LOOK_WIDTH / video.videoWidth);
      [canvas.width, canvas.height] = [Math.round(video.videoWidth * share), Math.round(video.videoHeight * share)];
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      const codes = await look(canvas).catch(() => []);
      codes.filter((code) => code && !seen.has(code)).forEach((code) => { seen.add(code); found(code); });
    }
    setTimeout(next, LOOK_EVERY_MS);
  };
  next();
  return () => {
    stopped = true;
    stream.getTracks().forEach((track) => track.stop());
    place.replaceChildren();
  };
}
