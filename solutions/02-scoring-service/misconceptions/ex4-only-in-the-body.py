# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: says not ready in the body, with status 200, where no probe looks
# ---
def add_probes(app, box):
    """Add GET /health and GET /ready."""

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready")
    def ready() -> JSONResponse:
        if box["model"] is None:
            return JSONResponse({"ready": False, "reason": "no model is loaded yet"})
        return JSONResponse({"ready": True, "reason": ""})
