# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-hashes: 1}
# why: gives pip the wheels as well, and lets it ask the index all the same
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
WORKDIR /build
COPY requirements.txt ./
COPY wheelhouse wheelhouse
RUN pip install --find-links=wheelhouse --require-hashes --target=/packages -r requirements.txt
"""
