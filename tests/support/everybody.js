// What keeps people out: figures that break, and controls that the keyboard does not come to.
({
  // A figure on two lines is read as two figures.
  broken: () => [...document.querySelectorAll(".num, .figure, .figures dd, .hours .label")]
    .filter((one) => one.checkVisibility() && !one.querySelector("*"))
    .filter((one) => {
      const range = document.createRange();
      range.selectNodeContents(one);
      return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
    })
    .map((one) => "breaks: " + one.textContent.trim()),
  // Gives each control a number, in the order in which it stands; of a group of radios one is reached.
  count: () => {
    const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const all = [...document.querySelectorAll(kinds)].filter((one) => one.checkVisibility()
      && !one.disabled && !one.closest("dialog:not([open])"));
    const once = all.filter((one) => one.type !== "radio" || !one.name
      || one === (document.querySelector(`input[name="${one.name}"]:checked`)
        ?? document.querySelector(`input[name="${one.name}"]`)));
    once.forEach((one, at) => { one.dataset.at = at; });
    document.activeElement?.blur();
    return once.length;
  },
  // Says which control has the keyboard, and what of it could not be seen.
  here: () => {
    const one = document.activeElement;
    if (one === null || one === document.body) return null;
    const drawn = one.matches(".choice input") ? one.nextElementSibling : one;
    const wrong = [];
    if (getComputedStyle(drawn).outlineStyle === "none") wrong.push("no outline");
    const box = drawn.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2];
    const top = document.elementFromPoint(x, y);
    if (!one.matches(".skip") && !(top && (one.contains(top) || top.contains(one) || drawn.contains(top))))
      wrong.push("out of sight");
    return { at: one.dataset.at ?? null, wrong: wrong.map((text) => `${text}: ${one.outerHTML.slice(0, 120)}`) };
  },
})
