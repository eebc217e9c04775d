// The gallery by keyboard, and a picture in its true size.

const gallery = document.querySelector("[data-gallery]");

function choosing() {
  const items = [...gallery.querySelectorAll(".gallery li")];
  const links = items.map((item) => item.querySelector("a"));
  const boxes = items.map((item) => item.querySelector("input"));
  const count = gallery.querySelector("[data-count]");
  const tell = () => {
    const chosen = boxes.filter((box) => box?.checked).length;
    count.value = `${chosen} ${count.dataset.word}`;
    items.forEach((item, at) => item.classList.toggle("chosen", boxes[at]?.checked ?? false));
  };
  const all = (on) => {
    for (const box of boxes) if (box !== null) box.checked = on;
    tell();
  };
  for (const one of gallery.querySelectorAll("[hidden]")) one.hidden = false;
  gallery.querySelector("[data-all]").addEventListener("click", () => all(true));
  gallery.querySelector("[data-none]").addEventListener("click", () => all(false));
  gallery.addEventListener("change", tell);
  // How many stand in a row is the width's matter: found by where they are.
  const columns = () => links.filter((link) => link.offsetTop === links[0].offsetTop).length;
  gallery.querySelector(".gallery").addEventListener("keydown", (event) => {
    const at = links.indexOf(event.target);
    if (at === -1 || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
    if (event.key === " ") {
      if (boxes[at] !== null) boxes[at].checked = !boxes[at].checked;
    } else if (event.key === "Home" || event.key === "End") {
      links.at(event.key === "Home" ? 0 : -1).focus();
    } else if (event.key in steps) {
      const to = at + steps[event.key];
      if (links[to] === undefined) return;
      if (event.shiftKey) {
        for (let one = Math.min(at, to); one <= Math.max(at, to); one++) {
          if (boxes[one] !== null) boxes[one].checked = true;
        }
      }
      links[to].focus();
    } else {
      return;
    }
    event.preventDefault();
    tell();
  });
  tell();
}

function zooming() {
  const stage = document.querySelector("[data-stage]");
  const button = document.querySelector("[data-zoom]");
  if (stage === null) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const full = stage.classList.toggle("full");
    button.textContent = full ? button.dataset.fit : button.dataset.full;
  });
}

if (gallery !== null) choosing();
zooming();
