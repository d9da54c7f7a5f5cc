// Passkeys: a form with data-passkey asks the browser's authenticator, puts its answer
// into the field "response" and submits itself. data-options holds what the server asks,
// the paragraph data-passkey-status what to say meanwhile.
"use strict";

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function withBytes(options) {
  const credentials = (list) => (list || []).map((one) => ({ ...one, id: bytesOf(one.id) }));
  const ready = { ...options, challenge: bytesOf(options.challenge) };
  if (options.user) ready.user = { ...options.user, id: bytesOf(options.user.id) };
  if (options.excludeCredentials) ready.excludeCredentials = credentials(options.excludeCredentials);
  if (options.allowCredentials) ready.allowCredentials = credentials(options.allowCredentials);
  return ready;
}

function plain(credential) {
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const response = {};
  for (const name of names) {
    if (credential.response[name]) response[name] = textOf(credential.response[name]);
  }
  const rawId = textOf(credential.rawId);
  return { id: credential.id, rawId, type: credential.type, response, clientExtensionResults: {} };
}

async function ask(form) {
  const publicKey = withBytes(JSON.parse(form.dataset.options));
  const device = navigator.credentials;
  const credential = form.dataset.passkey === "create"
    ? await device.create({ publicKey })
    : await device.get({ publicKey });
  form.elements.response.value = JSON.stringify(plain(credential));
}

// NotAllowedError stands in data-not-allowed-error, in the language of the page.
function sentenceName(error) {
  return error.name.charAt(0).toLowerCase() + error.name.slice(1);
}

async function answer(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  const status = form.querySelector("[data-passkey-status]");
  if (!window.PublicKeyCredential) {
    status.textContent = status.dataset.notSupportedError;
    return;
  }
  button.disabled = true;
  status.textContent = status.dataset.waiting;
  try {
    await ask(form);
    form.submit();
  } catch (error) {
    status.textContent = status.dataset[sentenceName(error)] || status.dataset.otherwise;
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", answer);
}
