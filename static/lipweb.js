// What every page shares: dialogs, and words when the server does not answer.
// Everything else works without JavaScript.

const statusRegion = document.getElementById("status");

function say(sentence, kind = "bad") {
  const notice = document.createElement("p");
  notice.className = `notice ${kind}`;
  notice.textContent = sentence;
  statusRegion.replaceChildren(notice);
  statusRegion.scrollIntoView({ block: "nearest" });
}

document.addEventListener("htmx:sendError", () => {
  say("The server does not answer. Check the connection; this page goes on by itself.");
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Retarget") === "#status") return;
  say("That did not work. Load the page again; if it stays so, tell the operator.");
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === statusRegion) {
    statusRegion.scrollIntoView({ block: "nearest" });
  }
});

// <button data-opens="id"> opens that <dialog>; data-closes closes the one around it.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});
