# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes any answer for a good one, nothing looks at the status
# ---
def health():
    code = (
        "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000); c.request('GET', '/readyz'); c.getresponse()"
    )
    return f'HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD python -c "{code}"'
