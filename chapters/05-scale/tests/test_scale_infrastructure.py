"""The bank's infrastructure: plans, drift, stale plans and policies, on moto; and that OpenTofu plans the same."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakbank.scale.infrastructure import (
    BANK_REGO,
    DeniedError,
    InfrastructureError,
    PolicyError,
    StalePlanError,
    Workspace,
    declare,
    denials,
    emulated,
    make_plan,
)
from oakbank.scale.infrastructure.bank import BLOCKS, Resources
from oakbank.scale.infrastructure.kinds import kind_of
from oakbank.scale.infrastructure.tofu import PASSWORD, find_tofu, kept_plan, open_plan

BANK = declare(PASSWORD)
BLOCK = "aws_s3_bucket_public_access_block.lake"
POLICY = BANK_REGO.read_text(encoding="utf-8")


@pytest.fixture
def aws() -> Iterator[None]:
    with emulated():
        yield


@pytest.fixture
def made(aws: None, tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.apply(workspace.plan(BANK))
    return workspace


# The plan

resources = st.dictionaries(
    st.sampled_from(["aws_sqs_queue.a", "aws_sqs_queue.b", "aws_sqs_queue.c"]),
    st.fixed_dictionaries({"message_retention_seconds": st.integers(0, 2)}),
)


@given(resources, resources)
def test_a_plan_leads_from_what_is_there_to_what_is_wanted(wanted: Resources, actual: Resources) -> None:
    plan, world = make_plan(wanted, actual), dict(actual)
    for change in plan.changes:
        assert world.get(change.address) == change.before
        if change.after is None:
            del world[change.address]
        else:
            world[change.address] = change.after
    assert world == wanted
    assert not make_plan(wanted, world).changes


def test_what_is_made_first_goes_last() -> None:
    assert list(make_plan(BANK, {}).actions) == list(BANK)
    gone = make_plan({}, BANK).actions
    assert list(gone) == list(reversed(BANK))
    assert set(gone.values()) == {"delete"}


# On the emulator


def test_a_second_plan_is_empty(made: Workspace) -> None:
    assert made.plan(BANK).changes == made.drift().changes == ()


def test_each_attribute_that_somebody_changes_is_put_back(made: Workspace) -> None:
    sqs, iam = boto3.client("sqs"), boto3.client("iam")
    url = sqs.get_queue_url(QueueName="applications")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    other = BANK["aws_iam_role.scorer"]["assume_role_policy"].replace("ecs-tasks", "ec2")
    iam.update_assume_role_policy(RoleName="scorer", PolicyDocument=other)
    boto3.client("secretsmanager").put_secret_value(SecretId="database", SecretString="other")
    boto3.client("dynamodb").update_table(
        TableName="decisions",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    but_one = {"BlockPublicAcls": True, "BlockPublicPolicy": False, "IgnorePublicAcls": True}
    boto3.client("s3").put_public_access_block(
        Bucket="oakbank-lake", PublicAccessBlockConfiguration={**but_one, "RestrictPublicBuckets": True}
    )
    changed = {"aws_sqs_queue", "aws_iam_role", "aws_secretsmanager_secret_version", "aws_dynamodb_table"}
    plan = made.plan(BANK)
    assert {address.split(".")[0] for address in plan.actions} == {*changed, BLOCK.split(".")[0]}
    assert set(plan.actions.values()) == {"update"}
    assert plan.changes == made.drift().changes
    made.apply(plan)
    assert made.plan(BANK).changes == ()


def test_a_block_that_is_gone_is_made_again_and_a_stranger_is_not_seen(made: Workspace) -> None:
    s3 = boto3.client("s3")
    s3.delete_public_access_block(Bucket="oakbank-lake")
    s3.create_bucket(Bucket="export", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert made.plan(BANK).actions == {BLOCK: "create"}


def test_what_leaves_the_declaration_goes_because_the_state_remembers_it(made: Workspace, tmp_path: Path) -> None:
    smaller = {address: attributes for address, attributes in BANK.items() if "queue" not in address}
    assert made.plan(smaller).actions == {"aws_sqs_queue.applications": "delete"}
    (tmp_path / "state.json").unlink()
    assert made.plan(smaller).changes == ()


def test_an_empty_declaration_takes_everything_away(made: Workspace) -> None:
    made.apply(made.plan({}))
    assert made.plan(BANK).actions == dict.fromkeys(BANK, "create")
    assert boto3.client("s3").list_buckets()["Buckets"] == []


def test_an_old_plan_is_refused_and_does_nothing(made: Workspace) -> None:
    old = made.plan(declare(PASSWORD, lake_is_private=False))
    made.apply(made.plan(declare("another")))
    with pytest.raises(StalePlanError, match="plan again"):
        made.apply(old)
    assert made.plan(declare("another")).changes == ()


def test_a_plan_that_a_policy_denies_changes_nothing(made: Workspace) -> None:
    plan = made.plan(declare(PASSWORD, lake_is_private=False))
    with pytest.raises(DeniedError, match="block_public_policy is false"):
        made.apply(plan, POLICY)
    assert made.plan(BANK).changes == ()
    made.apply(plan)
    assert made.plan(BANK).actions == {BLOCK: "update"}


def test_a_failure_half_way_forgets_nothing(aws: None, tmp_path: Path) -> None:
    workspace, plan = Workspace(tmp_path), Workspace(tmp_path).plan(BANK)
    boto3.client("iam").create_role(RoleName="scorer", AssumeRolePolicyDocument="{}")
    with pytest.raises(Exception, match="EntityAlreadyExists"):
        workspace.apply(plan)
    assert [*json.loads((tmp_path / "state.json").read_text())["resources"]] == [*BANK][:4]
    workspace.apply(workspace.plan(BANK))
    assert workspace.plan(BANK).changes == ()


def test_the_key_of_a_table_does_not_change(made: Workspace) -> None:
    changed = {**BANK, "aws_dynamodb_table.decisions": {**BANK["aws_dynamodb_table.decisions"], "hash_key": "id"}}
    with pytest.raises(ValueError, match="delete the table first"):
        made.apply(made.plan(changed))


def test_the_password_stands_in_the_state(made: Workspace) -> None:
    assert PASSWORD in made.path.read_text()


def test_a_broken_state_is_not_taken_for_none(made: Workspace) -> None:
    made.path.write_text("{}")
    with pytest.raises(InfrastructureError, match="last good copy"):
        made.plan(BANK)


def test_an_unknown_kind_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="'aws_vpc' is not one of aws_s3_bucket"):
        kind_of("aws_vpc.main")


def test_nobody_s_account_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    with emulated():
        assert boto3.Session().get_credentials().access_key == "nobody"
        assert boto3.client("s3").meta.endpoint_url.startswith("http://127.0.0.1:")
        assert not os.environ.keys() & {"AWS_PROFILE", "AWS_SESSION_TOKEN"}
    assert os.environ["AWS_PROFILE"] == "production"


# Policies


def test_the_policy_judges_our_plan_and_opentofu_s_alike(aws: None, tmp_path: Path) -> None:
    ours = Workspace(tmp_path).plan(declare(PASSWORD, lake_is_private=False)).to_json()
    assert denials(ours, POLICY) == denials(kept_plan(), POLICY) == [f"{BLOCK}: {name} is false" for name in BLOCKS]
    assert denials(make_plan(BANK, {}).to_json(), POLICY) == []


def test_what_holds_data_is_not_deleted() -> None:
    kept = ["aws_dynamodb_table.decisions", "aws_s3_bucket.lake", BLOCK]
    assert denials(make_plan({}, BANK).to_json(), POLICY) == [f"{address} would be deleted" for address in kept]


def _denied(body: str, *addresses: str) -> list[str]:
    """Return what a policy with this body, after three lines of head, has against changes at these addresses."""
    changes = [{"address": address} for address in addresses]
    return denials({"resource_changes": changes}, f"package bank\n\nimport rego.v1\n{body}")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("package bank\ndeny contains", r"no policy in Rego: line 2, column 6: Invalid rule head$"),
        ("package bank # \u00e9\n\nimport rego.v1\ndeny if {\n some x in }", "line 5, column 7: Invalid literal$"),
        ("package bank\n", "would forbid nothing"),
        ("package other\ndeny := []", "would forbid nothing"),
    ],
)
def test_a_policy_that_would_forbid_nothing_is_an_error(
    policy: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PolicyError, match=why):
        denials({"resource_changes": []}, policy)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("address", ['aws_s3_bucket.l["x"]', "a.b\\c", 'a.b\\"c', '","', "a.\u00e9\n\x01"])
def test_a_sentence_names_each_address_as_it_is(address: str) -> None:
    body = 'deny contains sprintf("the \\"%s\\"", [one.address]) if some one in input.resource_changes'
    assert _denied(body, address, "a.other") == sorted([f'the "{address}"', 'the "a.other"'])


def test_a_policy_finds_an_address_with_quotes() -> None:
    body = r'deny contains "found" if { some one in input.resource_changes; one.address == "l[\"x\"]" }'
    assert _denied(body, 'l["x"]') == ["found"]
    assert _denied(body, "l[x]") == []


def test_a_sentence_of_put_together_texts_is_read() -> None:
    (said,) = _denied('deny contains sprintf("%s: all", [concat(" and ", ["a", "b"])])')
    assert said.replace('"', "") == "a and b: all"  # regopy 1.5 adds quotes here, Open Policy Agent does not
    assert _denied(r'deny contains substring("a\"b", 0, 2)') == ["a\\"]  # and here it cuts an escape in two


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("deny := one.address if some one in input.resource_changes", "has two values for this plan"),
        ("deny contains one if some one in input.resource_changes", "no set of texts"),
        ("deny contains 3", "no set of texts"),
        ('deny := "no"', "no set of texts"),
        ("deny contains risk(1)", "Function not found: risk$"),
    ],
)
def test_a_policy_that_cannot_be_evaluated_says_why(body: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        _denied(body, "a.b", "a.c")


# OpenTofu


def _declared(plan: dict[str, Any]) -> dict[str, Any]:
    """Return from a plan the attributes that `bank.py` declares, where OpenTofu knows them before it applies."""
    after = {change["address"]: change["change"]["after"] for change in plan["resource_changes"]}
    return {address: {name: found[name] for name in BANK[address] if name in found} for address, found in after.items()}


def test_opentofu_plans_what_we_declare() -> None:
    plan = kept_plan()
    ours = {address: dict(attributes) for address, attributes in declare(PASSWORD, lake_is_private=False).items()}
    del ours[BLOCK]["bucket"], ours["aws_secretsmanager_secret_version.database"]["secret_id"]  # known after apply
    found = _declared(plan)
    for role in (ours["aws_iam_role.scorer"], found["aws_iam_role.scorer"]):
        role["assume_role_policy"] = json.loads(role["assume_role_policy"])
    assert found == ours
    assert {change["change"]["actions"][0] for change in plan["resource_changes"]} == {"create"}


@pytest.mark.skipif(find_tofu() is None, reason="no OpenTofu with an AWS provider here")
def test_the_kept_plan_is_what_opentofu_says_here(tmp_path: Path) -> None:
    tofu = find_tofu()
    assert tofu
    assert _declared(open_plan(tofu, tmp_path)) == _declared(kept_plan())
