# %% [markdown]
# # 05 Infrastructure
#
# The bank's account was clicked together. You declare what a team needs, compute the plan,
# find what somebody changed by hand, apply without losing the memory of what is yours, find
# the places where a secret stands, and write the policy that no plan gets past.
#
# You need lesson 05/02. About 85 minutes; six exercises, 20 points.
# `python3 bootstrap.py check 05-infrastructure` runs the tests that you see. A grader's tests
# go further, with other teams and other plans; the first line of each test says where.
#
# Declarations, states and accounts are plain dicts and lists here, with OpenTofu's names and
# the JSON of its plans. So no account is needed, and every machine gets the same results.

# %% locked="setup"
import json
from copy import deepcopy

from oakbank.scale.infrastructure.policy import PolicyError, denials

BLOCK = "aws_s3_bucket_public_access_block"
FLAGS = [
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
]


def name_of(kind, attributes):
    """Return by which name the account knows a resource among those of its kind."""
    return attributes["bucket" if kind in ("aws_s3_bucket", BLOCK) else "name"]


def fails(function, *arguments):
    """Whether a call raises ValueError."""
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


def change(address, before, after):
    """Return one change of a plan."""
    action = "create" if before is None else "delete" if after is None else "update"
    what = {"before": before, "after": after, "actions": [action]}
    return {"address": address, "type": address.split(".")[0], "change": what}


def objections(policy, changes):
    """Return what a policy in Rego has against a plan; a text says why it is none."""
    if not isinstance(policy, str):
        return f"a policy is a text, not {type(policy).__name__}"
    try:
        return denials({"resource_changes": changes}, policy)
    except PolicyError as error:
        return str(error)


# %% [markdown]
# ## Exercise 1: declare
#
# `declare(team, private, days)` returns a dict from address to attributes: what a team needs.
#
# | address | attributes |
# |---|---|
# | `aws_s3_bucket.lake` | `bucket`: the team's name and `-lake` |
# | `aws_s3_bucket_public_access_block.lake` | the same `bucket`, and the four of `FLAGS` |
# | `aws_sqs_queue.applications` | `name`: the team's and `-applications`; `message_retention_seconds` |
# | `aws_dynamodb_table.decisions` | `name`: the team's and `-decisions`; `hash_key`: `application_id` |
#
# - `team` stands in the names as it is given; `private` (a bool) is the value of the four flags.
# - `days` (a number) is how long the queue keeps a message. Round to the nearest whole number
#   of seconds, then check the bounds: SQS allows 60 seconds to 14 days, both included. For
#   anything else raise `ValueError`.
# - A dict keeps its order, and resources are created in this one: as in the table.


# %% answer="ex1"
def declare(team, private, days):
    """Return what a team needs: attributes by address, in order of creation."""
    ### BEGIN SOLUTION
    seconds = round(days * 86_400)
    if not 60 <= seconds <= 14 * 86_400:
        raise ValueError(f"a queue keeps for 60 seconds to 14 days, not {days}")
    bucket = f"{team}-lake"
    return {
        "aws_s3_bucket.lake": {"bucket": bucket},
        f"{BLOCK}.lake": {"bucket": bucket, **dict.fromkeys(FLAGS, private)},
        "aws_sqs_queue.applications": {
            "name": f"{team}-applications",
            "message_retention_seconds": seconds,
        },
        "aws_dynamodb_table.decisions": {
            "name": f"{team}-decisions",
            "hash_key": "application_id",
        },
    }
    ### END SOLUTION


# %% test="ex1" points=2
# Covers one team, a queue that keeps nothing. Not shown: other teams, bounds, rounding.
found_1 = declare("credit", True, 4)
assert found_1 is not None, "declare returned nothing: return a dict."
assert isinstance(found_1, dict), f"Return a dict, not {type(found_1).__name__}."
want_1 = [
    "aws_s3_bucket.lake",
    f"{BLOCK}.lake",
    "aws_sqs_queue.applications",
    "aws_dynamodb_table.decisions",
]
assert list(found_1) == want_1, f"Want these addresses, in this order: {want_1}."
assert found_1[want_1[0]] == {"bucket": "credit-lake"}, "The bucket is credit-lake."
block_1 = {"bucket": "credit-lake", **dict.fromkeys(FLAGS, True)}
assert found_1[want_1[1]] == block_1, "The block has the bucket and four flags."
queue_1 = {"name": "credit-applications", "message_retention_seconds": 345_600}
assert found_1[want_1[2]] == queue_1, "Four days are 345,600 seconds."
table_1 = {"name": "credit-decisions", "hash_key": "application_id"}
assert found_1[want_1[3]] == table_1, "The table is credit-decisions."
assert fails(declare, "credit", True, 0), "SQS keeps no queue that forgets at once."
### BEGIN HIDDEN TESTS
why_1 = "14 days are allowed: nothing should be raised."
assert not fails(declare, "fraud", False, 14), why_1
why_1 = "60 seconds are allowed: nothing should be raised."
assert not fails(declare, "fraud", False, 60 / 86_400), why_1
open_1 = declare("Fraud_EU", False, 14)
flags_1 = [open_1[f"{BLOCK}.lake"][flag] for flag in FLAGS]
assert flags_1 == [False] * 4, "What is not private should have four false flags."
named_1 = [open_1["aws_s3_bucket.lake"]["bucket"], open_1[f"{BLOCK}.lake"]["bucket"]]
named_1 += [open_1[each]["name"] for each in list(open_1)[2:]]
ends_1 = ["lake", "lake", "applications", "decisions"]
team_1 = [f"Fraud_EU-{end}" for end in ends_1]
why_1 = "The team's name should stand in each name, as it is given."
assert named_1 == team_1, why_1


