from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, MALFORMED, CommandError


def test_a_problem_is_malformed_input_unless_said_otherwise() -> None:
    assert CommandError("x").code == MALFORMED
    assert CommandError("x", DOES_NOT_HOLD).code == DOES_NOT_HOLD


def test_the_exit_codes_are_the_documented_ones() -> None:
    assert (HOLDS, DOES_NOT_HOLD, MALFORMED) == (0, 1, 2)
