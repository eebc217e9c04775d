"""Every command: where it is, and the sentence that the overview tells of it, as a day meets them.

Rule: what is called is loaded, and nothing beside it: all of them together take most of a second of
a processor. A test compares the sentences with what each command says of itself.
"""

import sys
from importlib import import_module
from typing import Final, NamedTuple

from workseal_agent.language import Phrase, phrase


class Place(NamedTuple):
    """Hold the modules that a command is made by, and its sentence."""

    modules: tuple[str, ...]
    sentence: Phrase


_RECORDING = ("recording",)

GROUPS: Final[tuple[tuple[Phrase, dict[str, Place]], ...]] = (
    (
        phrase("To begin"),
        {
            "init": Place(
                ("setup",), phrase("Make keys, an empty vault and a settings file in a new home.")
            ),
            "join": Place(
                ("setup",),
                phrase("Read a client's offer, show its terms in plain language, and accept it."),
            ),
            "doctor": Place(
                ("doctor",),
                phrase("Examine what recording needs; nothing is recorded, kept or changed."),
            ),
            "open": Place(
                ("opening",),
                phrase(
                    "Show your day, your pictures and what left this machine, in your own browser."
                ),
            ),
            "autostart": Place(
                ("autostart",),
                phrase("Be ready when you log in, paused; nothing is recorded before you say so."),
            ),
            "tray": Place(
                ("tray",),
                phrase(
                    "Show an icon in your panel: what is recorded; pause, resume, seal and stop in"
                    " its menu."
                ),
            ),
        },
    ),
    (
        phrase("While you work"),
        {
            "start": Place(_RECORDING, phrase("Begin to record the engagement's work.")),
            "status": Place(
                ("status",),
                phrase(
                    "Show what is recorded now, today's worked time, and what is still to be sent."
                ),
            ),
            "pause": Place(
                _RECORDING,
                phrase("Stop counting at this moment; nothing is captured while paused."),
            ),
            "resume": Place(_RECORDING, phrase("Count on.")),
            "mode": Place(
                _RECORDING,
                phrase(
                    "Change the kind of work; sealed keeps time, and neither pictures nor counts."
                ),
            ),
            "seal": Place(
                _RECORDING,
                phrase(
                    "Seal at once, or if you are sealed, go on: one command for a key of your"
                    " desktop."
                ),
            ),
            "stop": Place(_RECORDING, phrase("End the session and the recording process.")),
        },
    ),
    (
        phrase("What you did"),
        {
            "label": Place(
                ("proving",),
                phrase(
                    "Say for which project time was; a claim of yours, opened only when you wish."
                ),
            ),
            "prove": Place(
                ("proving",),
                phrase(
                    "Put commits, files or a text into the chain; only a commitment to each is"
                    " sent."
                ),
            ),
            "declare": Place(
                ("evidence",),
                phrase("Declare work that was not recorded; it is shown as declared late."),
            ),
            "evidence": Place(("proving",), phrase("List what you proved and labelled.")),
            "timesheet": Place(
                ("timesheets",),
                phrase("Sum up some days from the log, sign that, and send it to your client."),
            ),
            "timesheets": Place(
                ("timesheets",), phrase("List your timesheets, and what your client answered.")
            ),
        },
    ),
    (
        phrase("Your pictures"),
        {
            "frames": Place(
                ("frames",),
                phrase(
                    "List the frames: when they were taken and what committed to them; look at"
                    " one; check all."
                ),
            ),
            "withdraw": Place(
                ("evidence",), phrase("Destroy a frame's picture for ever; its time stays.")
            ),
            "forget": Place(
                ("forgetting",),
                phrase("Destroy the frames whose days are over; their time stays."),
            ),
            "vault": Place(("vault",), phrase("Check the vault against the ledger.")),
            "tags": Place(
                ("tagging",),
                phrase(
                    "Write a keyed tag for each frame: equal tags, equal outlines, and no picture"
                    " in them."
                ),
            ),
        },
    ),
    (
        phrase("For others to see"),
        {
            "export": Place(
                ("bundle",),
                phrase(
                    "Write a bundle that anybody can verify without this machine and without the"
                    " verifier."
                ),
            ),
            "attest": Place(
                ("attesting",),
                phrase("Attest the hours of some days to others; your client is not named."),
            ),
            "keys": Place(
                ("keys",),
                phrase(
                    "Show the parties' keys as the verifier tells them: a change is seen here"
                    " before it reads."
                ),
            ),
            "send": Place(_RECORDING, phrase("Send what is unsent now, parked statements too.")),
            "copy": Place(
                ("copying",),
                phrase(
                    "Copy what the log had of you before, so that its operator can rebuild what"
                    " was lost."
                ),
            ),
            "witness": Place(
                ("witness",),
                phrase(
                    "Cosign the log's checkpoints while you record, so that it cannot show two"
                    " histories."
                ),
            ),
        },
    ),
    (
        phrase("In a dispute"),
        {
            "case": Place(
                ("casework", "casechecking", "caseopening"),
                phrase("A dispute: show it, file one, and act in it."),
            ),
            "contact": Place(
                ("contact",),
                phrase("Say where you are told of cases, or show it: '' takes an address away."),
            ),
            "sign-in": Place(
                ("contact",),
                phrase(
                    "Print a link that signs your browser in at the verifier, once and within"
                    " minutes."
                ),
            ),
            "disclose": Place(
                ("disclosing",),
                phrase(
                    "Answer an arbitrator's request with chosen tiles; everything else stays"
                    " hidden."
                ),
            ),
            "disclosures": Place(
                ("reveals",),
                phrase("List what was ever shown to whom, also of frames that are withdrawn."),
            ),
            "trace": Place(
                ("reveals",),
                phrase(
                    "Say for whom a picture was marked, of those to whom something was ever shown."
                ),
            ),
        },
    ),
    (
        phrase("Keys and copies"),
        {
            "slots": Place(
                ("slots",),
                phrase("List the ways to open this home's keys; add, remove and change them."),
            ),
            "recovery-key": Place(
                ("ownkeys",),
                phrase("Name the key that can end yours when this machine is lost or stolen."),
            ),
            "revoke-key": Place(
                ("ownkeys",),
                phrase(
                    "End your own key, as the last thing; where it is lost, `workseal revoke-key`"
                    " does it."
                ),
            ),
            "backup": Place(
                ("backup",),
                phrase(
                    "Write everything of this home into one encrypted file; recording may go on."
                ),
            ),
            "restore": Place(
                ("backup",),
                phrase(
                    "Make a home from a backup, check it, and ask the verifier how far its chain"
                    " got."
                ),
            ),
            "catch-up": Place(
                ("backup",),
                phrase(
                    "Learn from the verifier what was signed after the backup that this home was"
                    " made from."
                ),
            ),
            "export-all": Place(
                ("exporting",),
                phrase(
                    "Write every picture, statement, time and memo of this home, decrypted, for"
                    " yourself."
                ),
            ),
        },
    ),
)
_PACKAGE: Final = "workseal_agent.cli"
# What no person types.
_HIDDEN = {"begin-at-login": ("autostart",)}
_MODULES = {name: place.modules for _, group in GROUPS for name, place in group.items()} | _HIDDEN


def is_loaded(name: str) -> bool:
    """Tell whether every module that makes a command is loaded."""
    return all(f"{_PACKAGE}.{module}" in sys.modules for module in _MODULES.get(name, ()))


def load(name: str) -> None:
    """Load the command of that name, or every one where there is none: something is near it."""
    known = _MODULES.get(name)
    if known is None:
        load_all()
    else:
        _load(known)


def load_all() -> None:
    """Load every command, for who reads all of them."""
    for modules in _MODULES.values():
        _load(modules)


def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(f"{_PACKAGE}.{module}")
