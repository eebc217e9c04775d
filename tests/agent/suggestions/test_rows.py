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


def test_a_value_below_its_label_goes_with_it() -> None:
    label, value = line("Password", 10, 20), line("K7$vb(Qz[9", 12, 46)
    (one,) = suggested(label, value)[Kind.PASSWORD]
    assert set(one.boxes) == {label.box, value.box}


def test_values_of_a_column_go_with_its_head() -> None:
    head = line("user", 10, 20), line("password", 110, 20)
    rows = [
        line("bob", 10, 44),
        line("hu[n]ter2", 110, 44),
        line("amy", 10, 68),
        line("x(9)$y7", 110, 68),
    ]
    (one,) = suggested(*head, *rows)[Kind.PASSWORD]
    assert set(one.boxes) == {head[1].box, rows[1].box, rows[3].box}


def test_a_word_below_a_label_or_far_from_it_is_text() -> None:
    assert Kind.PASSWORD not in suggested(line("Password", 10, 20), line("Remember me", 10, 46))
    assert Kind.PASSWORD not in suggested(line("Password", 10, 20), line("K7$vb(Qz[9", 10, 400))
    assert Kind.PASSWORD not in suggested(line("Password", 10, 20), line("K7$vb(Qz[9", 500, 46))
