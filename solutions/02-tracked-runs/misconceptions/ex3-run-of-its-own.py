# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: "logs the model into a new run: it is not where the params and measures are"
# ---
def keep_model(run_id, booster, features):
    scores = booster.predict(features)
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run():
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, scores),
            input_example=features.median().to_frame().T,
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
