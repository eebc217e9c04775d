import io
from collections.abc import Callable

import pytest

from workseal_agent.sealedstream import (
    CHUNK_BYTES,
    OpeningStream,
    SealedStreamError,
    SealingStream,
)

KEY = bytes(range(32))
SEALED = CHUNK_BYTES + 16


def sealed(plain: bytes, piece: int = 10_000) -> bytes:
    file = io.BytesIO()
    stream = SealingStream(file, KEY)
    for at in range(0, len(plain), piece):
        stream.write(plain[at : at + piece])
    stream.finish()
    assert stream.plain_bytes == len(plain)
    return file.getvalue()


def opened(data: bytes, piece: int = 10_000, key: bytes = KEY) -> bytes:
    stream = OpeningStream(io.BytesIO(data), key)
    parts = []
    while part := stream.read(piece):
        parts.append(part)
    stream.finish()
    return b"".join(parts)


def plain(size: int) -> bytes:
    return bytes(n * n % 251 for n in range(1_000)) * (size // 1_000 + 1)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_000]
)
@pytest.mark.parametrize("piece", [7_001, 300_000])
def test_gives_back_what_was_written_however_it_is_read(size: int, piece: int) -> None:
    data = plain(size)[:size]
    assert opened(sealed(data, piece), piece) == data


WHOLE = sealed(plain(200_000))


def chunk(number: int) -> bytes:
    return WHOLE[number * SEALED : (number + 1) * SEALED]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: WHOLE[:-1], id="a byte cut off"),
        pytest.param(lambda: WHOLE[: 3 * SEALED], id="the last chunk cut off"),
        pytest.param(lambda: WHOLE[:SEALED], id="one chunk left"),
        pytest.param(lambda: b"", id="nothing left"),
        pytest.param(lambda: WHOLE + b"x", id="a byte more"),
        pytest.param(lambda: WHOLE + chunk(3), id="the last chunk twice"),
        pytest.param(lambda: chunk(0) + chunk(0) + WHOLE[2 * SEALED :], id="a chunk twice"),
        pytest.param(lambda: chunk(1) + chunk(0) + WHOLE[2 * SEALED :], id="two chunks swapped"),
        pytest.param(lambda: chunk(0) + WHOLE[2 * SEALED :], id="a chunk left out"),
        pytest.param(lambda: WHOLE[:100] + b"\0" + WHOLE[101:], id="a changed byte"),
    ],
)
def test_refuses_what_is_not_every_chunk_in_its_place(change: Callable[[], bytes]) -> None:
    data = change()
    assert data != WHOLE
    with pytest.raises(SealedStreamError, match="cut or changed"):
        opened(data)


def test_refuses_another_key() -> None:
    with pytest.raises(SealedStreamError):
        opened(WHOLE, key=bytes(32))


def test_only_zero_bytes_may_follow_what_was_read() -> None:
    stream = OpeningStream(io.BytesIO(sealed(b"content" + bytes(100_000))), KEY)
    assert stream.read(7) == b"content"
    stream.finish()
    stream = OpeningStream(io.BytesIO(sealed(b"content" + bytes(100_000) + b"more")), KEY)
    stream.read(7)
    with pytest.raises(SealedStreamError, match="goes on"):
        stream.finish()


def test_equal_chunks_do_not_look_equal() -> None:
    data = sealed(bytes(4 * CHUNK_BYTES))
    chunks = {data[at : at + SEALED] for at in range(0, len(data), SEALED)}
    assert len(chunks) == 4
