"""A page gone through by the keyboard alone: what is not reached, not seen, or not left again."""

from playwright.sync_api import Page

# Whatever acts is marked by its place in the text; what is folded away is not there.
_MARK = """() => {
  const fields = "input:not([type=hidden]), select, textarea";
  const all = document.querySelectorAll(`a[href], button, ${fields}, summary, [tabindex="0"]`);
  // Of a group of radios one is reached, the chosen one or the first; arrows go on to the others.
  const group = (one) => [...(one.form ?? document).querySelectorAll("input[type=radio]")]
    .filter((other) => other.name === one.name && other.form === one.form && !other.disabled);
  const stands = (one) => one.type !== "radio" || one.name === ""
    || one === (group(one).find((other) => other.checked) ?? group(one)[0]);
  const acts = [...all].filter((one) => one.checkVisibility() && !one.disabled && stands(one));
  acts.forEach((one, place) => { one.dataset.place = place; });
  const name = (one) => (one.ariaLabel ?? one.textContent ?? "").trim() || one.outerHTML;
  return acts.map((one) => name(one).slice(0, 60));
}"""
# What is focused and taken away again leaves the place where Tab goes on from.
_BEGIN = """() => {
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  start.remove();
}"""
# Whoever has a number above 0 is reached before all others, wherever it stands.
_AHEAD = """() => [...document.querySelectorAll("[tabindex]")].filter((one) => one.tabIndex > 0)
  .map((one) => one.outerHTML.slice(0, 60))"""
_HERE = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body || one === document.documentElement) return null;
  // A choice is drawn by the label that stands for it.
  const drawn = one.matches(".choice input") ? one.nextElementSibling : one;
  const box = drawn.getBoundingClientRect(), style = getComputedStyle(drawn);
  const across = box.width > 0 && box.right > 0 && box.left < innerWidth;
  return {
    place: one.dataset.place === undefined ? -1 : Number(one.dataset.place),
    scrolls: one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight,
    marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: across && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def faults_of_walk(page: Page) -> list[str]:
    """Go from the beginning to the end of the page; nothing is told where all is well."""
    names: list[str] = page.evaluate(_MARK)
    page.evaluate(_BEGIN)
    reached: list[int] = []
    found = [f"out of order: {name}" for name in page.evaluate(_AHEAD)]
    # A field of a time takes several steps; nothing else does.
    for _ in range(2 * len(names) + 20):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here is None:
            break
        place = here["place"]
        if len(reached) > 1 and place == reached[0]:
            # Where the browser has no bar of its own, the end leads to the beginning.
            break
        if place < 0:
            # A browser lets what scrolls be reached, so that arrows can move it.
            if not here["scrolls"]:
                found.append("reached, and does nothing")
            continue
        if not here["marked"]:
            found.append(f"not marked: {names[place]}")
        if not here["seen"]:
            found.append(f"out of sight: {names[place]}")
        if not reached or reached[-1] != place:
            reached.append(place)
    else:
        found.append(f"no way out, after {len(reached)} of {len(names)}")
    if reached != sorted(set(reached)):
        found.append(f"out of order: {[names[place] for place in reached]}")
    found += [f"not reached: {names[place]}" for place in set(range(len(names))) - set(reached)]
    return found
