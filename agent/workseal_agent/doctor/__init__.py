"""`doctor`: what on this machine can be used for recording, what cannot, and why.

Rules: it changes nothing but the list of what left, and records nothing. A test picture is dropped
where it is taken, and is taken only from sources that leave no trace of it. Whatever does not
answer in time is not fit.
"""

from workseal_agent.doctor.report import Check, Report, SourceReport, title_of
from workseal_agent.doctor.sources import examine_sources

__all__ = ["Check", "Report", "SourceReport", "examine_sources", "title_of"]
