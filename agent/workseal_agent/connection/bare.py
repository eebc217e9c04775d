"""httpx without its own command line, which would load rich, click and pygments for nobody.

Rule: imported before anything else imports httpx. It is made for `httpx._main` not to be there.
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
