# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: says not ready in the body, with status 200, where no probe looks
# ---
def add_probes(app, box):
    """Add GET /healthz and GET /readyz."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        if box["model"] is None:
            return {"status": "waiting", "detail": "no model is loaded yet"}
        return {"status": "ready"}
