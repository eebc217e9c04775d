// A request that was given as a file: read here, judged by these pages' own process.

import { form } from "./app.js";

const field = document.querySelector("[data-request]");
const told = document.querySelector("[data-told]");

field.addEventListener("change", async () => {
  const file = field.files[0];
  if (file === undefined) return;
  const answer = await fetch("/requests/add", {
    method: "POST",
    headers: { "content-type": "application/octet-stream", "x-workseal-form": form },
    body: file,
  });
  if (answer.ok) {
    location.assign((await answer.json()).path);
    return;
  }
  told.textContent = await answer.json().then((body) => body.told, () => answer.statusText);
  told.hidden = false;
  field.value = "";
});
