# %% [markdown]
# # 05 Secrets and access
#
# ## You will
#
# - find a deleted secret in the seven places where it still is, and say what alone helps
# - have OpenBao lend a database login that dies, and end the session that would outlive it
# - forge tokens for each check that a verifier forgot, and write one that forgets none
# - give each role what its work needs with casbin, at the scoring service
#
# ## You need
#
# Lessons 01/08, 02/05, 02/09, 03/06.
#
# ## Time
#
# 28 minutes to read, 40 seconds to run.
#
# ## The story so far
#
# Anybody who reaches Oakbank's service may ask it, and the approver of lesson 03/06 was whatever name somebody typed. And
# the nightly batch job logs in to the database with a password that has been the same for years.

# %%
import base64
import json
from pathlib import Path

import casbin
import hvac
import jwt
import pandas as pd
import psycopg
from fastapi.testclient import TestClient

from course.lesson import own_folder, own_git, show_source
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.scale.access import app, bao, day, forge, graves, postgres, roles, tokens
from oakbank.world import FEATURES, World

own_folder()

# %% [markdown]
# ## One secret in seven places
#
# A developer writes the credit bureau's token into `settings.py` and commits it. Then comes a day's work:

# %%
TOKEN = "oak-4f1c9be27d60a3558e"
git = day.Git(own_git(Path.cwd(), "2025-06-02T09:00:00Z"))
git.commit("settings.py", f'TOKEN = "{TOKEN}"\n', "the bureau's token")
show_source(day.at_work, docstring=False)

# %% [markdown]
# In the evening somebody notices, takes the token out, and commits. **Guess: in how many places is the token still?**
# `git log -S` finds the commits that change how often a text occurs. Our `search` looks into every object of git, every
# file, and the variables of a process, and knows base64 and some other spellings.

# %%
with day.at_work(TOKEN, ".") as pid:
    git.commit("settings.py", 'TOKEN = os.environ["TOKEN"]\n', "no token in the code")
    found = graves.search(TOKEN, ".", [pid], git.environment)
commits = git("log", "--oneline", f"-S{TOKEN}")
assert (len(commits), len(found)) == (2, 7)
print(*commits, sep="\n")
pd.DataFrame(found)

# %% [markdown]
# Seven places. And the second commit tells everybody where to look. A file can be cleaned; git's history is on every
# colleague's disk, and a log is in a backup. **A secret that was written down is dead only when it no longer works.**
# So first have it withdrawn, and then clean up. Better still is a secret that is dead before anybody finds it.
#
# ## A login that dies
#
# PostgreSQL itself can end a login: `VALID UNTIL`. We start a real server, from a Python wheel. All logins need a
# password; the role `batch` may read `loans`.

# %%
pg, server = postgres.Postgres().start(), bao.BaoServer().start()
admin = psycopg.connect(**pg.login("postgres", pg.password))
admin.execute("CREATE ROLE batch; CREATE TABLE loans AS SELECT 17 AS id")
_ = admin.execute("GRANT SELECT ON loans TO batch")

# %% [markdown]
# By hand: a login until tomorrow, with the rights of `batch`. A job opens a session. Then `VALID UNTIL 'now'` ends the
# login. **Guess what the open session may still read.**

# %%
admin.execute("CREATE USER hand PASSWORD 'hand' IN ROLE batch VALID UNTIL 'tomorrow'")
session = psycopg.connect(**pg.login("hand", "hand"))
admin.execute("ALTER ROLE hand VALID UNTIL 'now'")
assert not pg.takes("hand", "hand")
assert session.execute("SELECT id FROM loans").fetchall() == [(17,)]

# %% [markdown]
# Everything: PostgreSQL asks for the password once, at login. And somebody who knows the administrator's password has
# to make each login. **OpenBao** does this. It is a server that keeps secrets and makes new ones (the open-source fork
# of HashiCorp's Vault). Below, it fills in the names in braces at each request.

# %%
root = hvac.Client(server.url, server.root_token)
root.sys.enable_secrets_engine("database")
told = {"connection_url": bao.url_for_bao(pg), "allowed_roles": ["reader"]}
told |= {"username": "postgres", "password": pg.password}
root.secrets.database.configure("bank", "postgresql-database-plugin", **told)
make = """CREATE USER "{{name}}" PASSWORD '{{password}}' IN ROLE batch"""
_ = root.secrets.database.create_role("reader", "bank", [make], default_ttl="3s")

# %%
lent = root.secrets.database.generate_credentials("reader")["data"]
session = pg.connect(lent["username"], lent["password"])
assert postgres.answer(session, "SELECT id FROM loans") == "[(17,)]"
assert pg.seconds_until_refused(lent["username"], lent["password"]) > 2
assert postgres.answer(session, "SELECT 1") == "[(1,)]"
print(lent["username"], postgres.answer(session, "SELECT id FROM loans"), sep="\n")

