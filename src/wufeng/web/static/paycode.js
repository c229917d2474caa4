// The pay code: a fresh one each minute, and without a connection one that this phone makes from its own secret.
// The secret becomes a key that no script can read out again (Web Crypto, not extractable), kept in IndexedDB.
(() => {
  const STEP_MS = 60_000;
  const panel = document.getElementById("paycode");
  const part = (name) => panel.querySelector(`[data-${name}]`);

  // What this phone keeps: one enrolment.
  const opened = () => new Promise((resolve, reject) => {
    const request = indexedDB.open("wufeng-pay-code", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const kept = async (mode, act) => {
    const database = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const request = act(database.transaction("kept", mode).objectStore("kept"));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    } finally {
      database.close();
    }
  };
  const load = () => kept("readonly", (store) => store.get("enrolment")).catch(() => undefined);
  const save = (enrolment) => kept("readwrite", (store) => store.put(enrolment, "enrolment"));
  const forget = () => kept("readwrite", (store) => store.delete("enrolment")).catch(() => undefined);

  if (document.querySelector("[data-stopped]")) forget();
  if (!panel) return;

  // RFC 6238 with SHA-256.
  function unbase32(text) {
    let bits = 0, value = 0;
    const bytes = [];
    for (const letter of text) {
      value = (value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
      bits += 5;
      if (bits >= 8) { bits -= 8; bytes.push((value >> bits) & 255); value &= (1 << bits) - 1; }
    }
    return new Uint8Array(bytes);
  }
  async function password(enrolment, step) {
    const counter = new DataView(new ArrayBuffer(8));
    counter.setBigUint64(0, BigInt(step));
    const digest = new DataView(await crypto.subtle.sign("HMAC", enrolment.key, counter.buffer));
    const number = digest.getUint32(digest.getUint8(digest.byteLength - 1) & 15) & 0x7fffffff;
    return String(number % 10 ** enrolment.digits).padStart(enrolment.digits, "0");
  }

  // Pictures: Code 128 in pairs of digits, and a QR code of version 1, level M, mask 0.
  const WIDTHS = ("212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222" +
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321" +
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121" +
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224" +
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111" +
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113" +
    "114311411113411311113141114131311141411131211412211214211232").match(/.{6}/g);
  function barcode(digits) {
    const values = [105, ...digits.match(/../g).map(Number)];
    const check = values.reduce((sum, value, place) => sum + place * value, values[0]) % 103;
    const widths = [...values, check].map((value) => WIDTHS[value]).join("") + "2331112";
    let at = 10, path = "";
    [...widths].forEach((width, place) => {
      if (place % 2 === 0) path += `M${at} 0h${width}v44h-${width}z`;
      at += Number(width);
    });
    return picture(at + 10, 44, path);
  }
  function qr(digits) {
    const bits = [];
    const put = (value, count) => { for (let n = count - 1; n >= 0; n--) bits.push((value >> n) & 1); };
    put(1, 4); put(digits.length, 10);
    for (const three of digits.match(/.{3}/g)) put(Number(three), 10);
    put(0, 4);
    while (bits.length % 8) bits.push(0);
    for (let pad = 0xec; bits.length < 128; pad ^= 0xfd) put(pad, 8);
    const data = Array.from({ length: 16 }, (_, n) => parseInt(bits.slice(8 * n, 8 * n + 8).join(""), 2));
    for (const byte of checks(data)) put(byte, 8);
    const size = 21, black = Array.from({ length: size }, () => Array(size).fill(null));
    const ring = (row, column) => {
      for (let r = -1; r < 8; r++) for (let c = -1; c < 8; c++) {
        if (black[row + r]?.[column + c] === undefined) continue;
        const far = Math.max(Math.abs(r - 3), Math.abs(c - 3));
        black[row + r][column + c] = far !== 2 && far !== 4;
      }
    };
    ring(0, 0); ring(0, 14); ring(14, 0);
    for (let n = 8; n < 13; n++) black[6][n] = black[n][6] = n % 2 === 0;
    const format = (n) => ((0x5412 >> n) & 1) === 1; // level M, mask 0
    for (let n = 0; n < 15; n++) {
      const [row, column] = n < 6 ? [n, 8] : n < 8 ? [n + 1, 8] : n === 8 ? [8, 7] : [8, 14 - n];
      black[row][column] = format(n);
      if (n < 8) black[8][size - 1 - n] = format(n); else black[size - 15 + n][8] = format(n);
    }
    black[13][8] = true;
    let next = 0;
    for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
      if (right === 6) right--;
      for (let n = 0; n < size; n++) for (const column of [right, right - 1]) {
        const row = up ? size - 1 - n : n;
        if (black[row][column] !== null) continue;
        black[row][column] = (bits[next++] === 1) !== ((row + column) % 2 === 0);
      }
    }
    let path = "";
    black.forEach((cells, row) => cells.forEach((on, column) => {
      if (on) path += `M${column + 2} ${row + 2}h1v1h-1z`;
    }));
    return picture(size + 4, size + 4, path);
  }
  function checks(data) { // ten bytes of Reed-Solomon over GF(256), 0x11d
    const times = (a, b) => {
      let product = 0;
      for (; b; b >>= 1) { if (b & 1) product ^= a; a = (a << 1) ^ (a & 128 ? 0x11d : 0); }
      return product;
    };
    let generator = [1];
    for (let n = 0, root = 1; n < 10; n++, root = times(root, 2)) {
      generator = [...generator, 0].map((value, place) => value ^ (place ? times(generator[place - 1], root) : 0));
    }
    const rest = [...data, ...Array(10).fill(0)];
    data.forEach((_, place) => {
      const factor = rest[place];
      generator.forEach((value, n) => { rest[place + n] ^= times(value, factor); });
    });
    return rest.slice(data.length);
  }
  function picture(wide, high, path) {
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" preserveAspectRatio="none" role="img"` +
      ` shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${wide}v${high}H0z"/><path d="${path}"/></svg>`;
  }

  // One code after another.
  let goodUntil = 0, asking = false;
  function draw(digits, bars, square, until) {
    part("digits").textContent = digits;
    part("barcode").innerHTML = bars;
    part("qr").innerHTML = square;
    for (const svg of panel.querySelectorAll("[data-barcode] svg, [data-qr] svg")) {
      svg.setAttribute("aria-label", panel.dataset.title);
    }
    goodUntil = until;
    part("fresh-in").hidden = false;
  }
  function tell(which) {
    for (const name of ["offline", "none"]) part(name).hidden = name !== which;
  }
  async function ask(enrol) {
    const body = new URLSearchParams(enrol ? { enrol: "yes" } : {});
    const answer = await fetch("/app/code/fresh", { method: "POST", body, signal: AbortSignal.timeout(5000), redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const made = await answer.json();
    if (made.offline) {
      const raw = unbase32(made.offline.secret);
      const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      raw.fill(0);
      const { handle, digits } = made.offline;
      await save({ key, handle, digits, name: made.handle, ahead: made.at_millis - Date.now() });
    } else {
      const enrolment = await load();
      if (enrolment) await save({ ...enrolment, ahead: made.at_millis - Date.now() });
    }
    return made;
  }
  async function byItself() {
    const enrolment = await load();
    if (!enrolment) { tell("none"); return; }
    const now = Date.now() + enrolment.ahead, step = Math.floor(now / STEP_MS);
    const digits = `38${enrolment.handle}${await password(enrolment, step)}`;
    draw(digits.match(/.{1,4}/g).join(" "), barcode(digits), qr(digits), Date.now() + STEP_MS - (now % STEP_MS));
    tell("offline");
  }
  async function next(enrol) {
    if (asking) return;
    asking = true;
    try {
      if (navigator.onLine && !("shell" in panel.dataset)) {
        const made = await ask(enrol);
        draw(made.digits, made.barcode, made.qr, Date.now() + STEP_MS);
        tell("");
      } else {
        await byItself();
      }
    } catch {
      await byItself();
    } finally {
      asking = false;
    }
  }
  setInterval(() => {
    const left = goodUntil - Date.now();
    part("left").value = Math.max(0, left / 1000);
    if (left <= 0) next();
  }, 1000);
  window.addEventListener("offline", () => next());
  window.addEventListener("online", () => ("shell" in panel.dataset ? location.assign("/app/code") : next()));
  const result = part("result"); // a code that was used is followed by a fresh one
  if (result) new MutationObserver(() => { if (result.querySelector("[data-used]")) next(); }).observe(result, { childList: true });

  (async () => {
    if ("shell" in panel.dataset) { await next(); return; }
    goodUntil = Date.now() + STEP_MS;
    part("fresh-in").hidden = false;
    if (!window.indexedDB || !window.crypto?.subtle) return;
    const enrolment = await load();
    if (!enrolment || !panel.dataset.handle || enrolment.name !== panel.dataset.handle) await next(true);
    else await save({ ...enrolment, ahead: Number(panel.dataset.at) - Date.now() });
    await navigator.serviceWorker?.register("/app/worker.js", { scope: "/app/code" });
  })().catch(() => undefined);
  navigator.wakeLock?.request("screen").catch(() => undefined);
})();
