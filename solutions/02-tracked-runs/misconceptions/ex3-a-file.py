# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-example: 2}
# why: "keeps the booster as an artefact: a file, which nobody can load as a model"
# ---
def keep_model(run_id, booster, features):
    path = Path(tempfile.mkdtemp()) / "model.lgb"
    booster.save_model(path)
    CLIENT.log_artifact(run_id, str(path))
    return f"runs:/{run_id}/model.lgb"