def keeps(days):
    """Return how long the queue keeps a message."""
    queue = declare("x", True, days)["aws_sqs_queue.applications"]
    return queue["message_retention_seconds"]


assert keeps(14) == 1_209_600, "Fourteen days should be 1,209,600 seconds."
assert keeps(60 / 86_400) == 60, "A minute should be 60 seconds."
assert isinstance(keeps(0.5), int), "It should be a whole number of seconds."
why_1 = "The nearest whole number of seconds should be taken, not the one below."
kept_1 = [keeps(days) for days in (0.7, 2.3, 100.6 / 86_400)]
assert kept_1 == [60_480, 198_720, 101], why_1
assert keeps(100.4 / 86_400) == 100, "The nearest whole number should be taken."
why_1 = "The bounds should hold for the rounded number of seconds."
for days in (59.6 / 86_400, 14 + 0.4 / 86_400):
    assert not fails(declare, "x", True, days), why_1
why_1 = "More than fourteen days should be refused."
assert fails(declare, "x", True, 14 + 1 / 86_400), why_1
assert fails(declare, "x", True, 59.4 / 86_400), "Under a minute should be refused."
assert fails(declare, "x", True, -4), "A negative number of days should be refused."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: plan
#
# `plan(wanted, actual)` compares a declaration with what is there, both dicts from address to
# attributes, and returns a list of changes as OpenTofu words them: dicts with `address`, `type`
# (the part of the address before its first dot) and `change`, a dict with
# - `actions`: a list with one of `"create"`, `"update"`, `"delete"`,
# - `before` and `after`: all attributes, or `None` where there is nothing. (`change` in the
#   setup words one change so.)
#
# What is not wanted goes first, in the reverse of the order in `actual`: what was made last
# goes first. Then comes what is created or updated, in the order of `wanted`. What is there
# with other attributes is an `update`, also when its name differs. What is there may have no
# attributes, an empty dict. What is as wanted is not in the list.


# %% answer="ex2"
def plan(wanted, actual):
    """Return the changes that lead from what is there to what is wanted."""
    ### BEGIN SOLUTION
    gone = [address for address in reversed(actual) if address not in wanted]
    rest = [address for address in wanted if wanted[address] != actual.get(address)]
    changes = []
    for address in gone + rest:
        before, after = actual.get(address), wanted.get(address)
        action = "create"
        if before is not None:
            action = "delete" if after is None else "update"
        body = {"actions": [action], "before": before, "after": after}
        kind = address.split(".")[0]
        changes.append({"address": address, "type": kind, "change": body})
    return changes
    ### END SOLUTION


