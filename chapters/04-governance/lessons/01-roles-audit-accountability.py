# %% [markdown]
# # 01 Roles, audit, accountability
#
# ## You will
#
# - say which changes of a log its hash chain shows, and which it cannot
# - have the head of a log signed, verify a log against it, and say what the signature leaves open
# - prove to one applicant that her decision is in the log, and show nobody else's
# - erase a person's data beside a log from which nothing may be erased
# - refuse a promotion whose approver is the author of the model
#
# ## You need
#
# Lesson 03/06. One cell needs OpenSSL 3; without it, it shows recorded output.
#
# ## Time
#
# 28 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# Oakbank's model decides about 2,000 applications a month, and an **audit log** says who or what decided, and when. Now a
# declined applicant's lawyer asks: how do we know that you did not write this log yesterday?

# %% [markdown]
# ## A chain in ten lines
#
# Here are the decisions of one month:

# %%
from course.lesson import own_folder, recorded
from oakbank.pipelines import TrainingConfig, grant, run_training
from oakbank.world import Lake, World, publish_history

own_folder()
world, lake = World(seed=4, scenario="calm"), Lake("lake")
publish_history(world, lake)
model = run_training(TrainingConfig(), lake, "run").model()
table = world.applications(0)
yes = grant(model.predict(table), table["amount"], table["term"])
decisions = list(zip(table["application_id"].tolist(), yes.tolist(), strict=True))

# %% [markdown]
# A plain file can be edited by anyone who can write it. So each entry holds the hash of the entry before: an edit then
# breaks the next link. The hash of the last entry is the **head**. `holds` builds the chain again and compares.

# %%
import hashlib
import json


def sha(entry):
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()


def chain(contents):
    entries, head = [], "start"
    for content in contents:
        entries.append({"says": content, "previous": head})
        head = sha(entries[-1])
    return entries, head


def holds(entries):
    return entries == chain([entry["says"] for entry in entries])[0]


# %% [markdown]
# Now change sides: you work at the bank, can write the file, and want to change decision 700. There are three ways:
# edit the entry; cut the log off before it; write the whole log anew, with other content and fresh hashes. **Guess**
# which ones `holds` finds.

# %%
log, head = chain(decisions)
edited = [*log[:700], {**log[700], "says": "granted"}, *log[701:]]
anew, new_head = chain([*decisions[:700], "granted", *decisions[701:]])
found = {"edited": holds(edited), "cut": holds(log[:700]), "anew": holds(anew)}
assert (*found.values(), head in (sha(log[699]), new_head)) == (0, 1, 1, 0)
found

# %% [markdown]
# Only the edit. A hash has no secret in it, so whoever can write the file can compute all hashes again. The chain finds
# accidents and lazy attackers. But the other two logs end in another head. **Who has kept the old one?** If it lies
# beside the log, the attacker replaces it, too. If it was printed in January's report to the board, or the auditor has
# it, both attacks show, at the price of one line of text.
#
# ## Oakbank's audit log
#
# `AuditLog` is such a chain in a file, safe when several processes write and when one is killed. An entry has a kind,
# an actor, the month, and a key. Appending it again with its key adds nothing. No name or number of an applicant goes
# in. The key is a code, explained below; entries are sorted by it, so that their order tells nothing. The head of this
# log is its size and a *root*, one hash for all entries. The second cell cuts the file before entry 700:

# %%
from pathlib import Path

from oakbank.governance.audit import AuditLog, Draft
from oakbank.governance.personal import PersonalStore

log, store = AuditLog("audit.jsonl"), PersonalStore("personal.db")
people = store.keep_many([(f"m0-{n}", str(n), {"id": n}) for n, _ in decisions])
said = sorted(zip(people, yes.tolist(), strict=True))
log.append_many([Draft("decide", "job", 0, p, {"granted": ok}) for p, ok in said])
assert str(decisions[700][0]) not in log.path.read_text()
head = log.tree_head()
print(head, log.verify(head), sep="\n")

# %%
lines = log.path.read_bytes().splitlines(keepends=True)
log.path.write_bytes(b"".join(lines[:700]))
for found in (log.verify(), log.verify(head)):
    print(found.ok, found.detail)
assert log.verify().ok > log.verify(head).ok
_ = log.path.write_bytes(b"".join(lines))

# %% [markdown]
# The cut log passes `verify()`, but not `verify(head)`. The third way is your task, at the end. A long log is no
# trouble: a million entries took 34 s of CPU time to append and 16 s to verify (an AMD EPYC in the cloud, Python 3.11,
# November 2026; on yours: `python -m oakbank.governance.audit_speed`).
#
# ## A head that is signed
#
# The auditor must be sure that the head she takes out of the drawer is the one she put in. She signs it with a private
# key that the bank does not have; with the public key, everybody can verify. `cryptography` has the signature scheme
# Ed25519:

