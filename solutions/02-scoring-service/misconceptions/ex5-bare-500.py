# ---
# answers: ex5
# loses: {ex5-test-fault: 1}
# why: does not handle a fault of the model, so the caller gets a line of text that is no JSON
# ---
def make_app(box):
    """Return the scoring service over what is in the box."""

    class Fault(BaseModel):
        field: str
        problem: str
        wanted: str

    class Refused(BaseModel):
        detail: list[Fault]

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": explain(error.errors())}, status_code=422)

    def broken(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "a fault of the service"}, status_code=500)

    app = FastAPI(
        responses={422: {"model": Refused}, 503: {"description": "no model is loaded yet"}},
        exception_handlers={RequestValidationError: invalid},
    )
    for add in (add_scoring, add_probes):
        add(app, box)
    return app
