// What every page has: single keys, the figures that move, and the time line under the pointer.

const form = document.querySelector('meta[name="form"]').content;
const OFF = "workseal.keys.off";
const LIVE_MS = 5000;
const TICK_PX = 4;

const typing = (target) => target.closest("input, textarea, select, [contenteditable], [data-own-keys]");

// Single keys: each is a button or a link that stands on the page, so that none does more.
function keys() {
  const on = document.querySelector("[data-keys-on]");
  const list = document.querySelector("[data-keys]");
  on.checked = localStorage.getItem(OFF) === null;
  on.addEventListener("change", () => {
    if (on.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  for (const one of document.querySelectorAll("[data-key]")) {
    const line = document.createElement("li");
    const key = document.createElement("kbd");
    key.textContent = { ArrowLeft: "←", ArrowRight: "→" }[one.dataset.key] ?? one.dataset.key;
    line.append(key, " ", (one.getAttribute("aria-label") ?? one.textContent).replace("?", "").trim());
    list.append(line);
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!on.checked || typing(event.target) || document.querySelector("dialog[open]")) return;
    const wanted = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (wanted === undefined) return;
    event.preventDefault();
    wanted.click();
  });
}

function dialogs() {
  for (const one of document.querySelectorAll("[data-dialog]")) {
    one.addEventListener("click", () => document.getElementById(one.dataset.dialog).showModal());
  }
}

function live() {
  const now = document.querySelector("[data-version]");
  if (now === null) return;
  const look = async () => {
    if (document.hidden) return;
    let told;
    try {
      const answer = await fetch("/live");
      if (!answer.ok) return;
      told = await answer.json();
    } catch {
      return; // the pages ended: what is shown stays
    }
    const other = told.day !== now.dataset.day;
    for (const one of other ? [] : document.querySelectorAll("[data-live]")) {
      if (told[one.dataset.live] !== undefined) one.textContent = told[one.dataset.live];
    }
    // What cannot be told in figures is read anew, but not under somebody's hands.
    if ((other || told.version !== now.dataset.version) && !typing(document.activeElement)) location.reload();
  };
  setInterval(look, LIVE_MS);
}

// The tick of a picture is narrow: what is nearly on one, at its height, is meant for it.
function pictureAt(line, x, y) {
  const off = (shot) => {
    const box = shot.getBoundingClientRect();
    return y > box.bottom ? Infinity : Math.abs(box.left + box.width / 2 - x);
  };
  const near = [...line.querySelectorAll(".shot")].map((shot) => [off(shot), shot]).sort(([one], [other]) => one - other);
  return near.length && near[0][0] <= TICK_PX ? near[0][1].dataset.picture : undefined;
}

function hours() {
  const at = document.querySelector("#at");
  for (const line of document.querySelectorAll("[data-hours] svg")) {
    line.addEventListener("click", (event) => {
      const box = line.getBoundingClientRect();
      const picture = pictureAt(line, event.clientX, event.clientY);
      if (picture) {
        location.assign(`/pictures/${picture}`);
        return;
      }
      const minute = Math.min(59, Math.max(0, Math.floor((60 * (event.clientX - box.left)) / box.width)));
      // The moment, not the time of day: where clocks are put back, one of these comes twice.
      const moment = Number(line.dataset.begin) + minute * 60_000;
      const day = new FormData(at.form).get("day");
      location.assign(`${at.form.action}?${new URLSearchParams({ day, ms: moment })}`);
    });
  }
}

function back() {
  document.querySelector("a[data-back]")?.addEventListener("click", (event) => {
    if (history.length < 2) return;
    event.preventDefault();
    history.back();
  });
}

keys();
dialogs();
live();
hours();
back();

export { form, typing };
