# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: decides when the app is made whether it is ready
# ---
def add_probes(app, box):
    """Add GET /healthz and GET /readyz."""

    there = box["model"] is not None

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        if not there:
            raise HTTPException(503, "no model is loaded yet")
        return {"status": "ready"}
