# ---
# answers: ex5
# why: handlers by decorator, a middleware for faults, and the promise written at the app
# ---
def make_app(box):
    Fault = create_model("Fault", field=(str, ...), problem=(str, ...), wanted=(str, ...))
    Waiting = create_model("Waiting", title=(str, ...), status=(int, ...), detail=(str, ...))
    Invalid = create_model("Invalid", __base__=Waiting, errors=(list[Fault], ...))
    app = FastAPI(title="scores", responses={422: {"model": Invalid}, 503: {"model": Waiting}})

    class Trouble(JSONResponse):
        media_type = "application/problem+json"

        def __init__(self, code, text, more=()):
            words = {"status": code, "title": HTTPStatus(code).phrase, "detail": text}
            super().__init__(dict(words, **dict(more)), status_code=code)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        told = explain(error.errors())
        return Trouble(422, f"{len(told)} errors", {"errors": told})

    @app.exception_handler(StarletteHTTPException)
    async def other(request, error):
        return Trouble(error.status_code, error.detail)

    @app.middleware("http")
    async def guarded(request, call_next):
        try:
            return await call_next(request)
        except Exception:
            return Trouble(500, "our fault, and we are told")

    add_probes(app, box)
    add_scoring(app, box)
    return app
