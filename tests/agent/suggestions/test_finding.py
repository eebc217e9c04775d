from workseal_agent.suggestions.finding import MAX_TEXT, Finding
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why


def test_a_finding_has_places_and_no_text() -> None:
    one = Finding(Kind.EMAIL, Why.FORM, Sureness.SURE, 3, 9)
    assert (one.start, one.end) == (3, 9)
    assert not hasattr(one, "text")
    assert MAX_TEXT == 4096
