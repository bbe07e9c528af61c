# ---
# answers: ex5
# loses: {ex5-test-schema: 1}
# why: does not say in the schema that there may be no model
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
        responses={422: {"model": Refused}},
        exception_handlers={RequestValidationError: invalid, Exception: broken},
    )
    for add in (add_scoring, add_probes):
        add(app, box)
    return app
