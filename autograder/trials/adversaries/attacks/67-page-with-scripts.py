# ---
# attack: puts scripts, event handlers, frames and styles into outputs, rich outputs and the message of an error
# kind: answer
# honest: [ex1, ex2, ex3]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 0, ex4-test-close: 0}
# student sees: "…pwned…"
# ---
# %% before ex1
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display

EVIL = (
    "</pre></code><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\"></iframe><a href=javascript:alert(1)>pwned</a>"
    "<style>.failed{display:none}</style><meta http-equiv=refresh content='0;url=http://example.com'>"
    "<form action=http://example.com><button>pwned</button></form><base href=http://example.com>"
)
display(HTML(EVIL), Javascript("document.title='pwned'"), Markdown(EVIL), Latex(EVIL))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='pwned'\"><script>1</script></svg>"))
display({"text/html": EVIL, "image/png": EVIL, "application/javascript": EVIL, EVIL: EVIL}, raw=True)
print(EVIL)


# %% ex4
def default_rates(loans):
    raise type("<script>alert(1)</script>", (Exception,), {})(EVIL)