# %%
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oakbank.governance import heads

auditor = Ed25519PrivateKey.generate()
text = heads.checkpoint(head)
signature = auditor.sign(text.encode())
auditor.public_key().verify(signature, text.encode())  # else InvalidSignature
print(text)

# %% [markdown]
# The lines are origin, size and root. Transparency logs, such as that of Go's modules, exchange heads in this form
# (C2SP, *tlog-checkpoint*). Now a tool that is not ours checks it, and then a forged head that says 700:

# %%
heads.save_key(Path("key.pem"), auditor)  # the public one: key.pem.pub
Path("head.txt").write_text(text, newline="\n")
Path("head.sig").write_bytes(signature)
recorded("04/01", heads.openssl())

# %% language="shell"
# openssl pkeyutl -verify -pubin -inkey key.pem.pub -rawin -in head.txt -sigfile head.sig
# sed 's/2000/700/' head.txt > cut.txt
# openssl pkeyutl -verify -pubin -inkey key.pem.pub -rawin -in cut.txt -sigfile head.sig

# %% [markdown]
# The forged head fails. Oakbank's `sign` puts text and signature into one text, and `signature` takes it out again.
# Ed25519 signs without random numbers, so both ways give the same bytes:

# %%
note = heads.sign(text, "auditor", auditor)
assert heads.signature(note, "auditor", auditor.public_key()) == signature

# %% [markdown]
# A signature says *who saw this head*, not that it is the newest. It protects nothing that is appended later: until
# the next head is signed, that can be rewritten.
#
# ## One decision, and nobody else's
#
# The lawyer wants to see the applicant's entry in that log. You cannot hand over 1,999 other entries, and the head of a
# plain chain can only be computed from all of them. So the root is that of a **Merkle tree** (RFC 6962): entries are
# hashed, then pairs of hashes, then pairs of these, until one is left.
#
# ```mermaid
# flowchart BT
#     a[entry 0] --> ab[hash]
#     b[entry 1] --> ab
#     c[entry 2: hers] --> cd[hash]
#     d[entry 3: a hash is enough] --> cd
#     ab[0 and 1: a hash is enough] --> root[root: in the signed head]
#     cd --> root
# ```
#
# With her entry, the hash of entry 3 and that of the pair 0 and 1, the applicant computes the root.


# %%
def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of 2 below
    return hashlib.sha256(b"\x01" + root(leaves[:half]) + root(leaves[half:])).digest()


leaves = [hashlib.sha256(b"\x00" + line[:-1]).digest() for line in lines]
assert root(leaves).hex() == head.root

# %% [markdown]
# The first byte differs, so nobody can present a pair as an entry. **Guess:** how many hashes does she need in a log of
# 2,000?

# %%
from oakbank.governance.proofs import Inclusion, prove

code = people[700]
letter = prove(log, [entry.key for entry in log].index(code), head).json()
proof = Inclusion.from_json(letter)  # at her lawyer's, without the log
print(len(proof.path), "hashes,", len(letter), "characters:", proof.holds(head))
assert (head.size, len(proof.path), (10**6 - 1).bit_length()) == (2000, 11, 20)
assert [p for p in people if p in letter] == [code]

# %% [markdown]
# Eleven, as 2 to the 11th is 2,048; for a million it would be up to 20. The letter holds one code of a person, hers.
# And since its hashes lead to the auditor's head, the bank cannot show her one log and the auditor another.
#
# ## Entries must stay, her data must go
#
# Next she wants her data erased. Taking an entry out breaks the chain, so no entry may hold personal data. Would a hash
# of her application's number do? These numbers begin at 1,000,000,000:

# %%
plain = sha(decisions[700][0])
number = next(n for n in range(10**9, 10**10) if sha(n) == plain)
print(number == decisions[700][0], number - 10**9 + 1, "tries")

# %% [markdown]
# The numbers are so few that one can try them all. `PersonalStore` hashes the data together with a **salt**: 32 random
# bytes for each row, kept beside the data in a database. This hash is the code in the log. With salt and data, one can
# show that they belong to the code; once both are deleted, nobody can find the data by trying. The log still agrees
# with its head, and her proof holds:

# %%
before = store.open(code)
store.erase(str(number))
print("then:", before.content, before.holds(), "| now:", store.open(code))
assert (before.content["id"], store.open(code)) == (number, None)
assert all((before.holds(), log.verify(head).ok, proof.holds(head)))

