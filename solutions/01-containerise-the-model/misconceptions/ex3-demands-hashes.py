# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-hashes: 1}
# why: demands hashes of a list that has none
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
WORKDIR /build
COPY requirements.in ./
COPY wheelhouse wheelhouse
RUN pip install --no-index --find-links=wheelhouse --require-hashes --target=/packages -r requirements.in
"""
