"""What may stand in the place of a file: each is made at a path, given a whole file elsewhere."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

Place = Callable[[Path, Path], None]


def pipe(path: Path, _whole: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, _whole: Path) -> None:
    path.mkdir()


def link(path: Path, whole: Path) -> None:
    path.symlink_to(whole)


def dangling_link(path: Path, _whole: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path, _whole: Path) -> None:
    """Lead to a device that never ends: making one takes root, a link to it does not."""
    path.symlink_to("/dev/zero")


def listening(path: Path, _whole: Path) -> None:
    """Leave a socket there; its path may be longer than an address is."""
    where = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{where}/{path.name}")
    finally:
        os.close(where)


PLACES = (pipe, folder, link, dangling_link, device, listening)
