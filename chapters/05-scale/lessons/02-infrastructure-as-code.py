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
# Oakbank's service runs on machines that somebody clicked together in a console. He has left, and the head of risk asks
# who may read the lake.

# %% [markdown]
# ## AWS in this process
#
# `moto` answers like AWS, in this process: no account, no bill. It is not AWS; above all it stores permissions and does
# not enforce them. `work_as_nobody` points every client at it, and hides your real keys, should you have any.

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

# %% [markdown]
# ## A plan in eight lines
#
# A script says what to *do*, and the second run of it fails: the bucket exists. **Infrastructure as code** declares what
# should *be*, as in lesson 01/08. The difference from what is there is the **plan**:


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
# `declare` has what the bank wants. `Workspace` is a small tool around the function: it asks AWS what is there, and
# `apply` makes the calls of a plan.

# %%
bank = infrastructure.declare(database_password=tofu.PASSWORD)
ours = infrastructure.Workspace(Path.cwd())
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
# An auditor needs a file, it is urgent, and a colleague takes the block off the lake's bucket: now it may be opened to the
# internet. For the file itself he makes another bucket. **Guess: what of this does the next plan show?**

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
# The block is found, and `apply` puts it back: this is **configuration drift**. The new bucket is not found, today or
# ever: a plan looks only at what was declared. For the rest you need an inventory of the account.
#
# How does the tool know what was declared *last* time, to delete what has left the file? It writes it down, in a **state**
# file. **Guess: what else is in there?**

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
# Every attribute, so the password in clear text. And the state makes the review worth something: it has a serial number,
# and a plan from an older state is refused. What you approved is what is done, or nothing is.
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
# What AWS calls Add, our eight lines call create. Somebody sets the queue's timeout to a second. **Guess: what does a
# change set from the same template say?**

# %%
url = sqs.get_queue_url(QueueName="complaints")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
again = change_set("again", "UPDATE")
assert (again["Status"], again["Changes"]) == ("FAILED", [])
print(again["StatusReason"])

# %% [markdown]
# Nothing to do. A change set compares the template with the *last template*, and does not look at the world. Three
# questions, then, and each tool answers its own:
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
# Most teams declare in HCL, the language of Terraform and of its open fork OpenTofu. The same bank, with a variable and a
# password marked sensitive. (If you have OpenTofu, `tofu providers mirror FOLDER` beside `bank.tf` fetches the AWS
# provider once; the lesson takes it from the folder that `OAKBANK_PROVIDERS` names, and never from the network.)

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
# The password stands in the state file. `sensitive` is about what is *printed*; to see that a value has changed, the tool
# must know the old one. So whoever reads the state has every secret in it: keep it out of git, in a store with access
# rights and encryption, or better, let no secret pass through: the database's own service makes it, and the declaration
# names only where it lies. (OpenTofu can encrypt states since 1.7, and has write-only attributes, which stay out of
# them, since 1.11.)
#
# Now the colleague again, and the plan of the morning after:

# %% recorded=true
s3.delete_public_access_block(Bucket="oakbank-lake")
# !tofu plan -out=back.plan | grep -E "^  #|^Plan"
# !tofu apply back.plan | grep complete!
# !tofu apply back.plan

# %% [markdown]
# Drift found, put back, and the old plan refused: what our eight lines and a serial number do.
#
# ## A policy
#
# Nobody reads every plan, so a machine must: **policy as code**. The obvious one scans the text for `= false`, since each
# of the block's four switches must be true. Now somebody sets it from outside: `-var=lake_is_private=false`. Another
# policy looks at the plan. It is in Rego, the language of Open Policy Agent:

# %%
rules = infrastructure.BANK_REGO.read_text()
print(rules[: rules.index("\n\ndeny", 60)])

# %% [markdown]
# `input` is the plan as JSON, from `tofu show -json`. Each line must hold, `some` tries all values, and `deny` collects a
# sentence for each success. **Guess: which of the two finds the open lake?**

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
# The scan finds a `false` that is written there, and misses one that comes from outside. **In a plan, every variable
# has its value**, whoever set it (the password, too: a saved plan is as secret as the state). The same rule judges our
# tool's plan, since it has the same JSON.
#
# Real scanners, such as checkov, are cleverer than our one line: they follow a variable to its default. What comes from
# outside the files they cannot know. And a scanner runs with your pipeline's rights: KICS, one of them, was taken over in March 2026.

# %% [markdown]
# ## Your turn
#
# Nobody may lose an application over a long weekend. Write into `mine` a policy that denies a queue that keeps messages for
# less than 4 days (345,600 seconds).

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
# All of it ran on an emulator: moto accepts any key and any order, and it enforces no IAM policy. So "the bucket is
# private" was read from its settings; nobody tried to get in. `Workspace` has no lock against two people who apply at the
# same moment; real tools have one. Of scanners only our one line ran. A policy guards only those changes that go through the pipeline: the colleague with a
# console passes by it, and only the next plan tells.
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
# The change of the declared one, with a way back. Never the new one: it is in no declaration and in no state.
# </details>
#
# <details><summary>The variable is marked sensitive. Where does the password stand all the same, and why?</summary>
#
# In the state, since the next plan must compare with it, and in a saved plan. `sensitive` hides it on the screen.
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
