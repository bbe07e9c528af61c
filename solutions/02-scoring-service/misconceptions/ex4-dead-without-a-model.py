# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: lets health fail while there is no model, so the process is restarted for ever
# ---
def add_probes(app, box):
    """Add GET /health and GET /ready."""

    @app.get("/health")
    def health() -> dict[str, str]:
        if box["model"] is None:
            raise HTTPException(503, "no model")
        return {"status": "alive"}

    @app.get("/ready")
    def ready() -> JSONResponse:
        if box["model"] is None:
            return JSONResponse({"ready": False, "reason": "no model is loaded yet"}, status_code=503)
        return JSONResponse({"ready": True, "reason": ""})
