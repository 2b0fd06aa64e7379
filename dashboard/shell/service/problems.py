"""What the service says when it cannot answer: ``application/problem+json`` (RFC 9457) with stable codes."""

from __future__ import annotations

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
CODES = {  # code → (HTTP status, title); a program may rely on them
    "token_missing": (401, "A token is needed"),
    "token_unknown": (401, "The token is not known"),
    "token_expired": (401, "The token has expired"),
    "token_revoked": (401, "The token was revoked"),
    "scope_missing": (403, "The token may not do this"),
    "no_such_path": (404, "There is nothing at this address"),
    "no_such_student": (404, "There is no such student within the token's reach"),
    "method_not_allowed": (405, "This address does not take that method"),
    "too_slow": (408, "The request took too long to arrive"),
    "no_consent": (409, "The student has not agreed to this"),
    "no_model": (409, "No model is in service"),
    "model_unfit": (409, "The register does not hold enough to speak about this"),
    "no_recipe": (409, "The institution has not trained this recipe"),
    "too_large": (413, "The request is too large"),
    "invalid": (422, "The request is not as it should be"),
    "image_refused": (422, "The file is not taken"),
    "too_many": (429, "Too many requests"),
    "busy": (429, "The server is at work on others"),
    "failed": (500, "The server failed"),
    "store_unavailable": (503, "The store does not answer"),
}
NAMESPACE = "urn:tepat:problem:"


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(description="Where it stands, such as query.limit.")
    message: str = Field(description="What it must be.")


class ProblemDocument(BaseModel):
    """Why there is no answer."""

    type: str = Field(description="urn:tepat:problem: and the code.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong and what to do.")
    code: str = Field(description="Stable; what a program looks at.")
    errors: list[FieldProblem] = Field(default=[], description="Of an invalid request: each part.")


class Problem(Exception):
    """Ends a request with a problem document.

    Parameters
    ----------
    code : str
        One of :data:`CODES`.
    detail : str
        What is wrong and what to do; never a name or a student number.
    errors : list of FieldProblem
    retry_after : float, optional
        Seconds.
    """

    def __init__(
        self, code: str, detail: str, errors: list[FieldProblem] | None = None, retry_after: float = 0
    ):
        super().__init__(detail)
        self.code, self.detail, self.errors, self.retry_after = code, detail, errors or [], retry_after
        self.status, self.title = CODES[code]


def answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response that says a problem."""
    document = ProblemDocument(
        type=NAMESPACE + problem.code,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        errors=problem.errors,
    )
    told = dict(headers or {})
    if problem.retry_after:
        told["Retry-After"] = str(max(1, -int(-problem.retry_after // 1)))
    if problem.status == 401:
        error = "" if problem.code == "token_missing" else ', error="invalid_token"'
        told["WWW-Authenticate"] = f'Bearer realm="tepat"{error}'
    elif problem.code == "scope_missing":
        told["WWW-Authenticate"] = 'Bearer realm="tepat", error="insufficient_scope"'
    body = document.model_dump(mode="json")
    return JSONResponse(body, status_code=problem.status, headers=told, media_type=MEDIA_TYPE)
