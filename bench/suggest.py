"""Plant secrets on real screens and count how many the suggestions hide and name.

Run it with `.venv/bin/python bench/suggest.py [--plantings N] [--passwords N] [--words N]`; it
needs the extra `review`, Xvfb, xdotool, xterm, mousepad and chromium. The screens show this
repository's own documents and code in those programs. Every planted text is drawn over them with a
patch of ground around it, as a window would. "Hidden" means that every pixel of the letters lies in
hidden tiles.
"""

import argparse
import html
import importlib
import json
import os
import platform
import random
import statistics
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deploy"))

from desktop import Desktop  # noqa: E402 - found by the line above
from workseal_agent.screen.x11 import X11Screen  # noqa: E402
from workseal_agent.suggestions import (  # noqa: E402
    Kind,
    NameList,
    Reading,
    Review,
    TextReading,
    review_frame,
)
from workseal_agent.suggestions.busy import busy_tiles, suggest_busy  # noqa: E402
from workseal_agent.suggestions.worker import ScreenReader  # noqa: E402
from workseal_protocol.frame import Grid  # noqa: E402

TILE = 32
SIZE = (1920, 1080)
SMALL = (800, 600)
FONTS = (
    "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansMono-Bold.ttf",
)  # fmt: skip
GROUNDS = (((252, 252, 250), (28, 30, 36)), ((24, 26, 31), (214, 218, 226)))
PATIENCE = 40.0
Colour = tuple[int, int, int]
Secrets = Callable[[random.Random], Iterable[tuple[Kind, str]]]


@dataclass(frozen=True)
class Planted:
    """What was drawn, and which pixels of the frame are letters."""

    kind: Kind
    letters: np.ndarray
    text: str


@dataclass
class Counts:
    """What was found, over all frames."""

    planted: int = 0
    hidden: int = 0
    hidden_marked: int = 0
    hidden_busy: int = 0
    named: int = 0
    of_kind: Counter[str] = field(default_factory=Counter)
    named_of_kind: Counter[str] = field(default_factory=Counter)
    missed: list[str] | None = None


def letters(chance: random.Random, pool: str, count: int) -> str:
    return "".join(chance.choice(pool) for _ in range(count))


def secrets_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Make one of each; nothing of it was ever a key to anything."""
    both = string.ascii_letters + string.digits
    word = letters(chance, string.ascii_lowercase, 6)
    yield Kind.ACCESS_KEY, "AKIA" + letters(chance, string.ascii_uppercase + "234567", 16)
    yield Kind.TOKEN, "ghp_" + letters(chance, both, 36)
    yield Kind.EMAIL, f"{word}.{letters(chance, string.ascii_lowercase, 5)}@mail.example.org"
    yield Kind.CARD, card(chance)
    yield Kind.PASSWORD, f"password = {word.title()}{letters(chance, string.digits, 3)}!"
    yield Kind.IP_ADDRESS, ".".join(str(chance.randint(128, 223)) for _ in range(4))
    yield Kind.PHONE, f"+49 1{chance.randint(50, 79)} {chance.randint(1_000_000, 9_999_999)}"
    parts = (letters(chance, both + "-_", count) for count in (17, 30, 43))
    yield Kind.TOKEN, "eyJ" + ".".join(parts)


# How people and programs write a password down. {} is one; a tab is a gap, as between a form's
# boxes. What no letter of the fonts here can write (Chinese, Japanese) is not among them.
WRITTEN = {
    "terminal": (
        "$ mysql -uroot -p{}", "curl -u admin:{} https://db.lan/", "$ sshpass -p '{}' ssh db.lan",
        "password for bob@db.lan: {}", "$ backup --password={} --all", "redis://:{}@cache:6379/0",
    ),
    "form": (
        "Password:\t{}", "Passwort\t{}", "Password\n{}", "Kennwort\n{}", "Mot de passe :\t{}",
        "Contraseña\t{}", "Wi-Fi password\n{}",
    ),
    "chat": (
        "the password is {}", "pw: {}", "Das Passwort ist {}", "Passwort lautet {}",
        "le mot de passe : {}", "la contraseña es {}", "use {} as password", "hasło: {}",
        "пароль: {}", "login: bob / {}",
    ),
    ".env": (
        "DB_PASSWORD={}", "export PGPASSWORD='{}'", 'SMTP_PASS="{}"', "spring.mail.password={}",
        "ansible_become_pass: {}", "MYSQL_ROOT_PASSWORD: {}",
    ),
    "code": (
        'password = "{}"', "'password' => '{}',", '"password": "{}",', "dbPassword: '{}',",
        "define('DB_PASSWORD', '{}');", 'PASSWORD: Final = "{}"', 'password: str = "{}"',
        "IDENTIFIED BY '{}';",
    ),
}  # fmt: skip
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
SYMBOLS = "!@#$%^&*()-_=+[]{}<>?"


def password(chance: random.Random) -> str:
    """Make one as people and their managers do: all with signs, brackets and `$` among them."""
    word = letters(chance, "bdfgklmnprst", 1).upper() + letters(chance, "aeiou", 1)
    word += letters(chance, string.ascii_lowercase, chance.randint(3, 5))
    number = str(chance.randint(10, 2099))
    return chance.choice(
        (
            letters(chance, string.ascii_letters + string.digits + SYMBOLS, chance.randint(10, 20)),
            f"{word}({number}){chance.choice('!$?')}",
            f"{chance.choice('$[{<')}{word}{chance.choice('_$.-')}{number}",
            f"{word.lower()}[{number}]{letters(chance, SYMBOLS, 2)}",
        )
    )


# In the freelancer's list, and how others write them.
NAMES = {
    "Jürgen Strauß": ("Jürgen Strauß", "Juergen Strauss", "JÜRGEN STRAUß", "Jurgen Strauss"),
    "Käthe Müller": ("Käthe Müller", "Kaethe Mueller", "Ka\u0308the Mu\u0308ller", "KATHE MULLER"),
    "Schoenbaechler": ("Schönbächler", "Schoenbaechler", "SCHÖNBÄCHLER", "Schonbachler"),
    "Søren Ångström": ("Søren Ångström", "Soeren Angstroem", "Soren Angstrom", "SØREN ÅNGSTRÖM"),
    "Núñez Çağlar": ("Núñez Çağlar", "Nunez Caglar", "NÚÑEZ ÇAĞLAR", "Nu\u0301n\u0303ez Çağlar"),
    "Łukasz Dvořák": (
        "Łukasz Dvořák",
        "Lukasz Dvorak",
        "ŁUKASZ DVOŘÁK",
        "Łukasz Dvor\u030ca\u0301k",
    ),
}


def passwords_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Write passwords as each place does, and names of the list as others write them."""
    for ways in WRITTEN.values():
        for way in chance.sample(ways, 4):
            yield Kind.PASSWORD, way.replace("{}", password(chance), 1)
    for forms in NAMES.values():
        yield Kind.NAME, f"minutes by {chance.choice(forms)}, sent"