# %% [markdown]
# ## Who signs what
#
# | entry | signed by |
# |---|---|
# | `train`: I made this version | developer |
# | `promote`: it may decide about customers | risk officer, who did not make it |
# | `erase`: this person's data are gone | privacy officer |
# | a head (in no log) | auditor |
#
# MLflow's permissions cannot say "may set aliases, but not `champion`" (issue 24742, open since July 2026), so the
# pipeline must. And a *name* in a log is only what its writer typed, so `record` asks for a signature. Ada was a
# developer; since April she is a risk officer, and has to judge her own model. She signs in her own name, then in
# Bob's; last, Bob signs:

# %%
from oakbank.governance.roles import Person, RoleError, record, sign

ada, bob = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
staff = {"Ada": Person("developer", ada.public_key())}
record(log, sign(Draft("train", "Ada", 1, "t-7", {"version": "7"}), ada), staff)
staff = {"Ada": Person("risk officer", ada.public_key())}
staff["Bob"] = Person("risk officer", bob.public_key())
for name, key in (("Ada", ada), ("Bob", ada), ("Bob", bob)):
    promotion = sign(Draft("promote", name, 3, "p-7", {"version": "7"}), key)
    try:
        print("recorded:", record(log, promotion, staff).actor)
    except RoleError as refusal:
        print(refusal)
assert [e.actor for e in log if e.kind == "promote"] == ["Bob"]

# %% [markdown]
# This is the four-eyes principle as code. Even somebody who writes the whole log anew cannot invent Bob's approval
# without his key.
#
# ## Your turn
#
# Be the attacker: write `audit.jsonl` anew so that `granted` in entry 700 is the opposite and `verify()` finds nothing.
# Keep the other entries as they are.

# %%
# your code here

# %%
was = [json.loads(line)["payload"] for line in lines]
now = [entry.payload for entry in log] if log.verify().ok else []
right = [n for n, old in enumerate(was) if now[n : n + 1] != [old]] == [700]
print("right" if right else "not yet: remove the file, then append what it said")
assert not (right and log.verify(head).ok)  # the auditor sees it

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# entries = log.entries()
# entries[700].payload["granted"] = not entries[700].payload["granted"]
# log.path.unlink()
# AuditLog(log.path).append_many(
#     [Draft(e.kind, e.actor, e.when, e.key, e.payload) for e in entries]
# )
# ```
# </details>
#
# ## What this does not prove
#
# That an entry was true when it was written. That auditor and bank do not act together. That the erased data are in no
# backup, and that a court accepts a deleted salt as erasure. All roles ran in one process here; at work the auditor's
# key must never be on a machine of the bank.
#
# ## Check yourself
#
# <details><summary>The log agrees with a head that the auditor signed three weeks ago. What may have been changed?</summary>
#
# Everything appended since. The signature says who saw that head; it does not say that nothing came after it.
# </details>
#
# <details><summary>A log has a million entries. What do you give an applicant, and what does she learn about the others?</summary>
#
# Her line and up to 20 hashes; she has the head from the auditor. About the others she learns only how many there are.
# </details>
#
# <details><summary>A colleague logs the hash of the customer number, "so that it is anonymous". What is wrong?</summary>
#
# All numbers can be tried, and the hash stays for ever. With a salt outside the log, deleting the salt makes the hash
# useless. Until then the salted hash is personal data, too.
# </details>
#
# <details><summary>Why does <code>record</code> look for the author in the log, and not in the approver's form?</summary>
#
# Whoever asks for the approval would fill in the form. The log's `train` entry is signed with the author's key, and it
# stays when the author's role changes.
# </details>
#
# ## Take-away
#
# **A hash chain without a head that somebody else keeps proves only that its last writer can hash.**
#
# ## Go further
#
# - B. Laurie et al., *Certificate Transparency*, RFC 6962 (2013) and 9162 (2021), section 2.1: tree and proofs; RFC 8032: Ed25519
# - C2SP, *tlog-checkpoint* and *signed-note*; S. Crosby and D. Wallach, *Efficient Data Structures for Tamper-Evident Logging*, USENIX Security 2009
# - Not legal advice, as of November 2026: Regulation (EU) 2024/1689, articles 12, 19 and 26(6), logs of high-risk systems, kept for at least six months; GDPR, articles 4(5) and 17; EDPB, *Guidelines 02/2025* on blockchain, version for consultation of 8 April 2025
# - The reference: `oakbank.governance.audit`, `merkle`, `proofs`, `heads`, `personal`, `roles`
# - In the glossary: [audit log](../../../GLOSSARY.md#audit-log), [tamper evidence](../../../GLOSSARY.md#tamper-evidence), [Merkle tree](../../../GLOSSARY.md#merkle-tree), [salt](../../../GLOSSARY.md#salt), [four-eyes principle](../../../GLOSSARY.md#four-eyes-principle), [accountability](../../../GLOSSARY.md#accountability)
