"""`disclose`: show an arbitrator chosen tiles of chosen frames."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent import disclose as disclosing
from workseal_agent.cases import OwnCases
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.casework import own_cases
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.reveals import tell_together
from workseal_agent.cli.reviewing import Chosen, Wishes, review_chosen
from workseal_agent.clock import SystemClock
from workseal_agent.connection import UnreachableError
from workseal_agent.disclose import Answer, Opened, Request
from workseal_agent.errors import AgentError
from workseal_agent.evidence import find_frame
from workseal_agent.language import Phrase, phrase, phrases
from workseal_agent.ledger import CaptureRow, Engagement
from workseal_agent.reveals import together
from workseal_agent.vault import VaultReader, VaultWriter
from workseal_agent.writing import write_private
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.cli.png import encode_png
from workseal_protocol.disclosure import VerifiedTiles
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import Box
from workseal_protocol.records import Finding

_MAX_REQUEST_BYTES = 65_536


@app.command()
def disclose(  # noqa: PLR0913 - each is a choice that only the freelancer makes
    context: typer.Context,
    request: Annotated[Path, typer.Argument(help="The arbitrator's signed request.")],
    *,
    frame: Annotated[
        list[str] | None, typer.Option(help="Only this frame of the request; may be repeated.")
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(help="x,y,w,h: show only tiles inside; FRAME:x,y,w,h for one frame."),
    ] = None,
    hide: Annotated[
        list[str] | None,
        typer.Option(help="x,y,w,h: hide every tile that is touched; FRAME:x,y,w,h for one frame."),
    ] = None,
    preview: Annotated[
        Path | None, typer.Option(help="Folder for pictures of exactly what will be seen.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the sealed package here.")] = None,
    hide_marked: Annotated[
        bool, typer.Option("--hide-marked", help="Hide the tiles of all secrets and names found.")
    ] = False,
    hide_text: Annotated[
        bool, typer.Option("--hide-text", help="Hide the tiles of all text and pictures found.")
    ] = False,
    show_marked: Annotated[
        bool, typer.Option("--show-marked", help="Show secrets and names that were found, too.")
    ] = False,
    unread: Annotated[
        bool, typer.Option("--unread", help="Do not read the frames for suggestions.")
    ] = False,
    sealed_only: Annotated[
        bool,
        typer.Option(
            "--sealed-only",
            help="The verifier gets no tile and checks nothing: only the arbitrator's tool does.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send it without being asked.")] = False,
) -> None:
    """Answer an arbitrator's request with chosen tiles; everything else stays hidden."""
    home = home_of(context)
    if not show and not hide:
        raise UsageProblem("say what may be seen: --show x,y,w,h or --hide x,y,w,h")
    wishes = Wishes(hide_marked, hide_text, show_marked, unread)
    _require_writable(out, preview)
    engagement = home.engagement()
    try:
        asked = _asked(home, engagement, _read(request))
    except MalformedError as error:
        raise UsageProblem(
            phrase("{request} is no request for frames: {error}", request=request, error=error)
        ) from error
    frames = _choose(home, engagement, asked, frame or [])
    chosen = _choose_tiles(home, engagement, frames, show or [], hide or [])
    say(phrase("the arbitrator asks: {reason}", reason=asked.record.reason))
    vault = VaultReader(home.files.vault_folder, home.vault_key())
    if _is_answered(home, asked, vault, sealed_only=sealed_only):
        return
    left = review_chosen(home, vault, chosen, wishes, ask=not yes)
    opened = [disclosing.open_tiles(vault, one.frame, one.tiles) for one in left]
    for one in opened:
        say(phrase("frame {number}: {share}", number=one.frame.number, share=_share(one)))
    portion = disclosing.Portion.of(CaseFolder(home.files.cases_folder), asked)
    disclosing.require_portions(portion, opened, vault, home.ledger, engagement.id)
    unions = together(vault, home.ledger, engagement, opened)
    tell_together(unions)
    seen = {f"frame-{one.frame.number}": one.seen for one in opened}
    for union in unions:
        if union.before:
            all_of_it = disclosing.open_tiles(vault, union.frame, sorted(union.all))
            seen[f"frame-{union.frame.number}-together"] = all_of_it.seen
    previews = [] if preview is None else _write_previews(preview, seen)
    if not yes and not confirmed("Disclose this?"):
        raise _undone(previews)
    with own_cases(home) as cases:
        answer = cases.sign(asked, opened, home.signer, vault, wall_ms=SystemClock().wall_ms)
        sealed_only = sealed_only or cases.is_sealed_only(answer)
        _send(home, cases, answer, out, sealed_only=sealed_only)


