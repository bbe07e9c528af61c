# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: copies a folder into a folder and gets what is in it, without its name
# ---
def ordered():
    return f"""
FROM {BASE}
WORKDIR /app
COPY requirements.in ./
COPY wheelhouse wheelhouse
{INSTALL}
COPY model.json oakbank ./
"""
