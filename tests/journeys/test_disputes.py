"""The guide to disputes as it stands: its own commands, in their order, each by whom it is for.

What a reader puts in place of a number, and what others do between two lines, is below, and nothing
else. Another line in the text, or one that ends in anything but 0, fails the test.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cache, cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest

from parties import free_port
from support.agreed import today, yesterday
from support.asking import SignedBy
from support.litigants import ARBITRATORS, DAY_S, HOUR_S, ROUND_MS, Litigants, ended
from support.postal import PostOffice, https, make_certificate, post_office
from support.shifted import Served, served
from workseal_agent import keyslot
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_protocol.cli.acting import command
from workseal_protocol.cli.inputs import read_bundle
from workseal_protocol.cli.seeds import read_case_key, read_signer
from workseal_protocol.encoding import split_sequence
from workseal_protocol.statement import Kind

from .conftest import ROOT

pytestmark = pytest.mark.journey

GUIDE = ROOT / "docs" / "disputes.md"
FENCE = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"`((?:workseal|workseal-agent|sha256sum) [^`\n]+)`")
CLIENTS = ("workseal case export", "workseal case verify", "workseal case send signed")
SETTINGS = """
url = "{url}"
cases_interval_s = 1
outbox_interval_s = 1
lapse_grace_s = 1
webhooks = true
webhooks_private = true
webhooks_roots = "{roots}"
[smtp]
host = "localhost"
port = {port}
tls = "none"
sender = "notices@verifier.example"
"""
SAID = ("--verdict", "in-part", "--amount", "120.00", "--text", "half of it was work", "--cite")
SOONER = ("moved on", "nobody is to be drawn now", "not drawn yet")


def lines_of(text: str) -> Iterator[str]:
    """Give every command of the text in order, in blocks and between backquotes."""
    found = [
        (match.start() + match[0].index(line), line)
        for match in FENCE.finditer(text)
        for line in match[1].splitlines()
    ]
    # Names of commands are no commands: what is typed has something to act on.
    bare = FENCE.sub(lambda match: " " * len(match[0]), text)
    found += [
        (match.start(), match[1])
        for match in TYPED.finditer(bare)
        if " --" in match[1] or match[1].startswith("sha256sum")
    ]
    return (line for _, line in sorted(found))


class Story:
    """Do what the others do, before and after each line."""

    def __init__(self, people: Litigants, post: PostOffice, hooked: list[dict[str, Any]]) -> None:
        self.people, self.post, self.hooked = people, post, hooked
        # What stands in the text for a number, by its first letters there.
        self.words: dict[str, str] = {}
        self.unpaid = self.answered = self.appealed = ""
        self.key: tuple[bytes, ...] = ()

    @cached_property
    def days(self) -> tuple[date, date]:
        """Return the days of the recorded work, from when it is first asked for: time moves on."""
        return yesterday(), today()

    @property
    def here(self) -> Path:
        return self.people.folder

    def read(self, line: str) -> str:
        """Put in what the reader knows by now."""
        known = {
            "https://log.example": self.people.url,
            "00112233445566778899aabbccddeeff": self.words["engagement"],
            "2026-11-02": str(self.days[0]),
            "2026-11-06": str(self.days[1]),
            "77d0….key": f"{self.people.case}.key",
            "77d0a1b2": self.people.case[:8],
            "1fda…": self.words.get("digest", ""),
        }
        for word, meant in known.items():
            line = line.replace(word, meant)
        return line

    def do(self, line: str, prefix: str, before: str, after: str) -> None:
        """Type one line in the folder of whom it is for."""
        assert line.startswith(prefix)
        if before:
            getattr(self, before)()
        if line.startswith("workseal-agent"):
            where = "freelancer"
        else:
            where = "client" if "client.key" in line or line.startswith(CLIENTS) else "arbitrator"
        typed = self.read(line)
        if " disclose " in line:
            # What reading finds, and asks about, is told by test_tutorial.py.
            typed += " --unread"
        done = self.people.type(where, typed)
        drawn = re.search(r" act (draw|sample) ", line)
        if drawn is None:
            ended(done)
        else:
            self.drawn(done.code, done.err, drawn[1])
        self.printed = done.out
        if after:
            getattr(self, after)()

    def drawn(self, code: int, complaint: str, act: str) -> None:
        """See that it is drawn, by whoever wrote it down: the operator does by itself."""
        assert code == 0 or any(one in complaint for one in SOONER), complaint
        assert self.people.moves[-1] == act

    # --- a case that is withdrawn, before all ---

    def another(self) -> None:
        """File, tell the client by mail and webhook, give them longer, and have it to look at."""
        people = self.people
        self.words["engagement"] = json.loads(people.agent("status", "--json"))["engagement"]
        self.reached()
        people.case = people.agent(
            "case", "file", "other", "--begin", self.days[0], "--end", self.days[1],
            "--amount", "1.00", "--text", "a misunderstanding", "--yes",
        ).split()[-1]  # fmt: skip
        # By two channels, so it is delivered: the operator's key says so.
        people.in_state("answer")
        assert people.moves == ["filing", "notice"]
        people.wait_for(lambda: len(self.hooked) == 2)
        assert [one["kind"] for one in self.hooked] == ["step", "turn"]
        assert {one["case"] for one in self.hooked} == {people.case}
        until = people.show()["until"]
        people.act("client", "extend")
        assert people.show()["until"] > until
        again = people.tried("client", "extend")
        assert (again.code, "one extension" in again.err) == (1, True)

    def reached(self) -> None:
        """Let the client give an address and a webhook, and confirm the address."""
        people = self.people
        signer = read_signer(self.here / "client" / "client.key")
        signed = SignedBy(signer, lambda: people.served.shift.now_ms)
        contact = {
            "mail": "client@client.example", "webhook": self.words["webhook"],
            "zone": "Europe/Berlin", "digest": False,
        }  # fmt: skip
        with httpx.Client(base_url=people.url, auth=signed) as asking:
            assert asking.put("/v1/contact", json=contact).status_code == 204
            people.wait_for(lambda: len(self.post.mails) == 1)
            (link,) = re.findall(r"\S+/confirm/\S+", self.post.mails[0].get_content())
            assert httpx.post(link).status_code == 200
            assert asking.get("/v1/contact").json()["confirmed"] is True

    def withdrawn(self) -> None:
        self.people.act("freelancer", "withdraw", "--text", "it is cleared up")
        assert self.people.show()["state"] == "withdrawn"

    # --- the case ---

    def filed(self) -> None:
        self.people.case = self.printed.split()[-1]

    def talked(self) -> None:
        self.people.pass_s(70)

    def seated(self) -> None:
        """Strike the first who was drawn, have the second find a conflict, and take the third."""
        people = self.people
        people.act("client", "strike", "--text", "we know each other")
        again = people.tried("client", "strike")
        assert again.code == 1
        self.redrawn()
        people.act(self.drawn_key(), "recuse", "--text", "I have worked for the client")
        self.redrawn()
        arbitrators = self.here / "arbitrator"
        (arbitrators / f"{self.drawn_key()}.key").rename(arbitrators / "arbitrator.key")

    def redrawn(self) -> None:
        before = self.people.moves.count("draw")
        self.people.pass_s(70)
        done = self.people.tried("freelancer", "draw")
        self.drawn(done.code, done.err, "draw")
        assert self.people.moves.count("draw") == before + 1

    def drawn_key(self) -> str:
        """Name the key file of who was drawn."""
        drawn = self.people.show()["arbitrator"]
        for who in ARBITRATORS:
            file = self.here / "arbitrator" / f"{who}.key"
            if file.exists() and str(read_signer(file).public_key.thumbprint) == drawn:
                return who
        raise AssertionError("nobody's key was drawn")

    def unpaid_filed(self) -> None:
        self.unpaid = self.printed.split()[-1]

    def objected(self) -> None:
        self.people.act("client", "object", "--ground", "too-wide", "--text", "ten would tell")
        self.people.act("freelancer", "pass")

    def openings_written(self) -> None:
        opened = (self.here / "freelancer" / "openings").read_bytes()
        assert 0 < len(split_sequence(opened, max_items=200)) <= 100

    def handed_over(self) -> None:
        self.carry("openings.salted", "freelancer", "arbitrator")
        self.words["opened"] = self.people.newest("show")

    def compared(self) -> None:
        data = (self.here / "arbitrator" / "openings.salted").read_bytes()
        digest = sha256(data).hexdigest()
        assert self.printed.split()[0] == digest
        assert digest in [one["handed_over"] for one in self.people.show()["statements"]]

    def counted(self) -> None:
        """See how many of the segments of these hours were opened."""
        found = re.search(r"activity is opened of ([0-9]+) of the ([0-9]+) segments", self.printed)
        assert found is not None
        opened = (self.here / "freelancer" / "openings").read_bytes()
        assert int(found[1]) == len(split_sequence(opened, max_items=200)) <= int(found[2])

    def bundle(self) -> None:
        """Let the freelancer hand out what is the case now."""
        made = self.here / "freelancer" / "exported.workseal"
        made.unlink(missing_ok=True)
        self.people.agent("export", made)
        for where in ("arbitrator", "client"):
            shutil.copyfile(made, self.here / where / "work.workseal")

    def frames_asked(self) -> None:
        self.ask(2, 2)

    def ask(self, level: int, count: int) -> None:
        self.people.act(
            "arbitrator", "ask", "--level", level, "--count", count,
            "--begin", self.days[0], "--end", self.days[1],
            "--text", "was there work", "--why", "what is known does not tell",
        )  # fmt: skip

    def granted(self, level: int, count: int) -> None:
        self.ask(level, count)
        self.people.both("pass")
        self.people.act("arbitrator", "rule", "--ruling", "grant", "--text", "it is needed")

    def committed(self) -> None:
        for who in ("client", "arbitrator"):
            self.people.act(who, "commit")
        self.people.both("pass")
        self.people.act("arbitrator", "rule", "--ruling", "grant", "--text", "what was seen")

    def revealed(self) -> None:
        for who in ("client", "arbitrator"):
            self.people.act(who, "reveal")
        self.people.pass_s(22 * HOUR_S + 10)

    def requested(self) -> None:
        self.words["digest"] = self.people.show()["request"]

    def disclosed(self) -> None:
        self.people.act("client", "comment", "--text", "I see no report")
        self.bundle()

    def opened(self) -> None:
        assert "each is marked for" in self.printed
        self.leaked()
        written = self.key_file.read_bytes()
        # As it is written, and as it is.
        self.key = (written.split(b":")[1].strip(), read_case_key(self.key_file))
        assert self.holding(self.key[0]) == [self.key_file]

    def leaked(self) -> None:
        """Find out for whom a picture was drawn of which a part came back, written anew."""
        drawn, *_ = (self.here / "arbitrator" / "pictures").glob("*.png")
        picture = cv2.imread(str(drawn))
        assert picture is not None
        part = picture[30:430, 20:620]
        cv2.imwrite(str(self.here / "part.jpg"), part, [cv2.IMWRITE_JPEG_QUALITY, 70])
        arbitrator = read_signer(self.here / "arbitrator" / "arbitrator.key").public_key.thumbprint
        told = self.people.agent("trace", self.here / "part.jpg")
        assert f"marked for {arbitrator}" in told

    @property
    def key_file(self) -> Path:
        folder = self.here / "arbitrator" / "arbitrator.key.cases"
        return folder / f"{self.people.case}.key"

    # --- sealed only ---

    def sealed_only(self) -> None:
        """Show more of the drawn frames, to the arbitrator alone; the answer gets lost."""
        people = self.people
        self.granted(3, 2)
        people.act("arbitrator", "request", "--text", "more of the same frames")
        # At level 3 half of a frame: all of it is refused before anything is signed.
        wide = self.disclose("more.cose", 9999)
        assert (wide.code, "level 3 of the ladder has 500 at most" in wide.err) == (1, True), wide
        with lost_answer():
            failed = self.disclose("more.cose", 640)
        assert (failed.code, "may be run again" in failed.err) == (1, True)
        self.words["digest"] = self.answered = people.newest("disclosure")

    def disclose(self, request: str, width: int) -> Any:
        asked = self.here / "freelancer" / request
        if not asked.exists():
            self.people.agent("case", "show", self.people.case, "--request", request)
        line = f"workseal-agent disclose {request} --show 0,0,{width},9999 --unread --sealed-only"
        return self.people.type("freelancer", f"{line} --yes")

    def sealed_again(self) -> None:
        assert "what you signed before is logged" in ended(self.disclose("more.cose", 640))
        assert self.people.newest("disclosure") == self.answered

    def checked(self) -> None:
        """Take back what was shown by mistake, refuse once, and show one frame whole."""
        people = self.people
        assert "holds" in self.printed
        assert people.moves[-1] == "finding"
        people.act("client", "comment", "--text", "these are no pages of a report")
        people.act("freelancer", "claw-back", "--cite", self.answered, "--text", "an error")
        self.granted(4, 1)
        frame = json.loads(people.agent("frames", "--json"))[0]["commitment"][:16]
        people.act("arbitrator", "request", "--text", "this one", "--frame", frame)
        people.act("freelancer", "withhold", "--ground", "third-party-nda", "--text", "another's")
        people.act("client", "pass")
        # Nothing is lost by it: the case is where it was, and a reason may be asked for again.
        assert people.show()["state"] == "evidence"
        self.granted(4, 1)
        people.act("arbitrator", "request", "--text", "this one, please", "--frame", frame)
        early = self.disclose("whole.cose", 9999)
        assert (early.code, "does not take a disclosure now" in early.err) == (1, True)
        people.act("freelancer", "approve")
        assert "the verifier got no tile" in ended(self.disclose("whole.cose", 9999))
        people.act("client", "comment", "--text", "this one shows the report")
        barred = people.tried("arbitrator", "draft", *SAID, self.answered)
        assert (barred.code, "disclosed by mistake" in barred.err) == (1, True), barred.err
        self.words["digest"] = people.case

    def drafted(self) -> None:
        """Have the frame checked after the draft, beside the case; then both last words."""
        people = self.people
        before = people.moves
        told = people.agent("case", "check", people.case, "--yes")
        assert "holds" in told
        assert "the operator's finding is in the log" in told
        assert people.moves == before
        people.act("client", "comment", "--text", "my last word: too much")
        people.act("freelancer", "comment", "--text", "my last word: too little")

    def appealed_to(self) -> None:
        """Let another person decide, after the parties' comments."""
        people = self.people
        self.redrawn()
        self.appealed = other = self.drawn_key()
        people.act(other, "declare", "--text", "no ties", "--calendar", "DE")
        people.both("pass")
        assert people.show()["state"] == "review"
        people.act("client", "comment", "--text", "as I said")
        people.act("freelancer", "pass")
        people.act(other, "decide", *SAID, people.case)
        assert people.show()["state"] == "final"

    def all_carried(self) -> None:
        self.bundle()
        for name in ("sealed", "openings.salted"):
            self.carry(name, "arbitrator", "client")

    def carry(self, name: str, source: str, target: str) -> None:
        shutil.copyfile(self.here / source / name, self.here / target / name)

    # --- the case of an unpaid freelancer, by a key on another machine and by silence ---

    def opened_on_the_page(self) -> None:
        """Let the client read what they were told, answer, and hear an offer."""
        people = self.people
        people.case = self.unpaid
        client = self.here / "client"
        signed = SignedBy(read_signer(client / "client.key"), lambda: people.served.shift.now_ms)
        assert people.show()["state"] == "answer"
        with httpx.Client(base_url=people.url, auth=signed) as asking:
            told = asking.get("/v1/notices").json()["notices"]
        assert {"turn", "step"} <= {one["kind"] for one in told if one["case"] == people.case}
        people.act("client", "answer", "--text", "the invoice never came")
        people.act("freelancer", "offer", "--text", "half of it", "--amount", "240.00")
        (client / "case.cbor").rename(client / "decided.cbor")
        bundle = read_bundle(client / "work.workseal")
        (accepted,) = [one for one in bundle.contents.statements if one.kind == Kind.ACCEPTANCE]
        (client / "acceptance.cose").write_bytes(accepted.encode())

    def silence(self) -> None:
        """Draw; who was drawn says nothing, and another one is; then the client agrees."""
        people = self.people
        assert people.show()["state"] == "draw"
        self.redrawn()
        first = people.show()["arbitrator"]
        assert people.lapse() == "draw"
        # Nobody reminded the client of a person who had declared nothing: no word was due yet.
        assert "eve" not in [one["kind"] for one in self.hooked if one["case"] == people.case]
        self.redrawn()
        assert people.show()["arbitrator"] != first
        # What was signed for elsewhere is settled first, and said.
        (offer,) = people.show()["offers"]
        told = people.tried("client", "accept", "--cite", offer["offer"])
        assert (told.code, "that was your end from before" in told.out) == (1, True)
        read = people.act("client", "accept", "--cite", offer["offer"])
        assert "it accepts 240.00 EUR, the offer of the freelancer" in read
        assert people.show()["state"] == "settled"
        assert people.show()["ended"]["amount"] == offer["amount"]
        # By mail as well, and each to the one address that was confirmed.
        assert set(self.post.receivers) == {"client@client.example"}
        assert len(self.post.mails) > 3

    # --- the end ---

    def backed_up(self) -> None:
        """Copy what everybody has; what an arbitrator has, the text's own line copies."""
        for where in ("client", "freelancer", "verifier", "home"):
            shutil.copytree(
                self.here / where, self.here / "backup" / where,
                ignore=lambda folder, names: [
                    one for one in names if (Path(folder) / one).is_socket()
                ],
            )  # fmt: skip

    def much_later(self) -> None:
        people = self.people
        people.case = self.words["decided"]
        # Until then a key is not destroyed by who sits.
        early = people.tried(self.appealed, "destroy")
        assert (early.code, "nothing was destroyed" in early.err) == (1, True)
        people.pass_s(31 * DAY_S)
        people.in_state("sealed")
        people.pass_s(181 * DAY_S)

    def decided(self) -> None:
        self.words["decided"] = self.people.case

    def gone(self) -> None:
        """See that it is all over, and that nothing that is stored opens what was sealed."""
        people = self.people
        assert "copies are not: remove backups" in self.printed
        assert not self.key_file.exists()
        people.act(self.appealed, "destroy")
        people.in_state("purged")
        assert sorted(people.moves[-3:]) == ["destroy", "destroy", "lapse"]
        assert [self.holding(one) for one in self.key] == [[], []]
        sealed = (self.here / "arbitrator" / "sealed").read_bytes()
        # Who fetched the package has it, and nothing that opens it; the verifier never stored it.
        kept = [self.here / one / "sealed" for one in ("arbitrator", "client")]
        found = {path for path in self.holding(sealed[:256]) if "folder" not in path.parts}
        assert set(kept) == {path for path in found if "backup" not in path.parts}
        assert not [path for path in found if "verifier" in path.parts]
        fetch = f"workseal fetch {people.url}/v1/sealed/{self.words['sealed']} --key arbitrator.key"
        refused = people.type("arbitrator", f"{fetch} --out again")
        assert refused.code == 1, refused.err

    def holding(self, part: bytes) -> list[Path]:
        """List the files, backups among them, that hold some bytes."""
        files = [path for path in self.here.rglob("*") if path.is_file()]
        return [path for path in files if part in path.read_bytes()]

    def fetched(self) -> None:
        self.words["sealed"] = self.words["digest"]


