// Lets forms make or use a passkey: the browser's answer goes into a hidden field, as JSON.
// A form carries data-passkey ("make" or "ask") and data-options (JSON of the platform).

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const known = (credentials) =>
  (credentials ?? []).map((credential) => ({ ...credential, id: bytes(credential.id) }));

async function made(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  return answer(credential, { attestationObject: text(credential.response.attestationObject) });
}

async function signed(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });
  const { authenticatorData, signature } = credential.response;
  return answer(credential, {
    authenticatorData: text(authenticatorData),
    signature: text(signature),
  });
}

function answer(credential, response) {
  const clientDataJSON = text(credential.response.clientDataJSON);
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { ...response, clientDataJSON },
  });
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const failed = form.querySelector("[data-failed]");
      failed.hidden = true;
      try {
        const options = JSON.parse(form.dataset.options);
        const field = form.elements.namedItem(form.dataset.field ?? "passkey");
        field.value = await (form.dataset.passkey === "make" ? made(options) : signed(options));
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  }
}
