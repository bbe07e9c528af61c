# ---
# answers: ex3
# loses: {ex3-test-box: 1}
# why: answers 422 while there is no model, as if the request were wrong
# ---
def add_scoring(app, box):
    """Add POST /score and POST /score/batch."""
    Application = application_model()

    def risks(applications):
        if box["model"] is None:
            raise HTTPException(422, "no model is loaded yet: try again in a minute")
        return box["model"].predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()

    @app.post("/score")
    def score(application: Application) -> dict[str, float | str]:
        return {"default_probability": risks([application])[0], "model_version": box["version"]}

    @app.post("/score/batch")
    def score_batch(
        applications: Annotated[list[Application], Body(min_length=1, max_length=50)],
    ) -> dict[str, str | list[float]]:
        return {"scores": risks(applications), "model_version": box["version"]}
