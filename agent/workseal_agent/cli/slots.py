"""`slots`: the ways to open this home's keys, and how to add, remove and change them.

Rules: every change asks for the passphrase or recovery words, also where a keyring would do. Words
are shown once, and count only after their owner said that they are written down. What cannot be
done changes nothing.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home, read_passphrase
from workseal_agent.cli.printing import confirmed, say, secret_typed_twice, table
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.errors import AgentError, WrongPassphraseError
from workseal_agent.keyfile import change_file
from workseal_agent.keystore import (
    MAX_FILE_BYTES,
    SHORTEST_PASSPHRASE,
    Key,
    Keystore,
    Slot,
    SlotKind,
    random_secret,
)
from workseal_agent.language import Phrase, phrase
from workseal_agent.oskeyring import forget, keep
from workseal_agent.recoverywords import words_of

_NAMES = {
    SlotKind.PASSPHRASE: phrase("passphrase"),
    SlotKind.KEYRING: phrase("keyring of this system"),
    SlotKind.WORDS: phrase("recovery words"),
}
_COLUMNS = 4

slots = typer.Typer(
    name="slots",
    help="List the ways to open this home's keys; add, remove and change them.",
    no_args_is_help=True,
)
app.add_typer(slots)


class Kind(StrEnum):
    """Name what can be added beside the passphrase."""

    KEYRING = "keyring"
    WORDS = "words"


@slots.command("list")
def list_slots(context: typer.Context) -> None:
    """List the ways in; nothing is opened."""
    store = home_of(context).keystore
    table(
        ("slot", "way in", "opens"),
        [(str(one.number), _NAMES[one.kind], _opens(one)) for one in store.slots],
    )


@slots.command()
def add(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="words for a sheet of paper, or the keyring.")],
    *,
    recording_only: Annotated[
        bool, typer.Option("--recording-only", help="A keyring that cannot open the vault.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: the words are kept.")] = False,
) -> None:
    """Add recovery words, or the keyring of this system, as a way in."""
    home = home_of(context)
    if recording_only and kind is not Kind.KEYRING:
        raise UsageProblem("--recording-only is for the keyring: recovery words open both keys")
    keys = _both_keys(home)
    if kind is Kind.WORDS:
        _add_words(home, keys, sure=yes)
    else:
        _add_keyring(home, {Key.SIGNING: keys[Key.SIGNING]} if recording_only else keys)


@slots.command()
def remove(
    context: typer.Context,
    slot: Annotated[int, typer.Argument(help="Its number in the list.")],
) -> None:
    """Remove a way in, after another one was shown to open both keys."""
    home = home_of(context)
    left = home.keystore.without(slot)
    try:
        for key in Key:
            left.unlock(key, home.passphrase())
    except WrongPassphraseError as error:
        raise AgentError(
            phrase(
                "slot {slot} is not removed: type what opens one of the others (a passphrase"
                " or recovery words), to show that you have it",
                slot=slot,
            )
        ) from error
    removed = _one(home.keystore, slot)
    _change(home, lambda store: store.without(slot))
    _forget(removed)
    say(
        phrase(
            "slot {number} ({kind}) opens this file no more", number=slot, kind=_NAMES[removed.kind]
        )
    )
    say("a copy of the key file that was made before still opens with it: replace your copies")


@slots.command()
def passphrase(
    context: typer.Context,
    *,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(help="Read the new passphrase from the first line of this file."),
    ] = None,
) -> None:
    """Change the passphrase; the one before, or recovery words, are asked for first."""
    home = home_of(context)
    keys = _both_keys(home)
    new = (
        secret_typed_twice("New passphrase: ")
        if new_passphrase_file is None
        else read_passphrase(new_passphrase_file)
    )
    if len(new) < SHORTEST_PASSPHRASE:
        raise UsageProblem(
            phrase("a passphrase has at least {least} characters", least=SHORTEST_PASSPHRASE)
        )
    _change(home, lambda store: store.with_passphrase(keys, new))
    say("the passphrase is changed; the one before opens this file no more")
    say("a copy of the key file that was made before still opens with it: replace your copies")


def _add_words(home: Home, keys: dict[Key, bytes], *, sure: bool) -> None:
    secret = random_secret()
    words = words_of(secret)
    say("Write these words on paper, in this order. They open everything, and are shown once:")
    say()
    for at in range(0, len(words), _COLUMNS):
        row = enumerate(words[at : at + _COLUMNS], at + 1)
        say("  " + "  ".join(f"{place:>2} {word:<8}" for place, word in row))
    say()
    if not sure and not confirmed("Are they written down?"):
        raise AgentError("nothing was changed: these words open nothing")
    store = _change(
        home, lambda one: one.with_secret(SlotKind.WORDS, keys, dict.fromkeys(keys, secret))
    )
    say(
        phrase(
            "slot {number}: type the words wherever the passphrase is asked for",
            number=store.slots[-1].number,
        )
    )


def _add_keyring(home: Home, keys: dict[Key, bytes]) -> None:
    secret = {key: random_secret() for key in keys}
    before = home.keystore.slot(SlotKind.KEYRING)
    kept: list[str] = []

    def change(store: Keystore) -> Keystore:
        changed = store.with_secret(SlotKind.KEYRING, keys, secret)
        # Kept before the file names them: a slot whose secret is nowhere would open nothing.
        for key, box in changed.slots[-1].boxes.items():
            kept.append(box.salt.hex())
            keep(kept[-1], secret[key])
        return changed

    try:
        store = _change(home, change)
    except BaseException:
        for name in kept:
            forget(name)
        raise
    if before is not None:
        _forget(before)
    say(
        phrase(
            "slot {number}: this system's keyring opens {opens}",
            number=store.slots[-1].number,
            opens=_opens(store.slots[-1]),
        )
    )
    say("whoever is logged in as you on this machine, with the keyring unlocked, opens it too")


def _both_keys(home: Home) -> dict[Key, bytes]:
    return {key: home.keystore.unlock(key, home.passphrase()) for key in Key}


def _change(home: Home, change: Callable[[Keystore], Keystore]) -> Keystore:
    """Change the file as it is now, in one step."""
    made: list[Keystore] = []

    def rewrite(data: bytes) -> bytes:
        store = change(Keystore.parse(data).upgraded(home.passphrase()))
        made.append(store)
        return store.encode()

    change_file(home.files.keys_file, MAX_FILE_BYTES, rewrite)
    return made[-1]


def _forget(slot: Slot) -> None:
    if slot.kind is SlotKind.KEYRING:
        for box in slot.boxes.values():
            forget(box.salt.hex())


def _one(store: Keystore, number: int) -> Slot:
    return next(slot for slot in store.slots if slot.number == number)


def _opens(slot: Slot) -> Phrase:
    return phrase("recording and the vault") if slot.whole else phrase("recording alone")
