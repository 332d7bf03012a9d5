"""Who may ask: hosts, origins, secrets, and how much arrives at once."""

import pytest

from deixis.web.guard import HEADERS, Arrival
from unit.web.conftest import small

TOKEN = "a-secret-of-more-than-sixteen"


def test_every_answer_carries_its_marks(client):
    for path in ("/", "/v1/models", "/page/main.js", "/nothing", "/v1/jobs/none"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS, path


def test_the_policy_lets_nothing_in_from_outside(client):
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8642", "localhost:1", "LOCALHOST", "[::1]:8642", "[::1]"])
def test_the_loopback_is_served(client, host):
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::2]"])
def test_a_name_that_points_here_is_not(client, host):
    """DNS rebinding."""
    answer = client.get("/v1/models", headers={"Host": host})
    assert answer.status_code == 421
    assert "--allowed-host" in answer.json()["detail"]
    assert "evil" not in answer.text


def test_names_can_be_allowed(serving):
    with serving(hosts=("grounding.example",)) as client:
        assert client.get("/v1/health", headers={"Host": "grounding.example"}).status_code == 200
        assert client.get("/v1/health").status_code == 421
    with serving(hosts=()) as client:
        assert client.get("/v1/health", headers={"Host": "anything.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(client, headers, png):
    answer = client.post("/v1/images", files={"image": png}, headers=headers)
    assert answer.status_code == 403
    assert client.service.metrics.registry.get_sample_value("deixis_images_held") == 0


def test_the_page_itself_may_ask(client):
    answer = client.post(
        "/v1/images",
        data={"example": "effusion"},
        headers={"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 201


def test_without_the_secret_only_health_and_the_empty_page_are_open(serving):
    with serving(token=TOKEN) as client:
        for path in ("/v1/health", "/", "/page/main.js"):
            assert client.get(path).status_code == 200
        assert client.get("/v1/ready").status_code in (200, 503)
        for path in ("/v1/models", "/v1/metrics", "/v1/jobs/none", "/v1/nothing"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        ("Bearer wrong", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
    ],
)
def test_the_secret_opens(serving, given, status):
    with serving(token=TOKEN) as client:
        assert client.get("/v1/models", headers={"Authorization": given}).status_code == status


def test_uploads_beyond_the_limit_are_told_to_come_back(serving, png):
    with serving(small(uploads=0)) as client:
        answer = client.post("/v1/images", files={"image": png})
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"


def test_an_upload_takes_room_until_it_is_read(client, png):
    """Twenty one after the other, where eight may arrive at once."""
    for _ in range(20):
        assert client.post("/v1/images", files={"image": png}).status_code == 201
        assert client.post("/v1/images", files={"image": b"no image"}).status_code == 415


def test_an_arrival_is_over_once():
    left = []
    arrival = Arrival(lambda: left.append(1))
    arrival.over()
    arrival.over()
    assert left == [1]
