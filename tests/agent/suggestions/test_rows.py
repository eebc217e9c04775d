from workseal_agent.suggestions.patterns import find_patterns
from workseal_agent.suggestions.rows import Line, rows_of, suggest_in
from workseal_agent.suggestions.suggestion import Kind, Suggestion
from workseal_protocol.frame import Box


def line(text: str, left: int, top: int, width: int | None = None) -> Line:
    return Line(text, Box(left, top, width or 8 * len(text), 14))


def suggested(*lines: Line) -> dict[Kind, list[Suggestion]]:
    told: dict[Kind, list[Suggestion]] = {}
    for one in suggest_in(lines, (find_patterns,)):
        told.setdefault(one.kind, []).append(one)
    return told


def test_the_whole_line_is_suggested_and_the_rest_is_text() -> None:
    secret = line("user jane@example.org here", 10, 20)
    told = suggested(secret, line("nothing to see", 10, 60))
    assert [one.boxes for one in told[Kind.EMAIL]] == [(secret.box,)]
    assert len(told[Kind.TEXT]) == 1


def test_every_line_is_in_a_suggestion() -> None:
    lines = [line(f"line {number}", 10, 20 * number) for number in range(9)]
    lines.append(line("", 300, 20, 40))
    boxes = [box for one in suggest_in(lines, (find_patterns,)) for box in one.boxes]
    assert sorted(boxes, key=repr) == sorted((one.box for one in lines), key=repr)


def test_a_label_and_its_value_in_two_boxes_are_one_row() -> None:
    label, value = line("Password:", 10, 20), line("tr0ub4dor", 110, 21)
    (one,) = suggested(label, value)[Kind.PASSWORD]
    assert set(one.boxes) == {label.box, value.box}


def test_lines_far_apart_are_two_rows() -> None:
    assert len(rows_of([line("Password:", 10, 20), line("unrelated", 900, 20)])) == 2


def test_a_key_goes_on_until_its_end() -> None:
    block = [
        line("-----BEGIN RSA PRIVATE KEY-----", 10, 20),
        line("MIIEpAIBAAKCAQEA7bq2hRkvN0f", 10, 38),
        line("q8zJ0dUeKp4mWxYzA1b2C3d4E5f", 10, 56),
        line("-----END RSA PRIVATE KEY-----", 10, 74),
    ]
    after = line("MIIEpAIBAAKCAQEA7bq2hRkvN0f", 10, 92)
    told = suggested(*block, after)
    assert set(told[Kind.PRIVATE_KEY][0].boxes) == {one.box for one in block}


def test_a_token_that_its_line_cuts_off_goes_on_below() -> None:
    first = line("token: ghp_Ab1Cd2Ef3Gh4Ij5Kl6Mn", 10, 20)
    second, prose = line("7Op8Qr9St0Uv", 10, 38), line("and more words follow", 10, 56)
    told = suggested(first, second, prose)
    assert set(told[Kind.TOKEN][0].boxes) == {first.box, second.box}
    assert [one.boxes for one in told[Kind.TEXT]] == [(prose.box,)]


def test_a_line_that_two_crops_saw_parts_of_is_hidden_whole() -> None:
    left = line("write to jane.doe@example.org and", 0, 20, 500)
    right = line("org and then some", 400, 21, 400)
    (one,) = suggested(left, right)[Kind.EMAIL]
    assert set(one.boxes) == {left.box, right.box}


def test_a_line_does_not_show_its_text() -> None:
    assert "jane" not in repr(line("jane", 0, 0))