# %% test="ex2" points=3
# Covers one create, one update, two deletes. Not shown: several of each, all at once.
first_2 = {"aws_s3_bucket.lake": {"bucket": "a"}, "aws_sqs_queue.q": {"name": "q"}}
found_2 = plan(first_2, {"aws_sqs_queue.q": {"name": "q"}})
assert found_2 is not None, "plan returned nothing: return a list."
assert isinstance(found_2, list), f"Return a list, not {type(found_2).__name__}."
assert all(isinstance(one, dict) for one in found_2), "Each change is a dict."
only_2 = [change("aws_s3_bucket.lake", None, {"bucket": "a"})]
assert found_2 == only_2, f"Want {only_2}, found {found_2}."
assert plan(first_2, first_2) == [], "All is as wanted: no changes."
went_2 = plan({}, first_2)
order_2 = ["aws_sqs_queue.q", "aws_s3_bucket.lake"]
assert [one["address"] for one in went_2] == order_2, "What was made last goes first."
with_key = {"aws_sqs_queue.q": {"name": "q", "kms": "k"}}
other_2 = plan(with_key, {"aws_sqs_queue.q": {"name": "q"}})
told_2 = [one["change"]["actions"] for one in [*found_2, *other_2, *went_2]]
acts_2 = [["create"], ["update"], ["delete"], ["delete"]]
assert told_2 == acts_2, f"Want the actions {acts_2}, found {told_2}."
### BEGIN HIDDEN TESTS
why_2 = "A delete should have all attributes before, and None after."
assert went_2[0] == change("aws_sqs_queue.q", {"name": "q"}, None), why_2
was_2 = {
    "aws_sqs_queue.old": {"name": "old", "message_retention_seconds": 60},
    "aws_sqs_queue.q": {"name": "q", "message_retention_seconds": 60},
    "aws_iam_role.r": {"name": "r"},
    "aws_sqs_queue.older": {"name": "older"},
}
wish_2 = {
    "aws_dynamodb_table.t.x": {"name": "t"},
    "aws_iam_role.r": {"name": "r"},
    "aws_sqs_queue.q": {"name": "q", "message_retention_seconds": 90},
    "aws_s3_bucket.b": {"bucket": "b"},
}
kept_2 = deepcopy([wish_2, was_2])
all_2 = plan(wish_2, was_2)
assert [wish_2, was_2] == kept_2, "The arguments should stay as they are."
order_2 = ["aws_sqs_queue.older", "aws_sqs_queue.old"]
order_2 += ["aws_dynamodb_table.t.x", "aws_sqs_queue.q", "aws_s3_bucket.b"]
why_2 = "First what goes, then what comes or changes, should be the order."
assert [one["address"] for one in all_2] == order_2, why_2
by_2 = {one["address"]: one for one in all_2}
want_2 = [change(each, was_2.get(each), wish_2.get(each)) for each in order_2]
why_2 = "An update should have all attributes, before and after."
assert by_2["aws_sqs_queue.q"] == want_2[3], why_2
assert all_2 == want_2, "Each change should be told whole, also among several."
q_2, key_2 = {"name": "q"}, {"name": "q", "kms": "k"}
why_2 = "An attribute that nobody wants any more should be an update, without it."
less_2 = plan({"aws_sqs_queue.q": q_2}, {"aws_sqs_queue.q": key_2})
assert less_2 == [change("aws_sqs_queue.q", key_2, q_2)], why_2
why_2 = "Another name at the same address should be one update."
renamed_2 = plan({"aws_sqs_queue.q": {"name": "r"}}, {"aws_sqs_queue.q": q_2})
assert renamed_2 == [change("aws_sqs_queue.q", q_2, {"name": "r"})], why_2
why_2 = "What is there without attributes should be updated, or deleted."
bare_2 = {"aws_iam_role.a": {}, "aws_iam_role.b": {}}
role_2 = plan({"aws_iam_role.a": {"name": "a"}}, bare_2)
want_2 = [change("aws_iam_role.b", {}, None)]
want_2.append(change("aws_iam_role.a", {}, {"name": "a"}))
assert role_2 == want_2, why_2
why_2 = "Without attributes is as wanted, if none are wanted."
assert plan(bare_2, bare_2) == [], why_2
why_2 = "What was made last should go first, whatever its address."
made_2 = {"aws_sqs_queue.b": q_2, "aws_iam_role.a": q_2}
young_2 = [one["address"] for one in plan({}, made_2)]
assert young_2 == ["aws_iam_role.a", "aws_sqs_queue.b"], why_2
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: by hand
#
# `by_hand(state, account)` compares what the tool made with what is in the account.
# - `state` is a dict with `serial` (a number) and `resources`, attributes by address.
# - `account` is a list of dicts with `type` and `attributes`. It knows no addresses. A resource
#   of the state is the one in the account with the same type and the same `name_of`, which
#   the setup has. All kinds here have a `bucket` or a `name`; the type is the part before the
#   first dot. The account tells more attributes than were declared: these do not count.
#
# It returns a dict:
# - `changed`: for each address with a difference a dict from attribute to the pair, a list
#   `[in the state, in the account]`. An attribute that the account does not tell is `None` there.
#   A number and the text of the same number differ.
# - `gone`: the addresses of what is not in the account any more, in the state's order.
# - `unknown`: what nobody declared, as texts of type and name with a blank between, sorted.


# %% answer="ex3"
def by_hand(state, account):
    """Return what somebody changed, removed or made beside the tool."""
    ### BEGIN SOLUTION
    there = {}
    for one in account:
        name = name_of(one["type"], one["attributes"])
        there[one["type"], name] = one["attributes"]
    changed, gone = {}, []
    for address, mine in state["resources"].items():
        kind = address.split(".")[0]
        found = there.pop((kind, name_of(kind, mine)), None)
        if found is None:
            gone.append(address)
            continue
        pairs = {key: [value, found.get(key)] for key, value in mine.items()}
        other = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        if other:
            changed[address] = other
    unknown = sorted(f"{kind} {name}" for kind, name in there)
    return {"changed": changed, "gone": gone, "unknown": unknown}
    ### END SOLUTION


