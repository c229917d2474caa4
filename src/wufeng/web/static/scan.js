// The camera reads codes where the browser can (BarcodeDetector); without it the text is put in by hand.
const frame = document.getElementById("camera");
const finder = document.getElementById("finder");
const refused = document.getElementById("camera-refused");
const on = document.getElementById("camera-on");
const form = document.getElementById("scanned");

async function formats() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return [];
  return BarcodeDetector.getSupportedFormats();
}

async function look(detector, stream) {
  const [found] = await detector.detect(finder).catch(() => []);
  if (!found) { setTimeout(() => look(detector, stream), 150); return; }
  for (const track of stream.getTracks()) track.stop();
  form.elements.text.value = found.rawValue;
  form.requestSubmit();
}

on.addEventListener("click", async () => {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    finder.srcObject = stream;
    finder.hidden = false;
    on.hidden = true;
    await finder.play();
    look(new BarcodeDetector({ formats: ["qr_code"] }), stream);
  } catch { refused.hidden = false; }
});

formats().then((known) => { frame.hidden = !known.includes("qr_code"); }, () => {});
