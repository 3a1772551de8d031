// Pages that mailed links lead to: the token stands behind the #, which the browser sends to nobody. It goes into the
// form, and out of the address, so that it is in no history. Without one, the code of the mail can be typed.
const place = document.querySelector("[data-mailed-token]");
const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
if (place && token) {
  place.querySelector("input").value = token;
  window.history.replaceState(null, "", window.location.pathname);
}
// a complaint about it has to be seen
if (place && place.querySelector("input").value && !place.querySelector(".is-invalid")) place.hidden = true;
