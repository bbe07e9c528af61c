# ---
# answers: ex6
# loses: {ex6-test-patience: 1}
# why: leaves pauses and patience as they come, a minute and a half until anybody notices
# ---
def health():
    return """HEALTHCHECK CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"
"""
