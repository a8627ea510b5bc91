#!/usr/bin/env python3
"""Names and chains of certificates: Go is asked again about every row of certificates/, where it is. Ampule's own answers: tests/unit/os/test_verify.c.

usage: run_certificates.py BIN_DIR
"""
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent / "certificates"


def main():
    if not shutil.which("go"):
        print("left out: no Go here to ask again\n0 passed, 0 failed")
        return 0
    return subprocess.run(["go", "run", ".", "check"], cwd=HERE, check=False, timeout=300).returncode


if __name__ == "__main__":
    sys.exit(main())