def _asked(home: Home, engagement: Engagement, data: bytes) -> disclosing.Request:
    """Read a request; who asks by a key that is not known yet is looked up once."""
    try:
        return disclosing.read_request(data, home.ledger, engagement)
    except disclosing.UnknownArbitratorError:
        client = home.client(engagement.url, signer=home.signer)
        try:
            disclosing.learn_arbitrators(client, home.ledger, engagement)
        finally:
            client.close()
    return disclosing.read_request(data, home.ledger, engagement)


def _is_answered(home: Home, asked: Request, vault: VaultReader, *, sealed_only: bool) -> bool:
    """Tell whether what was signed before is the answer, and is logged and left now."""
    with own_cases(home) as cases:
        sealed = cases.answered_before(asked, vault, sealed_only=sealed_only)
        if sealed is None:
            # A case that takes no answer says so before anything is looked at.
            cases.disclosable(asked)
            return False
    say(
        phrase(
            "what you signed before is logged, and sealed for the arbitrator at {sealed}",
            sealed=sealed,
        )
    )
    return True


def _choose(
    home: Home, engagement: Engagement, request: Request, names: Sequence[str]
) -> tuple[CaptureRow, ...]:
    asked = disclosing.requested_frames(request, home.ledger.captures(engagement.id))
    left_out = len(request.record.frames) - len(asked)
    if left_out:
        say(
            phrases(
                left_out,
                "{count} of the frames asked for is withdrawn and cannot be shown",
                "{count} of the frames asked for are withdrawn and cannot be shown",
            )
        )
    if names:
        wanted = {find_frame(home.ledger, engagement.id, name).commitment for name in names}
        known = {row.commitment for row in asked}
        if not wanted <= known:
            raise UsageProblem("a frame that you name is not asked for, or is withdrawn")
        asked = tuple(row for row in asked if row.commitment in wanted)
    if not asked:
        raise AgentError("none of the frames asked for can be shown")
    return asked


def _choose_tiles(
    home: Home,
    engagement: Engagement,
    frames: Sequence[CaptureRow],
    show: Sequence[str],
    hide: Sequence[str],
) -> list[Chosen]:
    shown = _boxes(home, engagement, show, frames)
    hidden = _boxes(home, engagement, hide, frames)
    chosen = []
    for row in frames:
        boxes = shown[row.number]
        if show and not boxes:
            raise UsageProblem(
                phrase("nothing is said about frame {number}: --show or --frame", number=row.number)
            )
        if hide and not show and not hidden[row.number]:
            raise UsageProblem(
                phrase(
                    "nothing is said about frame {number}, so all of it would be seen: --hide,"
                    " --show or --frame",
                    number=row.number,
                )
            )
        tiles = disclosing.tiles_of(row, boxes or None, hidden[row.number], engagement.terms.tile)
        if show and not tiles:
            raise UsageProblem(
                phrase(
                    "no tile of frame {number} would be seen: tiles have {tile} pixels a side,"
                    " and only those wholly inside a box are shown",
                    number=row.number,
                    tile=engagement.terms.tile,
                )
            )
        chosen.append(Chosen(row, tiles))
    return chosen