# %% [markdown]
# The lent login is refused, too, when its time (its *lease*) is over. OpenBao also removes the user, and with it the
# right to read. But the session is still open, and can still use every right that everybody has (`PUBLIC`). At work the
# time is minutes or an hour, not three seconds.
#
# Oakbank's `lend_logins` does the same with two additions: it gives the statements that end a login with its sessions,
# and lets OpenBao change the administrator's password to one that nobody else knows. The job gets a token of OpenBao
# that may borrow such logins and nothing else.

# %%
bao.lend_logins(root, pg, "batch", seconds=2)
token = root.auth.token.create(policies=["batch"], ttl="1h")["auth"]["client_token"]
lent = bao.borrow(server.client(token), "batch")
session = pg.connect(lent.user, lent.password)
assert pg.seconds_until_refused(lent.user, lent.password) > 1
print(postgres.answer(session, "SELECT 1"), *bao.REVOKE, sep="\n")
assert (session.closed, pg.takes("postgres", pg.password)) == (True, False)

# %% [markdown]
# The job still has one secret, the token that it borrows with. At work its platform signs who the job is (a Kubernetes
# service account, a CI run), and OpenBao gives the token for that. The next part shows such signatures.
#
# ## Who asks
#
# A person logs in at the bank's **OpenID Connect** provider, which gives the browser a signed **token** (JWT, *JSON Web
# Token*). Ours imitates one: it signs with keys, and nobody logs in. Mallory, an applicant, has a token for the service
# `scorer`:

# %%
provider = tokens.Provider("https://id.oakbank.example")
token = provider.token("mallory", ["applicant"], "scorer")
parts = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
print(*parts[:2], sep="\n")

# %% [markdown]
# Anybody can read the header and the *claims*. The third part is their signature, checked with the provider's public
# key from its JWKS (*JSON Web Key Set*), by name (`kid`). PyJWT does that, and asks more:

# %%
key = jwt.PyJWKSet.from_dict(provider.jwks())[provider.signing]
how = {"audience": "scorer", "issuer": provider.issuer, "options": {"require": ["exp"]}}
assert jwt.decode(token, key, algorithms=["RS256"], **how) == json.loads(parts[1])

# %% [markdown]
# Both ways give the same claims. PyJWT also asked *signed how*, *for whom* (audience), *by whom* (issuer) and *until
# when* (expiry). What is each question worth? Mallory wants to be an approver, and has seven ideas:
#
# | idea | works where the verifier |
# |---|---|
# | a header with `alg: none`, no signature | lets the header say that none is needed |
# | `alg: HS256`, with the *public* key as the shared secret | lets the header choose the algorithm |
# | a signature by her own key, which the header contains | takes the key from the header |
# | a real token for `cafeteria`, where she is an approver | does not ask for whom |
# | a real token of the provider's test system | does not ask by whom |
# | a real token of Grace, found in an old log | does not ask until when |
# | a real token of Grace that never ends | takes a token without an end |
#
# `careless` makes seven verifiers, each without one check. **Guess: how many of the 49 pairs work?**

# %%
ideas = forge.attacks(provider, "scorer")
ours = tokens.Verifier(tokens.Published(provider), provider.issuer, "scorer")
verifiers = forge.careless(provider, "scorer") | {"ours": ours}
taken = pd.DataFrame(forge.try_all(verifiers, ideas)).add_prefix("no ")
assert [*taken.sum(), *taken.sum(axis=1)] == [1] * 7 + [0] + [1] * 7
taken.rename(columns={"no ours": "ours"}).replace({True: "approver", False: ""})

# %% [markdown]
# Seven, on the diagonal: **each check stops one attack that no other check stops.** So `Verifier` makes all seven
# checks.
#
# Keys are replaced, too. **Guess: the provider publishes a new key and at once signs with it. Is Grace let in?**

# %%
with tokens.jwks_url(provider) as url:
    keys = [jwt.PyJWKClient(url), jwt.PyJWKClient(url)]
    seen, later = (tokens.Verifier(each, provider.issuer, "scorer") for each in keys)
    before = forge.takes(seen, token)
    provider.sign_with(provider.publish())
    new = provider.token("grace", ["approver"], "scorer")
    after = [forge.takes(seen, new), forge.takes(later, new), forge.takes(later, token)]
assert (before, after) == (True, [False, True, True])

# %% [markdown]
# No: after a fetch, `PyJWKClient` does not fetch again for 30 seconds, otherwise any invented key name would make it
# fetch. A service that fetches later accepts both tokens. So **rotate in four steps: publish, wait, sign, and withdraw
# the old key when its last token has expired.**
#
# ## Who may
#
# Grace is Grace. What may she do? **Role-based access control** (RBAC) gives rights to roles, and roles to people.
# casbin reads rights from a file (`MODEL` says how): `p` allows, `g` gives a role the rights of another, and what no
# line allows is refused. By hand that is a set:

# %%
lines = [line.split(", ") for line in roles.POLICY.read_text().splitlines()]
allowed = {tuple(rest) for kind, *rest in lines if kind == "p"}
allowed |= {("officer", *what) for who, *what in allowed if who == "applicant"}

policy = casbin.Enforcer(str(roles.MODEL), str(roles.POLICY))
asked = {(a[0], b[1], c[2]) for a in allowed for b in allowed for c in allowed}
assert {ask for ask in asked if policy.enforce(*ask)} == allowed
print(roles.POLICY.read_text())

