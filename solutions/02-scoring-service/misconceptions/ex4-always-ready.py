# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: says ready as soon as the process runs, and so before there is a model
# ---
def add_probes(app, box):
    """Add GET /health and GET /ready."""

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready")
    def ready() -> JSONResponse:
        return JSONResponse({"ready": True, "reason": ""})
