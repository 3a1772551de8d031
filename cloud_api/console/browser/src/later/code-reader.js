// Reads QR codes and bar codes from pictures, for browsers that cannot do it themselves, and writes QR codes.
import BinaryBitmap from "@zxing/library/esm/core/BinaryBitmap.js";
import DecodeHintType from "@zxing/library/esm/core/DecodeHintType.js";
import EncodeHintType from "@zxing/library/esm/core/EncodeHintType.js";
import RGBLuminanceSource from "@zxing/library/esm/core/RGBLuminanceSource.js";
import HybridBinarizer from "@zxing/library/esm/core/common/HybridBinarizer.js";
import Code128Reader from "@zxing/library/esm/core/oned/Code128Reader.js";
import EAN13Reader from "@zxing/library/esm/core/oned/EAN13Reader.js";
import QRCodeReader from "@zxing/library/esm/core/qrcode/QRCodeReader.js";
import ErrorCorrection from "@zxing/library/esm/core/qrcode/decoder/ErrorCorrectionLevel.js";
import Encoder from "@zxing/library/esm/core/qrcode/encoder/Encoder.js";

const HINTS = new Map([[DecodeHintType.TRY_HARDER, true]]);
const READERS = [new QRCodeReader(), new Code128Reader(), new EAN13Reader()];

// The text of the code in a picture, or null.
export function read({ data, width, height }) {
  const grey = new Uint8ClampedArray(width * height);
  for (let place = 0; place < grey.length; place += 1) grey[place] = (data[4 * place] + 2 * data[4 * place + 1] + data[4 * place + 2]) / 4;
  const bitmap = new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)));
  for (const reader of READERS) {
    try {
      return reader.decode(bitmap, HINTS).getText();
    } catch {
      reader.reset(); // there is none of this kind
    }
  }
  return null;
}

// The rows of a QR code: true is dark.
export function write(text) {
  const matrix = Encoder.encode(text, ErrorCorrection.M, new Map([[EncodeHintType.CHARACTER_SET, "UTF-8"]])).getMatrix();
  return Array.from({ length: matrix.getHeight() }, (_, y) => Array.from({ length: matrix.getWidth() }, (_, x) => matrix.get(x, y) === 1));
}
