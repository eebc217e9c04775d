"""Proofs of statements: from memory where it has all of them, else with one question."""

from typing import Any

import pytest
from sqlalchemy import event

from support.office import Office, stranger_offer
from workseal_protocol.digest import Digest
from workseal_protocol.receipt import Receipt, verify_receipt
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.prepared import Prepared


def logged(office: Office, word: object) -> Digest:
    offer = stranger_offer(office, word)
    office.post([offer])
    return offer.digest


def in_memory(office: Office, digest: Digest) -> bytes | None:
    return office.verifier.services.reader.receipt_in_memory(
        digest, office.verifier.sequencer.current
    )


def test_a_proof_that_was_asked_for_comes_from_memory(office: Office) -> None:
    reader = office.verifier.services.reader
    digest = logged(office, 1)
    # Where it stands is not known before somebody asks.
    assert not reader.knows_place(digest)
    assert in_memory(office, digest) is None
    for number in range(2, 5):
        receipt = reader.receipt(digest)
        assert reader.knows_place(digest)
        assert in_memory(office, digest) == receipt.encode()
        verified = verify_receipt(receipt, digest, office.policy)
        assert verified.checkpoint == office.checkpoint().checkpoint
        # The log grows: memory proves it in the newest.
        logged(office, number)
        newest = Receipt.parse(in_memory(office, digest) or b"")
        verify_receipt(newest, digest, office.policy)
        assert newest.signed == office.checkpoint()


def test_what_is_not_logged_is_not_remembered(office: Office) -> None:
    reader = office.verifier.services.reader
    offer = stranger_offer(office, 1)
    with pytest.raises(RefusedError) as caught:
        reader.receipt(offer.digest)
    assert caught.value.reason is Reason.NOT_FOUND
    assert not reader.knows_place(offer.digest)
    office.post([offer])
    assert reader.receipt(offer.digest).signed == office.checkpoint()


def test_a_place_that_no_checkpoint_covers_is_not_remembered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, before = office.verifier.services.reader, office.verifier.sequencer.current
    digest = logged(office, 1)
    monkeypatch.setattr(reader, "_showing", lambda _reach: before)
    with pytest.raises(RefusedError):
        reader.receipt(digest)
    assert not reader.knows_place(digest)
    monkeypatch.undo()
    reader.receipt(digest)
    assert reader.knows_place(digest)


def test_a_tile_that_memory_lost_is_read_elsewhere(office: Office) -> None:
    reader, tree = office.verifier.services.reader, office.verifier.sequencer.current.tree
    digests = [logged(office, number) for number in range(2)]
    wanted = reader.receipt(digests[0]).encode()
    tree.extend([bytes(32)] * (256 - tree.size))
    # As if it were the store's alone.
    tree._full.clear()
    assert in_memory(office, digests[0]) is None
    assert len(wanted) > 0


@pytest.mark.postgres
def test_several_processes_answer_for_what_is_newest_with_one_question(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = both
    digest = logged(a, 1)
    reader = b.verifier.services.reader
    assert reader.receipt(digest).signed == a.checkpoint()
    asked: list[str] = []
    done = Prepared._done

    def noted(self: Prepared, *given: Any) -> Any:
        asked.append(str(self._statement))
        return done(self, *given)

    monkeypatch.setattr(Prepared, "_done", noted)
    event.listen(
        b.verifier.database._reading,
        "before_cursor_execute",
        lambda *given: asked.append(given[2]),
    )
    verify_receipt(reader.receipt(digest), digest, b.policy)
    assert len(asked) == 1
    asked.clear()
    # From then on memory has its place, and the one question is how far the log reaches.
    assert in_memory(b, digest) == reader.receipt(digest).encode()
    assert len(asked) == 2
    later = logged(a, 2)
    assert Receipt.parse(in_memory(b, digest) or b"").signed == a.checkpoint()
    assert reader.receipt(digest).signed == reader.receipt(later).signed == a.checkpoint()
