"""The service as an ASGI application, and the document that describes it."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Annotated

from fastapi import Depends, FastAPI, File, Form, Query, Request, Security, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from dashboard.shell import stores
from dashboard.shell.access import scope_for_token
from dashboard.shell.service import cohorts as counted
from dashboard.shell.service import metrics, signatures
from dashboard.shell.service import scores as risks
from dashboard.shell.service.answers import (
    CohortQuery,
    Cohorts,
    Comparison,
    Language,
    Prediction,
    ScoreQuery,
    Scores,
    StudentNumber,
)
from dashboard.shell.service.gate import OPEN, Caller, Gate, Limits, from_this_machine, unavailable
from dashboard.shell.service.limits import Limiter
from dashboard.shell.service.problems import CODES, MEDIA_TYPE, FieldProblem, Problem, ProblemDocument, answer
from dashboard.shell.service.turns import Client, ClientLeft
from data.engine.health import DATABASE_PROBLEMS
from data.settings import get_settings, software_version
from data.trust import audit, tokens

logger = logging.getLogger(__name__)
BASE = "/api/v1"
DOCUMENT = f"{BASE}/openapi.json"
METRICS = "/metrics"
NEEDS = {
    ("GET", DOCUMENT): OPEN,
    ("POST", f"{BASE}/verify"): "verify",
    ("POST", f"{BASE}/predict-signature"): "predict",
    ("GET", f"{BASE}/scores"): "scores",
    ("GET", f"{BASE}/cohorts"): "cohorts",
}
"""What each address needs of a token; what is not here does not exist."""
FIELDS = {
    f"{BASE}/verify": {"image", "student_number"},
    f"{BASE}/predict-signature": {"image", "student_number", "keep_image"},
}
"""The fields of each body; :func:`_with_problems` says in the document that there are no others."""
ABOUT = """Asks the same store as the pages, by the same rules: who may see which student, consent, what a
model may speak about, small counts, the audit log. Every request needs a token in the header
`Authorization: Bearer`. Errors are `application/problem+json` with a stable `code`."""
_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="From python -m data token create.")
IMAGE = File(description="One signature: PNG, JPEG, TIFF, BMP or WebP.")
NUMBER = Form(description="Under whose name it was handed in.")
LANGUAGE = Query(description="Of sentences in the answer.")
KEEP = Form(description="Keep the image, encrypted, until its retention ends; needs consent to research.")
_OF_ALL = ("token_missing", "scope_missing", "invalid", "too_many", "store_unavailable")
_OF_SIGNATURES = ("no_such_student", "too_slow", "no_consent", "too_large")


NOBODY_THERE = 499  # nobody reads it: the status of nginx for a client that has closed the connection


def _caller(request: Request) -> Caller:
    return request.state.caller


def _client(request: Request) -> Client:
    return request.state.client


async def _each_once(request: Request) -> None:
    """What is said twice is refused, since which of the two counts would be a guess; and in a body what is
    not known, since a misspelt name would go unnoticed."""
    said = {"query": request.query_params}
    if request.method == "POST":
        said["body"] = await request.form()  # read already
    errors = [
        FieldProblem(where=f"{place}.{name}"[:200], message="Must be given once.")
        for place, values in said.items()
        for name, n in Counter(name for name, _ in values.multi_items()).items()
        if n > 1
    ]
    strange = sorted(set(said.get("body", ())) - FIELDS.get(request.scope["path"], set()))
    errors += [FieldProblem(where=f"body.{name}"[:200], message="Is not known.") for name in strange]
    if errors:
        raise Problem("invalid", "See errors for what each part must be.", errors[:20])


def _problems(*codes: str) -> dict[int | str, dict]:
    """What the document says of refusals: HTTP status → the codes that come with it."""
    told: dict[int | str, dict] = {}
    for status in sorted({CODES[code][0] for code in (*_OF_ALL, *codes)}):
        own = [code for code, (one, _) in CODES.items() if one == status]
        told[status] = {"description": ", ".join(own)}
    return told


def api() -> FastAPI:
    """The service without its gate."""
    app = FastAPI(
        title="Tepat",
        version=software_version(),
        description=ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Security(_BEARER), Depends(_each_once)],
    )
    app.add_exception_handler(Problem, _said)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientLeft, _left)
    app.add_exception_handler(Exception, _failed)
    for kind in DATABASE_PROBLEMS:
        app.add_exception_handler(kind, _unavailable)

    @app.post("/verify", summary="Compare a signature", responses=_problems(*_OF_SIGNATURES))
    def verify(
        request: Request,
        image: Annotated[UploadFile, IMAGE],
        student_number: Annotated[StudentNumber, NUMBER],
        language: Annotated[Language, LANGUAGE] = "en",
    ) -> Comparison:
        """Compare a signature with the references of a student, as the page does; the decision is kept."""
        asked = signatures.Asked(_caller(request), _client(request), student_number, image.file.read())
        return signatures.compare(asked, language)

    @app.post("/predict-signature", summary="Ask a trained recipe", responses=_problems(*_OF_SIGNATURES))
    def predict_signature(
        request: Request,
        image: Annotated[UploadFile, IMAGE],
        student_number: Annotated[StudentNumber, NUMBER],
        keep_image: Annotated[bool, KEEP] = False,
        language: Annotated[Language, LANGUAGE] = "en",
    ) -> Prediction:
        """Ask the institution's own network of the recipe `graduation`; what it says is kept."""
        asked = signatures.Asked(_caller(request), _client(request), student_number, image.file.read())
        return signatures.predict(asked, language, keep=keep_image)

    @app.get("/scores", summary="Single scores", responses=_problems("no_such_student", "no_model"))
    def scores(request: Request, asked: Annotated[ScoreQuery, Query()]) -> Scores:
        """The newest scores of enrolled students for whom the target still is a risk, the highest first."""
        caller = _caller(request)
        try:
            found = risks.scores(scope_for_token(caller.token, "scores"), asked)
        except Problem as problem:
            if problem.code == "no_such_student":
                signatures.refused(caller)
            raise
        how = asked.model_dump(exclude_none=True, exclude={"student"})
        how |= {"one_student": asked.student is not None, "rows": len(found.rows)}
        _note(caller, "view_scores", asked.target, how)
        return found

    @app.get("/cohorts", summary="Counts of cohorts", responses=_problems())
    def cohorts(request: Request, asked: Annotated[CohortQuery, Query()]) -> Cohorts:
        """What became of each entry cohort, and how many are at risk; small counts are hidden."""
        caller = _caller(request)
        found = counted.cohorts(scope_for_token(caller.token, "cohorts"), asked)
        how = asked.model_dump(exclude_none=True) | {"rows": len(found.rows)}
        _note(caller, "view_cohorts", "cohorts", how)
        return found

    described = app.openapi
    app.openapi = lambda: _with_problems(described())
    return app


