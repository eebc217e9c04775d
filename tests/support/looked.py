"""Every page of a verifier that tests open in a browser: widths, light and dark, and axe."""

from support.diarist import MONDAY

# A link's page says nothing of whose it is, so any token will do; the last one is none.
APART = ("/", "/diary", "/stop/" + "A" * 43, "/confirm/" + "A" * 43, "/confirm/x")
OF_AGREEMENT = (
    "",
    f"/week?of={MONDAY}",
    f"/day?of={MONDAY}",
    f"/minute?of={MONDAY}&at=10:03",
    "/nothing",
)
OF_CASES = ("/diary", "/notices", "/cases", "CASE")


def paths_of(agreement: str, case: str) -> list[str]:
    """Give the paths of all of them."""
    return [
        *APART,
        *(agreement + place for place in OF_AGREEMENT),
        *(place.replace("CASE", case) for place in OF_CASES),
    ]
