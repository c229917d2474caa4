// What pages do better with scripts; everything works without them.
// A form is sent once: the second press is stopped here, and the server would give the same answer anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post") || form.hasAttribute("hx-get")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  }
});
// A page that comes back from the browser's memory may be sent again, and shows what is true now.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// The newest text message of a test book goes into the field beside it.
document.addEventListener("click", (event) => {
  const from = event.target.closest("[data-fill]");
  if (!from) return;
  const field = document.getElementById(from.dataset.fill);
  if (field) { field.value = from.dataset.value; field.focus(); }
});
// A piece of a page that follows what happens: an event holds the piece as it is now, and the address of what comes
// after it, if anything does. (The package's extension for this is of htmx 1 and does not swap under htmx 2.)
function follow(piece) {
  const source = new EventSource(piece.dataset.live);
  source.addEventListener("state", (event) => {
    source.close();
    const now = document.createRange().createContextualFragment(event.data).firstElementChild;
    piece.replaceWith(now);
    if (now.dataset.live) follow(now);
  });
}
for (const piece of document.querySelectorAll("[data-live]")) follow(piece);
