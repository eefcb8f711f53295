"""What goes wrong on purpose, limits of rate, entity tags; and the server itself."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import requests
from github import Auth, Github, GithubException, GithubRetry, RateLimitExceededException
from github.Repository import Repository as Client

from fakes.github import Fault, GitHubFake, Repository, page, reset, secondary_limit, slow, status
from unit.fakes.conftest import Connect


def test_faults_are_met_one_after_another(fake: GitHubFake, repository: Repository, job: Client) -> None:
    fake.faults.next(status(503), operation="issues/create", times=2)
    fake.faults.next(status(500), operation="issues/create")
    seen = []
    for _ in range(3):
        with pytest.raises(GithubException) as refused:
            job.create_issue("x")
        seen.append(refused.value.status)
    assert list(job.get_issues()) == []
    assert job.create_issue("x").number == 1
    assert (seen, fake.faults.waiting) == ([503, 503, 500], [])


def test_a_page_instead_of_json(fake: GitHubFake, job: Client) -> None:
    fake.faults.next(page(502), method="POST")
    with pytest.raises(GithubException) as refused:
        job.create_issue("x")
    assert refused.value.status == 502
    assert "Unicorn" in str(refused.value.data)


@pytest.mark.parametrize(("retry_after", "code"), [(7, 403), (None, 403), (7, 429), (None, 429)])
def test_the_secondary_rate_limit(fake: GitHubFake, job: Client, retry_after: int | None, code: int) -> None:
    fake.faults.next(secondary_limit(retry_after, code))
    with pytest.raises(GithubException) as refused:
        job.create_issue("x")
    assert refused.value.status == code
    assert "secondary rate limit" in refused.value.data["message"]
    headers = refused.value.headers or {}
    assert headers.get("retry-after") == (None if retry_after is None else str(retry_after))
    assert headers["x-ratelimit-remaining"] == "998"  # the primary limit is far away
    assert headers["date"] == "Fri, 20 Nov 2026 09:00:01 GMT"  # the fake's time


def test_pygithub_s_own_retry_understands_it(fake: GitHubFake, repository: Repository) -> None:
    token = fake.token(permissions={"issues": "write"})
    retry = GithubRetry(total=1, secondary_rate_wait=0)
    with Github(
        auth=Auth.Token(token),
        base_url=fake.url,
        retry=retry,
        seconds_between_requests=None,
        seconds_between_writes=None,
    ) as client:
        found = client.get_repo("acme/infra")
        fake.faults.next(secondary_limit(0), operation="issues/create")
        assert found.create_issue("x").number == 1


def test_a_connection_that_is_reset_before_or_after(fake: GitHubFake, repository: Repository, job: Client) -> None:
    for when, left in (("before", 0), ("after", 1)):
        fake.faults.next(reset("before" if when == "before" else "after"), operation="issues/create")
        with pytest.raises(requests.exceptions.ConnectionError):
            job.create_issue(when)
        assert len(repository.issues) == left
    assert job.create_issue("again").number == 2


def test_an_answer_that_takes_its_time(fake: GitHubFake, repository: Repository) -> None:
    token = fake.token()
    request = urllib.request.Request(  # noqa: S310 - the fake's own address
        f"{fake.url}/repos/acme/infra", headers={"Authorization": f"Bearer {token}"}
    )
    fake.faults.next(slow(600))  # the fake's end waits for nobody
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(request, timeout=0.05)  # noqa: S310 - as above
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310 - as above
        assert reply.status == 200


def test_the_primary_limit_counts_and_refuses(fake: GitHubFake, repository: Repository, connect: Connect) -> None:
    client = connect()
    assert client.get_rate_limit().resources.core.limit == 1000
    fake.world.rate_limit = 3
    client.get_repo("acme/infra")
    assert client.rate_limiting == (2, 3)
    client.get_repo("acme/infra").get_issues().totalCount  # noqa: B018 - a call is made
    with pytest.raises(RateLimitExceededException) as refused:
        client.get_repo("acme/infra")
    headers = refused.value.headers or {}
    assert (refused.value.status, headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(headers["x-ratelimit-reset"]) > fake.clock.time.timestamp()
    assert client.get_rate_limit().resources.core.remaining == 0
    fake.clock.advance(3600)
    assert client.get_repo("acme/infra").name == "infra"


def test_entity_tags_save_calls(fake: GitHubFake, repository: Repository, connect: Connect) -> None:
    client = connect()
    found = client.get_repo("acme/infra")
    assert found.update() is False  # 304
    repository.has_issues = False
    assert found.update() is True
    assert [call.status for call in fake.calls] == [200, 304, 200]
    assert client.rate_limiting[1] - client.get_rate_limit().resources.core.remaining == 2


def test_two_fakes_at_once_and_a_clean_end(tmp_path: Path) -> None:
    before = threading.active_count()
    with GitHubFake(tmp_path / "one") as one, GitHubFake(tmp_path / "two") as two:
        assert one.url != two.url
        for fake in (one, two):
            fake.repository("acme/infra")
            with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2]))):
                pass  # a client that says nothing
            idle = requests.Session()
            idle.get(f"{fake.url}/repos/acme/infra", timeout=5)
            idle.close()
        kept = requests.Session()  # its connection stays open over the end
        assert kept.get(f"{one.url}/rate_limit", timeout=5).status_code == 401
        port = int(one.url.rpartition(":")[2])
    kept.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_twenty_clients_at_once(fake: GitHubFake, repository: Repository) -> None:
    issue = repository.open_issue("busy")
    client = fake.client(fake.token(permissions={"issues": "write"}))

    def talk(name: int) -> None:
        for index in range(5):
            path = f"/repos/acme/infra/issues/{issue.number}/comments"
            client.requester.requestJsonAndCheck("POST", path, input={"body": f"{name} {index}"})

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = [comment.body for comment in repository.comments_of(issue.number)]
    assert sorted(bodies) == sorted(f"{name} {index}" for name in range(20) for index in range(5))
    assert fake.defects == []


def test_a_call_takes_milliseconds(fake: GitHubFake, repository: Repository, job: Client) -> None:
    issue = job.get_issue(repository.open_issue("quick").number)
    taken = []
    for index in range(41):
        start = time.perf_counter()
        issue.create_comment(str(index))
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.01, "1 to 2 ms on an idle machine; the best of many, because other tests run, too"


def test_github_enterprise_has_another_base_path(fake: GitHubFake, repository: Repository) -> None:
    token = fake.token(permissions={"issues": "write"})
    client = fake.client(token, enterprise=True)
    assert fake.enterprise_url == f"{fake.url}/api/v3"
    issue = client.get_repo("acme/infra").create_issue("x")
    assert issue.url == f"{fake.enterprise_url}/repos/acme/infra/issues/1"
    for index in range(31):
        repository.comment(1, str(index))
    assert len(list(issue.get_comments())) == 31  # the links lead to the same base path
    _, answer = client.requester.graphql_query("{ viewer { login } }", {})
    assert answer["data"]["viewer"]["login"] == "github-actions[bot]"
    assert fake.violations == []


def test_a_fault_has_a_form(fake: GitHubFake) -> None:
    fake.faults.next(Fault(delay=0.0), operation="repos/get", times=2)
    assert fake.faults.take("issues/get", "GET") is None
    assert fake.faults.take("repos/get", "GET") == Fault(operation="repos/get")
