"""The process that reads frames: text goes nowhere but through its memory, and ends with it.

It is started by `reading`, gets frames on its standard input and answers with classes and boxes.
Rules: no network, no file written, no core dump, no text in an answer or on the error stream; a
limit on its time. Nothing else imports this module.
"""

import json
import os
import resource
import struct
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

import numpy as np

from workseal_agent.suggestions.crops import CROP_WIDTH, crops_of
from workseal_agent.suggestions.detectors import KnownSecrets
from workseal_agent.suggestions.faces import FaceFinder
from workseal_agent.suggestions.identities import IdentityNumbers
from workseal_agent.suggestions.linememory import LineMemory
from workseal_agent.suggestions.names import NameFinder
from workseal_agent.suggestions.patterns import find_patterns
from workseal_agent.suggestions.rows import Line, suggest_in
from workseal_agent.suggestions.suggestion import Suggestion
from workseal_agent.undumped import forbid_dumps
from workseal_protocol.frame import CHANNELS, Box

LENGTH: Final = struct.Struct(">I")
_CPU_SECONDS: Final = 1_800
# One line at a time: more at once take more memory, and no less time on a processor.
_BATCH: Final = 1
_THREADS: Final = 2
_NEARLY_WHOLE: Final = 0.8


class NetworkForbiddenError(RuntimeError):
    """Say that something in the process that reads asked for a socket."""


def confine() -> None:
    """Give up sockets, files to write and core dumps, for good."""
    forbid_dumps()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))

    def refuse(event: str, _arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise NetworkForbiddenError("the process that reads has no network")

    sys.addaudithook(refuse)


class ScreenReader:
    """Read lines with rapidocr; the models lie in its wheel."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # noqa: PLC0415 - half a second, and hundreds of megabytes

        self._engine = RapidOCR(
            params={
                "Global.use_cls": False,  # a screen's text stands upright
                "Global.max_side_len": CROP_WIDTH + 16,
                "Global.log_level": "critical",
                "Rec.rec_batch_num": _BATCH,
                # Two would wait for each other in a busy loop: a third of the time was that.
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            }
        )
        self._memory = LineMemory(self._recognise, threads=min(_THREADS, os.cpu_count() or 1))

    def read(self, image: np.ndarray, area: Box) -> list[Line]:
        """Return every line that was detected; read those that touch an area."""
        lines: list[Line] = []
        height, width = image.shape[:2]
        for crop in crops_of(width, height):
            part = image[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
            new = self._read_crop(np.ascontiguousarray(part[:, :, ::-1]), crop, area)
            lines += [line for line in new if not any(_within(line, one) for one in lines)]
        return lines

    def detect(self, image: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, dict[str, Any]]:
        """Return pieces of a picture (blue first) with a line each, and their corners.

        The last tells how the picture was scaled and padded before it was looked at.
        """
        from rapidocr.main import RapidOCRError  # noqa: PLC0415 - loads all of it

        # Step by step: the call for all steps leaves out what it reads as nothing.
        prepared, record = self._engine.preprocess_img(image)
        try:
            pieces, detected = self._engine.detect_and_crop(prepared, record)
        except RapidOCRError:
            return [], np.empty((0, 4, 2)), record
        return pieces, np.asarray(detected.boxes), record

    def _read_crop(self, image: np.ndarray, crop: Box, area: Box) -> list[Line]:
        pieces, corners, record = self.detect(image)
        boxes = [_box_of(points, record, crop) for points in corners]
        wanted = [number for number, box in enumerate(boxes) if _touch(box, area)]
        texts = [""] * len(boxes)
        if wanted:
            read = self._memory.read([pieces[number] for number in wanted])
            for number, text in zip(wanted, read, strict=True):
                texts[number] = text
        return [Line(text, box) for text, box in zip(texts, boxes, strict=True)]

    def _recognise(self, pieces: list[np.ndarray]) -> Sequence[str]:
        return self._engine.recognize_txt(pieces).txts or [""] * len(pieces)


def serve(source: BinaryIO, target: BinaryIO, reader: ScreenReader, faces: FaceFinder) -> None:
    """Answer each frame with its suggestions, until no more come."""
    known, identities = KnownSecrets(), IdentityNumbers()
    while head := _receive_head(source):
        size = head["width"] * head["height"] * CHANNELS
        pixels = source.read(size)
        if len(pixels) != size:
            return
        image = np.frombuffer(pixels, np.uint8).reshape(head["height"], head["width"], CHANNELS)
        finders = (find_patterns, NameFinder(head["names"]), known, identities)
        written = suggest_in(reader.read(image, Box(*head["area"])), finders)
        _send(target, (*written, *faces.find(image)))


def _receive_head(source: BinaryIO) -> dict[str, Any] | None:
    length = source.read(LENGTH.size)
    if len(length) != LENGTH.size:
        return None
    head: dict[str, Any] = json.loads(source.read(*LENGTH.unpack(length)))
    return head


def _send(target: BinaryIO, suggestions: Sequence[Suggestion]) -> None:
    data = json.dumps(
        [
            [
                one.kind.name,
                one.why.name,
                int(one.sureness),
                [[box.left, box.top, box.width, box.height] for box in one.boxes],
            ]
            for one in suggestions
        ]
    ).encode()
    target.write(LENGTH.pack(len(data)) + data)
    target.flush()


def _box_of(points: np.ndarray, record: dict[str, Any], crop: Box) -> Box:
    """Return the pixels of the frame that the corners of a line lie between."""
    across, down = (record["preprocess"][ratio] for ratio in ("ratio_w", "ratio_h"))
    above = record["padding_1"]["top"]
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    x, y = int(left * across), int((top - above) * down)
    width, height = int(right * across + 1) - x, int((bottom - above) * down + 1) - y
    return Box(crop.left + x, crop.top + y, max(1, width), max(1, height))


def _touch(box: Box, area: Box) -> bool:
    return (
        box.left < area.left + area.width
        and area.left < box.left + box.width
        and box.top < area.top + area.height
        and area.top < box.top + box.height
    )


def _within(line: Line, other: Line) -> bool:
    """Say whether another crop saw (nearly) all of a line already."""
    first, second = line.box, other.box
    across = min(line.right, other.right) - max(first.left, second.left)
    down = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    return max(across, 0) * max(down, 0) > _NEARLY_WHOLE * first.width * first.height


def main() -> None:
    """Serve the process that started this one."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints is nobody's answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    confine()
    serve(sys.stdin.buffer, answers, ScreenReader(), FaceFinder())


if __name__ == "__main__":
    main()
