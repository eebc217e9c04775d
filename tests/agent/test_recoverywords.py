import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.recoverywords import (
    RecoveryWordsError,
    looks_like_words,
    secret_of,
    words_of,
)

SECRET = bytes(range(32))
WORDS = words_of(SECRET)


@given(st.binary(min_size=32, max_size=32))
def test_words_give_back_what_they_hold(secret: bytes) -> None:
    assert secret_of(" ".join(words_of(secret))) == secret


def test_the_words_are_those_of_the_published_test_vectors() -> None:
    # github.com/trezor/python-mnemonic, vectors.json: 256 bits of 7f.
    cycle = "legal winner thank year wave sausage worth useful"
    assert (
        " ".join(words_of(b"\x7f" * 32)) == f"{cycle} {cycle} {cycle.removesuffix('useful')}title"
    )


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("  ".join(WORDS), id="two spaces"),
        pytest.param("\n".join(WORDS).upper(), id="lines, capitals"),
        pytest.param(", ".join(WORDS), id="commas"),
        pytest.param(" ".join(f"{n}. {word}" for n, word in enumerate(WORDS, 1)), id="numbered"),
        pytest.param(" ".join(word[:4] for word in WORDS), id="first four letters"),
        pytest.param("\u00a0".join(WORDS), id="spaces that do not break"),
    ],
)
def test_spacing_case_and_endings_do_not_matter(typed: str) -> None:
    assert looks_like_words(typed)
    assert secret_of(typed) == SECRET


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        pytest.param(
            " ".join(WORDS[:23]), "there are 24 recovery words, and these are 23", id="23"
        ),
        pytest.param(" ".join([*WORDS[:6], "hunter", *WORDS[7:]]), "word 7 is not", id="strange"),
        pytest.param(" ".join([*WORDS[:6], "aba", *WORDS[7:]]), "word 7 is not", id="too short"),
        pytest.param(" ".join([WORDS[1], WORDS[0], *WORDS[2:]]), "do not belong", id="swapped"),
        pytest.param(" ".join(["zoo", *WORDS[1:]]), "do not belong together", id="another word"),
    ],
)
def test_refuses_in_words_that_hold_none_of_them(typed: str, sentence: str) -> None:
    with pytest.raises(RecoveryWordsError, match=sentence) as caught:
        secret_of(typed)
    assert not any(word in str(caught.value).split() for word in typed.split())


def test_a_passphrase_is_not_taken_for_words() -> None:
    assert not looks_like_words("correct horse battery staple")


def test_only_32_bytes_become_words() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        words_of(bytes(16))
