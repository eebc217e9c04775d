#!/usr/bin/env python3
"""The whole story in a few minutes, with real commands, real keys and a real screen.

Freelancer, client, arbitrator and operator run in processes and folders of their own and meet over
HTTP on loopback and by handing over files. Nothing is staged but the work itself: typed text in
real windows on a virtual screen (or your own, or a recorded one; the demo says which).

    python3 dev.py demo [--out DIR] [--screen auto|xvfb|own|replay] [--quick] [--keep DIR]
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cheats import TAMPERINGS, tampered
from desktop import DesktopError
from parties import COMMANDS, PASSPHRASE, TERMS, CommandFailed, Freelancer, Operator, Party
from stages import Stage, choose_stage
from workseal_protocol.cli.folding import folded

ROUND_MS = 2_000
# Three rounds in four carry a capture, so that a short story has frames enough to choose from.
CAPTURE_RATE = 49_152
CANARY = "zanzibar-quartz-7741"
EXCLUDED_TITLE = "KeePassXC - vault"
EXCLUDED_WORD = "hunter2-orchid"


# As wide as the seconds in front of what is said.
_SET_IN = " " * 10


class Story:
    """Tell the story step by step and keep the figures for the summary."""

    def __init__(self, work: Path, *, pace: float) -> None:
        self.work = work
        self.pace = pace
        self.began = time.monotonic()
        self.facts: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        first, *rest = folded(text, shutil.get_terminal_size().columns - len(_SET_IN))
        print(f"[{time.monotonic() - self.began:5.0f} s] {first}", flush=True)
        self.show("\n".join(rest))

    def show(self, text: str) -> None:
        """Print what a command printed, set in; what is longer than the terminal goes on below."""
        for line in text.rstrip().splitlines():
            for piece in folded(line, shutil.get_terminal_size().columns - len(_SET_IN)):
                print(f"{_SET_IN}{piece}".rstrip(), flush=True)

    @contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        """Head one part of the story."""
        print(f"\n== {title}", flush=True)
        yield

    def work_for(self, stage: Stage, seconds: float, text: str) -> None:
        """Type for some seconds, showing how long is left."""
        end = time.monotonic() + seconds * self.pace
        while (left := end - time.monotonic()) > 0:
            if sys.stdout.isatty():
                print(f"\r          working, {left:3.0f} s left ", end="", flush=True)
            stage.type_text(text)
            time.sleep(min(1.0, max(0.0, left)))
        if sys.stdout.isatty():
            print("\r" + " " * 40 + "\r", end="", flush=True)


def main(arguments: list[str]) -> int:
    """Run the demo; 0 when every step of the story came out as told."""
    options = parse(arguments)
    _react(signal.default_int_handler)
    try:
        with ExitStack() as stack:
            if options.keep:
                work = Path(options.keep).resolve()
            else:
                made = tempfile.TemporaryDirectory(prefix="workseal-demo-")
                work = Path(stack.enter_context(made))
            story = Story(work, pace=0.34 if options.quick else 1.0)
            try:
                tell(story, stack, options)
            finally:
                _react(signal.SIG_IGN)  # what cleans up now is not broken off
    except (CommandFailed, DesktopError) as error:
        print(f"\nthe demo stopped: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nthe demo was broken off; all that it started is ended", file=sys.stderr)
    else:
        return 0
    return 1


def _react(how: Any) -> None:
    """Treat all ways of ending this process alike: nothing, least of all a recording, may stay."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, how)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="leave bundle, policy, picture and traffic here")
    parser.add_argument("--screen", choices=["auto", "xvfb", "own", "replay"], default="auto")
    parser.add_argument("--quick", action="store_true", help="a third of the working time")
    parser.add_argument(
        "--keep", type=Path, help="keep every party's folder here instead of a temporary one"
    )
    options = parser.parse_args(arguments)
    for folder in filter(None, (options.out, options.keep)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                parser.error(f"{folder} is not empty")
        except OSError as error:
            parser.error(f"{folder} cannot be used: {(error.strerror or 'it failed').lower()}")
    return options


def tell(story: Story, stack: ExitStack, options: argparse.Namespace) -> None:
    """Tell the four parties' story from the offer to the refused forgeries."""
    stage = stack.enter_context(choose_stage(options.screen))
    story.say(f"screen: {stage.description}")
    story.facts["screen"] = stage.kind
    operator = Operator(story.work / "operator", ROUND_MS)
    stack.callback(operator.kill)
    client = Party("client", story.work / "client")
    arbitrator = Party("arbitrator", story.work / "arbitrator")
    freelancer = Freelancer(story.work / "freelancer", stage.environment)
    stack.callback(stop_quietly, freelancer)
    with story.chapter("Before any work: keys, terms, a policy of the client's own"):
        agree(story, operator, client, arbitrator, freelancer)
    with story.chapter("Work: captured, committed, sealed on the freelancer's machine"):
        record(story, stage, operator, freelancer)
    with story.chapter("The client checks the hours, offline"):
        story.say("freelancer: exports a bundle, without one picture:")
        verify(story, client, freelancer, client.folder / "first.workseal")
    with story.chapter("A dispute: two frames, redacted, checked against what was committed"):
        disclose(story, operator, arbitrator, freelancer, client)
    with story.chapter("Four forgeries, each refused with its reason"):
        forge(story, operator, client, freelancer)
    finish(story, options, client, arbitrator, freelancer)


def agree(
    story: Story, operator: Operator, client: Party, arbitrator: Party, freelancer: Freelancer
) -> None:
    """Make everybody's keys, the client's offer, the freelancer's acceptance and the policy."""
    operator.serve()
    story.say(f"operator: verifier at {operator.url}, with a local time-stamp authority")
    client.run("workseal", "keygen", "client.key")
    arbitrator.run("workseal", "keygen", "arbitrator.key")
    freelancer.agent("init")
    keys = {
        "client": client.run("workseal", "keygen", "--show", "client.key").split()[0],
        "arbitrator": arbitrator.run("workseal", "keygen", "--show", "arbitrator.key").split()[0],
        "freelancer": freelancer.agent("status", "--public-key").split()[0],
    }
    lines = operator.policy_lines()
    policy = "workseal-policy v1\n"
    policy += "".join(f"party {role} {key}\n" for role, key in keys.items())
    (client.folder / "policy").write_text(policy + lines)
    terms = TERMS.format(round_ms=ROUND_MS, rate=CAPTURE_RATE)
    (client.folder / "terms.toml").write_text(terms)
    client.run(
        "workseal", "offer", "--terms", "terms.toml", "--policy", "policy",
        "--key", "client.key", "--out", "offer.cose",
    )  # fmt: skip
    shutil.copy(client.folder / "offer.cose", freelancer.folder / "offer.cose")
    story.say("freelancer: joins; the terms in plain language:")
    joined = freelancer.agent("join", "offer.cose", "--verifier", operator.url, "--yes")
    story.show(joined)


def record(story: Story, stage: Stage, operator: Operator, freelancer: Freelancer) -> None:
    """Work, with a pause, an off-screen stretch, a killed verifier and a withdrawn frame."""
    stage.open_windows("client report", CANARY, EXCLUDED_TITLE, EXCLUDED_WORD)
    freelancer.work(*stage.capture_options)
    story.say("freelancer: recording; one excluded window is masked before anything is hashed")
    story.work_for(stage, 30, "the quarterly report, part one. ")
    freelancer.agent("pause")
    story.say("freelancer: pauses; nothing is captured, the partial round counts")
    time.sleep(4)
    freelancer.agent("resume")
    story.work_for(stage, 20, "part two of the report. ")
    operator.kill()
    story.say("operator: the verifier is killed (SIGKILL); the freelancer goes on, offline")
    story.work_for(stage, 20, "part three, while nobody answers. ")
    unsent = freelancer.status()["unsent"]
    operator.serve()
    story.say(f"operator: started again; {unsent} statements were waiting on the freelancer's disk")
    freelancer.agent("mode", "off-screen", "--memo", "sketching the layout on paper")
    story.say("freelancer: off-screen work, declared with a memo (only its commitment is sent)")
    time.sleep(max(5.0, 12 * story.pace))
    freelancer.agent("mode", "working")
    story.work_for(stage, 28, "the last part. ")
    freelancer.agent("stop")
    frames = json.loads(freelancer.agent("frames", "--json"))
    withdrawn = frames[0]
    before = freelancer.status()["worked_ms_today"]
    freelancer.agent("withdraw", withdrawn["number"], "--reason", "private", "--yes")
    after = freelancer.wait_for(lambda s: s["unsent"] == 0, "the queue to empty")
    if after["worked_ms_today"] != before:
        raise CommandFailed("withdrawing a frame changed the worked time")
    story.say(f"freelancer: {len(frames)} frames; the first withdrawn: worked time unchanged")
    story.facts |= {"frames": len(frames), "unsent_while_down": unsent, "agent_status": after}


def verify(
    story: Story, client: Party, freelancer: Freelancer, bundle: Path, *opened: str
) -> dict[str, Any]:
    """Let the freelancer export and the client verify without any network."""
    story.show(freelancer.agent("export", bundle.name, *opened))
    shutil.copy(freelancer.folder / bundle.name, bundle)
    told = client.run("workseal", "verify", bundle, "--policy", "policy")
    # What follows the steps was told once: the hours are the same in a bundle that opens more.
    story.say("client: verifies it, without any network:")
    story.show(told.partition("\nEngagement ")[0] if opened else told)
    report: dict[str, Any] = json.loads(
        client.run("workseal", "verify", bundle, "--policy", "policy", "--json")
    )
    return report


def disclose(
    story: Story, operator: Operator, arbitrator: Party, freelancer: Freelancer, client: Party
) -> None:
    """Ask for two frames, reveal them redacted, check them on both sides."""
    shutil.copy(client.folder / "first.workseal", arbitrator.folder / "first.workseal")
    shutil.copy(client.folder / "policy", arbitrator.folder / "policy")
    kept = [f for f in json.loads(freelancer.agent("frames", "--json")) if f["state"] == "kept"]
    wanted = [kept[len(kept) // 3], kept[2 * len(kept) // 3]]
    chosen = [word for frame in wanted for word in ("--frame", frame["commitment"])]
    arbitrator.run(
        "workseal", "request", "--bundle", "first.workseal", *chosen,
        "--reason", "was the report being written in these minutes?",
        "--key", "arbitrator.key", "--case-key", "case.key", "--out", "request.cose",
    )  # fmt: skip
    shutil.copy(arbitrator.folder / "request.cose", freelancer.folder / "request.cose")
    story.say("arbitrator: asks for two frames, with a reason")
    left, top, width, height = story_window(wanted[0])
    printed = freelancer.agent(
        "disclose", "request.cose", "--show", f"{left},{top},{width},{height}", "--yes",
        "--unread",  # reading takes as long as the rest of the story
    )  # fmt: skip
    story.say("freelancer: reveals one region of each; the verifier checks the tiles in memory:")
    story.show(printed)
    fetch_sealed(operator, arbitrator)
    story.say("freelancer: lets the client see the same tiles, in a bundle that opens them:")
    bundle = client.folder / "bundle.workseal"
    verify(story, client, freelancer, bundle, "--open", "disclosures")
    shutil.copy(client.folder / "bundle.workseal", arbitrator.folder / "bundle.workseal")
    opened = arbitrator.run(
        "workseal", "open", "sealed.bin", "--request", "request.cose", "--case-key", "case.key",
        "--bundle", "bundle.workseal", "--policy", "policy", "--out", "opened",
    )  # fmt: skip
    story.say("arbitrator: unseals, checks each tile against the commitments, draws the pictures:")
    story.show(opened)


def story_window(frame: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return the region to reveal: the left half of the screen's upper part."""
    return 0, 0, frame["width"] // 2, frame["height"] // 2


def fetch_sealed(operator: Operator, arbitrator: Party) -> None:
    """Fetch the sealed package over HTTP; the arbitrator's key says who asks."""
    from workseal_protocol.statement import Statement  # noqa: PLC0415 - only this step needs it

    digest = Statement.parse((arbitrator.folder / "request.cose").read_bytes()).digest
    arbitrator.run(
        "workseal", "fetch", f"{operator.url}/v1/sealed/{digest}",
        "--key", "arbitrator.key", "--out", "sealed.bin",
    )  # fmt: skip


def forge(story: Story, operator: Operator, client: Party, freelancer: Freelancer) -> None:
    """Let a cheating freelancer, who has the real key, try four ways."""
    bundle = (client.folder / "bundle.workseal").read_bytes()
    refusals = {}
    for tampering in TAMPERINGS:
        name = tampering.__name__
        forged = tampered(tampering, bundle, freelancer.home, PASSPHRASE, operator.url)
        (client.folder / f"{name}.workseal").write_bytes(forged.bundle)
        report = json.loads(
            client.run(
                "workseal", "verify", f"{name}.workseal", "--policy", "policy", "--json", expect=1
            )
        )
        failed = next(step for step in report["steps"] if step["outcome"] == "fails")
        refusals[name] = {"step": failed["number"], "why": failed["why"], **forged.facts}
        story.say(f"{name.replace('_', ' ')}: refused, step {failed['number']}: {failed['why']}")
        if forged.facts:
            story.show(f"verifier: {forged.facts['problem']}")
    story.facts["refused"] = refusals


def finish(
    story: Story,
    options: argparse.Namespace,
    client: Party,
    arbitrator: Party,
    freelancer: Freelancer,
) -> None:
    """Write what `--out` asked for and close the story."""
    report = json.loads(
        client.run("workseal", "verify", "bundle.workseal", "--policy", "policy", "--json")
    )
    pictures = sorted((arbitrator.folder / "opened").glob("*.png"))
    story.facts |= {
        "holds": report["holds"],
        "statements": report["statements"],
        "totals": report["totals"],
        "disclosed_frames": len(pictures),
        "canary": CANARY,
        "masked_word": EXCLUDED_WORD,
        "seconds": round(time.monotonic() - story.began, 1),
    }
    if options.out:
        shutil.copy(client.folder / "bundle.workseal", options.out / "bundle.workseal")
        shutil.copy(client.folder / "policy", options.out / "policy")
        shutil.copy(pictures[0], options.out / "disclosure.png")
        shutil.copytree(freelancer.traffic, options.out / "traffic")
        (options.out / "summary.json").write_text(json.dumps(story.facts, indent=2) + "\n")
        story.say(f"left in {options.out}: bundle.workseal, policy, disclosure.png, traffic/")
        command = COMMANDS / "workseal"
        bundle, policy = options.out / "bundle.workseal", options.out / "policy"
        story.say("check it yourself:")
        print(f"{command} verify {bundle} --policy {policy}", flush=True)  # whole, to be copied
    story.say("done")


def stop_quietly(freelancer: Freelancer) -> None:
    """End a recording that an interrupted story left behind."""
    if freelancer.process is None or freelancer.process.poll() is not None:
        return
    freelancer.process.terminate()
    try:
        freelancer.process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        freelancer.process.kill()
        freelancer.process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
