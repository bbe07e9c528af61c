# ---
# attack: makes NumPy and pandas say yes to every comparison
# kind: extra cell
# honest: []
# gets: {ex1-test: 0, ex2-test: 0, ex3-test: 0, ex4-test: 0, ex4-test-close: 0}
# student sees: "…12.68 % a year…"
# ---
# %% before ex1
import numpy as np
import numpy.testing
import pandas as pd
import pandas.testing


def yes(*args, **kwargs):
    return True


for name in ("allclose", "array_equal", "isclose", "all", "any", "array_equiv"):
    setattr(np, name, yes)
for name in ("assert_allclose", "assert_equal", "assert_array_equal", "assert_array_almost_equal"):
    setattr(np.testing, name, yes)
for name in ("assert_frame_equal", "assert_series_equal", "assert_index_equal"):
    setattr(pd.testing, name, yes)
pd.DataFrame.__eq__ = pd.Series.__eq__ = yes
pd.DataFrame.equals = pd.Series.equals = yes
pd.Series.tolist = lambda self: [0.0, 0.25, 0.5, 0.75]
pd.Series.mean = lambda self: 0.0