# %% test="ex3" points=4
# Covers an opened lake, a bucket of a colleague. Not shown: all else, and all at once.
def thing(kind, **attributes):
    return {"type": kind, "attributes": attributes}


flags_3 = dict.fromkeys(FLAGS, True)
mine_3 = {
    "aws_s3_bucket.lake": {"bucket": "a"},
    f"{BLOCK}.lake": {"bucket": "a", **flags_3},
}
state_3 = {"serial": 2, "resources": mine_3}
lake_3 = thing("aws_s3_bucket", bucket="a", region="eu-central-1")
safe_3 = thing(BLOCK, bucket="a", **flags_3)
open_3 = thing(BLOCK, bucket="a", **{**flags_3, "block_public_policy": False})
found_3 = by_hand(state_3, [lake_3, open_3])
assert found_3 is not None, "by_hand returned nothing: return a dict."
assert isinstance(found_3, dict), f"Return a dict, not {type(found_3).__name__}."
why_3 = "Want changed, gone and unknown."
assert sorted(found_3) == ["changed", "gone", "unknown"], why_3
open_flag = {f"{BLOCK}.lake": {"block_public_policy": [True, False]}}
assert found_3["changed"] == open_flag, f"Want {open_flag}, found {found_3['changed']}."
assert found_3["gone"] == found_3["unknown"] == [], "Nothing is gone, nothing is new."
same_3 = by_hand(state_3, [safe_3, lake_3])
none_3 = {"changed": {}, "gone": [], "unknown": []}
assert same_3 == none_3, "All is as it was made; the region was not declared."
more_3 = by_hand(state_3, [lake_3, safe_3, thing("aws_s3_bucket", bucket="z")])
assert more_3["unknown"] == ["aws_s3_bucket z"], "Nobody declared the bucket z."
### BEGIN HIDDEN TESTS
why_3 = "A block that is gone should be told."
assert by_hand(state_3, [lake_3])["gone"] == [f"{BLOCK}.lake"], why_3
why_3 = "What is gone should not be changed, too."
assert by_hand(state_3, [lake_3])["changed"] == {}, why_3
state_3["resources"]["aws_sqs_queue.a"] = {"name": "a", "message_retention_seconds": 90}
state_3["resources"]["aws_sqs_queue.b"] = {
    "name": "b",
    "message_retention_seconds": 90,
    "kms": "k",
}
state_3["resources"]["aws_iam_role.gone"] = {"name": "x"}
state_3["resources"]["aws_iam_role.away"] = {"name": "a"}
account_3 = [
    thing("aws_iam_role", name="y"),
    thing("aws_dynamodb_table", name="x"),
    thing("aws_sqs_queue", name="b", message_retention_seconds=60),
    thing("aws_sqs_queue", name="a", message_retention_seconds=90, url="u"),
    lake_3,
    thing(BLOCK, bucket="q", **flags_3),
]
kept_3 = deepcopy([state_3, account_3])
many_3 = by_hand(state_3, account_3)
assert [state_3, account_3] == kept_3, "The arguments should stay as they are."
queue_3 = {"message_retention_seconds": [90, 60], "kms": ["k", None]}
why_3 = "Each attribute of the state that differs should be told, and no other."
assert many_3["changed"] == {"aws_sqs_queue.b": queue_3}, why_3
gone_3 = [f"{BLOCK}.lake", "aws_iam_role.gone", "aws_iam_role.away"]
why_3 = "The same name of another type should be another resource."
assert sorted(many_3["gone"]) == sorted(gone_3), why_3
assert many_3["gone"] == gone_3, "What is gone should be in the state's order."
new_3 = ["aws_dynamodb_table x", "aws_iam_role y", f"{BLOCK} q"]
why_3 = "What nobody declared should be told, sorted."
assert many_3["unknown"] == sorted(new_3), why_3
dots_3 = {'aws_iam_role.of["a.b"]': {"name": "r", "path": "/"}}
dots_3["aws_sqs_queue.q"] = {"name": "q", "message_retention_seconds": 90}
text_3 = thing("aws_sqs_queue", name="q", message_retention_seconds="90")
role_3 = thing("aws_iam_role", name="r", path="/")
more_3 = by_hand({"serial": 3, "resources": dots_3}, [role_3, text_3])
why_3 = "An address with more dots should have its type before the first one."
assert more_3["gone"] == more_3["unknown"] == [], why_3
why_3 = "A number and the text of the same number should differ."
pair_3 = {"message_retention_seconds": [90, "90"]}
assert more_3["changed"] == {"aws_sqs_queue.q": pair_3}, why_3
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: apply
#
# `apply(state, planned, call)` does what a plan says and keeps the state true, in place. It
# returns the new serial number.
# - `planned` is a dict with `serial`, that of the state it was made from, and
#   `resource_changes`, a list as in exercise 2. A plan from another serial is stale: raise
#   `ValueError` before anything is done.
# - `call(action, address, attributes)` makes one change in the account. The attributes are
#   those of `after`, and for a delete those of `before`.
# - After each call that succeeded the state has the resource as it now is, with exactly the
#   attributes of `after` (no copy is needed), or has it no more, and its serial is one higher.
#   If a call raises, the error goes on to the caller, and the state tells what was done until
#   then. The plan stays as it is.


