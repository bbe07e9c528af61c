# %% [markdown]
# # 02 Infrastructure as code
#
# ## You will
#
# - compute a plan from what is wanted and what is there, apply it, and say when a second plan is empty
# - find a change that somebody made by hand, and say which changes no plan ever shows
# - find the password that a declaration hides, and say why it stands in the state
# - write a policy in Rego that judges the plan, and say what a scan of the text misses
#
# ## You need
#
# Lesson 01/08. OpenTofu is optional: without it, its cells show what they showed on a machine that has it.
#
# ## Time
#
# 26 minutes to read, 10 seconds to run.
#
# ## The story so far
#
# Oakbank's service runs on machines that somebody set up by hand in a cloud console. He has left, and the head of risk
# asks who may read the lake.

# %% [markdown]
# ## AWS in this process
#
# `moto` answers like AWS, in this process: no account, no bill. It is not AWS; above all, it stores permissions, but it
# does not enforce them. `work_as_nobody` sends every AWS client to it, and hides your real keys, if you have any.

# %%
import json
import os
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer
from regopy import Interpreter

from course.lesson import own_folder, recorded
from oakbank.scale import infrastructure
from oakbank.scale.infrastructure import tofu

own_folder()
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
infrastructure.work_as_nobody(*server.get_host_and_port())
s3, sqs = boto3.client("s3"), boto3.client("sqs")
ours = infrastructure.Workspace(Path.cwd())

# %% [markdown]
# ## A plan in eight lines
#
# A script says what to *do*, and its second run fails, because the bucket (a store of files in AWS's service S3)
# exists. **Infrastructure as code** declares what should *be*, as in lesson 01/08. The difference between what is
# declared and what is there is the **plan**:


# %%
def plan(wanted, actual):
    steps = {}
    for address in wanted | actual:
        before, after = actual.get(address), wanted.get(address)
        if before != after:
            gone = "delete" if after is None else "update"
            steps[address] = "create" if before is None else gone
    return steps


# %% [markdown]
# `declare` returns what the bank wants. `Workspace` is a small tool that compares in the same way: it asks AWS what is
# there, and its `apply` makes the calls to AWS that a plan needs.

# %%
bank = infrastructure.declare(database_password=tofu.PASSWORD)
first = ours.plan(bank)
assert first.actions == plan(bank, {})
ours.apply(first)
assert not ours.plan(bank).changes
first.actions

# %% [markdown]
# A second plan is empty. You can apply as often as you like, so a machine may do it, after a review of the plan.
#
# ## By hand
#
# An auditor needs a file, and it is urgent. A colleague removes the *public access block* from the lake's bucket: now
# somebody could open the bucket to the internet. For the file itself he makes another bucket. **Guess: which of the two
# changes does the next plan show?**

# %%
s3.delete_public_access_block(Bucket="oakbank-lake")
where = {"LocationConstraint": "eu-central-1"}
s3.create_bucket(Bucket="for-the-auditor", CreateBucketConfiguration=where)
back = ours.plan(bank)
assert back.changes == ours.drift().changes
assert back.actions == {"aws_s3_bucket_public_access_block.lake": "create"}
ours.apply(back)
assert not ours.plan(bank).changes
back.actions

# %% [markdown]
# The plan finds that the block is missing, which is **configuration drift**, and `apply` puts it back. No plan will
# ever find the new bucket: a plan looks only at what is declared now or was declared before. For the rest you need an
# inventory of the account.
#
# How does the tool know what was declared *before*, so that it can delete what is no longer declared? It writes that
# down in a **state file**. **Guess: what else is in there?**

# %%
old = ours.plan(infrastructure.declare(tofu.PASSWORD, lake_is_private=False))
ours.apply(ours.plan(infrastructure.declare("another-password")))
assert "another-password" in ours.path.read_text()
try:
    ours.apply(old)
    raise AssertionError("an old plan was applied")
except infrastructure.StalePlanError as error:
    print(error)
ours.apply(ours.plan({}))  # an empty declaration: all of it goes

# %% [markdown]
# The state holds every attribute, so also the password, in clear text. And it protects the review of a plan: the state
# has a serial number, and a plan that was made from an older state is refused. So if somebody has applied another plan
# since your review, yours is not applied.
#
# ## The same in AWS's words
#
# CloudFormation is AWS's own tool; its plan is called a **change set**.

