"""Take pictures of real screens: terminals, an editor, a form, a browser, light and dark.

It needs Xvfb, xterm, mousepad and chromium. They show this repository's own documents and code.
"""

import html
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deploy"))

from desktop import Desktop  # noqa: E402 - found by the line above
from workseal_agent.screen.x11 import X11Screen  # noqa: E402

SIZE = (1920, 1080)
SMALL = (800, 600)
PATIENCE = 40.0
FORM = """Change password

Current password    ••••••••••
New password        ••••••••••••
Password (again)    ............
Forgot your password?   Show password
Password strength: good
Password: at least 12 characters, one sign
password = getpass.getpass("Password: ")
user, password = form["user"], form["password"]
const password = process.env.DB_PASSWORD;
PASSWORD="$DB_PASSWORD" ./run --password-file=/run/secrets/db
$password = $_POST['password'];  // $hash = hash($password)
The password is stored as a hash; nobody reads it.
"""


def settle(screen: X11Screen) -> np.ndarray:
    """Wait until programs have drawn: something is there, and two looks are alike."""
    deadline, before = time.monotonic() + PATIENCE, b""
    while time.monotonic() < deadline:
        time.sleep(1.0)
        (frame,) = screen.grab()
        image = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3)
        if frame.rgb == before and len(np.unique(image)) > 40:
            break
        before = frame.rgb
    return image


def page(folder: Path, *, dark: bool) -> str:
    """Write an ordinary page: headings, prose, a table, code and a picture."""
    ground, ink = ("#16181d", "#d4d8de") if dark else ("#ffffff", "#1b1d22")
    prose = (ROOT / "docs" / ("weaknesses.md" if dark else "architecture.md")).read_text()
    code = (ROOT / "protocol" / "workseal_protocol" / "merkle" / "__init__.py").read_text()
    rows = "".join(
        f"<tr><td>{number}</td><td>item {number * 37 % 101}</td><td>{number * 3.7:.2f} €</td></tr>"
        for number in range(1, 20)
    )
    noise = np.random.default_rng(3).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC).save(folder / "photo.png")
    text = (
        f"<meta charset=utf-8><style>body{{background:{ground};color:{ink};font:14px sans-serif;"
        "margin:32px;line-height:1.5}p,pre{max-width:760px}pre{font-size:12px}td{padding:2px 12px}"
        "img{float:right}</style>"
        f"<h1>Notes of the week</h1><img src=photo.png><p>{html.escape(prose[:5000])}</p>"
        f"<table>{rows}</table><pre>{html.escape(code[:4000])}</pre>"
    )
    path = folder / f"page-{dark}.html"
    path.write_text(text)
    return path.as_uri()


def scenes(folder: Path) -> dict[str, Callable[[Desktop], object]]:
    def terminals(desktop: Desktop) -> None:
        for colours, place, file in (
            (("-bg", "white", "-fg", "black"), "100x40+30+20", "agent/workseal_agent/mask.py"),
            (("-bg", "#101216", "-fg", "#c8ccd2"), "100x56+1000+60", "docs/spec/frames.md"),
        ):
            show = f"cat {ROOT / file}; exec sleep 600"
            face = ("-fa", "DejaVu Sans Mono", "-fs", "10", "+sb")
            desktop.run(["xterm", *face, *colours, "-geometry", place, "-e", "sh", "-c", show])

    def editor(desktop: Desktop) -> None:
        desktop.run(["mousepad", "--disable-server", str(ROOT / "docs" / "agent.md")])
        face = ("-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "100x40+1050+380")
        show = f"ls -la {ROOT}; git -C {ROOT} log --oneline -30; exec sleep 600"
        desktop.run(["xterm", *face, "-e", "sh", "-c", show])

    def about_passwords(desktop: Desktop) -> None:
        """Show no password at all, but much about them: what is marked there is false."""
        face = ("-fa", "DejaVu Sans Mono", "-fs", "10", "+sb", "-geometry")
        code = ROOT / "agent" / "workseal_agent" / "cli" / "slots.py"
        show = f"tail -50 {code}; exec sleep 600"
        desktop.run(["xterm", *face, "100x56+20+20", "-e", "sh", "-c", show])
        form = folder / "form.txt"
        form.write_text(FORM)
        show = f"cat {form}; grep -rin password {ROOT / 'docs'} | cut -c 1-90 | tail -28"
        desktop.run(["xterm", *face, "100x56+1000+20", "-e", "sh", "-c", f"{show}; exec sleep 600"])

    def browser(dark: bool) -> Callable[[Desktop], object]:  # noqa: FBT001 - two pages
        return lambda desktop: desktop.run(
            [
                "chromium", "--no-sandbox", "--disable-gpu", "--no-first-run",
                f"--user-data-dir={folder / f'profile-{dark}'}", "--window-position=0,0",
                "--window-size=1920,1080", page(folder, dark=dark),
            ]
        )  # fmt: skip

    return {
        "terminals": terminals,
        "editor and terminal": editor,
        "code and a form about passwords": about_passwords,
        "browser, light": browser(dark=False),
        "browser, dark": browser(dark=True),
    }


def take(quick: bool) -> dict[str, np.ndarray]:  # noqa: FBT001 - as asked for
    """Show each scene on a desktop of its own, and take a picture of it."""
    taken = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for title, open_programs in scenes(Path(name)).items():
            with Desktop.start(*(SMALL if quick else SIZE)) as desktop:
                open_programs(desktop)
                taken[title] = settle(X11Screen(desktop.display))
            if quick:
                break
    return taken
