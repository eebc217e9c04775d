"""Acting in a case: what client, arbitrator and freelancer say, sign, and read of it.

`said` holds a person's words, `making` turns them into a statement, `reading` replays what a
verifier has, `telling` and `asjson` say where a case stands, `sending` takes a signed statement to
its place, `keeping` holds what must outlive a command. The agent uses all of it but that over its
own ledger; `command` is `workseal case`.
"""

from workseal_protocol.cli.acting.asjson import as_json
from workseal_protocol.cli.acting.billedhours import billed_notes
from workseal_protocol.cli.acting.checked import CHECK, findings_in
from workseal_protocol.cli.acting.court import repeated
from workseal_protocol.cli.acting.datedat import dated_at
from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.known import Known, learn
from workseal_protocol.cli.acting.listed import list_lines
from workseal_protocol.cli.acting.making import Means, make_act, make_filing
from workseal_protocol.cli.acting.means import LiveMeans
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.cli.acting.reading import CaseSource, Live, read_live, split_case
from workseal_protocol.cli.acting.said import ABOUT, ACTS, DETAILS, Said, require_fits, spelled
from workseal_protocol.cli.acting.standing import Asker
from workseal_protocol.cli.acting.telling import lines, turn
from workseal_protocol.cli.acting.verifier import case_named, listed_by, told_in

__all__ = [
    "ABOUT",
    "ACTS",
    "CHECK",
    "DETAILS",
    "Asker",
    "CaseFolder",
    "CaseSource",
    "Known",
    "Live",
    "LiveMeans",
    "Means",
    "Said",
    "as_json",
    "billed_notes",
    "case_named",
    "dated_at",
    "findings_in",
    "learn",
    "lines",
    "list_lines",
    "listed_by",
    "make_act",
    "make_filing",
    "preview",
    "read_live",
    "repeated",
    "require_fits",
    "spelled",
    "split_case",
    "told_in",
    "turn",
]
