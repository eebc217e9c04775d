from workseal_witness import errors


def test_every_error_is_a_witness_error() -> None:
    found = [one for one in vars(errors).values() if isinstance(one, type)]
    assert len(found) == 4
    assert all(issubclass(one, errors.WitnessError) for one in found)
