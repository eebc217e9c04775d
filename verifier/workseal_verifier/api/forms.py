"""Bodies in JSON, for pages: read bounded, checked strictly.

Rule: a member that comes twice is refused: whoever looked at the body before us may have read the
other one.
"""

import json
from collections.abc import Sequence
from typing import Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from workseal_verifier.api.body import read_body
from workseal_verifier.api.values import JSON
from workseal_verifier.errors import Reason, RefusedError

# The longest, a passkey's answer, has a few KiB.
MAX_FORM: Final = 16_384

Model = TypeVar("Model", bound=BaseModel)


class Form(BaseModel):
    """Be the base of every form: exactly its fields, of exactly their types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


async def read_form(request: Request, form: type[Model]) -> Model:
    """Read a request's body as a form, or refuse it as malformed."""
    body = await read_body(request, limit=MAX_FORM, media=(JSON,))
    try:
        json.loads(body, object_pairs_hook=_require_each_once)
        return form.model_validate_json(body)
    except (ValueError, RecursionError) as error:
        # The library's own text would quote what was sent.
        fields = ", ".join(form.model_fields)
        raise RefusedError(Reason.MALFORMED, f"expected a JSON object with {fields}") from error


def _require_each_once(members: Sequence[tuple[str, object]]) -> None:
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise ValueError("a member comes twice")
