import os
import re
import shutil
import subprocess

import pytest
from support.agent import TOP


class Clone:
    """A copy of the tree's files, without anything that was built; compiled with the machine's ccache, whatever its path is."""

    def __init__(self, folder):
        self.folder = folder / "ampule"
        git = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True)
        for name in filter(None, git.stdout.split("\0")):
            if (TOP / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.folder / name)
        settings = {"CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1", "CMAKE_C_COMPILER_LAUNCHER": "ccache"}
        # As at a prompt: without what this run set for its own tests.
        self.env = {name: value for name, value in os.environ.items() if name not in ("AMPULE_BIN", "AMPULE_JOBS", "AMPULE_SERVER")} | settings

    def run(self, command, check=True, **env):
        """A line of shell in the tree; both outputs as one text."""
        done = subprocess.run(command, shell=True, cwd=self.folder, env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: status {done.returncode}\n{done.stdout[-4000:]}"
        return done if not check else done.stdout

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def command(pattern):
    """The line of the README's code that the pattern begins, without its comment."""
    [line] = re.findall(rf"^({pattern}.*?)(?: {{2,}}#.*)?$", (TOP / "README.md").read_text(), re.M)
    return line
