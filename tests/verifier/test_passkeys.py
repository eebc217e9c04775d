import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.asking import SignedBy
from support.authenticator import Authenticator, b64
from support.browser import Browser, end_key, name_of
from support.office import LiveServer, Office, new_home
from support.scripted import ScriptedAgent
from workseal_verifier.app import create_app
from workseal_verifier.errors import ConfigError
from workseal_verifier.services import passkeys
from workseal_verifier.services.passkeys import CHALLENGE_MS, MAX_PASSKEYS
from workseal_verifier.services.signin import FRESH_MS, Root
from workseal_verifier.store.access import PasskeyRow

SEALED = bytes(2_000)


@pytest.fixture
def browser(office: Office) -> Iterator[Browser]:
    ScriptedAgent(office)
    with LiveServer(office) as live:
        made = Browser(office, live)
        yield made
        made.close()


@pytest.fixture
def owner(browser: Browser, office: Office) -> Browser:
    """Somebody with a passkey, whose session rests on it."""
    browser.sign_in(office.people.arbitrator)
    assert browser.make_passkey().status_code == 204
    assert browser.use_passkey().status_code == 204
    return browser


def told(browser: Browser) -> dict[str, Any]:
    answer: dict[str, Any] = browser.ask("GET", "/v1/session").json()
    return answer


def test_a_missing_library_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "find_spec", {}.get)
    with pytest.raises(ConfigError, match="webauthn is not installed"):
        create_app(new_home(tmp_path))


# --- making ---


