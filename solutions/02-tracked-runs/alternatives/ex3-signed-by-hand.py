# ---
# answers: ex3
# why: mean rows, a signature written by hand
# ---
def keep_model(run_id, booster, features):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    CLIENT.set_tag(run_id, "model", "yes")
    mlflow.set_experiment(experiment_id=CLIENT.get_run(run_id).info.experiment_id)
    contract = ModelSignature(Schema([ColSpec("double", name) for name in features]), Schema([ColSpec("double")]))
    example = pd.DataFrame([features.mean()])
    with mlflow.start_run(run_id=run_id):
        return mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=contract,
            input_example=example,
            pip_requirements=["lightgbm"],
        ).model_uri
