# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-example: 2}
# why: "gives the medians as a series, which MLflow refuses: no URI for the second test"
# ---
def keep_model(run_id, booster, features):
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, booster.predict(features)),
            input_example=features.median(),
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