# Each command of the text by its beginning, with what others do before and after it.
STORY = (
    ("workseal case list", "another", ""),
    ("workseal case show", "", ""),
    ("workseal-agent case show", "", "withdrawn"),
    ("workseal case file not-worked", "", "filed"),
    ("workseal-agent case act answer", "", ""),
    ("workseal case act offer", "", ""),
    ("workseal case act end", "", "talked"),
    ("workseal-agent case act draw", "", "seated"),
    ("workseal case act declare", "", ""),
    ("workseal case act pass", "", ""),
    ("workseal-agent case act pass", "", ""),
    ("workseal-agent case file not-paid", "", "unpaid_filed"),
    ("workseal case act ask", "", "objected"),
    ("workseal case act rule", "", ""),
    ("workseal-agent case openings", "", "openings_written"),
    ("workseal-agent case act show", "", "handed_over"),
    ("workseal case act comment", "", ""),
    ("sha256sum", "", "compared"),
    ("head -c -16", "", "bundle"),
    ("workseal case show", "", ""),
    ("workseal case checks", "", ""),
    ("workseal case show", "", "counted"),
    ("workseal-agent export", "", ""),
    ("workseal-agent case act commit", "frames_asked", "committed"),
    ("workseal-agent case act reveal", "", "revealed"),
    ("workseal case act sample", "", ""),
    ("workseal case act request", "", "requested"),
    ("workseal-agent case show", "", ""),
    ("workseal-agent disclose", "", "disclosed"),
    ("workseal case show", "", ""),
    ("workseal fetch", "", "fetched"),
    ("workseal open", "", "opened"),
    ("workseal case show", "", ""),
    ("workseal open", "", ""),
    ("workseal case send finding", "", ""),
    ("workseal case act unreadable", "sealed_only", "sealed_again"),
    ("workseal-agent case check", "", "checked"),
    ("workseal case act draft", "", "drafted"),
    ("workseal case act decide", "", ""),
    ("workseal case act appeal", "", "appealed_to"),
    ("workseal case show", "", ""),
    ("workseal case export", "all_carried", ""),
    ("workseal case verify", "", "decided"),
    ("workseal case show", "opened_on_the_page", ""),
    ("workseal case act end", "", ""),
    ("workseal case send signed", "", "silence"),
    ("tar", "backed_up", "much_later"),
    ("workseal case act destroy", "", "gone"),
)


