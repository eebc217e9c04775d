"""Signing in with a real Chromium: cookies, fetch metadata and passkeys as a browser makes them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from support.asking import SignedBy
from support.chromium import Chromium
from support.office import LiveServer, Office
from support.scripted import ScriptedAgent
from workseal_verifier.services.signin import FRESH_MS

SEND = """
const send = (method, path, body) => fetch(path, {
  method, ...(body === undefined ? {} : {
    body: JSON.stringify(body), headers: {"content-type": "application/json"}})});
const told = async (answer) => answer.ok ? answer.status : (await answer.json()).type;
"""
MAKE = (
    SEND
    + """
const options = await (await send("POST", "/v1/passkeys/options")).json();
const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
const credential = (await navigator.credentials.create({publicKey})).toJSON();
return told(await send("POST", "/v1/passkeys", {credential}));
"""
)
USE = (
    SEND
    + """
const options = await (await send("POST", "/v1/signin/passkey/options")).json();
const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
const credential = (await navigator.credentials.get({publicKey})).toJSON();
return told(await send("POST", "/v1/signin/passkey", {credential}));
"""
)


@dataclass
class Page:
    """A page of the server in a browser."""

    office: Office
    chromium: Chromium
    origin: str

    def ask(self, method: str, path: str, body: str = "undefined") -> int | str:
        script = f'{SEND} return told(await send("{method}", "{path}", {body}));'
        answer: int | str = self.chromium.run(script)
        return answer

    def link(self) -> str:
        auth = SignedBy(self.office.people.client, lambda: self.office.now)
        with httpx.Client(trust_env=False) as client:
            answer = client.post(f"{self.origin}/v1/signin/links", auth=auth)
        token: str = answer.json()["token"]
        return token

    def sign_in(self) -> int | str:
        return self.ask("POST", "/v1/signin", f'{{"token": "{self.link()}"}}')


@pytest.fixture
def page(office: Office, tmp_path: Path) -> Iterator[Page]:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    ScriptedAgent(office)
    with LiveServer(office) as live, Chromium(tmp_path / "profile") as chromium:
        origin = f"http://localhost:{live.port}"
        chromium.open(f"{origin}/healthz")
        yield Page(office, chromium, origin)


def test_a_browser_signs_in_and_its_scripts_never_see_the_cookie(page: Page) -> None:
    assert page.ask("GET", "/v1/session") == "urn:workseal:problem:unproven"
    assert page.sign_in() == 204
    assert page.ask("GET", "/v1/session") == 200
    assert page.chromium.run("return document.cookie;") == ""
    assert page.ask("DELETE", "/v1/session") == 204
    assert page.ask("GET", "/v1/session") == "urn:workseal:problem:unproven"


def test_a_browser_makes_a_passkey_and_signs_in_with_it(page: Page) -> None:
    assert page.sign_in() == 204
    assert page.chromium.run(MAKE) == 204
    assert page.ask("DELETE", "/v1/session") == 204
    assert page.chromium.run(USE) == 204
    session = page.chromium.run('return (await fetch("/v1/session")).json();')
    assert (session["root"], session["fresh"]) == ("passkey", True)
    page.office.now += FRESH_MS
    assert page.ask("DELETE", "/v1/passkeys") == "urn:workseal:problem:not-fresh"
    assert page.chromium.run(USE) == 204
    assert page.ask("DELETE", "/v1/passkeys") == 204
    assert page.chromium.run(USE) == "urn:workseal:problem:refused"


def test_a_page_of_another_origin_changes_nothing(page: Page) -> None:
    """The same server under another name of this machine: another origin, the same site or not."""
    assert page.sign_in() == 204
    here, there = page.origin, page.origin.replace("localhost", "127.0.0.1")
    page.chromium.call("Page.navigate", url=f"{there}/healthz")
    assert page.chromium.run("return location.hostname;") == "127.0.0.1"
    script = f"""
      const done = [];
      for (const [path, method] of [["/v1/session", "DELETE"], ["/v1/sessions", "DELETE"],
                                    ["/v1/passkeys/options", "POST"], ["/v1/signin", "POST"]]) {{
        try {{
          const body = method === "POST" ? "{{}}" : undefined;
          const mode = body ? "no-cors" : "cors";
          await fetch("{here}" + path, {{method, mode, body, credentials: "include"}});
          done.push("sent");
        }} catch (error) {{ done.push(error.name); }}
      }}
      return done;
    """
    assert page.chromium.run(script) == ["TypeError", "TypeError", "sent", "sent"]
    page.chromium.call("Page.navigate", url=f"{here}/healthz")
    assert page.ask("GET", "/v1/session") == 200