# %%
cloud = boto3.client("cloudformation")
queue = {"QueueName": "complaints", "VisibilityTimeout": 60}
resources = {"Complaints": {"Type": "AWS::SQS::Queue", "Properties": queue}}


def change_set(name, kind):
    names = {"StackName": "bank", "ChangeSetName": name}
    body = json.dumps({"Resources": resources})
    cloud.create_change_set(**names, ChangeSetType=kind, TemplateBody=body)
    return cloud.describe_change_set(**names)


(change,) = change_set("first", "CREATE")["Changes"]
assert change["ResourceChange"]["Action"] == "Add"
assert plan(resources, {}) == {"Complaints": "create"}
cloud.execute_change_set(StackName="bank", ChangeSetName="first")
change["ResourceChange"]

# %% [markdown]
# What AWS calls Add, our eight lines call create. Then somebody sets the queue's timeout to one second by hand.
# **Guess: what does a new change set from the same template say?**

# %%
url = sqs.get_queue_url(QueueName="complaints")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
again = change_set("again", "UPDATE")
assert (again["Status"], again["Changes"]) == ("FAILED", [])
print(again["StatusReason"])

# %% [markdown]
# It fails, because it finds no change: a change set compares the template with the *last template*, and does not look
# at what is really there (the *world*). So there are three comparisons, with three names:
#
# | compares | is called |
# |---|---|
# | declaration with last declaration | change set |
# | state with world | drift detection |
# | declaration, state and world | plan of Terraform or OpenTofu |
#
# (boto3 1.44 has `DeploymentMode="REVERT_DRIFT"`, a change set that does look at the world; moto does not know it.)
#
# ## OpenTofu
#
# Many teams declare in HCL, the language of Terraform and of its open fork OpenTofu. Here is part of the same bank in
# HCL. It has two variables, and the one with the password is marked sensitive. (OpenTofu calls AWS through a plugin,
# the *AWS provider*. If you have OpenTofu, run `tofu providers mirror FOLDER` once in the folder of `bank.tf`: it
# downloads the provider. The lesson takes it from the folder that `OAKBANK_PROVIDERS` names, and never from the
# network.)

# %%
recorded("05/02", (found := tofu.find_tofu()) and found.versions)
text = infrastructure.BANK_TF.read_text()
Path("bank.tf").write_text(text)
os.environ.update({"TF_VAR_database_password": tofu.PASSWORD})
print(*text.split("\n\n")[2:6], sep="\n\n")

# %% language="shell"
# tofu init -plugin-dir=$OAKBANK_PROVIDERS | grep Installed
# tofu plan -out=first.plan | grep -E "^  #|^Plan|secret_string "

# %% [markdown]
# The plan says `(sensitive value)`. We apply exactly this plan, and plan again:

# %% language="shell"
# tofu apply first.plan | grep complete!
# tofu plan | grep "^No changes"
# grep -n secret_string.: terraform.tfstate

# %% [markdown]
# The password is in the state file. `sensitive` changes only what is *printed*; to see that a value has changed, the
# tool must know the old one. So whoever can read the state can read every secret in it. Keep the state out of git, in a
# store with access rights and encryption. Better still, let no secret pass through the tool: the database's own service
# makes the password, and the declaration says only where it is kept. (OpenTofu can encrypt the state since 1.7. Since
# 1.11 it has write-only attributes, which are not written into the state.)
#
# Now the colleague does the same again. This is the plan of the next morning:

# %% recorded=true
s3.delete_public_access_block(Bucket="oakbank-lake")
# !tofu plan -out=back.plan | grep -E "^  #|^Plan"
# !tofu apply back.plan | grep complete!
# !tofu apply back.plan

# %% [markdown]
# OpenTofu finds the drift, puts the block back, and refuses the old plan, as our small tool did.
#
# ## A policy
#
# Nobody reads every plan, so a machine must check it: **policy as code**. The obvious policy scans the text for
# `= false`, since each of the block's four switches must be true. Now somebody sets the variable from outside:
# `-var=lake_is_private=false`. A second policy looks at the plan. It is in Rego, the language of Open Policy Agent:

# %%
rules = infrastructure.BANK_REGO.read_text()
print(rules[: rules.index("\n\ndeny", 60)])

# %% [markdown]
# `input` is the plan as JSON, from `tofu show -json`. `some` tries all values; where every line of the rule is true,
# `deny` collects a message. **Guess: which of the two policies finds the open lake?**

