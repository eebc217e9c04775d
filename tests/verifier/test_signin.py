from collections.abc import Iterator

import pytest

from support.asking import SignedBy
from support.browser import Browser, end_key, name_of
from support.office import LiveServer, Office
from support.scripted import ScriptedAgent
from workseal_protocol.digest import Digest
from workseal_verifier.api.access import COOKIE
from workseal_verifier.services.signin import IDLE_MS, LINK_MS, SESSION_MS, Root, hashed
from workseal_verifier.store.access import MAX_SESSIONS, SessionRow


@pytest.fixture
def browser(office: Office, agent: ScriptedAgent) -> Iterator[Browser]:
    with LiveServer(office) as live:
        made = Browser(office, live, f"/v1/engagements/{agent.engagement.hex()}/keys")
        yield made
        made.close()


def test_a_link_begins_a_session_that_reads_as_its_key(browser: Browser, office: Office) -> None:
    assert browser.reads() == 401
    browser.sign_in(office.people.client)
    assert browser.reads() == 200
    told = browser.ask("GET", "/v1/session").json()
    assert told == {
        "key": str(office.people.client.public_key.thumbprint),
        "root": "key",
        "until": office.now + SESSION_MS,
        "fresh": False,
        "passkeys": [],
    }


def test_the_cookie_is_one_that_no_script_and_no_other_site_uses(
    browser: Browser, office: Office
) -> None:
    answer = browser.ask("POST", "/v1/signin", {"token": browser.link(office.people.client)})
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-")
    assert set(attributes) == {
        "HttpOnly", "Secure", "SameSite=strict", "Path=/", f"Max-Age={SESSION_MS // 1000}"
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"


def test_a_link_is_used_once(browser: Browser, office: Office) -> None:
    token = browser.link(office.people.client)
    assert browser.ask("POST", "/v1/signin", {"token": token}).status_code == 204
    assert name_of(browser.ask("POST", "/v1/signin", {"token": token})) == "not-found"


def test_a_link_expires(browser: Browser, office: Office) -> None:
    token = browser.link(office.people.client)
    office.now += LINK_MS
    assert name_of(browser.ask("POST", "/v1/signin", {"token": token})) == "not-found"


def test_a_newer_link_ends_the_older_one_of_the_same_key_alone(
    browser: Browser, office: Office
) -> None:
    first, other = browser.link(office.people.client), browser.link(office.people.freelancer)
    second = browser.link(office.people.client)
    assert name_of(browser.ask("POST", "/v1/signin", {"token": first})) == "not-found"
    for token in (second, other):
        assert browser.ask("POST", "/v1/signin", {"token": token}).status_code == 204


def test_a_session_ends_by_its_owners_word(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    cookie = browser.cookie
    answer = browser.ask("DELETE", "/v1/session")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    browser.cookie = cookie
    assert browser.reads() == 401


def test_a_session_ends_unused_after_an_hour(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    office.now += IDLE_MS - 1
    assert browser.reads() == 200
    office.now += IDLE_MS - 1
    assert browser.reads() == 200
    office.now += IDLE_MS
    assert browser.reads() == 401


def test_a_session_ends_after_half_a_day_of_use(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    begun = office.now
    while office.now < begun + SESSION_MS - IDLE_MS // 2:
        office.now += IDLE_MS // 2
        assert browser.reads() == 200
    office.now = begun + SESSION_MS
    assert browser.reads() == 401


@pytest.mark.parametrize("other", [False, True])
def test_a_sign_in_ends_the_session_whose_cookie_came_with_it(
    browser: Browser, office: Office, *, other: bool
) -> None:
    """Whichever key it was of: nobody could end it any more."""
    people = office.people
    browser.sign_in(people.freelancer if other else people.client)
    earlier = browser.cookie
    token = browser.link(people.client)
    # One that fails ends nothing.
    assert name_of(browser.ask("POST", "/v1/signin", {"token": "A" * 43})) == "not-found"
    assert name_of(browser.ask("POST", "/v1/signin", {"token": token}, drop="origin")) == (
        "cross-site"
    )
    assert browser.reads() == 200
    assert browser.ask("POST", "/v1/signin", {"token": token}).status_code == 204
    assert browser.cookie != earlier
    assert browser.reads() == 200
    browser.cookie = earlier
    assert browser.reads() == 401


def test_a_sign_in_without_a_cookie_ends_no_other_session(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    earlier, browser.cookie = browser.cookie, ""
    browser.sign_in(office.people.client)
    browser.cookie = earlier
    assert browser.reads() == 200


@pytest.mark.parametrize("means", ["signature", "session"])
def test_all_sessions_of_a_key_end_at_once(browser: Browser, office: Office, means: str) -> None:
    browser.sign_in(office.people.client)
    lost, link = browser.cookie, browser.link(office.people.client)
    if means == "session":
        # In another browser.
        browser.cookie = ""
        browser.sign_in(office.people.client)
        link = browser.link(office.people.client)
        assert browser.ask("DELETE", "/v1/sessions").status_code == 204
    else:
        auth = SignedBy(office.people.client, lambda: office.now)
        assert browser.http.delete("/v1/sessions", auth=auth).status_code == 204
    browser.cookie = lost
    assert browser.reads() == 401
    assert name_of(browser.ask("POST", "/v1/signin", {"token": link})) == "not-found"


@pytest.mark.parametrize("how", ["rotated", "revoked"])
def test_a_link_of_a_key_that_has_ended_says_so(browser: Browser, office: Office, how: str) -> None:
    """Its session would read nothing, and the way in would come again and again."""
    token = browser.link(office.people.client)
    end_key(office, office.people.client, how)
    answer = browser.ask("POST", "/v1/signin", {"token": token})
    assert name_of(answer) == "refused"
    assert "has ended" in answer.json()["detail"]
    assert browser.cookie == ""
    browser.sign_in(office.people.arbitrator)
    assert browser.ask("GET", "/v1/session").status_code == 200


def test_a_sign_in_in_flight_ends_with_all_sessions_of_its_key(
    browser: Browser, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = office.people.client.public_key.thumbprint
    access = office.verifier.access
    follow = access.follow_link

    def late(token: Digest, row: SessionRow) -> bool:
        access.end_sessions(key)
        return follow(token, row)

    token = browser.link(office.people.client)
    monkeypatch.setattr(access, "follow_link", late)
    assert name_of(browser.ask("POST", "/v1/signin", {"token": token})) == "not-found"
    assert browser.reads() == 401


def test_a_link_is_asked_for_with_nothing_but_a_signature(browser: Browser, office: Office) -> None:
    auth = SignedBy(office.people.client, lambda: office.now)
    answer = browser.http.post("/v1/signin/links", content=b"x", auth=auth)
    assert name_of(answer) == "too-large"
    pieces = iter([b"", b"x"])
    request = browser.http.build_request("POST", "/v1/signin/links")
    signed = next(auth.auth_flow(request)).headers
    fields = {name: signed[name] for name in ("signature-input", "signature", "content-digest")}
    answer = browser.http.post("/v1/signin/links", content=pieces, headers=fields)
    assert name_of(answer) == "too-large"


def test_a_link_is_not_made_for_a_signature_over_a_body(browser: Browser, office: Office) -> None:
    request = browser.http.build_request("POST", "/v1/signin/links", content=b"another body")
    auth = SignedBy(office.people.client, lambda: office.now)
    signed = next(auth.auth_flow(request)).headers
    fields = {name: signed[name] for name in ("signature-input", "signature", "content-digest")}
    answer = browser.http.post("/v1/signin/links", headers=fields)
    assert name_of(answer) == "unproven"


def test_a_session_does_not_make_links(browser: Browser, office: Office) -> None:
    """A stolen cookie must not outlive its session."""
    browser.sign_in(office.people.client)
    assert name_of(browser.ask("POST", "/v1/signin/links")) == "unproven"


def test_a_key_has_so_many_sessions_and_the_oldest_ends(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    oldest, browser.cookie = browser.cookie, ""
    other = office.people.freelancer
    browser.sign_in(other)
    others = browser.cookie
    for _ in range(MAX_SESSIONS):
        office.now += 1_000
        # Another browser's.
        browser.cookie = ""
        browser.sign_in(office.people.client)
    assert browser.reads() == 200
    browser.cookie = oldest
    assert browser.reads() == 401
    browser.cookie = others
    assert browser.reads() == 200


def test_a_token_is_stored_as_its_hash_alone(office: Office) -> None:
    token = office.verifier.services.signin.link(
        office.people.client.public_key.thumbprint, Root.KEY
    )
    begun = office.verifier.services.signin.begin(token)
    home = office.verifier.settings.home
    stored = b"".join(path.read_bytes() for path in home.glob("verifier.db*"))
    assert hashed(begun.token).raw in stored
    assert begun.token not in stored
    assert token not in stored


# --- other pages ---


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"drop": "origin"}, id="no origin"),
        pytest.param({"drop": "sec-fetch-site"}, id="silent browser"),
        pytest.param({"origin": "null"}, id="null origin"),
        pytest.param({"origin": "https://evil.example"}, id="other origin"),
        pytest.param({"sec_fetch_site": "cross-site"}, id="cross site"),
        pytest.param({"sec_fetch_site": "same-site"}, id="other host of the site"),
        pytest.param({"sec_fetch_site": "none"}, id="typed address"),
    ],
)
def test_what_changes_something_comes_from_our_own_page(
    browser: Browser, office: Office, changes: dict[str, str]
) -> None:
    browser.sign_in(office.people.client)
    for method, path in (
        ("DELETE", "/v1/session"),
        ("DELETE", "/v1/sessions"),
        ("POST", "/v1/passkeys/options"),
        ("POST", "/v1/signin"),
        ("POST", "/v1/signin/passkey"),
    ):
        answer = browser.ask(method, path, **changes)
        assert name_of(answer) == "cross-site", path
    assert browser.reads() == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"drop": "sec-fetch-site"}, 403),
    ],
)
def test_what_is_read_in_a_session_is_read_by_our_page(
    browser: Browser, office: Office, changes: dict[str, str], status: int
) -> None:
    browser.sign_in(office.people.client)
    assert browser.ask("GET", browser.path, **changes).status_code == status


