# ---
# answers: ex4
# why: a dict of outcomes and a loop, with a warning on stderr where nothing is known
# ---
import warnings


def surprise(decisions, outcomes):
    defaulted = dict(zip(outcomes["application_id"], outcomes["defaulted"], strict=True))
    gap = spread = 0.0
    for row in decisions.itertuples():
        if row.granted and row.application_id in defaulted:
            gap += float(defaulted[row.application_id]) - row.default_probability
            spread += row.default_probability * (1 - row.default_probability)
    if spread == 0:
        warnings.warn("no outcome is known yet", stacklevel=2)
        return np.nan
    return gap / spread**0.5
