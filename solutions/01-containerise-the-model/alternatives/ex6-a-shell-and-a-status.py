# ---
# answers: ex6
# why: the shell form, a connection by hand, the status compared
# ---
def health():
    code = "import http.client as h, sys; c = h.HTTPConnection('localhost', 8000, timeout=2); c.request('GET', '/readyz'); "
    code += "sys.exit(c.getresponse().status != 200)"
    return f'HEALTHCHECK --interval=7s --timeout=2500ms --retries=3 --start-period=5s CMD python3 -c "{code}" || exit 1'
