"""Why a verifier refused a statement, as its owner reads it.

Rule: the ledger keeps the problem's name and the verifier's own words. The name is a code with a
meaning (docs/spec/api.md), which is said in the owner's language; the words stay as they came.
"""

from workseal_agent.language import phrase

# Of the problems for which a statement is set aside.
MEANINGS = {
    "malformed": phrase("it is not in the form of the specification"),
    "unknown-party": phrase("its signer may not say this here: no party, or a key that has ended"),
    "waiting": phrase("its key's waiting time is not over"),
    "conflict": phrase("something else is logged in its place"),
    "overlap": phrase("other work is recorded for this time"),
    "too-large": phrase("it is above a limit of the verifier's"),
    "refused": phrase("it is well formed, and does not hold"),
}


def kept_refusal(name: str, detail: str) -> str:
    """Return what is kept of a refusal."""
    return f"{name}: {detail}"


def refusal_told(kept: str | None) -> str:
    """Say what was kept; what has no known name stays as it came."""
    name, colon, detail = (kept or "").partition(": ")
    if not colon or name not in MEANINGS:
        return kept or ""
    return phrase(
        "{meaning} ({name}); in the verifier's words: {detail}",
        meaning=MEANINGS[name],
        name=name,
        detail=detail,
    )
