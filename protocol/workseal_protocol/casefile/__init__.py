"""A whole case as one folder that convinces a stranger: what is in it, and how it is verified.

Specified in docs/spec/casefile.md. Rules: names and bytes in, values or a typed error out; reading
and writing folders is the caller's.
"""

from workseal_protocol.casefile.bag import TAG_FILES, read_bag, write_bag
from workseal_protocol.casefile.casebeacon import Beacon
from workseal_protocol.casefile.custody import COLUMNS, Custody, custody_csv, custody_of
from workseal_protocol.casefile.examine import (
    STEPS,
    CaseFileReport,
    StepRule,
    examine_case_file,
)
from workseal_protocol.casefile.exhibits import handed_over, in_order
from workseal_protocol.casefile.granted import GrantedHours, asked_hours, granted_hours, granted_in
from workseal_protocol.casefile.logged import Logged
from workseal_protocol.casefile.made import (
    BUNDLE,
    MAX_EXHIBITS,
    MAX_SEALED,
    CaseParts,
    decision_in,
    exhibit_name,
    make_case_file,
    standing_of,
)
from workseal_protocol.casefile.ontology import custody_jsonld
from workseal_protocol.casefile.readme import README
from workseal_protocol.casefile.replay import Replayed, Told, replay
from workseal_protocol.casefile.speakers import Speakers

__all__ = [
    "BUNDLE",
    "COLUMNS",
    "MAX_EXHIBITS",
    "MAX_SEALED",
    "README",
    "STEPS",
    "TAG_FILES",
    "Beacon",
    "CaseFileReport",
    "CaseParts",
    "Custody",
    "GrantedHours",
    "Logged",
    "Replayed",
    "Speakers",
    "StepRule",
    "Told",
    "asked_hours",
    "custody_csv",
    "custody_jsonld",
    "custody_of",
    "decision_in",
    "examine_case_file",
    "exhibit_name",
    "granted_hours",
    "granted_in",
    "handed_over",
    "in_order",
    "make_case_file",
    "read_bag",
    "replay",
    "standing_of",
    "write_bag",
]
