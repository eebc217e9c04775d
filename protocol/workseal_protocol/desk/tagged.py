"""Check 7: what the keyed tags of all frames tell.

Rule: a tag is a claim until its frame is wholly shown and the key is at hand. Equal tags mean equal
outlines, and two honest screens can have one outline: a page that is read, a full-screen editor.
"""

import hmac
from collections import Counter
from typing import Final

from workseal_protocol.desk.checked import Checked, Outcome
from workseal_protocol.desk.material import Material, Placed
from workseal_protocol.desk.tags import TagList, tag_of
from workseal_protocol.digest import Digest

LEAST_TAGGED: Final = 10
EQUAL_PERCENT: Final = 50


def check_tags(material: Material) -> Checked:
    """Say how many frames share a tag, and whether tags of wholly shown frames are theirs."""
    number, name = 7, "tags"
    if material.tags is None:
        return Checked(number, name, Outcome.NOT_RUN, "no tags were handed over")
    places = [
        (frame, place)
        for place in material.places
        for frame in place.segment.frames
        if frame not in material.withdrawn.frames
    ]
    tags = material.tags.tags
    tagged = [(frame, place, tags[frame]) for frame, place in places if frame in tags]
    if not tagged:
        return Checked(number, name, Outcome.NOT_RUN, "no tag is of a frame of these hours")
    sizes = Counter(tag for _, _, tag in tagged)
    common, size = max(sizes.items(), key=lambda one: (one[1], one[0]))
    alike = [place for _, place, tag in tagged if tag == common]
    known, counted = _input(alike)
    false, compared = _compare(material, material.tags)
    sentence = (
        f"{len(tagged)} of {len(places)} frames are tagged, and {size} of them have one and the"
        f" same tag; input was counted in {counted} of the {known} of their rounds that are"
        f" opened; {compared} tags could be compared with wholly shown frames,"
        f" {len(false)} are not those of their pixels"
    )
    stuck = len(tagged) >= LEAST_TAGGED and size * 100 >= EQUAL_PERCENT * len(tagged)
    noticed = bool(false) or len(tagged) < len(places) or (stuck and 2 * counted > known > 0)
    numbers = {tag: place for place, tag in enumerate(sizes)}
    rows = [f"frame {str(frame)[:16]}: tag {numbers[tag]}" for frame, _, tag in tagged]
    rows += [f"frame {str(frame)[:16]}: its pixels have another tag" for frame in false]
    outcome = Outcome.NOTICED if noticed else Outcome.NOTHING
    return Checked(number, name, outcome, sentence, tuple(rows))


def _input(places: list[Placed]) -> tuple[int, int]:
    seconds = [one.activity.input_seconds for one in places if one.activity is not None]
    return len(seconds), sum(each > 0 for each in seconds)


def _compare(material: Material, tags: TagList) -> tuple[tuple[Digest, ...], int]:
    if material.tag_key is None:
        return (), 0
    known = [
        (one.commitment, tags.tags[one.commitment], one.outline)
        for one in material.frames
        if one.outline is not None and one.commitment in tags.tags
    ]
    false = tuple(
        frame
        for frame, tag, outline in known
        if not hmac.compare_digest(tag_of(material.tag_key, outline), tag)
    )
    return false, len(known)
