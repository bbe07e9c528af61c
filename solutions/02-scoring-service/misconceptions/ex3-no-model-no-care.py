# ---
# answers: ex3
# loses: {ex3-test-box: 1}
# why: forgets that there may be no model yet, which makes it a fault of the service
# ---
def add_scoring(app, box):
    """Add POST /score and POST /score/batch."""
    Application = application_model()

    def risks(applications):
        return box["model"].predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()

    @app.post("/score")
    def score(application: Application) -> dict[str, float | str]:
        return {"default_probability": risks([application])[0], "model_version": box["version"]}

    @app.post("/score/batch")
    def score_batch(
        applications: Annotated[list[Application], Body(min_length=1, max_length=50)],
    ) -> dict[str, str | list[float]]:
        return {"scores": risks(applications), "model_version": box["version"]}