def _boxes(
    home: Home, engagement: Engagement, texts: Sequence[str], frames: Sequence[CaptureRow]
) -> dict[int, list[Box]]:
    boxes: dict[int, list[Box]] = {row.number: [] for row in frames}
    for text in texts:
        name, colon, numbers = text.rpartition(":")
        box = _box(numbers)
        if not colon:
            for several in boxes.values():
                several.append(box)
            continue
        row = find_frame(home.ledger, engagement.id, name)
        if row.number not in boxes:
            raise UsageProblem("a box names a frame that is not to be disclosed")
        boxes[row.number].append(box)
    return boxes


def _box(text: str) -> Box:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageProblem("a box is four numbers: x,y,w,h")
    try:
        return Box(*(int(part[:9]) for part in parts))
    except ValueError as error:
        raise UsageProblem(str(error)) from error


def _send(
    home: Home, cases: OwnCases, answer: Answer, out: Path | None, *, sealed_only: bool
) -> None:
    vault = VaultWriter(home.files.vault_folder, home.keystore.vault_public)
    package = answer.package()
    if out is not None:
        # Nothing is outside the vault that is not kept in it.
        disclosing.keep(answer, home.ledger, vault, cases.engagement.id, sealed_only=sealed_only)
        write_private(out, package)
        say(phrase("sealed package: {out}", out=out))
    try:
        if sealed_only:
            address = cases.deliver_sealed_only(answer, package, vault)
            say("logged; the verifier got no tile, and nobody but the arbitrator checks them")
        else:
            findings, address = cases.deliver(answer, package, vault)
            _tell_found(answer, findings)
    except UnreachableError as error:
        raise AgentError(
            phrase("not finished: {error}; the same command may be run again", error=error)
        ) from error
    say(phrase("sealed for the arbitrator at {address}", address=address))


def _tell_found(answer: Answer, findings: Sequence[Finding]) -> None:
    say("logged; the verifier checked the tiles in memory and kept none of them:")
    numbers = {one.disclosure.digest: one.frame.number for one in answer.opened}
    for found in findings:
        number = numbers[found.disclosure]
        say(
            phrase(
                "  frame {number}: holds, {shown} of {tiles} tiles shown",
                number=number,
                shown=found.shown,
                tiles=found.tiles,
            )
        )


def _share(one: Opened) -> Phrase:
    return phrase(
        "{shown} of {tiles} tiles ({percent} % of the pixels) would be seen",
        shown=len(one.disclosure.shown),
        tiles=one.disclosure.header.grid.count,
        percent=100 * one.seen.shown_pixels // one.seen.all_pixels,
    )


def _write_previews(folder: Path, pictures: Mapping[str, VerifiedTiles]) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for name, seen in pictures.items():
        path = folder / f"{name}.png"
        write_private(path, encode_png(seen.header.width, seen.header.height, seen.render()))
        written.append(path)
        say(phrase("preview: {path}", path=path))
    return written


def _undone(previews: Sequence[Path]) -> AgentError:
    """Remove the previews of what is not disclosed; returns what there is to say."""
    for path in previews:
        path.unlink(missing_ok=True)
    if previews:
        return AgentError("nothing was disclosed, and the previews are removed")
    return AgentError("nothing was disclosed")


def _require_writable(out: Path | None, preview: Path | None) -> None:
    """Refuse what could not be written, before anything is signed or stored."""
    if out is not None and (os.path.lexists(out) or not out.absolute().parent.is_dir()):
        raise UsageProblem(
            phrase("{out} cannot be written: it exists already, or has no folder", out=out)
        )
    if preview is not None and preview.exists() and not preview.is_dir():
        raise UsageProblem(phrase("{preview} is not a folder", preview=preview))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_REQUEST_BYTES + 1)
    except OSError as error:
        raise UsageProblem(
            phrase("{path} cannot be read: {reason}", path=path, reason=error.strerror)
        ) from error
    if len(data) > _MAX_REQUEST_BYTES:
        raise UsageProblem(phrase("{path} is too long for a request", path=path))
    return data
