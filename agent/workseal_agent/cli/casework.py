"""`case`: the freelancer's own side of a dispute; the acts are those of `workseal case`."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cases import OwnCases
from workseal_agent.cli.acthelp import ActCommand
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.casesending import (
    ask_to_sign,
    require_head,
    require_sent,
    sent,
    settled,
    signed_by_owner,
    tell_sent,
)
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import raw, say
from workseal_agent.errors import AgentError
from workseal_agent.keptcases import filings_waiting
from workseal_agent.language import phrase
from workseal_protocol.cli.acting import (
    ABOUT,
    CHECK,
    DETAILS,
    Asker,
    CaseFolder,
    Live,
    LiveMeans,
    Said,
    as_json,
    billed_notes,
    case_named,
    lines,
    list_lines,
    listed_by,
    make_act,
    make_filing,
    preview,
    repeated,
    require_fits,
)
from workseal_protocol.cli.casesums import who_pays
from workseal_protocol.cli.files import read_bytes, write_new
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import sign
from workseal_protocol.statement import Statement

_MOST_TEXT = 65_536

case_app = typer.Typer(
    help="A dispute: show it, file one, and act in it.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(case_app, name="case")

Name = Annotated[str, typer.Argument(help="The case's number, or its first eight digits.")]
Text = Annotated[str | None, typer.Option(help="What you say, for everybody in the case.")]
TextFile = Annotated[Path | None, typer.Option(help="Take the text from a file.")]
Amount = Annotated[str | None, typer.Option(help="As in 480.00.")]
Begin = Annotated[str | None, typer.Option(help="A day, or a minute as in 2026-11-02T09:30.")]
End = Annotated[str | None, typer.Option(help="The same; a day is meant whole.")]
Ground = Annotated[
    str | None,
    typer.Option(
        help="Why, in a word. object: not-relevant, not-material, lower-level-suffices, too-wide,"
        " third-party-nda, privacy-of-others, credentials, privilege, burden, wrong-freeze, other."
        " withhold: third-party-nda, privacy-of-others, credentials, privilege, disproportion,"
        " lost-before-notice, lost-after-notice."
    ),
]
Calendar = Annotated[
    str | None, typer.Option(help="The country whose holidays you keep: that of the terms.")
]
Zone = Annotated[str | None, typer.Option(help="The time zone of your days.")]
DayOff = Annotated[list[str] | None, typer.Option(help="A day of your own; may be repeated.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign and send without being asked.")]


@contextmanager
def own_cases(home: Home) -> Iterator[OwnCases]:
    """Give what acting in cases needs, after asking for the passphrase."""
    engagement = home.engagement()
    client = home.client(engagement.url, signer=home.signer)
    folder = CaseFolder(home.files.cases_folder)
    try:
        yield OwnCases(home.ledger, client, engagement, folder, home.public_key)
    finally:
        client.close()


@case_app.command("list")
def list_cases(context: typer.Context) -> None:
    """List your cases, as the verifier tells them."""
    with own_cases(home_of(context)) as cases:
        found = listed_by(cases.client.cases)
        for line in list_lines(found.cases, cases.folder, lambda case: _read(cases, case)):
            say(line)
        hold_frames(cases, found.cases)
    if found.is_cut:
        say("not all of them: the verifier has more cases than are read here")
    elif not found.cases:
        say("no case")


def hold_frames(cases: OwnCases, found: Iterable[dict[str, object]]) -> None:
    """Read what the ledger does not know yet, or not to have ended: frames are kept by it."""
    number = cases.engagement.id
    ended = {row.filing for row in cases.ledger.cases(number) if row.ended}
    for one in found:
        case = Digest(bytes.fromhex(str(one["case"])))
        if case in ended or one.get("engagement") != number.hex():
            continue
        try:
            cases.live(case)
        except (AgentError, CommandError) as error:
            about = {"case": str(case)[:8], "error": error}
            say(phrase("{case} was not read, and may hold no frames: {error}", **about))


def _read(cases: OwnCases, case: Digest) -> Live:
    """Read a case for the list, which says what could not be read and goes on."""
    try:
        return cases.live(case)
    except AgentError as error:
        raise CommandError(str(error)) from error


@case_app.command("show")
def show_case(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="The case's number; the only one without.")] = "",
    *,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    save: Annotated[Path | None, typer.Option(help="Also write its statements here.")] = None,
    request: Annotated[
        Path | None, typer.Option(help="Also write the open request here, for `disclose`.")
    ] = None,
) -> None:
    """Replay a case: whose turn it is, until when, what silence does, and what you may do."""
    home = home_of(context)
    with own_cases(home) as cases:
        live = cases.live(named_case(cases, case))
        asker = Asker(cases.key.thumbprint, cases.client.now_ms(), _spelling(live, home.program))
        waiting = cases.waiting(live.case.case)
    if as_json_:
        raw(json.dumps(as_json(live, asker), indent=1))
    else:
        for line in lines(live, asker):
            say(line)
        for one in waiting:
            say(
                phrase(
                    "signed by you and not answered yet: {digest}; any act sends it again",
                    digest=one.digest,
                )
            )
    if save is not None:
        write_new(save, live.carried)
    if request is not None:
        write_new(request, live.open_request.encode())


@case_app.command("file")
def file_case(  # noqa: PLR0913 - what a filing says
    context: typer.Context,
    about: Annotated[str, typer.Argument(help=", ".join(ABOUT))],
    *,
    text: Text = None,
    text_file: TextFile = None,
    amount: Amount = None,
    begin: Begin = None,
    end: End = None,
    calendar: Calendar = None,
    zone: Zone = None,
    day_off: DayOff = None,
    yes: Yes = False,
) -> None:
    """Open a case against your client."""
    said = Said(
        text=_text(text, text_file), amount=amount, begin=begin, end=end, calendar=calendar,
        zone=zone, day_off=tuple(day_off or ()),
    )  # fmt: skip
    home = home_of(context)
    with own_cases(home) as cases:
        for stored in filings_waiting(cases.ledger, cases.engagement.id):
            if sent(cases, Statement.parse(stored.body)):
                raise AgentError(
                    phrase(
                        "what you filed before is logged now, as case {digest}",
                        digest=stored.digest,
                    )
                )
        terms, number = cases.engagement.terms, cases.engagement.id
        record = make_filing(terms, number, about, said, by=Role.FREELANCER, now_ms=cases.now_ms())
        billed = billed_notes(record, terms, _listed(cases))
        beside = (who_pays(record.claim, Role.FREELANCER), *billed)
        ask_to_sign(preview(record, terms, None, beside), yes=yes)
        statement = sign(replace(record, claimed_at=cases.now_ms()), home.signer)
        cases.keep(statement)
        require_sent(cases, statement)
        tell_sent(cases.live(statement.digest), statement)
        say(phrase("case {digest}", digest=statement.digest))


def _listed(cases: OwnCases) -> list[bytes] | None:
    """Read the record of the engagement, or None where the verifier does not give it."""
    try:
        return [body for _, body in cases.source.listing(cases.engagement.id, 0)]
    except (AgentError, CommandError):
        return None


@case_app.command("act", cls=ActCommand)
def act_in_case(  # noqa: PLR0913 - the details of all acts
    context: typer.Context,
    act: Annotated[str, typer.Argument(help=", ".join(DETAILS))],
    case: Name,
    *,
    text: Text = None,
    text_file: TextFile = None,
    amount: Amount = None,
    ground: Ground = None,
    cite: Annotated[
        list[str] | None, typer.Option(help="Digest of a statement; may be repeated.")
    ] = None,
    calendar: Calendar = None,
    zone: Zone = None,
    day_off: DayOff = None,
    file: Annotated[str | None, typer.Option(help="What you hand over beside.")] = None,
    salted: Annotated[
        str | None, typer.Option(help="New file for it with its salt: hand over that.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Act in a case: it is shown, signed, kept, sent, and seen in the case."""
    said = Said(
        text=_text(text, text_file), amount=amount, ground=ground, cite=tuple(cite or ()),
        calendar=calendar, zone=zone, day_off=tuple(day_off or ()), file=file, salted=salted,
    )  # fmt: skip
    require_fits(act, said)
    home = home_of(context)
    with own_cases(home) as cases:
        name = named_case(cases, case)
        live, earlier = settled(cases, name)
        if earlier is not None:
            repeated(earlier, act)
            return
        means = LiveMeans(live.case, said, cases.folder, cases.source)
        try:
            record = make_act(
                live.case, act, said, means, by=Role.FREELANCER,
                now_ms=cases.now_ms(live.case.known_at),
            )  # fmt: skip
            statement = signed_by_owner(home, cases, live, record, means.notes, yes=yes)
            require_head(cases, live)
            cases.keep_act(name, statement)
        except BaseException:
            means.undo()
            raise
        # From here on it may be logged, whatever is answered: what belongs to it stays.
        require_sent(cases, statement)
        tell_sent(cases.live(name), statement)
        # Said first: whoever saw nothing types it again, and must not say it twice by that.
        cases.told(name)
        means.done()


def named_case(cases: OwnCases, name: str) -> Digest:
    """Return the case of a name, or of its first digits."""
    return case_named(name, lambda: listed_by(cases.client.cases))


def _text(text: str | None, file: Path | None) -> str | None:
    if file is None:
        return text
    if text is not None:
        raise CommandError("--text and --text-file do not go together")
    try:
        return read_bytes(file, limit=_MOST_TEXT, what="text").decode().rstrip("\n")
    except UnicodeDecodeError as error:
        raise CommandError(phrase("the text {file} is not UTF-8", file=file)) from error


def _spelling(live: Live, program: str) -> Callable[[str, str], str]:
    """Write how a move is typed."""

    def command(move: str, details: str) -> str:
        if move == "disclosure":
            return f"{program} disclose REQUEST.cose --show x,y,w,h"
        if move == CHECK:
            return f"{program} case check {live.case.case} {details}"
        return " ".join(filter(None, (f"{program} case act", move, str(live.case.case), details)))

    return command