# Words as people take them, behind labels as people write them; no digit and no sign tells them.
PLAIN = (
    "mysecret", "$ecretpassword", "letmein", "swordfish", "monkey", "whiskey", "sommerregen",
    "liverpool", "mypassword", "butterfly", "passwort", "geheim", "trustnoone", "sunshine",
    "correct-horse", "schatzi", "motdepasse", "supersecret", "qwertz", "dragon",
)  # fmt: skip
PLAINLY = (
    "Password: {}", "password = {}", "Passwort: {}", "pwd = {}", "Passwort {}", "Kennwort\t{}",
    "Password\n{}", "pw: {}", "Mot de passe : {}", "Contraseña\t{}", "DB_PASSWORD={}",
    "the password is {}", "login: bob / password: {}", '"password": "{}",',
)  # fmt: skip
PINS = ("PIN: {}", "PIN {}", "PIN\n{}", "PUK\t{}")
# What knows the number, and how a state writes it: # is any digit, @ any letter.
NUMBERS = {
    "us.ssn": "###-##-####", "de.idnr": "## ### ### ###", "in_.aadhaar": "#### #### ####",
    "in_.pan": "@@@P@####@", "br.cpf": "###.###.###-##", "es.dni": "########@",
    "es.nie": "X#######@", "ca.sin": "### ### ###", "fr.nir": "1 ## 0# 75 ### ### ##",
    "pl.pesel": "###########", "it.codicefiscale": "@@@@@@##A##@###@", "ch.ssn": "756.####.####.##",
    "se.personnummer": "######-####", "be.nn": "##.##.##-###.##",
}  # fmt: skip


def words_of(chance: random.Random) -> Iterator[tuple[Kind, str]]:
    """Write plain words behind labels, and numbers by which states know a person."""
    for way in chance.sample(PLAINLY, 10):
        yield Kind.PASSWORD, way.replace("{}", chance.choice(PLAIN))
    yield Kind.PASSWORD, chance.choice(PINS).replace("{}", letters(chance, string.digits, 4))
    for name in chance.sample(list(NUMBERS), 8):
        yield Kind.IDENTITY, number_of(chance, name)
    pairs = (letters(chance, string.digits, 2) for _ in range(3))
    yield Kind.IDENTITY, f"AB {' '.join(pairs)} C"


