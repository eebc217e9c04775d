// The way in: the token stands behind the # of the address, which no request carries.

const told = document.querySelector("[data-told]");
const token = location.hash.slice(1);
// Out of the address bar and the history before anything else.
history.replaceState(null, "", "/");

if (token === "") {
  // Perhaps let in before: the page behind the door says so itself.
  location.replace("/today");
} else {
  const answer = await fetch("/enter", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (answer.ok) {
    location.replace("/today");
  } else {
    const text = await answer.json().then((body) => body.told, () => answer.statusText);
    // What stands between backticks is typed.
    told.replaceChildren(...text.split("`").map((part, at) => {
      if (at % 2 === 0) return part;
      const code = document.createElement("code");
      code.textContent = part;
      return code;
    }));
  }
}
