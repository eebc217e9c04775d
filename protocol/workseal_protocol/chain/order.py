"""Step 7: engagement, sequence, links, anchors, sessions, frames and their withdrawal."""

from typing import TYPE_CHECKING

from workseal_protocol.chain.rules import ChainError, Rule
from workseal_protocol.records import ChainedRecord, Segment, SessionClose, SessionOpen, Tombstone

if TYPE_CHECKING:
    from workseal_protocol.chain.state import ChainState


def check_order(state: "ChainState", record: ChainedRecord) -> None:
    """Check what joins a statement to those before it, or raise `ChainError`."""
    # (7) The statement is the next one of this chain.
    if record.engagement != state.engagement:
        raise ChainError(Rule.ENGAGEMENT, "the statement belongs to another engagement")
    if record.seq != state.next_seq:
        raise ChainError(Rule.SEQUENCE, f"expected number {state.next_seq}, found {record.seq}")
    if record.prev != state.head:
        raise ChainError(Rule.LINK, f"number {record.seq} does not name the statement before it")
    if record.anchor.size < state.anchor_size:
        if record.seq == 0:
            raise ChainError(Rule.ANCHOR, "the anchor is older than the acceptance of the terms")
        raise ChainError(
            Rule.ANCHOR,
            f"the anchor went back from size {state.anchor_size} to {record.anchor.size}",
        )
    match record:
        case SessionOpen():
            _check_open(state, record)
        case Segment():
            _check_session(state, record.session)
            _check_frames(state, record)
        case SessionClose():
            _check_session(state, record.session)
        case Tombstone():
            _check_tombstone(state, record)
        case _:
            pass


def _check_open(state: "ChainState", record: SessionOpen) -> None:
    if state.session is not None:
        raise ChainError(Rule.SESSION, "a session is opened while another one is open")
    if record.session in state.past.sessions:
        raise ChainError(Rule.SESSION, "a session is opened twice")


def _check_session(state: "ChainState", session: bytes) -> None:
    if state.session is None:
        raise ChainError(Rule.SESSION, "no session is open")
    if session != state.session.session:
        raise ChainError(Rule.SESSION, "the statement names a session that is not the open one")


def _check_frames(state: "ChainState", record: Segment) -> None:
    if not record.frames:
        return
    seen = set(record.frames)
    if len(seen) != len(record.frames) or any(frame in state.past.frames for frame in seen):
        raise ChainError(Rule.FRAME, "a frame is committed twice")


def _check_tombstone(state: "ChainState", record: Tombstone) -> None:
    place = state.past.frames.get(record.frame)
    if place is None or place[1] != record.segment:
        raise ChainError(Rule.TOMBSTONE, "a tombstone names a frame that its segment has not")
    if record.frame in state.past.withdrawn:
        raise ChainError(Rule.TOMBSTONE, "a frame is withdrawn twice")