# %% answer="ex4"
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    ### BEGIN SOLUTION
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            del state["resources"][one["address"]]
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
    ### END SOLUTION


# %% test="ex4" points=4
# Covers two creates, an old plan. Not shown: other changes, failed calls, stale plans.
class Account:
    """Records its calls; the one with the number `broken` raises."""

    def __init__(self, broken=None):
        self.calls, self.broken = [], broken

    def call(self, action, address, attributes):
        if len(self.calls) == self.broken:
            raise ConnectionError("the account does not answer")
        self.calls.append([action, address, attributes])


two_4 = [
    change("aws_sqs_queue.q", None, {"name": "q"}),
    change("aws_iam_role.r", None, {"name": "r"}),
]
plan_4 = {"serial": 7, "resource_changes": two_4}
kept_4 = deepcopy(plan_4)
state_4, account_4 = {"serial": 7, "resources": {}}, Account()
serial_4 = apply(state_4, plan_4, account_4.call)
assert plan_4 == kept_4, "The plan should stay as it is."
assert serial_4 is not None, "apply returned nothing: return the new serial."
assert serial_4 == 9, "Two changes from serial 7 lead to 9."
made_4 = {"aws_sqs_queue.q": {"name": "q"}, "aws_iam_role.r": {"name": "r"}}
want_4 = {"serial": 9, "resources": made_4}
assert state_4 == want_4, f"Want the state {want_4}, found {state_4}."
calls_4 = [["create", one["address"], one["change"]["after"]] for one in two_4]
assert account_4.calls == calls_4, f"Want the calls {calls_4}."
old_4 = {"serial": 8, "resource_changes": []}
why_4 = "The state is at 9, so a plan of 8 is stale: raise ValueError."
assert fails(apply, state_4, old_4, account_4.call), why_4
### BEGIN HIDDEN TESTS
late_4 = {
    "serial": 10,
    "resource_changes": [change("aws_iam_role.z", None, {"name": "z"})],
}
why_4 = "A plan from a later state is stale, too."
assert fails(apply, state_4, late_4, account_4.call), why_4
assert len(account_4.calls) == 2, "A stale plan should call nothing."
why_4 = "A stale plan should leave the state."
assert state_4 == {"serial": 9, "resources": made_4}, why_4


def applied(resources, changes, broken=None):
    """Return the state after these changes, the calls, and whether an error came."""
    state, account = {"serial": 4, "resources": deepcopy(resources)}, Account(broken)
    planned = {"serial": 4, "resource_changes": deepcopy(changes)}
    try:
        apply(state, planned, account.call)
    except ConnectionError:
        return state, account.calls, True
    assert planned["resource_changes"] == changes, "The plan should stay as it is."
    return state, account.calls, False


mine_4 = {"aws_iam_role.r": {"name": "r"}, "aws_sqs_queue.q": {"name": "q", "kms": "k"}}
gone_4 = change("aws_iam_role.r", {"name": "r"}, None)
less_4 = change("aws_sqs_queue.q", {"name": "q", "kms": "k"}, {"name": "q", "days": 2})
new_4 = change("aws_iam_role.s", None, {"name": "s"})
state_4, calls_4, _ = applied(mine_4, [gone_4])
why_4 = "A delete should be called with what was before."
assert calls_4 == [["delete", "aws_iam_role.r", {"name": "r"}]], why_4
why_4 = "What was deleted should be in the state no more."
assert "aws_iam_role.r" not in state_4["resources"], why_4
state_4, calls_4, _ = applied(mine_4, [less_4])
why_4 = "An update should be called with what is after."
want_4 = {"name": "q", "days": 2}
assert calls_4 == [["update", "aws_sqs_queue.q", want_4]], why_4
why_4 = "After an update the state should have exactly its attributes."
assert state_4["resources"]["aws_sqs_queue.q"] == want_4, why_4
for one in (gone_4, less_4, new_4):
    (action_4,) = one["change"]["actions"]
    state_4, calls_4, tmine_4 = applied(mine_4, [one], broken=0)
    assert tmine_4, f"An error of a call to {action_4} should go on to the caller."
    why_4 = f"A call to {action_4} that fails should leave the state."
    assert state_4 == {"serial": 4, "resources": mine_4}, why_4
