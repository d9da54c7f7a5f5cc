// The verify form: a word before a file that is too large, and signs of life meanwhile.

const form = document.querySelector("form[data-verify]");
const box = form.querySelector("[data-progress]");
const failure = form.querySelector("[data-failure]");
const button = form.querySelector("[type=submit]");
const megabytes = (bytes) => `${Math.ceil(bytes / 1e6)} MB`;

form.addEventListener("submit", (event) => {
  const [file] = form.querySelector("input[type=file]").files;
  const most = Number(form.dataset.maxBytes);
  failure.hidden = !file || file.size <= most;
  if (!failure.hidden) {
    event.preventDefault();
    failure.textContent = `This file has ${megabytes(file.size)}; at most ${megabytes(most)} are taken here. A shorter clip of it is enough.`;
    return;
  }
  button.disabled = true;
  box.hidden = false;
  box.querySelector("[data-stage]").textContent = "Sending and reading the file";
  box.querySelector("[data-detail]").textContent = "this may take a minute";
  box.querySelector("progress").removeAttribute("value");
  box.querySelector("[data-cancel]").hidden = true;
});

// Back by the browser's own button: the form as it was.
addEventListener("pageshow", () => {
  button.disabled = false;
  box.hidden = true;
});

// The verdict is what one came for: it is read first.
document.querySelector("[data-result]")?.focus();
