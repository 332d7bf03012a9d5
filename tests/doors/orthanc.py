"""A real archive for tests: Debian's Orthanc with its DICOMweb plug-in, empty, for this machine alone."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset

from needs import file, program

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
READY_SECONDS = 30.0


@dataclass(frozen=True)
class Orthanc:
    """A running one; `user` and `password` are asked for."""

    url: str
    user: str
    password: str
    log: Path

    @property
    def client(self) -> DICOMwebClient:
        """A client of its own for the test."""
        session = requests.Session()
        session.auth = (self.user, self.password)
        return DICOMwebClient(self.url, session=session, chunk_size=1 << 30)

    def everything(self, study: str) -> list[Dataset]:
        """All instances of a study, in no particular order."""
        return self.client.retrieve_study(study, media_types=(("application/dicom", "*"),))


@contextmanager
def running(folder: Path) -> Iterator[Orthanc]:
    """Start one, wait until it answers, and end it by its process id whatever happens."""
    server, plugin = program("Orthanc", package="orthanc"), file(PLUGIN, package="orthanc-dicomweb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user, password = "tester", secrets.token_hex(8)
    configuration = {
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "DicomServerEnabled": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {user: password},
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    log = folder / "orthanc.log"
    with log.open("w") as said:
        process = subprocess.Popen([server, str(folder / "orthanc.json")], stdout=said, stderr=said, cwd=folder)
    try:
        orthanc = Orthanc(f"http://127.0.0.1:{port}/dicom-web", user, password, log)
        _wait(process, orthanc)
        yield orthanc
    finally:
        process.kill()  # all that it holds is the test's
        process.wait(timeout=30)


def _wait(process: subprocess.Popen, orthanc: Orthanc) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"Orthanc ended at once:\n{orthanc.log.read_text()}")
        try:
            if requests.get(f"{orthanc.url}/studies", auth=(orthanc.user, orthanc.password), timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError(f"Orthanc does not answer:\n{orthanc.log.read_text()}")
