# ---
# answers: ex1
# loses: {ex1-test-tomorrow: 1}
# why: names what lies there today, so that everything new is sent
# ---
def ignored():
    return """
.git
README.md
data
notebooks
tests
**/.env*
**/__pycache__
"""