def test_a_passkey_begins_a_fresh_session_of_its_key(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    assert browser.make_passkey().status_code == 204
    assert told(browser)["passkeys"] == [office.now]
    browser.cookie = ""
    assert browser.use_passkey().status_code == 204
    session = told(browser)
    assert session["key"] == str(office.people.client.public_key.thumbprint)
    assert (session["root"], session["fresh"]) == ("passkey", True)


def test_a_passkey_takes_the_place_of_the_session_of_its_browser(
    browser: Browser, office: Office
) -> None:
    browser.sign_in(office.people.client)
    browser.make_passkey()
    earlier = browser.cookie
    assert browser.use_passkey().status_code == 204
    assert told(browser)["fresh"]
    browser.cookie = earlier
    assert browser.reads() == 401


def test_a_session_that_rests_on_the_operator_makes_no_passkey(
    browser: Browser, office: Office
) -> None:
    browser.sign_in(office.people.client)
    options = browser.ask("POST", "/v1/passkeys/options").json()
    answer = {"credential": browser.authenticator.create(options)}
    services = office.verifier.services
    thumbprint = office.people.client.public_key.thumbprint
    token = services.signin.link(thumbprint, Root.OPERATOR)
    assert browser.ask("POST", "/v1/signin", {"token": b64(token)}).status_code == 204
    assert told(browser)["root"] == "operator"
    assert name_of(browser.ask("POST", "/v1/passkeys/options")) == "unknown-party"
    assert name_of(browser.ask("POST", "/v1/passkeys", answer)) == "unknown-party"
    assert services.passkeys.of(thumbprint) == []


def test_a_first_passkey_is_made_right_after_the_link(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    office.now += FRESH_MS - 1
    options = browser.ask("POST", "/v1/passkeys/options").json()
    answer = {"credential": browser.authenticator.create(options)}
    office.now += 1
    for path, body in (("/v1/passkeys/options", None), ("/v1/passkeys", answer)):
        refused = browser.ask("POST", path, body)
        assert name_of(refused) == "not-fresh"
        assert "a new link" in refused.json()["detail"]
    assert told(browser)["passkeys"] == []
    browser.sign_in(office.people.client)
    office.now += FRESH_MS - 1
    assert browser.make_passkey().status_code == 204


def test_a_stolen_cookie_makes_no_passkey_for_who_has_one(browser: Browser, office: Office) -> None:
    """Else the thief's own would open what is sensitive, and go on when the session has ended."""
    browser.sign_in(office.people.arbitrator)
    options = browser.ask("POST", "/v1/passkeys/options").json()
    answer = {"credential": Authenticator(browser.origin).create(options)}
    assert browser.make_passkey().status_code == 204
    for path, body in (("/v1/passkeys/options", None), ("/v1/passkeys", answer)):
        refused = browser.ask("POST", path, body)
        assert name_of(refused) == "not-fresh"
        assert "a passkey that you have" in refused.json()["detail"]
    assert len(told(browser)["passkeys"]) == 1


def test_a_passkey_of_a_moment_ago_makes_another_one(owner: Browser, office: Office) -> None:
    assert owner.make_passkey().status_code == 204
    assert told(owner)["passkeys"] == [office.now, office.now]
    options = owner.ask("POST", "/v1/passkeys/options").json()
    answer = {"credential": owner.authenticator.create(options)}
    office.now += FRESH_MS
    assert name_of(owner.ask("POST", "/v1/passkeys", answer)) == "not-fresh"
    assert name_of(owner.ask("POST", "/v1/passkeys/options")) == "not-fresh"
    assert len(told(owner)["passkeys"]) == 2


def test_requests_that_the_key_signed_make_another_passkey(owner: Browser, office: Office) -> None:
    auth = SignedBy(office.people.arbitrator, lambda: office.now)
    options = owner.http.post("/v1/passkeys/options", auth=auth).json()
    answer = {"credential": owner.authenticator.create(options)}
    # Theirs, and of no session, nor of another's key.
    assert name_of(owner.ask("POST", "/v1/passkeys", answer)) == "refused"
    other = SignedBy(office.people.client, lambda: office.now)
    assert name_of(owner.http.post("/v1/passkeys", json=answer, auth=other)) == "refused"
    owner.ask("DELETE", "/v1/session")
    assert owner.http.post("/v1/passkeys", json=answer, auth=auth).status_code == 204
    assert owner.use_passkey().status_code == 204
    assert len(told(owner)["passkeys"]) == 2
    assert name_of(owner.http.post("/v1/passkeys/options", content=b"x", auth=auth)) == "too-large"


def test_of_two_first_passkeys_at_once_one_is_made(
    browser: Browser, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in(office.people.client)
    both = [browser.ask("POST", "/v1/passkeys/options").json() for _ in range(2)]
    # Each looked before the other was stored.
    monkeypatch.setattr(office.verifier.access, "passkeys_of", lambda _: [])
    made = [
        browser.ask("POST", "/v1/passkeys", {"credential": browser.authenticator.create(one)})
        for one in both
    ]
    assert made[0].status_code == 204
    assert name_of(made[1]) == "conflict"


def test_the_options_name_no_person_and_ask_for_no_attestation(
    browser: Browser, office: Office
) -> None:
    browser.sign_in(office.people.client)
    options = browser.ask("POST", "/v1/passkeys/options").json()
    assert options["attestation"] == "none"
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    thumbprint = office.people.client.public_key.thumbprint
    assert options["user"]["id"] == b64(thumbprint.raw)
    assert options["user"]["name"] == f"key {str(thumbprint)[:8]}"


def test_who_signs_in_with_a_passkey_is_told_nothing_of_anybody(owner: Browser) -> None:
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    assert options.get("allowCredentials", []) == []


def test_a_key_has_so_many_passkeys(owner: Browser) -> None:
    for _ in range(MAX_PASSKEYS - 1):
        assert owner.make_passkey().status_code == 204
    assert name_of(owner.make_passkey()) == "conflict"
    assert len(told(owner)["passkeys"]) == MAX_PASSKEYS


# --- answers that do not hold ---

Change = Callable[[dict[str, Any]], None]


def set_client(answer: dict[str, Any], **changes: Any) -> None:
    """Change what the browser says that it signed for."""
    response = answer["response"]
    client = json.loads(base64.urlsafe_b64decode(response["clientDataJSON"] + "=="))
    response["clientDataJSON"] = b64(json.dumps(client | changes).encode())


CHANGES: dict[str, Change] = {
    "other origin": lambda answer: set_client(answer, origin="https://evil.example"),
    "other purpose": lambda answer: set_client(answer, type="payment.get"),
    "challenge of others": lambda answer: set_client(answer, challenge=b64(bytes(56))),
    "short challenge": lambda answer: set_client(answer, challenge="AAAA"),
    "challenge of another type": lambda answer: set_client(answer, challenge=5),
    "other passkey": lambda answer: answer.update(id=b64(bytes(32)), rawId=b64(bytes(32))),
    "id and raw id differ": lambda answer: answer.update(rawId=b64(bytes(32))),
    "other type": lambda answer: answer.update(type="password"),
    "no response": lambda answer: answer.pop("response"),
    "response of another type": lambda answer: answer.update(response=[1]),
    "no id": lambda answer: answer.pop("id"),
    "not base64": lambda answer: answer["response"].update(clientDataJSON="\u00e9"),
    "not JSON": lambda answer: answer["response"].update(clientDataJSON=b64(b"{")),
    "deep JSON": lambda answer: answer["response"].update(clientDataJSON=b64(b"[" * 5_000)),
    "data cut": lambda answer: answer["response"].update(authenticatorData=b64(bytes(20))),
    "signature": lambda answer: answer["response"].update(signature=b64(bytes(70))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_answer_that_does_not_hold_begins_no_session(owner: Browser, change: Change) -> None:
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    answer = owner.authenticator.get(options)
    change(answer)
    refused = owner.ask("POST", "/v1/signin/passkey", {"credential": answer})
    assert name_of(refused) == "refused"
    assert owner.use_passkey().status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(CHANGES["other origin"], id="other origin"),
        pytest.param(CHANGES["challenge of others"], id="challenge of others"),
        pytest.param(
            lambda answer: answer["response"].update(attestationObject=b64(b"\xff")), id="not CBOR"
        ),
        pytest.param(
            lambda answer: answer["response"].update(attestationObject=b64(b"\xa0")), id="empty"
        ),
    ],
)
def test_a_passkey_that_does_not_hold_is_not_kept(
    browser: Browser, office: Office, change: Change
) -> None:
    browser.sign_in(office.people.client)
    options = browser.ask("POST", "/v1/passkeys/options").json()
    answer = browser.authenticator.create(options)
    change(answer)
    assert name_of(browser.ask("POST", "/v1/passkeys", {"credential": answer})) == "refused"
    assert told(browser)["passkeys"] == []


def test_the_user_has_to_be_verified(owner: Browser, office: Office) -> None:
    owner.authenticator.verifies_user = False
    assert name_of(owner.use_passkey()) == "refused"
    owner.sign_in(office.people.client)
    assert name_of(owner.make_passkey()) == "refused"


def test_what_device_somebody_has_is_not_taken(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    browser.authenticator.attests = True
    assert "attestation" in browser.make_passkey().json()["detail"]
    assert told(browser)["passkeys"] == []


def test_a_challenge_is_answered_once(owner: Browser) -> None:
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    answer = {"credential": owner.authenticator.get(options)}
    assert owner.ask("POST", "/v1/signin/passkey", answer).status_code == 204
    assert name_of(owner.ask("POST", "/v1/signin/passkey", answer)) == "refused"


def test_a_challenge_makes_one_passkey(owner: Browser) -> None:
    options = owner.ask("POST", "/v1/passkeys/options").json()
    first, second = ({"credential": owner.authenticator.create(options)} for _ in range(2))
    assert owner.ask("POST", "/v1/passkeys", first).status_code == 204
    assert name_of(owner.ask("POST", "/v1/passkeys", second)) == "conflict"
    assert len(told(owner)["passkeys"]) == 2


def test_a_challenge_is_answered_once_also_by_a_passkey_that_counts_nothing(
    owner: Browser,
) -> None:
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    owner.authenticator.counter = -1
    with owner.office.verifier.database.write() as connection:
        connection.exec_driver_sql("UPDATE passkeys SET sign_count = 0")
    answer = {"credential": owner.authenticator.get(options)}
    assert owner.ask("POST", "/v1/signin/passkey", answer).status_code == 204
    assert name_of(owner.ask("POST", "/v1/signin/passkey", answer)) == "refused"


def test_a_cloned_passkey_that_counts_back_is_refused(owner: Browser) -> None:
    owner.authenticator.counter = 0
    assert name_of(owner.use_passkey()) == "refused"


def test_a_challenge_expires(owner: Browser, office: Office) -> None:
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    answer = {"credential": owner.authenticator.get(options)}
    office.now += CHALLENGE_MS
    refused = owner.ask("POST", "/v1/signin/passkey", answer)
    assert "expired" in refused.json()["detail"]


def test_a_challenge_is_for_one_purpose_and_one_session(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    options = browser.ask("POST", "/v1/passkeys/options").json()
    browser.sign_in(office.people.client)
    answer = {"credential": browser.authenticator.create(options)}
    assert name_of(browser.ask("POST", "/v1/passkeys", answer)) == "refused"
    options["challenge"] = browser.ask("POST", "/v1/signin/passkey/options").json()["challenge"]
    answer = {"credential": browser.authenticator.create(options)}
    assert name_of(browser.ask("POST", "/v1/passkeys", answer)) == "refused"


def test_a_passkey_of_another_site_is_refused(owner: Browser) -> None:
    """The same passkey, answered by a page of another port."""
    other = Authenticator(owner.origin.replace("localhost", "127.0.0.1"))
    other.keys, other.counter = owner.authenticator.keys, 9
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    answer = {"credential": other.get(options)}
    assert name_of(owner.ask("POST", "/v1/signin/passkey", answer)) == "refused"


def test_a_passkey_that_was_used_for_another_domain_is_refused(owner: Browser) -> None:
    """What the browser says of the page is right; what the authenticator signed is not."""
    keys = owner.authenticator.keys
    keys["evil.example"] = keys["localhost"]
    options = owner.ask("POST", "/v1/signin/passkey/options").json()
    answer = {"credential": owner.authenticator.get(options | {"rpId": "evil.example"})}
    assert name_of(owner.ask("POST", "/v1/signin/passkey", answer)) == "refused"


def test_a_challenge_is_for_the_name_under_which_it_was_asked_for(owner: Browser) -> None:
    """A server may have several names; what a page at one was given is not answered at another."""
    host = owner.origin.removeprefix("http://").replace("localhost", "127.0.0.1")
    options = owner.ask("POST", "/v1/signin/passkey/options", host=host).json()
    assert options["rpId"] == "127.0.0.1"
    answer = {"credential": owner.authenticator.get(options | {"rpId": "localhost"})}
    assert name_of(owner.ask("POST", "/v1/signin/passkey", answer)) == "refused"


# --- ending, and sensitive acts ---


def test_all_passkeys_of_a_key_end_with_its_sessions(owner: Browser, office: Office) -> None:
    auth = SignedBy(office.people.arbitrator, lambda: office.now)
    assert owner.http.delete("/v1/passkeys", auth=auth).status_code == 204
    assert owner.ask("GET", "/v1/session").status_code == 401
    assert name_of(owner.use_passkey()) == "refused"


@pytest.mark.parametrize("how", ["rotated", "revoked"])
def test_a_passkey_of_a_key_that_has_ended_says_so(
    owner: Browser, office: Office, how: str
) -> None:
    end_key(office, office.people.arbitrator, how)
    assert owner.ask("GET", "/v1/session").status_code == 401
    answer = owner.use_passkey()
    assert name_of(answer) == "refused"
    assert "has ended" in answer.json()["detail"]


def test_a_registration_in_flight_ends_with_the_passkeys_and_sessions_of_its_key(
    browser: Browser, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session was good when it came; the owner's word arrives before its body is read."""
    key = office.people.client.public_key.thumbprint
    access = office.verifier.access
    add = access.add_passkey

    def late(*words: Any, **named: Any) -> bool:
        access.end_passkeys(key)
        return add(*words, **named)

    browser.sign_in(office.people.client)
    monkeypatch.setattr(access, "add_passkey", late)
    assert name_of(browser.make_passkey()) == "conflict"
    assert access.passkeys_of(key) == []
    assert name_of(browser.use_passkey()) == "refused"


def test_a_stolen_cookie_does_not_open_a_sealed_package(owner: Browser, office: Office) -> None:
    agent = ScriptedAgent(
        office, terms=office.terms(capture_rate=65_536), engagement=bytes(15) + b"\x01"
    )
    agent.open_session()
    agent.work(20_000)
    agent.send()
    request = agent.request(agent.frames[:1])
    office.verifier.services.mailbox.put(request.digest, agent.engagement, SEALED)
    path = f"/v1/sealed/{request.digest}"
    assert owner.use_passkey().status_code == 204
    assert owner.ask("GET", path).content == SEALED
    office.now += FRESH_MS
    assert name_of(owner.ask("GET", path)) == "not-fresh"
    assert name_of(owner.ask("DELETE", "/v1/passkeys")) == "not-fresh"
    # What is not sensitive is still read, and the passkey opens it again.
    listing = f"/v1/engagements/{agent.engagement.hex()}/keys"
    assert owner.ask("GET", listing).status_code == 200
    assert owner.use_passkey().status_code == 204
    assert owner.ask("GET", path).content == SEALED
    owner.sign_in(office.people.arbitrator)
    assert name_of(owner.ask("GET", path)) == "not-fresh"


def test_a_passkey_is_bounded_in_the_store(office: Office) -> None:
    row = PasskeyRow(
        credential=b"x" * 1_024,
        thumbprint=office.people.client.public_key.thumbprint,
        public_key=b"k",
        sign_count=0,
        made_ms=0,
    )
    store = office.verifier.access
    digest = office.people.client.public_key.thumbprint
    with pytest.raises(Exception, match="CONSTRAINT"):
        store.add_passkey(row, digest, 1, most=MAX_PASSKEYS)
    assert store.add_passkey(replace(row, credential=b"x"), digest, 1, most=MAX_PASSKEYS)
