"""From a step of a case to a mail in somebody's box, whatever fails between."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from support.asking import SignedBy
from support.hearings import Hearing
from support.office import ORIGIN, LiveServer, Office, new_home
from support.postal import (
    PostOffice,
    gives,
    post_office,
    server_context,
    smtp_to,
)
from support.scripted import ScriptedAgent
from support.simulator import START, seeded
from workseal_protocol.dispute import secret_commitment
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, KeyRevoke, KeyRotate, Offer, RevocationReason, sign
from workseal_verifier.cli.undelivered import notices
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.delivering import LEASE_MS, QUIET_MS, WAITS_MS, Carriers
from workseal_verifier.services.letters import Letter, moment
from workseal_verifier.services.noticing import About, notice
from workseal_verifier.store.notices import Channel, Fate, NoticeRow

URL = "https://office.workseal.example"
MAIL = "freelancer@example.com"


class Post:
    """A live verifier that sends by a mail server, and a case in it."""

    def __init__(self, office: Office, box: PostOffice) -> None:
        self.office = office
        self.box = box
        self.agent = agent = ScriptedAgent(office, terms=office.terms())
        self.hearing = Hearing(office, agent.engagement, agent.terms)
        self.freelancer = office.people.freelancer.public_key.thumbprint

    def gives(self, **fields: object) -> None:
        contact = Contact(**fields)  # type: ignore[arg-type]
        gives(self.office, self.freelancer, contact)

    def send(self) -> int:
        return self.office.verifier.delivery.run()

    def mail_row(self) -> NoticeRow:
        """Give the newest mail to the freelancer, as the outbox has it."""
        found = [
            row
            for step in self.office.verifier.records.cases.steps(
                self.hearing.case.case, below=2**53
            )
            for row in self.office.verifier.notices.of_step(step.filing, step.position)
            if (row.channel, row.recipient) == (Channel.MAIL, self.freelancer)
        ]
        return found[-1]


@pytest.fixture
def post(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Post]:
    with post_office(server_context(*certificate)) as box:
        office = Office(new_home(tmp_path, smtp=smtp_to(box, certificate[0]))).open()
        office.now = START
        yield Post(office, box)
        office.close()


def test_who_must_act_gets_a_mail_without_a_word_of_the_case(post: Post) -> None:
    post.gives(mail=MAIL, zone="Asia/Tokyo")
    post.hearing.file(text="the secret name", amount=70_001)
    assert post.send() > 0
    post.hearing.act(Role.OPERATOR, Act.NOTICE)
    assert post.send() > 0
    assert post.send() == 0
    first, second = post.box.mails
    assert post.box.receivers == [MAIL, MAIL]
    assert (first["Subject"], second["Subject"]) == (
        "The other party has filed a case",
        "It is your turn in a case",
    )
    text = second.get_content()
    assert f"Case: {post.hearing.case.case}" in text
    # No line breaks a moment in two.
    assert re.search(r"^Until \w{3} .* \(UTC\+0900\) you are to answer", text, re.MULTILINE)
    assert f"{URL}/cases/{post.hearing.case.case}" in text
    assert "workseal-agent sign-in" in text
    assert "KEYFILE" not in text
    assert "The operator of this log is to give notice" not in text
    assert "give notice of the case" in " ".join(first.get_content().split())
    whole = first.as_string() + second.as_string()
    assert not [word for word in ("secret", "70001", "Europe") if word in whole]
    assert post.mail_row().fate is Fate.DONE


def test_who_is_flooded_gets_a_mail_an_hour_and_the_newest_step(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    post.send()
    assert [one["Subject"] for one in post.box.mails] == ["It is your turn in a case"]
    for minutes in range(6):
        # The first of them in the very moment of the mail.
        post.office.now += min(minutes, 1) * 60_000
        post.hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")
        post.send()
    assert len(post.box.mails) == 1
    post.office.now += QUIET_MS
    post.send()
    assert len(post.box.mails) == 2
    newest = post.mail_row()
    assert newest.fate is Fate.DONE
    assert f"statement {newest.step}\r\n" in post.box.mails[1].get_content()
    assert post.office.verifier.outbox.counts().waiting == 0
    # What begins somebody's time is told at once.
    post.hearing.act(Role.FREELANCER, Act.ANSWER)
    post.send()
    assert len(post.box.mails) == 3


def test_a_mail_says_whose_key_was_ended_where_they_are_waited_for(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    post.send()
    told = "The key of the other party was ended"
    assert told not in post.box.mails[-1].get_content()
    theirs = post.office.people.client
    said = KeyRevoke(
        claimed_at=post.office.now,
        key=theirs.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    post.office.post([sign(said, theirs)])
    post.hearing.act(Role.FREELANCER, Act.ANSWER)
    post.send()
    assert told in " ".join(post.box.mails[-1].get_content().split())


def test_a_clock_that_was_hours_ahead_holds_no_mail(post: Post) -> None:
    """What it wrote as sent in two hours makes nobody wait for that."""
    post.gives(mail=MAIL)
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    post.office.now += 2 * QUIET_MS
    post.send()
    post.office.now -= 2 * QUIET_MS
    post.hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")
    post.send()
    assert len(post.box.mails) == 2


class Slow:
    """Webhooks that take their time, by a clock of their own."""

    def __init__(self, post: Post, takes_s: float) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.takes_s = takes_s
        self.delivery = post.office.verifier.delivery
        self.delivery._timer = lambda: self.now
        self.delivery._carriers = Carriers(mail=self, hook=self.hook)

    def hook(self, _row: NoticeRow, url: str) -> None:
        self.told.append(url)
        if "slow" in url:
            self.now += self.takes_s
            raise OSError("nothing")

    def send(self, _letter: Letter, to: str, _at_ms: int) -> None:
        self.told.append(to)
        self.now += self.takes_s
        raise OSError("nothing")


def test_whose_server_stalls_waits_and_the_others_do_not(post: Post) -> None:
    client = post.office.people.client.public_key.thumbprint
    post.gives(webhook="https://slow.example/")
    gives(post.office, client, Contact(webhook="https://quick.example/"))
    post.hearing.file()
    for _ in range(4):
        post.hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")
    post.hearing.act(Role.OPERATOR, Act.NOTICE)
    slow = Slow(post, 10.0)
    assert slow.delivery.run(Channel.WEBHOOK) == 2
    assert slow.told == ["https://slow.example/", "https://quick.example/"]
    # What was not tried has not lost a try, and comes after a minute.
    left = [one for one in post.office.verifier.outbox.unsent(most=100) if one.channel == 2]
    assert sorted(one.tries for one in left) == [0, 0, 0, 0, 0, 1]
    assert slow.delivery.run(Channel.WEBHOOK) == 0
    post.office.now += 60_000
    assert slow.delivery.run(Channel.WEBHOOK) == 1


def test_nobodys_webhook_is_told_twice_at_once(post: Post) -> None:
    post.gives(webhook="https://hooks.example/")
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    delivery = post.office.verifier.delivery
    inner: list[int] = []

    def hook(_row: NoticeRow, _url: str) -> None:
        # As another thread would, meanwhile.
        inner.append(delivery.run(Channel.WEBHOOK))

    delivery._carriers = Carriers(hook=hook)
    assert delivery.run(Channel.WEBHOOK) == 2
    # The first other turn told the client, of whom nothing is known; the freelancer none of them.
    assert inner == [1, 0]
    left = post.office.verifier.outbox.unsent(most=9)
    assert {one.channel for one in left} == {Channel.MAIL}


def test_a_mail_server_that_stalls_costs_a_turn_one_mail(post: Post) -> None:
    post.gives(mail=MAIL)
    client = post.office.people.client.public_key.thumbprint
    gives(post.office, client, Contact(mail="client@example.com"))
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    slow = Slow(post, 60.0)
    slow.delivery.run(Channel.MAIL)
    assert len(slow.told) == 1
    slow.delivery.run(Channel.MAIL)
    assert len(set(slow.told)) == 2


def test_who_gave_no_address_gets_none_and_nobody_is_asked_again(post: Post) -> None:
    post.hearing.file()
    assert post.send() == 2
    assert post.send() == 0
    assert post.mail_row().fate is Fate.NOWHERE
    assert post.box.mails == []


def test_what_failed_is_tried_again_later_and_later_and_at_last_parked(post: Post) -> None:
    post.gives(mail=MAIL)
    post.box.answer = "451 come back"
    post.hearing.file()
    waits = []
    post.send()
    while (row := post.mail_row()).fate is Fate.WAITING:
        assert row.next_ms is not None
        waits.append(row.next_ms - post.office.now)
        assert post.send() == 0
        post.office.now = row.next_ms
        post.send()
    assert tuple(waits) == WAITS_MS
    assert sorted(waits) == waits
    assert post.mail_row().fate is Fate.PARKED
    assert "notices" in post.office.verifier.health.failing()
    assert not post.office.verifier.health.down()
    post.box.answer = None
    assert post.office.verifier.outbox.try_parked(post.office.now) == 1
    post.send()
    assert len(post.box.mails) == 1
    assert "notices" not in post.office.verifier.health.failing()


def test_killed_between_sending_and_marking_it_comes_again_under_the_same_name(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.gives(mail=MAIL)
    post.hearing.file()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(post.office.verifier.outbox), "settle", killed)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                post.send()
    assert len(post.box.mails) == 1
    assert post.send() == 0
    post.office.now += LEASE_MS
    assert post.send() > 0
    first, second = post.box.mails
    assert first["Message-ID"] == second["Message-ID"]
    # The notice's own name follows from the reader's key, which a mail server may know.
    assert str(post.mail_row().name) not in first["Message-ID"]
    assert post.mail_row().fate is Fate.DONE


def test_a_reminder_goes_out_while_it_is_due_and_passes_when_it_is_not(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE)
    post.send()
    case = post.hearing.case
    row = post.office.verifier.records.cases.last(case.case, below=2**53)
    assert row is not None
    outbox = post.office.verifier.outbox
    half = notice(case, row, About.HALF, post.freelancer, post.office.now)
    post.office.verifier.notices.add([half])
    post.send()
    assert [one["Subject"] for one in post.box.mails][1:] == [
        "Half of your time in a case has passed"
    ]
    # Who is not waited for, another step's deadline, and who has acted.
    client = post.office.people.client.public_key.thumbprint
    gives(post.office, client, Contact(mail="client@example.com"))
    eve = notice(case, row, About.EVE, post.freelancer, post.office.now)
    post.hearing.act(Role.FREELANCER, Act.ANSWER)
    post.send()
    sent = len(post.box.mails)
    post.office.verifier.notices.add([eve, notice(case, row, About.EVE, client, post.office.now)])
    post.send()
    assert len(post.box.mails) == sent
    assert outbox.counts().waiting == 0


def test_who_has_acted_hears_nothing_of_a_turn_that_was_theirs(post: Post) -> None:
    """Else who has answered reads that they are to answer: no later notice goes to who acts."""
    post.gives(mail=MAIL)
    post.hearing.file().act(Role.OPERATOR, Act.NOTICE).act(Role.CLIENT, Act.EXHIBIT)
    post.hearing.act(Role.FREELANCER, Act.ANSWER)
    post.send()
    assert [one["Subject"] for one in post.box.mails] == ["It is your turn in a case"]
    (told,) = (" ".join(one.get_content().split()) for one in post.box.mails)
    assert "you may make an offer" in told
    post.hearing.act(Role.CLIENT, Act.END).draw().act(Role.ARBITRATOR, Act.DECLARE)
    post.hearing.act(Role.FREELANCER, Act.PASS)
    post.office.now += QUIET_MS
    post.send()
    assert "accept or strike" not in post.box.mails[-1].get_content()


SECRET = b"\x07" * 32


def committed(post: Post) -> None:
    """Have level 2 ruled on; the freelancer has committed to a secret."""
    hearing, agent = post.hearing, post.agent
    begin = post.office.now
    agent.open_session()
    while not agent.frames:  # the beacon is another each time
        agent.work(post.office.round_ms)
    agent.send()
    agent.close_session()
    hearing.file(begin=begin, end=post.office.now).seated()
    hearing.ask(1).act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.PASS)
    fields = {"level": 2, "count": 1, "begin": begin, "end": hearing.case.filing.end}
    said = {"text": "what was on the screen", "why": "activity does not tell"}
    hearing.act(Role.ARBITRATOR, Act.ASK, freeze=hearing.freeze(), **fields, **said)
    value = secret_commitment(hearing.case.case, Role.FREELANCER, SECRET)
    hearing.act(Role.FREELANCER, Act.COMMIT, value=value)
    hearing.act(Role.CLIENT, Act.PASS).act(Role.FREELANCER, Act.PASS)
    post.send()
    post.box.mails.clear()
    hearing.act(Role.ARBITRATOR, Act.RULE)


def test_whose_secret_is_taken_is_told_at_once_until_when_and_once_more(post: Post) -> None:
    post.gives(mail=MAIL)
    committed(post)
    post.send()
    until = post.hearing.case.reveal_until
    assert until is not None
    (mail,) = post.box.mails
    assert mail["Subject"] == "Your secret for a draw is taken now"
    told = " ".join(mail.get_content().split())
    assert f"Until {moment(until, ZoneInfo('Europe/Berlin'))} you can reveal the secret" in told
    assert "You need to do nothing" not in told
    clerk = post.office.verifier.clerk
    post.office.now = until - 10 * 3_600_000 - 1_000
    clerk.run()
    post.send()
    reminded = "Reminder: your secret for a draw is not out"
    assert reminded not in [one["Subject"] for one in post.box.mails]
    post.office.now += 2_000
    for _ in range(2):
        clerk.run()
        post.send()
    assert [one["Subject"] for one in post.box.mails].count(reminded) == 1


def test_a_secret_that_is_out_is_asked_of_nobody(post: Post) -> None:
    post.gives(mail=MAIL)
    committed(post)
    post.hearing.act(Role.FREELANCER, Act.REVEAL, value=SECRET)
    post.office.now += 11 * 3_600_000
    post.office.verifier.clerk.run()
    post.send()
    assert not [one for one in post.box.mails if "secret" in one["Subject"]]


def test_a_webhook_without_a_way_out_goes_nowhere(post: Post) -> None:
    post.gives(webhook="https://hooks.example.com/")
    post.hearing.file()
    post.send()
    rows = post.office.verifier.notices.of_case(post.hearing.case.case, post.freelancer)
    assert {one.fate for one in rows if one.channel is Channel.WEBHOOK} == {Fate.NOWHERE}


def test_a_deleted_address_is_not_used_for_what_already_waits(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file()
    post.office.verifier.services.contacts.forget(post.freelancer)
    post.send()
    assert post.box.mails == []
    assert post.mail_row().fate is Fate.NOWHERE


def test_what_a_key_gave_does_not_count_once_the_key_has_ended(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file()
    new = SeedSigner(b"\x61" * 32)
    record = KeyRotate.make(
        claimed_at=post.office.now, old=post.office.people.freelancer.public_key, new=new
    )
    post.office.post([sign(record, post.office.people.freelancer)])
    post.send()
    assert post.box.mails == []
    # Its successor says where, and is told as the same person.
    gives(post.office, new.public_key.thumbprint, Contact(mail="new@example.com"))
    post.hearing.act(Role.OPERATOR, Act.NOTICE)
    post.send()
    assert post.box.receivers == ["new@example.com"]


def test_an_arbitrator_takes_nobodys_address(post: Post) -> None:
    """Not by revoking a key in an agreement that they made up, nor in the case itself."""
    post.gives(mail=MAIL)
    office, stranger = post.office, SeedSigner(seeded(post.office.seed, "a stranger"))
    terms = office.terms(arbitrators=(stranger.public_key,))
    offer = Offer(engagement=b"never accepted!!", claimed_at=office.now, terms=terms)
    office.post([sign(offer, office.people.client)])
    ended = KeyRevoke(
        claimed_at=office.now, key=post.freelancer, reason=RevocationReason.COMPROMISED
    )
    for arbitrator in (stranger, office.people.arbitrator):
        with pytest.raises(RefusedError, match="neither the key nor"):
            office.post([sign(ended, arbitrator)])
    post.hearing.file()
    post.send()
    assert [one["Subject"] for one in post.box.mails] == ["The other party has filed a case"]
    assert office.verifier.services.contacts.counts(post.freelancer)
    office.post([sign(ended, office.people.freelancer)])
    assert not office.verifier.services.contacts.counts(post.freelancer)


def test_the_link_in_a_mail_stops_mails_by_one_press_and_by_no_look(post: Post) -> None:
    post.gives(mail=MAIL)
    post.hearing.file()
    post.send()
    link = urlsplit(post.box.mails[0]["List-Unsubscribe"].strip("<>"))
    assert f"{link.scheme}://{link.netloc}" == URL
    with (
        LiveServer(post.office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        looked = client.get(link.path)
        assert (looked.status_code, 'method="post"' in looked.text) == (200, True)
        post.hearing.act(Role.OPERATOR, Act.NOTICE)
        post.send()
        assert len(post.box.mails) == 2
        form = {"List-Unsubscribe": "One-Click"}
        for _ in range(2):
            assert client.post(link.path, data=form).status_code == 200
        assert client.post(f"/stop/{'A' * 43}").status_code == 404
        assert client.post("/stop/x").status_code == 404
        own = client.get(
            "/v1/contact",
            auth=SignedBy(post.office.people.freelancer, lambda: post.office.now),
        )
        assert own.json()["mail"] is None
        post.hearing.act(Role.FREELANCER, Act.ANSWER)
        post.send()
        assert len(post.box.mails) == 2


def test_the_command_sends_what_waits_while_no_server_runs(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    post.gives(mail=MAIL)
    post.hearing.file()
    client = post.office.people.client.public_key.thumbprint
    post.office.verifier.services.contacts.put(client, Contact(mail="client@example.com"))
    home = post.office.verifier.settings.home
    smtp = post.office.verifier.settings.smtp
    assert smtp is not None
    (home / "verifier.toml").write_text(
        f'origin = "{ORIGIN}"\n[smtp]\nhost = "localhost"\nport = {smtp.port}\n'
        f'sender = "{smtp.sender}"\nroots = "{smtp.roots}"\n'
    )
    notices(home)
    listed = capsys.readouterr().out
    assert f"waiting mail, step: case {post.hearing.case.case}, statement" in listed
    assert "waiting mail, confirm: an address, since" in listed
    assert MAIL not in listed
    notices(home, send=True, again=True)
    assert capsys.readouterr().out == "0 are tried again\ntried 3; 0 wait, 0 were given up\n"
    # By this machine's clock the link of the other mail has ended.
    assert post.box.receivers == [MAIL]
