// Pictures: scaled down to what a proof needs, signatures, bar codes where the browser reads them.
import { button, h } from "./elements.js";
import { t } from "./words.js";

const LONGEST = 1600;
//: the platform takes a million bytes at most
const MOST_BYTES = 900_000;

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

// A field to sign in with a finger; who cannot, types their name. `blob()` is null when nobody has signed.
export function signatureField(typed) {
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
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
    signed = true;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  typed.addEventListener("input", () => {
    clear();
    if (!typed.value.trim()) return;
    pen.font = "italic 64px cursive, serif";
    pen.textBaseline = "middle";
    pen.fillText(typed.value.trim(), 30, canvas.height / 2, canvas.width - 60);
    signed = true;
  });
  clear();
  const wipe = button(t("Wipe"), "eraser", { onclick: () => { clear(); typed.value = ""; } });
  return { canvas, wipe, blob: () => (signed ? asBlob(canvas, "image/png") : null) };
}

export const readsCodes = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);

// Show what the camera sees in `place`, and say each code once; returns how to stop.
export async function readCodes(place, found) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = h("video", { class: "finder", autoplay: true, muted: true, playsinline: true });
  video.srcObject = stream;
  place.replaceChildren(video);
  const detector = new window.BarcodeDetector();
  const seen = new Set();
  const looking = setInterval(async () => {
    const codes = await detector.detect(video).catch(() => []);
    codes.map((code) => code.rawValue).filter((code) => code && !seen.has(code)).forEach((code) => { seen.add(code); found(code); });
  }, 300);
  return () => {
    clearInterval(looking);
    stream.getTracks().forEach((track) => track.stop());
    place.replaceChildren();
  };
}
