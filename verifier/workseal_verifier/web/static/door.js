// The way in: a link's token, which stands behind the number sign and reaches no log, or a passkey.

const told = document.querySelector("[data-told]");
const left = location.hash === "#left";
if (left) history.replaceState(null, "", "/");
const say = (text) => {
  told.textContent = text;
  told.hidden = false;
};

const send = (path, body) =>
  fetch(path, {
    method: "POST",
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });

// Where a person came from, if that is a page of ours; a page says so to its own server alone.
function before() {
  const home = "/diary";
  if (left || !document.referrer) return home;
  const from = new URL(document.referrer);
  const known = from.origin === location.origin && /^\/(diary|cases)(\/|$)/.test(from.pathname);
  return known ? from.pathname + from.search : home;
}

async function enter(answer) {
  if (answer.ok) {
    location.replace(before());
    return;
  }
  const problem = await answer.json().catch(() => ({}));
  say(
    problem.type === "urn:workseal:problem:not-found"
      ? "This link was used before, or is over ten minutes old. Make a new one."
      : `That did not work: ${problem.detail ?? answer.status}.`,
  );
}

async function followed() {
  const token = /^#signin=([\w-]{43})$/.exec(location.hash)?.[1];
  if (token === undefined) {
    if (location.hash.startsWith("#invitation=")) say("This is an invitation: type `workseal accept` and this address where your key is.");
    return;
  }
  // Neither the history nor a bookmark keeps it.
  history.replaceState(null, "", "/");
  say("Letting you in …");
  await enter(await send("/v1/signin", { token }));
}

async function passkey() {
  try {
    const options = await (await send("/v1/signin/passkey/options")).json();
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = (await navigator.credentials.get({ publicKey })).toJSON();
    await enter(await send("/v1/signin/passkey", { credential }));
  } catch {
    say("No passkey was used.");
  }
}

const button = document.querySelector("[data-passkey]");
if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.disabled = false;
  button.addEventListener("click", passkey);
}
window.addEventListener("hashchange", followed);
followed().catch(() => say("The server does not answer."));