# %%
opened = ours.plan(infrastructure.declare(tofu.PASSWORD, lake_is_private=False))
rego = Interpreter()
rego.add_module("bank", rules)
rego.set_input(tofu.kept_plan())  # by OpenTofu, of bank.tf with that variable
denied = rego.query("data.bank.deny").results[0].expressions[0]
assert "= false" in text.replace("var.lake_is_private", "false")
assert "= false" not in text
assert infrastructure.denials(opened.to_json(), rules) == sorted(denied)
assert tofu.PASSWORD in str(tofu.kept_plan())
denied

# %% [markdown]
# The scan finds a `false` that is written in the text, and misses one that comes from outside. **In a plan, every
# variable has its value**, whoever set it (the password, too: a saved plan is as secret as the state). The same rule
# judges our tool's plan, since its JSON has the same form.
#
# Real scanners, such as checkov, do more than our one line: they follow a variable to its default. On the text they
# cannot know what comes from outside; on a plan they can (`python3 bootstrap.py tour checkov` runs both). And a scanner
# runs with your pipeline's rights: attackers took over the GitHub Action of KICS, another scanner, in March 2026.

# %% [markdown]
# ## Your turn
#
# No application may be lost over a long weekend. Write a policy into `mine` that denies an `aws_sqs_queue` whose
# `message_retention_seconds` is less than 345,600 (4 days).

# %%
mine = ""  # your code here

# %%
queue, field = "aws_sqs_queue.applications", "message_retention_seconds"
plans = [infrastructure.make_plan({queue: {field: 345_599 + n}}, {}) for n in (0, 1)]
try:
    answers = [len(infrastructure.denials(each.to_json(), mine)) for each in plans]
except infrastructure.PolicyError as error:
    answers = [str(error)]
print("right" if answers == [1, 0] else f"not yet: objections {answers}, wanted [1, 0]")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# mine = """
# package bank
#
# import rego.v1
#
# deny contains message if {
#     some resource in input.resource_changes
#     resource.type == "aws_sqs_queue"
#     resource.change.after.message_retention_seconds < 345600
#     message := sprintf("%s forgets too soon", [resource.address])
# }
# """
# ```
#
# </details>
#
# ## What this does not prove
#
# All of it ran on an emulator: moto accepts any key, and enforces no IAM policy (AWS's rules of who may do what). So
# "the bucket is private" was read from its settings; nobody tried to get in. `Workspace` has no lock against two people
# who apply at the same moment; real tools have one. No real scanner ran here; the tour runs checkov. A policy guards
# only the changes that go through the pipeline: it does not stop a colleague who works in the console; only the next
# plan shows what he did, and only to declared resources.
#
# ## Check yourself
#
# <details><summary>You apply a declaration twice. What does the second plan say, and what would a script of commands have done?</summary>
#
# It is empty. The script would have failed at the first thing that exists, or made it twice.
# </details>
#
# <details><summary>A colleague changes a declared bucket by hand and makes a new one. What does the next plan show?</summary>
#
# The change of the declared one, and the step that undoes it. Never the new one: it is in no declaration and no state.
# </details>
#
# <details><summary>The variable is marked sensitive. Where does the password stand all the same, and why?</summary>
#
# In the state, since the next plan must compare with it, and in a saved plan. `sensitive` hides it only on the screen.
# </details>
#
# <details><summary>Why does a scan of the text pass a bucket that the plan opens?</summary>
#
# The text holds a variable. Its value is known when the plan is made, and stands in the plan.
# </details>
#
# ## Take-away
#
# **Guard the state as you guard its secrets, and judge the plan, not the text.**
#
# ## Go further
#
# - OpenTofu documentation, *Command: plan*, *Sensitive Data in State*, *JSON Output Format* (1.6)
# - AWS, *Update CloudFormation stacks using change sets*, CloudFormation User Guide, read in November 2026
# - Open Policy Agent, *Policy Language*; `regopy` 1.5 evaluates it in process: <https://www.openpolicyagent.org/docs/policy-language>
# - moto 5.2, *Server mode*: <https://docs.getmoto.org/en/latest/docs/server_mode.html>
# - The reference: `oakbank.scale.infrastructure`
# - In the glossary: [infrastructure as code](../../../GLOSSARY.md#infrastructure-as-code), [plan and apply](../../../GLOSSARY.md#plan-and-apply), [configuration drift](../../../GLOSSARY.md#configuration-drift), [state file](../../../GLOSSARY.md#state-file), [policy as code](../../../GLOSSARY.md#policy-as-code)