# %% [markdown]
# `create_access_app` puts both checks before lesson 02/09's service. 401: we do not know you; 403: we do, and you may
# not. The roles come from the token, the rights from the file. Ada trained the model.

# %%
rows, bad = World(1).applications(0), World(1).truth(0)["would_default"]
model = CreditModel.fit(feature_matrix(rows), bad, rounds=20)
client = TestClient(app.create_access_app(model, "7", ours, author="ada"))
one = rows[[*FEATURES]].head(1).to_dict("records")[0]


def ask(t, method, url):
    return client.request(method, url, json=one, headers=tokens.bearer(t)).status_code


grace = {r: provider.token("grace", [r], "scorer") for r in policy.get_all_subjects()}
todo = {"/score": "POST", "/approval": "POST", "/log": "GET"}
table = {role: [ask(t, m, p) for p, m in todo.items()] for role, t in grace.items()}
ada = provider.token("ada", ["approver"], "scorer")
asked = [ask(t, "POST", "/approval") for t in (ada, *ideas.values())]
assert (asked, table["officer"]) == ([409] + [401] * 7, [200, 403, 403])
pd.DataFrame(table, todo)

# %% [markdown]
# Nobody has a column full of 200, not even the operator, who may pause the service but not read the log. The approver
# of lesson 03/06 is no longer typed: `/approval` takes the token's name, and refuses Ada. The log holds names, and no
# token.
#
# **Rights add up in ways that no line shows.** In Kubernetes, a role that may create pods can read every secret of its
# namespace, though its rules do not name `secrets`: it starts a pod that mounts one and sends it out. RBAC rules only
# allow. And `list` on secrets shows their contents, not only their names.
#
# ## Your turn
#
# The service `audit` trusts the same provider. Write `check(token)` with `jwt.decode`: it returns the claims of a good
# token for `audit`, and raises an error for the seven ideas. The key is `keys.get_signing_key_from_jwt(token)`.

# %%
keys = tokens.Published(provider)
check = None  # your code here

# %%
asked = [*forge.attacks(provider, "audit").values(), provider.token("x", [], "audit")]
right = check and [forge.takes(check, each) for each in asked] == [False] * 7 + [True]
print("right" if right else "not yet: which algorithm, for whom, by whom, until when?")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def check(token):
#     key = keys.get_signing_key_from_jwt(token)
#     need = {"issuer": provider.issuer, "options": {"require": ["exp"]}}
#     return jwt.decode(token, key, ["RS256"], audience="audit", **need)
# ```
#
# </details>
#
# ## What this does not prove
#
# The provider is our own class: keys, JWKS and signatures are real, a login is not. OpenBao runs in memory, without
# TLS; one key opens (*unseals*) it; at work it has several nodes, and several people unseal it. PostgreSQL listens on
# this machine only; if you are an administrator on Windows, it refuses to start. `search` finds a known secret, and
# opens nothing compressed but git's objects; lesson 05/04 looks for unknown ones. A good token that is stolen works
# until it expires. Nothing ran on a cluster here.
#
# ## Check yourself
#
# <details><summary>A colleague has pushed a token, deleted it and pushed again. What do you do first?</summary>
#
# Have it withdrawn by whoever issued it. Rewriting the history comes second: others have copies.
# </details>
#
# <details><summary>A login ended an hour ago, and its job is still reading. How can that be?</summary>
#
# It opened its session before. PostgreSQL asks for the password once; whoever ends a login must end its sessions, too.
# </details>
#
# <details><summary>An officer's token is good, and the service answers 403. What is missing, and who may add it?</summary>
#
# A line of the policy that allows this route to a role of theirs. Whoever reviews the policy, and not the officer.
# </details>
#
# ## Take-away
#
# **A secret that was written down is dead only when it no longer works: so lend it for minutes, and check who asks, for
# whom, and until when.**
#
# ## Go further
#
# - The reference: `oakbank.scale.access`; the attacks and lent logins are in `test_scale_access.py`
# - Card: [OpenBao](../cards/openbao.md)
# - OpenBao 2.7, *PostgreSQL database secrets engine*: <https://openbao.org/docs/secrets/databases/postgresql/>
# - RFC 8725, *JSON Web Token Best Current Practices*, 2020: <https://www.rfc-editor.org/rfc/rfc8725>
# - PyJWT 2.15: <https://pyjwt.readthedocs.io>
# - PyCasbin 2.8: <https://casbin.org>
# - Kubernetes, *Role Based Access Control Good Practices*: <https://kubernetes.io/docs/concepts/security/rbac-good-practices/>
# - In the glossary: [secrets management](../../../GLOSSARY.md#secrets-management), [lease](../../../GLOSSARY.md#lease), [token](../../../GLOSSARY.md#token), [JWKS](../../../GLOSSARY.md#jwks), [key rotation](../../../GLOSSARY.md#key-rotation), [RBAC](../../../GLOSSARY.md#rbac), [least privilege](../../../GLOSSARY.md#least-privilege)
