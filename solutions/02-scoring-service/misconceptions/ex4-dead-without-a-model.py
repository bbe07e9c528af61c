# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: lets /healthz fail while there is no model, so the process is restarted for ever
# ---
def add_probes(app, box):
    """Add GET /healthz and GET /readyz."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        if box["model"] is None:
            raise HTTPException(503, "no model")
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        if box["model"] is None:
            raise HTTPException(503, "no model is loaded yet")
        return {"status": "ready"}
