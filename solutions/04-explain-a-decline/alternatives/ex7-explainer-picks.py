# ---
# answers: ex7
# why: lets shap pick the method, and works out the start from the model
# ---
def explain(model_text, background, people):
    booster = lgb.Booster(model_str=model_text)
    tool = shap.Explainer(booster, shap.maskers.Independent(background, max_samples=10**6))
    return {"values": tool(people).values, "start": float(booster.predict(background, raw_score=True).mean())}
