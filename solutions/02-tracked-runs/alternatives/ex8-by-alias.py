# ---
# answers: ex8
# why: loads by the alias, and asks the client
# ---
def answer(name, features):
    found = CLIENT.search_registered_models(f"name='{name}'")
    holder = found[0].aliases.get("champion") if found else None
    if holder is None:
        return None
    run_id = CLIENT.get_model_version(name, holder).run_id
    origin = CLIENT.get_run(run_id)
    reply = {"version": str(holder), "run_id": run_id, "params": dict(origin.data.params)}
    for each in origin.inputs.dataset_inputs:
        context = {tag.key: tag.value for tag in each.tags}["mlflow.data.context"]
        if context.startswith("train"):
            reply["trained_on"] = each.dataset.digest
    scores = mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(features)
    return reply | {"scores": [float(score) for score in scores]}
