// What every page has: the way out, a signed statement on its way to the log, the time line under the pointer.

const MAX_BYTES = 65536;

const leave = document.querySelector("[data-leave]");
leave.hidden = false;
leave.addEventListener("click", async () => {
  await fetch("/v1/session", { method: "DELETE" });
  // Who signs in next is not led to where this person was.
  location.replace("/#left");
});

for (const form of document.querySelectorAll("[data-answer]")) {
  const told = form.parentElement.querySelector("[data-told]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = form.querySelector("input").files[0];
    // What else would be the log's to refuse; that much would not even be read.
    if (file.size > MAX_BYTES) {
      told.textContent = "This file is too long for a statement.";
      return;
    }
    told.textContent = "Sending …";
    try {
      const headers = { "content-type": "application/cbor-seq" };
      const answer = await fetch("/v1/statements", { method: "POST", headers, body: await file.arrayBuffer() });
      if (answer.ok) {
        told.textContent = "It is in the log.";
        location.reload();
        return;
      }
      const problem = await answer.json().catch(() => ({}));
      told.textContent = `The log does not take it: ${problem.detail ?? answer.status}.`;
    } catch {
      told.textContent = "The server does not answer; send it again.";
    }
  });
}

// A line that ends within an option would be typed as two words.
for (const code of document.querySelectorAll("pre.bytes code")) {
  const words = code.textContent.split(/(?<=\s)/).map((word) => {
    if (!word.startsWith("-")) {
      return word;
    }
    const option = document.createElement("span");
    option.className = "option";
    option.textContent = word;
    return option;
  });
  code.replaceChildren(...words);
}

// A link leads into what is folded, and paper cannot be unfolded.
const lead = () => {
  const there = document.getElementById(location.hash.slice(1));
  for (let fold = there?.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    fold.open = true;
  }
  there?.scrollIntoView();
};
addEventListener("hashchange", lead);
if (location.hash) {
  lead();
}
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) {
    one.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const one of folded) {
    one.open = false;
  }
});

const at = document.querySelector("#at");
for (const line of document.querySelectorAll("[data-hours] svg")) {
  line.addEventListener("click", (event) => {
    const box = line.getBoundingClientRect();
    const minute = Math.min(59, Math.max(0, Math.floor((60 * (event.clientX - box.left)) / box.width)));
    const [hour, first] = line.previousElementSibling.textContent.trim().split(":").map(Number);
    const total = (hour * 60 + first + minute) % 1440;
    const two = (number) => String(number).padStart(2, "0");
    at.value = `${two(Math.floor(total / 60))}:${two(total % 60)}`;
    at.form.requestSubmit();
  });
}

// A long agreement is counted in several questions. They are asked one after the other; nothing on the page moves.
const uncounted = document.querySelector("[data-uncounted]");
if (uncounted) {
  const told = uncounted.querySelector("[data-told]");
  let left = Number(uncounted.dataset.uncounted);
  let before = Infinity;
  while (left && left < before) {
    before = left;
    told.textContent = `Counting on: ${left} left.`;
    const answer = await fetch(location.pathname).catch(() => null);
    if (!answer?.ok) {
      break;
    }
    left = Number(/data-uncounted="([0-9]+)"/.exec(await answer.text())?.[1] ?? 0);
  }
  if (left) {
    told.textContent = "";
  } else {
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = "All are counted now: show them";
    told.replaceChildren(link);
  }
}
