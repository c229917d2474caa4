// Keeps the pay code's page for when there is no connection. Everything else is looked for in the network, always.
const KEPT = "wufeng-pay-code-1";
const FILES = [/* files */];
const SHELL = FILES[0];

async function keep() {
  const cache = await caches.open(KEPT);
  await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function shown(event) {
  try {
    const page = await fetch(event.request);
    event.waitUntil(keep().catch(() => undefined)); // in the language and with the files of now
    return page;
  } catch {
    return (await caches.match(SHELL)) || Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate" && path === "/app/code") event.respondWith(shown(event));
  if (path.startsWith("/static/")) event.respondWith(caches.match(path).then((kept) => kept || fetch(event.request)));
});
