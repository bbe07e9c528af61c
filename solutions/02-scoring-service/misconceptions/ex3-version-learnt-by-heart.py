# ---
# answers: ex3
# loses: {ex3-test-box: 1}
# why: writes down the version that it saw in the examples instead of reading it from the box
# ---
def add_scoring(app, box):
    """Add POST /score and POST /score/batch."""
    Application = application_model()

    def risks(applications):
        if box["model"] is None:
            raise HTTPException(503, "no model is loaded yet: try again in a minute")
        return box["model"].predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()

    @app.post("/score")
    def score(application: Application) -> dict[str, float | str]:
        return {"default_probability": risks([application])[0], "model_version": "7"}

    @app.post("/score/batch")
    def score_batch(
        applications: Annotated[list[Application], Body(min_length=1, max_length=50)],
    ) -> dict[str, str | list[float]]:
        return {"scores": risks(applications), "model_version": "7"}
