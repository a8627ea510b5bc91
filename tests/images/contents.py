"""What is in an image: its own layers, without what Docker adds when a container starts."""

import io
import json
import subprocess
import tarfile

from support.docker import DOCKER


class Contents:
    """`files`: path -> tar entry, links and folders too."""

    def __init__(self, engine, image):
        name = image if ":" in image else f"{image}:latest"  # else all tags are saved
        saved = subprocess.run([DOCKER, "save", name], env=engine.env, check=True, capture_output=True).stdout
        self.files, self._data = {}, {}
        with tarfile.open(fileobj=io.BytesIO(saved)) as outer:
            [manifest] = json.load(outer.extractfile("manifest.json"))
            for layer in manifest["Layers"]:
                self._read(outer.extractfile(layer).read())

    def _read(self, layer):
        with tarfile.open(fileobj=io.BytesIO(layer)) as inner:
            for entry in inner:
                name = entry.name.strip("/")
                self.files[name] = entry
                if entry.isfile():
                    self._data[name] = inner.extractfile(entry).read()

    def data(self, name):
        return self._data[name]

    def names(self, kind=tarfile.TarInfo.isfile):
        return {name for name, entry in self.files.items() if kind(entry)}
