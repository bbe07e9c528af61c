# ---
# answers: ex7
# loses: {ex7-test: 1, ex7-test-exact: 2}
# why: explains the probability, where the letter and its check are in log-odds
# ---
def explain(model_text, background, people):
    everybody = shap.maskers.Independent(background, max_samples=len(background))
    tool = shap.TreeExplainer(lgb.Booster(model_str=model_text), everybody, model_output="probability")
    explained = tool(people)
    return {"values": explained.values, "start": float(np.mean(explained.base_values))}