def number_of(chance: random.Random, name: str) -> str:
    """Draw numbers until one fits; whose it may be is not known."""
    known = importlib.import_module(f"stdnum.{name}")
    while True:
        drawn = (
            letters(chance, string.digits, 1)
            if one == "#"
            else letters(chance, string.ascii_uppercase, 1)
            if one == "@"
            else one
            for one in NUMBERS[name]
        )
        number = "".join(drawn)
        if known.is_valid(number):
            return number


def card(chance: random.Random) -> str:
    digits = [4, *(chance.randint(0, 9) for _ in range(14))]
    doubled = [2 * one - 9 * (2 * one > 9) for one in digits[::2]]
    digits.append(-(sum(doubled) + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[at : at + 4] for at in range(0, 16, 4))


def drawn(text: str, font: ImageFont.FreeTypeFont, ground: Colour, ink: Colour) -> Image.Image:
    """Draw text on a patch of ground; a tab is a gap, and lines stand as in a form."""
    size = int(font.size)
    rows = [row.split("\t") for row in text.split("\n")]
    wide = max(sum(int(font.getlength(cell)) + 3 * size for cell in row) - size for row in rows)
    patch = Image.new("RGB", (wide, 2 * size * len(rows)), ground)
    for number, row in enumerate(rows):
        left = size
        for cell in row:
            place = (left, 2 * size * number + size // 3)
            ImageDraw.Draw(patch).text(place, cell, font=font, fill=ink)
            left += int(font.getlength(cell)) + 3 * size
    return patch


def plant(
    screen: np.ndarray, chance: random.Random, secrets: Iterable[tuple[Kind, str]]
) -> tuple[np.ndarray, list[Planted]]:
    """Draw each secret somewhere, apart from each other."""
    picture = Image.fromarray(screen)
    taken = np.zeros(screen.shape[:2], np.bool_)
    planted = []
    for kind, text in secrets:
        name, size = chance.choice(FONTS), chance.randint(11, 16)
        font = ImageFont.truetype(f"/usr/share/fonts/truetype/{name}", size)
        ground, ink = chance.choice(GROUNDS)
        patch = drawn(text, font, ground, ink)
        width, height = patch.size
        for _ in range(1_000):
            left = chance.randint(0, screen.shape[1] - width)
            top = chance.randint(0, screen.shape[0] - height)
            if not taken[top : top + height, left : left + width].any():
                break
        taken[max(top - 20, 0) : top + height + 20, max(left - 40, 0) : left + width + 40] = True
        picture.paste(patch, (left, top))
        mask = np.zeros(screen.shape[:2], np.bool_)
        mask[top : top + height, left : left + width] = (np.asarray(patch) != ground).any(axis=2)
        planted.append(Planted(kind, mask, text))
    return np.asarray(picture), planted


def tile_mask(grid: Grid, tiles: Sequence[int] | frozenset[int]) -> np.ndarray:
    mask = np.zeros((grid.height, grid.width), np.bool_)
    for number in tiles:
        box = grid.box_of(number)
        mask[box.top : box.top + box.height, box.left : box.left + box.width] = True
    return mask


def judge(
    grid: Grid, review: Review, busy: np.ndarray, planted: list[Planted], into: Counts
) -> int:
    """Count what is hidden and named; return how many marks are on nothing planted."""
    every = frozenset(range(grid.count))
    hidden = tile_mask(grid, every - frozenset(review.without_any(every)))
    marked = tile_mask(grid, every - frozenset(review.without_marked(every)))
    flat = every - frozenset(review_of(grid, busy).without_any(every))
    unread = tile_mask(grid, flat)
    strange = [one for one in review.suggestions if one.kind.marked]
    for secret in planted:
        into.planted += 1
        into.hidden += bool(hidden[secret.letters].all())
        into.hidden_marked += bool(marked[secret.letters].all())
        into.hidden_busy += bool(unread[secret.letters].all())
        upon = [
            one
            for one in review.suggestions
            if one.kind.marked and covers(one.boxes, secret.letters)
        ]
        strange = [one for one in strange if one not in upon]
        named = any(one.kind is secret.kind for one in upon)
        into.named += named
        into.of_kind[secret.kind.value] += 1
        into.named_of_kind[secret.kind.value] += named
        if not named and into.missed is not None:
            into.missed.append(f"{secret.text!r} -> {[one.kind.value for one in upon]}")
    return len(strange)


def review_of(grid: Grid, busy: np.ndarray) -> Review:
    return Review(grid, suggest_busy(grid, busy), Reading.ABSENT)


def covers(boxes: Sequence[object], wanted: np.ndarray) -> bool:
    covered = np.zeros_like(wanted)
    for box in boxes:
        left, top = max(box.left, 0), max(box.top, 0)  # type: ignore[attr-defined]
        covered[top : top + box.height, left : left + box.width] = True  # type: ignore[attr-defined]
    return float((covered & wanted).sum()) > 0.5 * float(wanted.sum())


def spent_by(reader: TextReading) -> float:
    """Return the processor time of the process that reads, in seconds; 0 before it runs."""
    process = reader._process  # noqa: SLF001 - nobody else asks
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def measure(
    screens: dict[str, np.ndarray], plantings: int, keep: Path | None, secrets: Secrets
) -> dict[str, object]:
    chance = random.Random(20_261_129)
    counts, shares, busy_shares, strange = Counts(missed=[]), [], [], []
    times, cpu, busy_times = [], [], []
    with TextReading(NameList(tuple(NAMES))) as reader:
        for title, screen in screens.items():
            grid = Grid(screen.shape[1], screen.shape[0], TILE)
            for turn in range(plantings + 1):
                # The first look is at the screen as it is: what is marked there is false.
                image, planted = (
                    (screen, []) if turn == 0 else plant(screen, chance, secrets(chance))
                )
                if keep is not None:
                    Image.fromarray(image).save(keep / f"{title}-{turn}.png")
                pixels = image.tobytes()
                start = time.perf_counter()
                busy = busy_tiles(grid, pixels)
                looked, before = time.perf_counter(), spent_by(reader)
                review = review_frame(grid, pixels, reader)
                done = time.perf_counter()
                assert review.reading is Reading.READ, "the frame was not read"  # noqa: S101
                busy_times.append(1_000 * (looked - start))
                times.append(done - looked)
                cpu.append(spent_by(reader) - before)
                false = judge(grid, review, busy, planted, counts)
                if turn == 0:
                    strange.append(false)
                    shares.append(1 - len(review.without_any(range(grid.count))) / grid.count)
                    busy_shares.append(float(busy.mean()))
                told = f"{done - looked:.1f} s, CPU {cpu[-1]:.1f} s, {false} false marks"
                print(f"  {title}, {turn}: {told}", flush=True)
    return {
        "planted": counts.planted,
        "hidden with all text": counts.hidden,
        "hidden with what is marked": counts.hidden_marked,
        "hidden with what is not flat": counts.hidden_busy,
        "named": counts.named,
        "named, of how many of each class": {
            name: [counts.named_of_kind[name], count] for name, count in counts.of_kind.items()
        },
        "not named": counts.missed,
        "false marks, each screen": strange,
        "share hidden with all text": shares,
        "share that is not flat": busy_shares,
        "seconds, a whole frame": times,
        "seconds of CPU, a whole frame": cpu,
        "milliseconds, what is not flat": busy_times,
    }


def steps(screens: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Time detection alone, in this process, after one look to load the models."""
    reader = ScreenReader()
    spent: dict[str, list[float]] = {"wall": [], "cpu": []}
    for screen in [next(iter(screens.values())), *screens.values()]:
        image = np.ascontiguousarray(screen[:, :, ::-1])
        wall, cpu = time.perf_counter(), time.process_time()
        reader.detect(image)
        spent["wall"].append(time.perf_counter() - wall)
        spent["cpu"].append(time.process_time() - cpu)
    return {name: values[1:] for name, values in spent.items()}


def report(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], float):
            middle = statistics.median(value)
            print(f"{name:34} median {middle:8.3f}   {min(value):.3f} to {max(value):.3f}")
        else:
            print(f"{name:34} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plantings", type=int, default=4, help="frames planted on each screen")
    parser.add_argument("--passwords", type=int, default=0, help="frames planted with these alone")
    parser.add_argument("--words", type=int, default=0, help="frames with plain words and numbers")
    parser.add_argument("--quick", action="store_true", help="one small screen, planted once")
    parser.add_argument("--json", type=Path, help="keep every figure in this file")
    parser.add_argument("--keep", type=Path, help="keep the frames in this folder, to look at them")
    arguments = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    screens = take(arguments.quick)
    plantings = 1 if arguments.quick else arguments.plantings
    figures = measure(screens, plantings, arguments.keep, secrets_of)
    for title, count, secrets in (
        ("passwords", arguments.passwords, passwords_of),
        ("words", arguments.words, words_of),
    ):
        if count:
            found = measure(screens, count, arguments.keep, secrets)
            figures |= {f"{title}: {name}": value for name, value in found.items()}
    if not arguments.quick:
        spent = steps(screens)
        figures["seconds, detection"] = spent["wall"]
        figures["seconds of CPU, detection"] = spent["cpu"]
    report(figures)
    print(f"load {os.getloadavg()[0]:.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
