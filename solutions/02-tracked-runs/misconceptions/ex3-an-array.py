# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-example: 2}
# why: infers the signature from an array, so the columns have no names
# ---
def keep_model(run_id, booster, features):
    scores = booster.predict(features)
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features.to_numpy(), scores),
            input_example=features.median().to_numpy()[None],
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