state_4, calls_4, tmine_4 = applied(mine_4, [gone_4, less_4, new_4], broken=2)
assert tmine_4, "An error of a call should go on to the caller."
why_4 = "Each call should be made once, in the plan's order."
assert [one[0] for one in calls_4] == ["delete", "update"], why_4
why_4 = "The state should tell what was done before the error."
assert state_4["resources"] == {"aws_sqs_queue.q": want_4}, why_4
assert state_4["serial"] == 6, "Each change that was made should count."
state_4, calls_4, tmine_4 = applied(mine_4, [gone_4, less_4, new_4], broken=0)
why_4 = "After an error nothing more should be called."
assert (calls_4, state_4["serial"]) == ([], 4), why_4
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: where does the secret stand?
#
# `places(document, secret)` returns where a secret stands in a state or a plan: a list of JSON
# Pointers (RFC 6901), in the order of the document. A pointer is, for each step from the
# outermost dict or list down to the text, `/` and the key or the index. In a key, `~` is written
# `~0`, and `/` is written `~1`.
# - The secret counts as part of a longer text, such as a database's address. A text in which
#   it stands twice is one place. If the document itself is the text, its pointer is the empty
#   text.
# - Only texts count, and of a dict only its values: no key, no number, no bool, no `None`.
#   `document` is JSON, and lists and dicts may stand in each other.
# - An empty secret is in every text: raise `ValueError`, whatever the document is. A blank is
#   no empty secret.


# %% answer="ex5"
def places(document, secret):
    """Return JSON Pointers to all texts in which the secret stands."""
    ### BEGIN SOLUTION
    if not secret:
        raise ValueError("an empty secret stands everywhere")
    if isinstance(document, str):
        return [""] if secret in document else []
    if not isinstance(document, (dict, list)):
        return []
    found = []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in steps:
        step = str(key).replace("~", "~0").replace("/", "~1")
        found += [f"/{step}{rest}" for rest in places(value, secret)]
    return found
    ### END SOLUTION


# %% test="ex5" points=3
# Covers a state, a longer text. Not shown: lists, escapes, order, what is no text.
login_5 = {"secret_id": "db", "secret_string": "hunter2"}
task_5 = {"name": "scorer", "url": "postgres://scorer:hunter2@db:5432"}
document_5 = {"serial": 3, "resources": {"secret.db": login_5, "task.scorer": task_5}}
found_5 = places(document_5, "hunter2")
assert found_5 is not None, "places returned nothing: return a list."
assert isinstance(found_5, list), f"Return a list, not {type(found_5).__name__}."
want_5 = ["/resources/secret.db/secret_string", "/resources/task.scorer/url"]
assert found_5 == want_5, f"Want {want_5}, found {found_5}."
assert fails(places, document_5, ""), "An empty secret: raise ValueError."
### BEGIN HIDDEN TESTS
why_5 = "A list's step should be its index, from 0."
assert places({"b": [0, "x", {"c": ["no", "pass"]}]}, "pass") == ["/b/2/c/1"], why_5
why_5 = "A list within a list should be looked through as well."
assert places([["x", ["pass"]], []], "pass") == ["/0/1/0"], why_5
why_5 = "A document that is the text itself should have one pointer, the empty text."
assert places("my pass word", "pass") == [""], why_5
why_5 = "Where the secret is not, the list should be empty."
assert places("word", "pass") == [], why_5
why_5 = "Each place should be told, several in a dict or a list, too."
many_5 = {"a": "pass", "b": "pass", "c": ["pass", "no", "pass"]}
all_5 = ["/a", "/b", "/c/0", "/c/2"]
assert sorted(places(many_5, "pass")) == all_5, why_5
assert places(many_5, "pass") == all_5, "The order should be the document's."
why_5 = "The order should be the document's: what stands first comes first."
late_5 = {"z": {"y": ["pass", {"x": "pass"}]}, "b": "pass", "a": ["pass"]}
assert places(late_5, "pass") == ["/z/y/0", "/z/y/1/x", "/b", "/a/0"], why_5
why_5 = "A text in which the secret stands twice should be one place."
assert places({"a": "pass pass"}, "pass") == ["/a"], why_5
why_5 = "In a key, the sign / should be written ~1."
assert places({"a/b/": "pass"}, "pass") == ["/a~1b~1"], why_5
assert places({"~a~": "pass"}, "pass") == ["/~0a~0"], "The sign ~ should be written ~0."
why_5 = "Each sign of a key should be escaped once: a ~ before a 1 is no escape."
assert places({"~/~1": "pass"}, "pass") == ["/~0~1~01"], why_5
assert places({"": "pass"}, "pass") == ["/"], "An empty key should be a step, too."
why_5 = "No key should count, only values."
assert places({"pass": None, "a": {"pass": "x"}}, "pass") == [], why_5
why_5 = "What is no text should not count: no number, no bool, no None."
odd_5 = {"n": 12, "t": True, "z": None, "s": "12", "l": [12, 0.5, False]}
assert places(odd_5, "12") == ["/s"], why_5
for sign in ("True", "true", "None", "null", "False", "0.5"):
    assert places(odd_5, sign) == [], why_5
