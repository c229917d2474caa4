// At the till: Enter in the amount leads on to the code, as the scanner's own Enter sends the form.
const till = document.getElementById("till");
till.elements.amount.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || till.elements.code.value) return;
  event.preventDefault();
  till.elements.code.focus();
});
