# ---
# answers: ex5
# why: handlers by decorator, a middleware for faults, and the promise written at the app
# ---
def make_app(box):
    Fault = create_model("Fault", field=(str, ...), problem=(str, ...), wanted=(str, ...))
    Invalid = create_model("Invalid", detail=(list[Fault], ...))
    Waiting = create_model("Waiting", detail=(str, ...))
    app = FastAPI(title="scores", responses={422: {"model": Invalid}, 503: {"model": Waiting}})

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        return JSONResponse(status_code=422, content={"detail": explain(error.errors())})

    @app.middleware("http")
    async def guarded(request, call_next):
        try:
            return await call_next(request)
        except Exception:
            return JSONResponse({"detail": "our fault, and we are told"}, 500)

    add_probes(app, box)
    add_scoring(app, box)
    return app
