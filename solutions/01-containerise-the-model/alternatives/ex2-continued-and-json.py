# ---
# answers: ex2
# why: absolute paths, JSON lists, a line that goes on, comments, ADD
# ---
def ordered():
    return f"""# syntax of old
from {BASE}
WORKDIR /app
# what pip needs
COPY ["requirements.in", \\
      # a comment in between
      "/app/"]
ADD wheelhouse/*.whl /app/wheelhouse/
{INSTALL}
COPY model.json /app/model.json
COPY oakbank/intro/*.py oakbank/intro/
"""
