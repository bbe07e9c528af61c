# ---
# answers: ex4
# why: sets the status on the response
# ---
def add_probes(app, box):
    from fastapi import Response

    @app.get("/health")
    async def health():
        return {"status": "alive"}

    @app.get("/ready")
    async def ready(response: Response):
        waiting = box["model"] is None
        response.status_code = 503 if waiting else 200
        return {"ready": not waiting, "reason": "waiting for the pipeline's first model" if waiting else ""}
