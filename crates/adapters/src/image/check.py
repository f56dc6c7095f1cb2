"""Looks at an image with the image as its root: do programs find what they are linked with, can it start?"""

import glob
import json
import os
import struct
import subprocess
import sys

FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAM, LIBRARY = 2, 3
DYNAMIC, INTERPRETER = 2, 3


def loader(path):
    """The loader an ELF file names, empty if it names none; None if it is linked with nothing or is no such file."""
    with open(path, "rb") as file:
        head = file.read(64)
        # 64 bits, lowest byte first.
        if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
            return None
        kind, start = struct.unpack_from("<H", head, 16)[0], struct.unpack_from("<Q", head, 32)[0]
        size, count = struct.unpack_from("<HH", head, 54)
        if kind not in (PROGRAM, LIBRARY):
            return None
        named, dynamic = "", False
        for number in range(count):
            file.seek(start + number * size)
            header = file.read(56)
            if len(header) < 56:
                return None
            what = struct.unpack_from("<I", header)[0]
            dynamic = dynamic or what == DYNAMIC
            if what == INTERPRETER:
                offset, _, _, length = struct.unpack_from("<QQQQ", header, 8)
                file.seek(offset)
                named = file.read(min(length, 4096)).rstrip(b"\0").decode("utf-8", "replace")
        return named if dynamic else None


def is_program(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def folders(environment):
    return environment.get("PATH", FOLDERS).split(":")


def libraries(start, listed):
    """What programs and libraries lack: those of packages, and every program a shell would find."""
    environment = variables(start)
    # The loader tells what it would load, and goes on to the next library where one is missing.
    asking = {**environment, "LD_TRACE_LOADED_OBJECTS": "1"}
    found = [os.path.join(folder, name) for folder in folders(environment) if os.path.isdir(folder) for name in sorted(os.listdir(folder))]
    wanted = [path for path in listed if is_program(path) or ".so" in os.path.basename(path)]
    loaders = {}
    for path in wanted + [path for path in found if is_program(path)]:
        if os.path.isfile(path) and not os.path.islink(path):
            named = loader(path)
            if named is not None:
                loaders[os.path.realpath(path)] = named
    usual = sorted(glob.glob("/lib64/ld-linux*.so.*") + glob.glob("/lib/ld-linux*.so.*"))
    usual = next((named for named in loaders.values() if named), usual[0] if usual else "")
    for path, named in sorted(loaders.items()):
        named = named or usual
        if not os.path.isfile(named):
            yield f"{path}: its loader {named or 'for libraries'} is not in the image"
            continue
        answer = subprocess.run([named, path], capture_output=True, env=asking)
        lines = (answer.stdout + answer.stderr).decode("utf-8", "replace").splitlines()
        missing = [line.strip() for line in lines if "not found" in line or "error while loading" in line]
        if not missing and answer.returncode:
            missing = lines[:1] or [f"its loader ended with {answer.returncode}"]
        for line in missing:
            yield f"{path}: {line}"


def starts(start, _):
    """What keeps a container from starting. An image without a program is a parent for others."""
    program, environment = start["program"], variables(start)
    if not program:
        return
    home = os.path.join("/", start["folder"])
    places = [os.path.join(home, program)]
    if "/" not in program:
        places = [os.path.join(home, folder, program) for folder in folders(environment)]
    volumes = [volume.rstrip("/") + "/" for volume in start["volumes"]]
    if any(place.startswith(volume) for place in places for volume in volumes):
        return
    path = next((place for place in places if is_program(place)), None)
    if path is None:
        yield f"{program}, with which a container starts, is not in the image or not executable"
        return
    with open(path, "rb") as file:
        head = file.readline(4096)
    interpreter = loader(path)
    if head.startswith(b"#!"):
        interpreter = (head[2:].decode("utf-8", "replace").split() or [""])[0]
    if interpreter and not is_program(interpreter):
        yield f"{path} needs {interpreter}, which is not in the image"


def variables(start):
    return dict(variable.split("=", 1) for variable in start["environment"] if "=" in variable)


def main():
    what, root = sys.argv[1:]
    with open("/in/start.json", encoding="utf-8") as file:
        start = json.load(file)
    listed = []
    if what == "libraries":
        with open("/build/listed", encoding="utf-8", errors="surrogateescape") as file:
            listed = file.read().splitlines()
    os.chroot(root)
    os.chdir("/")
    complaints = list({"libraries": libraries, "starts": starts}[what](start, listed))
    for complaint in complaints:
        print("error:", complaint.encode("utf-8", "replace").decode("utf-8"))
    sys.exit(1 if complaints else 0)


main()
