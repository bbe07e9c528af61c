# ---
# answers: ex4
# why: sets the status on the response
# ---
def add_probes(app, box):
    from fastapi import Response

    @app.get("/healthz")
    async def healthz():
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz(response: Response):
        waiting = box["model"] is None
        response.status_code = 503 if waiting else 200
        return {"detail": "waiting for the pipeline's first model"} if waiting else {"status": "ready"}
