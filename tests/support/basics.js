// The basics of a page that everybody can use: names, texts, order, sizes. Answers what is wrong.
() => {
  const wrong = [];
  const seen = (one) => one.checkVisibility() && !one.closest("dialog:not([open])");
  const name = (one) => (one.getAttribute("aria-label")
    ?? (one.labels?.length ? [...one.labels].map((l) => l.textContent).join(" ") : null)
    ?? one.textContent ?? "").trim();
  const fields = "input:not([type=hidden])";
  for (const one of document.querySelectorAll(`a, button, ${fields}, select, textarea, summary`))
    if (seen(one) && name(one) === "") wrong.push("no name: " + one.outerHTML);
  for (const one of document.querySelectorAll("img, svg, canvas"))
    if (!one.hasAttribute("aria-hidden") && !one.hasAttribute("aria-label") && !one.hasAttribute("alt"))
      wrong.push("no text: " + one.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id twice");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one heading");
  const levels = [...document.querySelectorAll("h1, h2, h3")].filter(seen).map((h) => Number(h.tagName[1]));
  levels.reduce((a, b) => { if (b > a + 1) wrong.push("a level of headings left out"); return b; }, 0);
  if (document.querySelector("[tabindex]:not([tabindex='-1']):not([tabindex='0'])")) wrong.push("own order");
  for (const one of document.querySelectorAll(`button, ${fields}:not([type=checkbox]):not([type=radio]), select`))
    if (seen(one) && one.getBoundingClientRect().height < 24) wrong.push("too small: " + one.outerHTML);
  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title) wrong.push("no title");
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the screen");
  return wrong;
}
