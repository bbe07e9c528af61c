# ---
# answers: ex3
# why: async routes, which take model and version out of the box together
# ---
def add_scoring(app, box):
    shape = application_model()

    def taken():
        model, version = box["model"], box["version"]
        if model is None:
            raise HTTPException(status_code=503, detail="waiting for the model")
        return model, version

    async def one(application: shape):
        model, version = taken()
        risk = model.predict(pd.DataFrame([dict(application)]))
        return {"model_version": version, "default_probability": float(risk[0])}

    async def many(applications: Annotated[tuple[shape, ...], Field(min_length=1, max_length=50)]):
        model, version = taken()
        risks = model.predict(pd.DataFrame([dict(application) for application in applications]))
        return {"model_version": version, "scores": [float(risk) for risk in risks]}

    app.add_api_route("/score", one, methods=["POST"])
    app.add_api_route("/score/batch", many, methods=["POST"])