def _note(caller: Caller, action: str, thing: str, how: dict) -> None:
    whose = {"actor": caller.token.actor, "role": tokens.ROLE}
    audit.append(stores.store(), **whose, action=action, object=thing, detail=how)


def _with_problems(document: dict) -> dict:
    """The document with every refusal as the problem that it is."""
    parts = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    for name, part in parts.items():
        if name.startswith("Body_"):
            part["additionalProperties"] = False
    made = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    parts |= made.pop("$defs", {}) | {"ProblemDocument": made}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"] = content
    return document


async def _said(_request: Request, problem: Problem):
    return answer(problem)


async def _invalid(_request: Request, problem: RequestValidationError):
    """What is wrong with each part; what was sent is not repeated."""
    errors = [
        FieldProblem(where=".".join(map(str, one["loc"]))[:200], message=_message(one)[:300])
        for one in problem.errors()
    ]
    return answer(Problem("invalid", "See errors for what each part must be.", errors[:20]))


def _message(error: dict) -> str:
    """What a part must be, in words of the service where the library's tell of its own classes."""
    if error["type"] == "value_error" and tuple(error["loc"]) == ("body", "image"):
        return "Must be a file, sent as multipart/form-data with a file name."
    return error["msg"]


async def _http(_request: Request, problem: HTTPException):
    codes = {404: "no_such_path", 405: "method_not_allowed"}
    return answer(Problem(codes.get(problem.status_code, "invalid"), "The request cannot be read."))


async def _unavailable(_request: Request, problem: Exception):
    logger.error("the store does not answer: %s", type(problem).__name__)
    return answer(unavailable())


async def _left(_request: Request, _problem: Exception):
    return Response(status_code=NOBODY_THERE)


async def _failed(_request: Request, _problem: Exception):
    return answer(Problem("failed", "It is no fault of the request; the server's log says more."))


def service_routes() -> list[Mount | Route]:
    """Where the service answers, as the settings say; nothing unless it is turned on."""
    said = get_settings()
    limits = Limits(Limiter(said.api_per_token), Limiter(said.api_per_address), said.api_mb * 2**20)
    more = {"limits": limits, "measure": metrics.measure}
    routes: list[Mount | Route] = []
    if said.api:
        routes.append(Mount(BASE, app=Gate(api(), stores.store, NEEDS, **more)))
    if said.api or said.metrics_loopback:
        trusted = from_this_machine if said.metrics_loopback else (lambda _scope: False)
        needs = {("GET", METRICS): "metrics"}
        guarded = Gate(metrics.figures, stores.store, needs, trusted=trusted, **more)
        routes.append(Route(METRICS, guarded, methods=None, include_in_schema=False))
    return routes
