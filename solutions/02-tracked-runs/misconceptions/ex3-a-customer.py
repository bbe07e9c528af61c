# ---
# answers: ex3
# loses: {ex3-test-example: 2}
# why: "takes the first row as the example: a customer is in the store now"
# ---
def keep_model(run_id, booster, features):
    scores = booster.predict(features)
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, scores),
            input_example=features.head(1),
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
