import threading

import numpy as np

from workseal_agent.suggestions.linememory import LineMemory


def piece(number: int, width: int = 4) -> np.ndarray:
    return np.full((2, width, 3), number, np.uint8)


class Recogniser:
    """Read the first byte of a piece, and keep count."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.threads: set[str] = set()

    def __call__(self, pieces: list[np.ndarray]) -> list[str]:
        self.read += [int(one[0, 0, 0]) for one in pieces]
        self.threads.add(threading.current_thread().name)
        return [str(one[0, 0, 0]) for one in pieces]


def test_each_piece_has_its_own_text_in_their_order() -> None:
    memory = LineMemory(Recogniser(), threads=2)
    pieces = [piece(3, 9), piece(1, 2), piece(3, 9), piece(2, 30), piece(7)]
    assert memory.read(pieces) == ["3", "1", "3", "2", "7"]


def test_what_looked_the_same_is_read_once() -> None:
    recogniser = Recogniser()
    memory = LineMemory(recogniser, threads=2)
    memory.read([piece(1), piece(1), piece(2)])
    assert memory.read([piece(2), piece(3)]) == ["2", "3"]
    assert sorted(recogniser.read) == [1, 2, 3]


def test_one_pixel_or_another_shape_is_another_line() -> None:
    recogniser = Recogniser()
    memory = LineMemory(recogniser, threads=1)
    other = piece(1)
    other[1, 3, 2] = 0
    memory.read([piece(1), other, piece(1, 5), piece(1).reshape(4, 2, 3)])
    assert len(recogniser.read) == 4


def test_nothing_to_read_asks_nobody() -> None:
    recogniser = Recogniser()
    assert LineMemory(recogniser, threads=2).read([]) == []
    assert recogniser.read == []


def test_what_is_remembered_is_bounded() -> None:
    recogniser = Recogniser()
    memory = LineMemory(recogniser, threads=2, most=3)
    for number in range(20):
        assert memory.read([piece(number), piece(0)]) == [str(number), "0"]
    assert len(memory._known) <= 3


def test_more_lines_than_fit_are_read_all_the_same() -> None:
    memory = LineMemory(Recogniser(), threads=2, most=2)
    assert memory.read([piece(number) for number in range(9)]) == [str(one) for one in range(9)]


def test_new_lines_are_read_by_several_threads() -> None:
    met = threading.Barrier(2, timeout=20)

    def recognise(pieces: list[np.ndarray]) -> list[str]:
        met.wait()
        return ["" for _ in pieces]

    assert LineMemory(recognise, threads=2).read([piece(1), piece(2)]) == ["", ""]


def test_its_text_is_not_shown() -> None:
    memory = LineMemory(Recogniser(), threads=1)
    memory.read([piece(77)])
    assert "77" not in repr(memory)
