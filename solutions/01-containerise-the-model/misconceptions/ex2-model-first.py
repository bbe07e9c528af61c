# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: thinks of the code only; a new model installs again
# ---
def ordered():
    return f"""
FROM {BASE}
WORKDIR /app
COPY model.json requirements.in ./
COPY wheelhouse wheelhouse
{INSTALL}
COPY oakbank oakbank
"""
