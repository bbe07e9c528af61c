# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: says ready as soon as the process runs, and so before there is a model
# ---
def add_probes(app, box):
    """Add GET /healthz and GET /readyz."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        return {"status": "ready"}
