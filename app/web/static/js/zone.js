// Offers the zone of this browser where another is chosen; the form keeps it by the server.

const select = document.getElementById("looks-zone");
const offer = document.getElementById("zone-offer");
const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;

const isOffered = [...select.options].some((option) => option.value === own);

if (isOffered && own !== (select.value || select.dataset.usual)) {
  offer.querySelector("span").textContent = own.replaceAll("_", " ");
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    select.value = own;
    offer.hidden = true;
    select.focus();
  });
}
