# ---
# answers: ex3
# loses: {ex3-test-example: 2}
# why: an example of zeros, which no application looks like
# ---
def keep_model(run_id, booster, features):
    scores = booster.predict(features)
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, scores),
            input_example=pd.DataFrame([dict.fromkeys(features, 0.0)]),
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
