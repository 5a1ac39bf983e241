// Brings the secret of a one-time link from behind # of the address into the form, and out of the
// address: it is then neither in the history nor in what is copied from the address bar.

const field = document.querySelector("[data-link] [name=link]");
const secret = decodeURIComponent(location.hash.slice(1));
if (field && secret) {
  field.value = secret;
  history.replaceState(null, "", location.pathname);
  document.querySelector("[data-link] [name=new]").focus();
}
