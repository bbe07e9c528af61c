# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: --prefix makes lib/python3.11/site-packages below the folder, where PYTHONPATH does not look
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
WORKDIR /build
COPY requirements.txt ./
COPY wheelhouse wheelhouse
RUN pip install --no-index --find-links=wheelhouse --prefix=/packages -r requirements.txt
"""
