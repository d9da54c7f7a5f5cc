// A file may be dropped anywhere on a [data-drop] box.
function takeDrops(box) {
  const input = box.querySelector("input[type=file]");
  const mark = (on) => box.classList.toggle("over", on);
  box.addEventListener("dragover", (event) => { event.preventDefault(); mark(true); });
  box.addEventListener("dragleave", () => mark(false));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (input.disabled || event.dataTransfer.files.length !== 1) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function wire() {
  for (const box of document.querySelectorAll("[data-drop]:not([data-wired])")) {
    box.dataset.wired = "";
    takeDrops(box);
  }
}

wire();
document.addEventListener("htmx:load", wire);
