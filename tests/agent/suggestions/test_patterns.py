import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.suggestions.finding import MAX_TEXT
from workseal_agent.suggestions.patterns import find_patterns
from workseal_agent.suggestions.suggestion import Kind

# Made for this file; none of these opens anything.
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuIn0.Zm9vYmFyYmF6cXV4cXV1eGNvcmdl"
GITHUB = "ghp_" + "Ab1Cd2Ef3Gh4" * 3


def kinds(text: str) -> set[Kind]:
    return {one.kind for one in find_patterns(text)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AWS_ACCESS_KEY_ID=AKIAQWERTYUIOPASDFGH", Kind.ACCESS_KEY),
        ("AKlAQWERTYUIOPASDFGH", Kind.ACCESS_KEY),
        ("AKI AQWERTYU IOPASDFGH now", Kind.ACCESS_KEY),
        ("key AIzaSyD-abcdefghijklmnopqrstuvwxyz12345", Kind.ACCESS_KEY),
        ("sk_live_abcdefghijklmnop1234", Kind.ACCESS_KEY),
        (f"git clone with {GITHUB}", Kind.TOKEN),
        (GITHUB.replace("_", " "), Kind.TOKEN),
        (f"and foi{GITHUB[:14]} {GITHUB[14:]} for", Kind.TOKEN),
        (f"return{JWT}", Kind.TOKEN),
        ("glpat-abcdEFGH1234ijklMNOP", Kind.TOKEN),
        ("xoxb-1234567890-abcdefghij", Kind.TOKEN),
        (f"Authorization: Bearer {JWT}", Kind.TOKEN),
        (JWT.replace(".", ". "), Kind.TOKEN),
        ("client_secret = 'q9w8e7r6t5y4u3i2'", Kind.TOKEN),
        ("aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF", Kind.TOKEN),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", Kind.PRIVATE_KEY),
        ("BEGINRSAPRIVATEKEY", Kind.PRIVATE_KEY),
        ("password = hunter2!x", Kind.PASSWORD),
        ("Password: correct-horse", Kind.PASSWORD),
        ("Password  tr0ub4dor", Kind.PASSWORD),
        ("Passwort lautet geheim99", Kind.PASSWORD),
        ("DB_PASSWORD: 'tr0ub4dor'", Kind.PASSWORD),
        ("postgres://app:tr0ub4dor@db/main", Kind.PASSWORD),
        ("card 4111 1111 1111 1111 exp", Kind.CARD),
        ("4242-4242-4242-4242", Kind.CARD),
        ("5555555555554444", Kind.CARD),
        ("no code f4111 1111 1111 1111crophone", Kind.CARD),
        ("IBAN DE89 3704 0044 0532 0130 00", Kind.IBAN),
        ("mail jane.doe+x@mail.example.org now", Kind.EMAIL),
        ("jane @ example . com", Kind.EMAIL),
        ("ssh 10.20.30.40", Kind.IP_ADDRESS),
        ("192.168.0.17:8080", Kind.IP_ADDRESS),
        ("2001:db8:85a3::8a2e:370:7334", Kind.IP_ADDRESS),
        ("+49 170 1234567", Kind.PHONE),
        ("+14155550123", Kind.PHONE),
        ("at +49 150 7158437lt of", Kind.PHONE),
        ("(415) 555-0123", Kind.PHONE),
        ("0170 / 123 45 67", Kind.PHONE),
        ("Tel. 030 1234 56", Kind.PHONE),
        ("VAULT_TOKEN hvs.CAESIJabcdefghijklmnopqrst", Kind.TOKEN),
        ("ya29.a0AfH6SMBabcdefghijklmnopqrstuv", Kind.TOKEN),
        ("dckr_pat_abcdefghijklmnopqrstuv-wx", Kind.TOKEN),
        ("xapp-1-A0123456789-0123456789-abcdef", Kind.TOKEN),
        ("Authorization: Basic YWRtaW46aHVudGVyMg==", Kind.TOKEN),
        ("Cookie: session=abcdef12; theme=dark", Kind.TOKEN),
        ("OTP: 493021", Kind.PASSWORD),
        ("your verification code: 49 30 21", Kind.PASSWORD),
        ("CVV: 123", Kind.PASSWORD),
        ("PIN=4921", Kind.PASSWORD),
        ("2FA backup codes: 83hf-92kd 10fj-38dk", Kind.PASSWORD),
        ("recovery phrase: abandon ability able about above absent absorb", Kind.PASSWORD),
    ],
)
def test_finds(text: str, kind: Kind) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "opencv-python-headless==5.0.0.93",
        "the secret words we use: see below",
        "backup code of the server",
        "Cookie: none",
        "authorization: see RFC 9110",
        "mfa = True",
        "Chromium 120.0.6099.109",
        "listening on 127.0.0.1:8000",
        "2026-11-29 10:35:21.123456",
        "2026-11-29T10:35:21Z 1764412521123",
        "git@github.com:owner/name.git",
        "logo@2x.png",
        "def password(self) -> str:",
        "password: str = field(repr=False)",
        "password: ••••••••",
        "Forgot your password?",
        "Password  Remember me",
        "token = tokens.pop()",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "agent/workseal_agent/suggestions/suggestion.py",
        "1,234,567.89  -0.123456789012",
        "std::vector<abc::def>",
        "00:1a:2b:3c:4d:5e",
        "chapters 1. 2. 3. 4",
        "ssh-ed25519 keys are public",
        "ISBN 978-3-16-148410-0",
    ],
)
def test_leaves_alone_what_only_looks_alike(text: str) -> None:
    assert kinds(text) == set()


@given(st.text(max_size=200) | st.from_regex(r"[0-9A-Za-z@.:/+=_ -]{0,200}"))
def test_every_finding_lies_in_the_text(text: str) -> None:
    for one in find_patterns(text):
        assert 0 <= one.start < one.end <= len(text)


@pytest.mark.parametrize("piece", ["a", "1", "a.", "1 ", "eyJ", "a@", "password:", "-", "A1b"])
def test_a_long_line_is_bounded_work(piece: str) -> None:
    """A pattern that tried again from everywhere would not end while a test waits."""
    found = list(find_patterns(piece * MAX_TEXT))
    assert all(one.end <= MAX_TEXT for one in found)


def test_a_finding_holds_no_text() -> None:
    (one,) = find_patterns("write to jane.doe@example.org")
    assert re.search("jane|example", repr(one)) is None
