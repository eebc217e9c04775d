// Every text that a page shows or tells a reader of screens, but for what is marked as no text.
() => {
  const said = ["aria-label", "title", "alt", "placeholder", "aria-description", "data-label", "content"];
  const apart = "code, kbd, noscript, script, style, pre, [translate=no], [lang=en]";
  const found = [document.title];
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    const of = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    if (of.closest(apart) !== null || of.closest("head") !== null) continue;
    if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
    else for (const name of said) if (node.hasAttribute(name)) found.push(node.getAttribute(name));
  }
  return found.map((text) => text.trim()).filter((text) => text !== "");
}