def test_another_name_that_leads_here_is_refused(browser: Browser, office: Office) -> None:
    browser.sign_in(office.people.client)
    for method, path in (("GET", "/v1/session"), ("POST", "/v1/signin")):
        answer = browser.ask(method, path, host="rebind.example", origin="http://rebind.example")
        assert answer.status_code == 421
        assert name_of(answer) == "misdirected"


def test_a_signature_with_a_session_counts_alone(browser: Browser, office: Office) -> None:
    """A request shows one or the other: no session lends itself to a signature that fails."""
    browser.sign_in(office.people.client)
    answer = browser.http.get(
        browser.path,
        headers={"cookie": f"{COOKIE}={browser.cookie}", "sec-fetch-site": "same-origin"},
        auth=SignedBy(office.people.arbitrator, lambda: office.now),
    )
    assert answer.status_code == 404
    # Nor where only a session is asked for.
    headers = {"cookie": f"{COOKIE}={browser.cookie}", "sec-fetch-site": "same-origin"}
    assert browser.http.get("/v1/session", headers=headers).status_code == 200
    answer = browser.http.get(
        "/v1/session", headers=headers, auth=SignedBy(office.people.client, lambda: office.now)
    )
    assert name_of(answer) == "unproven"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"token": 5},
        {"token": "short"},
        {"token": "!" * 43},
        {"token": "A" * 43, "more": 1},
        {"token": "A" * 42 + "B" * 40},
    ],
)
def test_what_is_no_token_is_malformed(browser: Browser, body: object) -> None:
    assert name_of(browser.ask("POST", "/v1/signin", body)) == "malformed"


def test_a_guessed_token_is_not_found(browser: Browser) -> None:
    assert name_of(browser.ask("POST", "/v1/signin", {"token": "A" * 43})) == "not-found"


def test_a_broken_cookie_is_no_session(browser: Browser) -> None:
    for cookie in ("", "x", "A" * 43, "!" * 43):
        browser.cookie = cookie
        assert browser.reads() == 401
