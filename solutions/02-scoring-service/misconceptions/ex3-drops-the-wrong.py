# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: scores the applications of a batch that are right and drops the others in silence
# ---
def add_scoring(app, box):
    Application = application_model()

    def risks(applications):
        if box["model"] is None:
            raise HTTPException(503, "no model is loaded yet")
        return box["model"].predict(pd.DataFrame([one.model_dump() for one in applications])).tolist()

    @app.post("/score")
    def score(application: Application):
        return {"default_probability": risks([application])[0], "model_version": box["version"]}

    @app.post("/score/batch")
    def score_batch(applications: Annotated[list[dict], Body(min_length=1, max_length=50)]):
        fine = []
        for one in applications:
            try:
                fine.append(Application.model_validate(one))
            except ValidationError:
                continue
        return {"scores": risks(fine), "model_version": box["version"]}