@contextmanager
def lost_answer() -> Iterator[None]:
    """Let the verifier take a disclosure that goes sealed only, and its answer get lost."""
    true = VerifierClient.submit

    def submit(client: VerifierClient, *words: Any, **named: Any) -> Any:
        true(client, *words, **named)
        raise UnreachableError("the test lost the answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VerifierClient, "submit", submit)
        yield


@pytest.fixture
def story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Story]:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a passphrase for tests")
    # One passphrase, typed for some sixty commands: it is stretched once.
    monkeypatch.setattr(keyslot, "_wrapping_key", cache(keyslot._wrapping_key))
    monkeypatch.setenv("WORKSEAL_AGENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DISPLAY", raising=False)
    certificate = make_certificate(tmp_path)
    hooked: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            hooked.append(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ExitStack() as stack:
        post = stack.enter_context(post_office(None))
        hook = stack.enter_context(https(Hook, certificate))
        port = free_port()

        def settle(home: Path) -> None:
            lines = SETTINGS.format(
                url=f"http://localhost:{port}", roots=certificate[0], port=post.port
            )
            with (home / "verifier.toml").open("a") as file:
                file.write(lines)

        verifier: Served = stack.enter_context(
            served(tmp_path, monkeypatch, ROUND_MS, port=port, settle=settle)
        )
        people = Litigants(tmp_path, verifier, monkeypatch, capfd)
        # Where a command waits until what it sends is dated, that time passes.
        monkeypatch.setattr(command, "sleep", lambda seconds: people.pass_s(int(seconds) + 1))
        made = Story(people, post, hooked)
        made.words["webhook"] = f"https://{hook}/told"
        people.agree()
        people.work()
        yield made


def test_every_command_of_the_guide_to_disputes_does_what_it_says(story: Story) -> None:
    lines = list(lines_of(GUIDE.read_text()))
    assert len(lines) == len(STORY)
    for line, (prefix, before, after) in zip(lines, STORY, strict=True):
        story.do(line, prefix, before, after)
