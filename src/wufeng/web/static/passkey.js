// Passkeys: a button that has one sign what its form asks, and sends the form with the answer. The button stays hidden
// where no passkey can be used; then, and without scripts, the PIN or the code remains.
const from = window.PublicKeyCredential;
const able = from && from.parseRequestOptionsFromJSON && from.parseCreationOptionsFromJSON && from.prototype.toJSON;
function fits(party) {
  return location.hostname === party || location.hostname.endsWith("." + party);
}
for (const button of document.querySelectorAll("[data-passkey]")) {
  if (able && fits(button.dataset.party)) button.hidden = false;
}
async function asked(button) {
  const body = new URLSearchParams(new FormData(button.form));
  const reply = await fetch(button.dataset.passkey, { method: "POST", body, redirect: "error" });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.said);
  return answer;
}
async function signed(options) {
  if (options.user) return navigator.credentials.create({ publicKey: from.parseCreationOptionsFromJSON(options) });
  return navigator.credentials.get({ publicKey: from.parseRequestOptionsFromJSON(options) });
}
function tell(button, text) {
  const place = document.getElementById("passkey-said");
  place.textContent = text;
  place.hidden = !text;
}
async function prove(button) {
  tell(button, "");
  button.setAttribute("aria-disabled", "true");
  try {
    const options = await asked(button).catch((error) => { tell(button, error.message); throw error; });
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "passkey", value: JSON.stringify((await signed(options)).toJSON()) });
    button.form.append(field);
    button.form.submit();
  } catch {
    button.removeAttribute("aria-disabled");
    if (document.getElementById("passkey-said").hidden) tell(button, button.dataset.failed);
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey]");
  if (button && !button.hasAttribute("aria-disabled")) prove(button);
});