why_5 = "Another case should be another text."
assert places(["PASS", "pass"], "pass") == ["/1"], why_5
why_5 = "An empty secret should be refused, whatever the document is."
for one in ({"k": 1}, {}, [], None, "x"):
    assert fails(places, one, ""), why_5
why_5 = "A blank is a text and should be found."
assert not fails(places, {"a": "b c"}, " "), why_5
assert places({"a": "b c", "d": "e"}, " ") == ["/a"], why_5
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the policy
#
# `policy()` returns a text: a policy in Rego, in `package bank`, whose set `deny` has at least
# one sentence for each of the following in a plan (`input.resource_changes`), and the sentence
# names the address:
# - A block that is created or updated, if one of its `FLAGS` is not true or is missing. (A
#   block that is deleted is not denied.)
# - A bucket that is created, while the plan creates no block with the same `bucket`.
# - A bucket or a table (`aws_dynamodb_table`) that would be deleted, with all it holds.
#
# Nothing else is denied. Of Rego you need three things more than the lesson had. `not` before an
# expression holds if that does not: `not queue.fifo == true` holds for false, for `null` and for
# what is missing. (`null` is not false: ask `after == null`.) `x in y` holds if the list or set
# `y` has `x`. And a set of your own is made like `deny`:
#
# ```rego
# queues contains queue.change.after.name if {
#     some queue in input.resource_changes
#     queue.type == "aws_sqs_queue"
# }
# ```
#
# Another rule may then ask `name in queues`, or `not name in queues`. Try your policy on plans
# of your own with `judge`, and leave that as it is. Where Rego cannot read your policy, it returns
# a text with line and column; line 1 is the one of the opening quotes.


# %% answer="ex6"
def policy():
    """Return the bank's policy on plans, in Rego."""
    ### BEGIN SOLUTION
    rules = """
package bank

import rego.v1

deny contains sprintf("%s: %s is not true", [resource.address, flag]) if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket_public_access_block"
    block := resource.change.after
    block != null
    some flag in FLAGS
    not block[flag] == true
}

blocked contains resource.change.after.bucket if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket_public_access_block"
    "create" in resource.change.actions
}

deny contains sprintf("%s has no block", [resource.address]) if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket"
    "create" in resource.change.actions
    not resource.change.after.bucket in blocked
}

deny contains sprintf("%s would be deleted", [resource.address]) if {
    some resource in input.resource_changes
    resource.type in {"aws_s3_bucket", "aws_dynamodb_table"}
    "delete" in resource.change.actions
}
"""
    return rules.replace("FLAGS", json.dumps(FLAGS))
    ### END SOLUTION


def judge(changes):
    """Return what your policy has against a plan; the tests ask this."""
    return objections(policy(), changes)


# %% test="ex6" points=4
# Covers an open lake, a bare bucket. Not shown: other flags, deletes, mixed plans.
def denied(changes):
    """Return the addresses that a sentence of the policy names, or why it is none."""
    said = judge(changes)
    if not isinstance(said, list) or not all(isinstance(why, str) for why in said):
        return said
    all_6 = [one["address"] for one in changes]
    named = {address for address in all_6 if any(address in why for why in said)}
    silent = [why for why in said if not any(each in why for each in named)]
    return sorted(named) + silent


def blocks(bucket, **flags):
    """Return the attributes of a block, all on but what is said."""
    return {"bucket": bucket, **dict.fromkeys(FLAGS, True), **flags}


text_6 = policy()
assert text_6 is not None, "policy returned nothing: return a text."
assert isinstance(text_6, str), f"Return a text, not {type(text_6).__name__}."
lake_6 = change("aws_s3_bucket.lake", None, {"bucket": "a"})
block_6 = change(f"{BLOCK}.lake", None, blocks("a"))
fine_6 = denied([lake_6, block_6])
assert isinstance(fine_6, list), f"judge should return a list, and says: {fine_6}"
assert fine_6 == [], "A bucket with its block is fine."
open_6 = change(f"{BLOCK}.lake", blocks("a"), blocks("a", ignore_public_acls=False))
assert denied([open_6]) == [f"{BLOCK}.lake"], "Here ignore_public_acls is set to false."
assert denied([lake_6]) == ["aws_s3_bucket.lake"], "This bucket comes without a block."
### BEGIN HIDDEN TESTS
for flag in FLAGS:
    off_6 = change(f"{BLOCK}.lake", None, blocks("a", **{flag: False}))
    why_6 = f"A plan with {flag} false should be denied."
    assert denied([lake_6, off_6]) == [f"{BLOCK}.lake"], why_6
