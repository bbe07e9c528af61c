# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: copies the code before it installs
# ---
def ordered():
    return f"""
FROM {BASE}
WORKDIR /app
COPY oakbank oakbank
COPY requirements.in ./
COPY wheelhouse wheelhouse
{INSTALL}
COPY model.json ./
"""
