"""What is offered in a case, at what sum it ended, and who pays it to whom."""

import pytest

from support.builders import FREELANCER
from support.cases import Play
from workseal_protocol.cli.casesums import (
    ending_of,
    ending_value,
    offer_in,
    open_offers,
    who_pays,
)
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Claim, Record, Verdict, read_record


def said(play: Play) -> list[tuple[Digest, Record]]:
    return [(one.digest, read_record(one)) for one, _ in play.told]


def offered(amount: int = 90_00) -> Play:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    return play.act(Role.FREELANCER, Act.OFFER, amount=amount, text="and we are done")


def test_an_open_offer_has_its_sum_and_says_where_it_is_more_than_at_stake() -> None:
    play = offered()
    (one,) = open_offers(play.case, said(play))
    assert (one.by, one.amount, one.text) == (Role.FREELANCER, 90_00, "and we are done")
    assert one.digest == play.case.head
    assert one.words("EUR") == "90.00 EUR"
    stake = play.case.filing.amount
    dear = offered(stake + 1)
    (one,) = open_offers(dear.case, said(dear))
    assert one.words("EUR").endswith(
        f", more than the {stake // 100}.{stake % 100:02} EUR at stake"
    )


def test_what_was_replaced_or_can_be_accepted_no_more_is_no_open_offer() -> None:
    play = offered()
    first = play.case.head
    play.act(Role.FREELANCER, Act.OFFER, amount=1, text="rather this")
    assert [one.amount for one in open_offers(play.case, said(play))] == [1]
    # It was made all the same, and is told as what it was.
    found = offer_in(play.case, said(play), first)
    assert found is not None
    assert found.amount == 90_00
    assert offer_in(play.case, said(play), play.case.case) is None
    play.act(Role.CLIENT, Act.ACCEPT, cites=(play.case.head,))
    assert list(open_offers(play.case, said(play))) == []


def test_a_settled_case_ended_at_the_sum_of_the_offer_that_was_accepted() -> None:
    play = offered(12_00)
    cited = play.case.head
    play.act(Role.CLIENT, Act.OFFER, amount=7_00, text="no")
    play.act(Role.CLIENT, Act.ACCEPT, cites=(cited,))
    assert play.case.state is State.SETTLED
    found = ending_of(said(play))
    assert found is not None
    assert found.words("EUR") == "settled at 12.00 EUR"
    assert ending_value(found) == {
        "how": "settled", "amount": 12_00, "statement": str(play.case.head),
    }  # fmt: skip


def test_a_decided_case_ended_at_the_sum_of_its_verdict() -> None:
    play = Play.begin().heard().decided()
    found = ending_of(said(play))
    assert found is not None
    assert found.statement == play.case.decision
    assert found.verdict is not None
    word = found.verdict.name.lower().replace("_", " ")
    assert found.words("EUR").startswith(f"decided, {word}: ")
    value = ending_value(found)
    assert value is not None
    assert value["how"] == word
    assert Verdict(found.verdict)


def test_what_was_withdrawn_or_never_ended_has_no_sum() -> None:
    play = offered()
    assert ending_of(said(play)) is None
    play.act(Role.CLIENT, Act.WITHDRAW)
    assert ending_of(said(play)) is None
    assert ending_value(None) is None


@pytest.mark.parametrize("claim", list(Claim))
def test_who_pays_is_said_where_the_word_of_the_filing_says_it(claim: Claim) -> None:
    client, freelancer = (who_pays(claim, one) for one in (Role.CLIENT, Role.FREELANCER))
    unsaid = "nothing but its texts says"
    # A client asks for less, a freelancer for more; of the other words nothing is known.
    assert ("owes the freelancer less" in client) is (claim not in {Claim.NOT_PAID, Claim.OTHER})
    assert ("pays the freelancer" in freelancer) is (
        claim in {Claim.NOT_PAID, Claim.RATE_OR_ROUNDING}
    )
    assert (unsaid in client) is ("owes" not in client)
    assert (unsaid in freelancer) is ("the client pays" not in freelancer)


def test_an_offer_of_a_freelancer_who_filed_is_the_freelancers() -> None:
    play = Play.begin(by=FREELANCER).act(Role.OPERATOR, Act.NOTICE)
    play.act(Role.CLIENT, Act.OFFER, amount=5_00, text="half")
    (one,) = open_offers(play.case, said(play))
    assert one.by is Role.CLIENT
