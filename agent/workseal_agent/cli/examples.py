"""Examples in the help of the commands that people type: what they would type, and what it does.

Rule: a test reads each line with the real parser, so none can be of a command that has changed.
"""

from typing import Any

from workseal_agent.language import own, phrase

PROGRAM = "workseal-agent"
_HEADING = phrase("Examples")
# By the words of each command: the rest of the line, and what it does.
EXAMPLES = {
    "init": (("", phrase("A new home in the usual folder; you choose a passphrase")),),
    "join": (
        (
            "'https://verifier.example/#offer=…'",
            phrase("By the link that your client sent you; quotes keep it whole"),
        ),
        ("offer.cose --verifier https://verifier.example", phrase("By the file of the offer")),
    ),
    "doctor": (("", phrase("What would be used here, and why something is not")),),
    "start": (
        ("", phrase("Record from now on")),
        ("--paused", phrase("Be ready; nothing is recorded before `workseal-agent resume`")),
    ),
    "status": (
        ("", phrase("Today's time, what waits to be sent, what goes wrong")),
        ("--json", phrase("The same for a program")),
    ),
    "mode": (
        ("off-screen --memo 'sketch on paper'", phrase("Work away from the screen")),
        ("working", phrase("Back at the screen")),
    ),
    "autostart": (
        ("on", phrase("Be ready, paused, from your next log-in on")),
        ("on --tray", phrase("And show the icon then, too")),
        ("off", phrase("Remove what was written for it")),
    ),
    "contact": (
        ("--mail me@example.com --digest", phrase("Be told by mail, and each Monday of the week")),
        ("--forget", phrase("On the verifier's pages alone again")),
    ),
    "sign-in": (("", phrase("For the verifier's pages: your cases, and what you were told")),),
    "tray": (("", phrase("Until the icon's menu or Ctrl-C ends it")),),
    "open": (("", phrase("Your pages in your browser, until Ctrl-C")),),
    "frames": (
        ("", phrase("The list; no picture is shown")),
        ("--view 3 --out 3.png", phrase("Look at picture 3, with your passphrase")),
    ),
    "withdraw": (("3 --reason private", phrase("Picture 3 is destroyed; its time stays")),),
    "forget": (
        ("", phrase("Destroy what is older than the terms have it kept")),
        ("--everything", phrase("The engagement has ended: all of its pictures")),
    ),
    "declare": (
        (
            "--begin 2026-11-23T14:00 --end 2026-11-23T15:30 --memo 'call with the client'",
            phrase("An hour and a half that was not recorded; shown as declared late"),
        ),
    ),
    "label": (("billing --tag api", phrase("What the newest session was for")),),
    "prove": (
        ("--file draft.pdf", phrase("A file of now; only a commitment to it is sent")),
        ("--git .", phrase("The commit that is checked out in this folder")),
    ),
    "timesheet": (("--week 2026-W48", phrase("Sum up a week, sign it and send it")),),
    "export": (
        ("november.workseal", phrase("A bundle for your client; nothing private is opened")),
        (
            "november.workseal --open evidence --open activity",
            phrase("Its reader also sees what you labelled and proved, and input"),
        ),
    ),
    "export-all": (("everything", phrase("All that is yours, into a new folder")),),
    "attest": (
        (
            "2026.attestation --from 2026-01-01 --to 2026-11-30",
            phrase("Hours of these days for others to see, without your client's name"),
        ),
        (
            "2026.attestation --from 2026-01-01 --to 2026-11-30 --bundle november.workseal",
            phrase("The same as of a bundle that you kept, when the verifier is gone"),
        ),
    ),
    "case show": (("", phrase("Whose turn it is, and until when")),),
    "case openings": (
        (
            "77d0a1b2 --out openings",
            phrase("Figures of the hours that a request of level 1 was granted, and of no others"),
        ),
    ),
    "disclose": (
        ("request.cose --show 0,0,640,480", phrase("Show this part, after you agreed to it")),
        (
            "request.cose --show 0,0,640,480 --preview seen",
            phrase("With pictures of it in a folder, to look at before you answer"),
        ),
    ),
    "disclosures": (("", phrase("What was ever shown, of which picture, to whom")),),
    "trace": (("found.jpg", phrase("Whose copy this picture is")),),
    "backup": (
        ("home.backup", phrase("Everything, encrypted; recording may go on")),
        ("home.backup --unattended", phrase("The same without a question, for a job at night")),
    ),
    "recovery-key": (
        ("/media/stick/drawer.key", phrase("A file that you take away, and a line to write down")),
    ),
    "revoke-key": (
        ("--reason retired", phrase("After `stop` and `export`: nothing is exported later")),
    ),
    "restore": (("home.backup", phrase("On a new machine, into a folder that is not there yet")),),
    "slots add": (
        ("words", phrase("24 words for a sheet of paper, shown once")),
        (
            "keyring --recording-only",
            phrase("The system's keyring opens the key that signs, and no picture"),
        ),
    ),
    "vault check": (
        ("", phrase("Is every picture there; without a passphrase")),
        ("--depth pixels", phrase("Open each one and commit it again")),
    ),
    "witness": (("--name you.example/w1", phrase("A witness of your own, while you record")),),
}


def with_examples(command: Any, words: tuple[str, ...] = ()) -> Any:
    """Have the help of a command, and of those below it, end with its examples; returns it."""
    known = EXAMPLES.get(" ".join(words))
    if known is not None:
        command.format_epilog = lambda _context, formatter: _write(formatter, words, known)
    for name, below in getattr(command, "commands", {}).items():
        with_examples(below, (*words, name))
    return command


def _write(formatter: Any, words: tuple[str, ...], known: Any) -> None:
    with formatter.section(own(_HEADING)):
        for rest, what in known:
            # Whole, however long: it is to be copied.
            line = " ".join(filter(None, (PROGRAM, *words, rest)))
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            with formatter.indentation():
                formatter.write_text(own(what))