bare_6 = blocks("a")
del bare_6["restrict_public_buckets"]
missing_6 = change(f"{BLOCK}.lake", None, bare_6)
why_6 = "A flag that is missing should be denied."
assert denied([lake_6, missing_6]) == [f"{BLOCK}.lake"], why_6
null_6 = change(f"{BLOCK}.lake", None, blocks("a", ignore_public_acls=None))
why_6 = "A flag that is null should be denied."
assert denied([lake_6, null_6]) == [f"{BLOCK}.lake"], why_6
other_6 = change(f"{BLOCK}.other", None, blocks("b"))
why_6 = "The block of another bucket should not help."
assert denied([lake_6, other_6]) == ["aws_s3_bucket.lake"], why_6
names_6 = [change(f"aws_s3_bucket.{one}", None, {"bucket": one}) for one in "ab"]
names_6.append(change(f"{BLOCK}.b", None, blocks("a")))
names_6.append(change(f"{BLOCK}.c", None, blocks("b")))
why_6 = "A block should belong to the bucket with its `bucket`, whatever the addresses."
assert denied(names_6) == [], why_6
assert denied(names_6[:3]) == ["aws_s3_bucket.b"], why_6
went_6 = change(f"{BLOCK}.lake", blocks("a"), None)
assert denied([went_6]) == [], "The delete of a block should not be denied."
why_6 = "A block that goes should not help a bucket that comes."
assert denied([lake_6, went_6]) == ["aws_s3_bucket.lake"], why_6
gone_6 = [change("aws_s3_bucket.lake", {"bucket": "a"}, None), went_6]
why_6 = "The bucket's delete should be denied, the block's not."
assert denied(gone_6) == ["aws_s3_bucket.lake"], why_6
table_6 = change("aws_dynamodb_table.t", {"name": "t"}, None)
why_6 = "A table's delete should be denied."
assert denied([table_6]) == ["aws_dynamodb_table.t"], why_6
fine_6 = [
    change("aws_dynamodb_table.t", None, {"name": "t"}),
    change("aws_dynamodb_table.u", {"name": "u"}, {"name": "u", "tags": "x"}),
    change("aws_sqs_queue.q", {"name": "q"}, None),
    change("aws_s3_bucket.old", {"bucket": "o"}, {"bucket": "o", "tags": "x"}),
    change(f"{BLOCK}.lake", bare_6, blocks("a")),
]
assert denied(fine_6) == [], "What opens nothing and deletes no data should pass."
renamed_6 = change("aws_s3_bucket.new", {"bucket": "o"}, {"bucket": "p"})
assert denied([renamed_6]) == [], "The update of a bucket should not be denied."
why_6 = "A block that is updated should not help a bucket that is created."
assert denied([lake_6, fine_6[-1]]) == ["aws_s3_bucket.lake"], why_6
each_6 = change('aws_s3_bucket.l["x"]', None, {"bucket": "l-x"})
why_6 = "A sentence should name the address as it is, with quotes, too."
assert denied([each_6]) == ['aws_s3_bucket.l["x"]'], why_6
assert denied([]) == [], "An empty plan should pass."
all_6 = [*fine_6, table_6, lake_6, other_6]
why_6 = "In a mixed plan each fault should be found, and no other."
assert denied(all_6) == ["aws_dynamodb_table.t", "aws_s3_bucket.lake"], why_6
### END HIDDEN TESTS

# %% [markdown]
# ## All together
#
# A colleague has opened the lake. What you wrote finds it and says what it was, and would have
# stopped a plan that does the same.

# %%
kept = {"serial": 0, "resources": {}}
bank = declare("oakbank", True, 4)
if bank:
    done = []
    first = {"serial": 0, "resource_changes": plan(bank, {})}
    apply(kept, first, lambda *one: done.append(one))
    kinds = [address.split(".")[0] for _, address, _ in done]
    now = [dict(attributes) for _, _, attributes in done]
    pairs = zip(kinds, now, strict=True)
    things = [{"type": kind, "attributes": found} for kind, found in pairs]
    now[1]["block_public_policy"] = False
    print(json.dumps(by_hand(kept, things), indent=2))
    opened = plan(declare("oakbank", False, 4), bank)
    print(objections(policy(), opened))
