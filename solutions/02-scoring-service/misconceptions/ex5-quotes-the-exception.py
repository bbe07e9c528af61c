# ---
# answers: ex5
# loses: {ex5-test-fault: 1}
# why: puts the exception into the answer, customer and all
# ---
def make_app(box):
    """Return the scoring service over what is in the box."""

    class Fault(BaseModel):
        field: str
        problem: str
        wanted: str

    class Invalid(BaseModel):
        title: str
        status: int
        detail: str
        errors: list[Fault]

    def problem(status: int, detail: str, **more: list) -> JSONResponse:
        body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
        return JSONResponse(body, status, media_type="application/problem+json")

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "the request breaks the contract", errors=explain(error.errors()))

    def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail)

    def broken(request: Request, error: Exception) -> JSONResponse:
        return problem(500, f"a fault of the service: {error}")

    handlers = {
        RequestValidationError: invalid,
        StarletteHTTPException: refused,
        Exception: broken,
    }
    promised = {422: {"model": Invalid}, 503: {"description": "no model is loaded yet"}}
    app = FastAPI(responses=promised, exception_handlers=handlers)
    for add in (add_scoring, add_probes):
        add(app, box)
    return app
