import pytest

from workseal_agent.suggestions.finding import MAX_TEXT
from workseal_agent.suggestions.identities import IdentityNumbers
from workseal_agent.suggestions.suggestion import Kind, Why


@pytest.fixture(scope="module")
def identities() -> IdentityNumbers:
    return IdentityNumbers()


def why(identities: IdentityNumbers, text: str) -> set[Why]:
    return {one.why for one in identities(text) if one.kind is Kind.IDENTITY}


# Examples of offices and of python-stdnum, or drawn; nobody's.
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("536-90-4399", id="US, social security"),
        pytest.param("912-90-3457", id="US, taxpayer"),
        pytest.param("QQ 12 34 56 C", id="UK, national insurance"),
        pytest.param("AB123456C", id="UK, without spaces"),
        pytest.param("943 476 5919", id="UK, health"),
        pytest.param("36 574 261 809", id="German, tax"),
        pytest.param("36574261809", id="German, without spaces"),
        pytest.param("ACUPA7085R", id="Indian, PAN"),
        pytest.param("2341 2341 2346", id="Indian, Aadhaar"),
        pytest.param("390.533.447-05", id="Brazilian, CPF"),
        pytest.param("54362315K", id="Spanish, DNI"),
        pytest.param("X2482300W", id="Spanish, NIE"),
        pytest.param("123 456 782", id="Canadian, SIN"),
        pytest.param("2 95 10 99 126 111 93", id="French, NIR"),
        pytest.param("44051401359", id="Polish, PESEL"),
        pytest.param("RSSMRA85T10A562S", id="Italian"),
        pytest.param("756.9217.0769.85", id="Swiss"),
        pytest.param("85.07.30-033.28", id="Belgian"),
        pytest.param("880320-0016", id="Swedish"),
        pytest.param("no 5436231SK, 44O5l4O1359 is", id="letters read for digits"),
    ],
)
def test_a_number_is_found_by_its_form(identities: IdentityNumbers, text: str) -> None:
    assert why(identities, text) & {Why.CHECKED, Why.FORM}


@pytest.mark.parametrize(
    "text",
    [
        "SSN: 078 05 1120",
        "SIN 046 454 286",
        "Steuer-ID: 12 345 678 901",
        "Passport no. C01X00T47",
        "Personalausweisnummer L01X00T47 1",
        "Driver's license # D123-4567-8901",
        "CPF 111 222 333 44",
        "n° de sécurité sociale 1 85 05 78 006 084",
        "Identity card number: 220001293",
    ],
)
def test_a_word_before_it_is_enough(identities: IdentityNumbers, text: str) -> None:
    assert Why.LABELLED in why(identities, text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("36574261808", id="German, another check digit"),
        pytest.param("390.533.447-06", id="Brazilian, another check digit"),
        pytest.param("54362315L", id="Spanish, another letter"),
        pytest.param("2341 2341 2347", id="Indian, another check digit"),
        pytest.param("44051401358", id="Polish, another check digit"),
        pytest.param("666-12-3456", id="US, an area that is not given"),
        pytest.param("234123412346", id="twelve digits in a row are anything"),
        "2026-11-29 10:35:21.123456",
        "1764412521123",
        "20261129103521",
        "RFC 2119, RFC 8174",
        "tax id 2026-11-29",
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "agent/536-90-4399.txt",
        "v1.54362315K",
        "cost without 1234567 nie 1234567",
        "111.111.111-11",
    ],
)
def test_leaves_other_numbers_alone(identities: IdentityNumbers, text: str) -> None:
    assert why(identities, text) == set()


def test_what_the_tables_cannot_decide_is_rather_marked(
    identities: IdentityNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of the library's tables lack a field that its own code asks them for."""

    def lacking(_number: str) -> bool:
        raise KeyError("county")

    monkeypatch.setattr("stdnum.pl.pesel.is_valid", lacking)
    assert why(identities, "44051401358") == {Why.CHECKED}


@pytest.mark.parametrize("piece", ["1", "1 ", "SSN ", "A1", "id no ", "1-", "O", "12."])
def test_a_long_line_is_bounded_work(identities: IdentityNumbers, piece: str) -> None:
    assert all(one.end <= MAX_TEXT for one in identities(piece * MAX_TEXT))
