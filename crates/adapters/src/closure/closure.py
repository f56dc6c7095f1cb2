"""Answers questions about dependencies with dnf's solver: a JSON object on each line in, one on each line out.

A request names repositories and asks either `questions` or, with `installable`, about every package in them.
Each question starts from an empty root. Nothing is downloaded and nothing of the host's configuration is read.
"""

import collections
import glob
import hashlib
import json
import os
import sys
import warnings
import xml.etree.ElementTree as ElementTree

NAMESPACE = "{http://linux.duke.edu/metadata/repo}"
KEPT = 4

# The only class that takes metadata from files is marked as deprecated; dnf itself still stands on it.
warnings.simplefilter("ignore", DeprecationWarning)


class Failure(Exception):
    """An error that is the repository's fault: the path and what is wrong with it."""

    def __init__(self, path, message):
        super().__init__(message)
        self.path = path
        self.message = message


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(path, error.strerror) from error


def metadata(repository, repomd):
    """The files of the metadata by kind. Each must be what `repomd.xml` says, or a broken one would look empty."""
    try:
        tree = ElementTree.fromstring(repomd)
    except ElementTree.ParseError as error:
        raise Failure(os.path.join(repository, "repodata/repomd.xml"), str(error)) from error
    files = {}
    for data in tree.iter(NAMESPACE + "data"):
        kind = data.get("type")
        if kind not in ("primary", "filelists"):
            continue
        location, checksum = data.find(NAMESPACE + "location"), data.find(NAMESPACE + "checksum")
        if location is None or checksum is None or checksum.get("type") != "sha256":
            raise Failure(repository, f"no location or sha256 of {kind} in repomd.xml")
        path = os.path.join(repository, location.get("href"))
        if hashlib.sha256(read(path)).hexdigest() != checksum.text:
            raise Failure(path, "is not what repomd.xml says it is")
        files[kind] = path
    if len(files) != 2:
        raise Failure(repository, "repomd.xml lists no primary or no filelists")
    return files


class Universe:
    """The packages of some repositories, loaded."""

    def __init__(self, sources, work):
        self.roots = {}
        root = os.path.join(work, "root")
        os.makedirs(root, exist_ok=True)
        self.sack = hawkey.Sack(
            arch=os.uname().machine,
            rootdir=root,
            cachedir=os.path.join(work, "cache"),
            logfile=os.path.join(work, "hawkey.log"),
            make_cache_dir=True,
        )
        for number, (path, repomd, packages) in enumerate(sources):
            if repomd is None:
                self.add_files(packages)
            else:
                self.add_repository(f"r{number}", path, repomd)

    def add_repository(self, name, path, repomd):
        files = metadata(path, repomd)
        repository = hawkey.Repo(name)
        repository.repomd_fn = os.path.join(path, "repodata/repomd.xml")
        repository.primary_fn = files["primary"]
        repository.filelists_fn = files["filelists"]
        try:
            self.sack.load_repo(repository, build_cache=False, load_filelists=True)
        except (hawkey.Exception, OSError) as error:
            raise Failure(path, str(error)) from error
        self.roots[name] = path

    def add_files(self, packages):
        for path in packages:
            try:
                self.sack.add_cmdline_package(path)
            except (hawkey.Exception, OSError) as error:
                raise Failure(path, str(error)) from error

    def query(self, **conditions):
        return hawkey.Query(self.sack).filter(**conditions)

    def find(self, wanted):
        """The packages that would do: by name, by what they provide or contain, by NEVRA."""
        if wanted.startswith("/"):
            return list(self.query(file=wanted)) or list(self.query(provides=wanted))
        if not wanted.startswith("("):
            named = list(self.query(name=wanted))
            if named:
                return named
        try:
            provides = hawkey.Reldep(self.sack, wanted)
        except (hawkey.Exception, ValueError):
            # No package of the repositories uses such a name.
            return list(hawkey.Subject(wanted).get_best_query(self.sack))
        return list(self.query(provides=provides)) or list(
            hawkey.Subject(wanted).get_best_query(self.sack, with_provides=False, with_filenames=False)
        )

    def described(self, package):
        root = self.roots.get(package.reponame, "")
        return {"nevra": str(package), "path": os.path.join(root, package.location)}

    def solve(self, wanted, weak=False):
        """The packages to install, or the problems; each of `wanted` is a list of which one must be installed."""
        goal = hawkey.Goal(self.sack)
        for packages in wanted:
            goal.install(select=hawkey.Selector(self.sack).set(pkg=packages))
        if goal.run(ignore_weak_deps=not weak):
            return sorted(goal.list_installs(), key=str), []
        rules = goal.problem_rules()
        sentences = [sentence for rule in rules for sentence in rule]
        return None, list(dict.fromkeys(sentences)) or ["the solver found no solution and gave no reason"]

    def answer(self, question, base):
        wanted, problems = [], []
        for text in base + question["install"]:
            # Whether a condition holds depends on the rest of the answer, which only a package may ask for.
            if text.startswith("(") and any(f" {word} " in text for word in ("if", "unless", "and")):
                problems.append(f"the rich requirement {text} cannot be asked for by itself")
                continue
            found = self.find(text)
            if found:
                wanted.append(found)
            else:
                problems.append(f"nothing provides {text}")
        if problems:
            return {"problems": problems}
        installs, problems = self.solve(wanted, question["weak"])
        if problems:
            return {"problems": problems}
        return {"packages": [self.described(package) for package in installs]}

    def installable(self, base):
        wanted = [self.find(text) for text in base]
        missing = [f"nothing provides {text}" for text, found in zip(base, wanted) if not found]
        answers = []
        for package in sorted(self.query(), key=str):
            problems = missing or self.solve(wanted + [[package]])[1]
            answers.append({**self.described(package), "problems": problems})
        return answers


def describe(path):
    """What identifies a repository, a folder of packages or a package: reading it again must be needed at once it changed."""
    repomd = os.path.join(path, "repodata/repomd.xml")
    if os.path.isfile(path):
        packages = [path]
    elif os.path.exists(repomd):
        return path, read(repomd), ()
    elif os.path.isdir(path):
        packages = sorted(glob.glob(os.path.join(glob.escape(path), "*.rpm")))
    else:
        raise Failure(path, "No such file or directory")
    return path, None, tuple(packages)


def key(source):
    path, repomd, packages = source
    stats = [os.stat(package) for package in packages]
    return path, repomd, packages, tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)


def respond(request, universes, work):
    sources = [describe(path) for path in request["repositories"]]
    wanted = tuple(key(source) for source in sources)
    if wanted not in universes:
        universes[wanted] = Universe(sources, work)
    universes.move_to_end(wanted)
    while len(universes) > KEPT:
        universes.popitem(last=False)
    universe = universes[wanted]
    if request["installable"]:
        return {"installable": universe.installable(request["base"])}
    questions = request["questions"]
    return {"answers": {question["id"]: universe.answer(question, request["base"]) for question in questions}}


def main(work):
    universes = collections.OrderedDict()
    for line in sys.stdin:
        try:
            if hawkey is None:
                answer = {"error": {"kind": "missing", "path": "", "message": MISSING}}
            else:
                answer = respond(json.loads(line), universes, work)
        except Failure as failure:
            answer = {"error": {"kind": "repository", "path": failure.path, "message": failure.message}}
        except OSError as error:
            message = error.strerror or str(error)
            answer = {"error": {"kind": "repository", "path": error.filename or "", "message": message}}
        print(json.dumps(answer), flush=True)


try:
    import hawkey

    MISSING = ""
except ImportError as error:
    hawkey = None
    MISSING = str(error)

main(sys.argv[1])
