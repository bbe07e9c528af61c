# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: decides when the app is made whether it is ready
# ---
def add_probes(app, box):
    """Add GET /health and GET /ready."""

    there = box["model"] is not None

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready")
    def ready() -> JSONResponse:
        if not there:
            return JSONResponse({"ready": False, "reason": "no model is loaded yet"}, status_code=503)
        return JSONResponse({"ready": True, "reason": ""})
