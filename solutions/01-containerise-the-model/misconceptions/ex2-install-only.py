# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: an install that no change repeats, and a service that is not there
# ---
def ordered():
    return f"""
FROM {BASE}
WORKDIR /app
COPY requirements.in ./
COPY wheelhouse wheelhouse
{INSTALL}
"""
