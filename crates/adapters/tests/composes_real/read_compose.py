"""Prints what productmd and libcomps see in the compose that is the first argument."""

import glob
import json
import sys

import libcomps
import productmd.compose

compose = productmd.compose.Compose(sys.argv[1])
seen = {"id": compose.info.compose.id, "release": str(compose.info.release)}
for variant in compose.info.get_variants():
    paths = {name: getattr(variant.paths, name) for name in variant.paths._fields}
    seen[variant.uid] = {
        "name": variant.name,
        "arches": sorted(variant.arches),
        "paths": sorted(path for found in paths.values() for path in found.values()),
        "rpms": {
            source: {nevra: rpm["category"] for nevra, rpm in rpms.items()}
            for source, rpms in compose.rpms.rpms[variant.uid]["x86_64"].items()
        },
        "images": [
            [image.path, image.subvariant, image.type, image.format]
            for image in compose.images.images.get(variant.uid, {}).get("x86_64", [])
        ],
    }
# What productmd would have written itself.
for name in ["info", "rpms", "images"]:
    file = "composeinfo" if name == "info" else name
    with open(f"{sys.argv[1]}/compose/metadata/{file}.json") as ours:
        written, read = json.load(ours), json.loads(getattr(compose, name).dumps())
        seen[f"same {file}"] = written == read or [written, read]
for path in sorted(glob.glob(sys.argv[1] + "/compose/*/*/comps.xml")):
    comps = libcomps.Comps()
    seen["comps"] = {
        "code": comps.fromxml_f(path),
        "errors": comps.get_last_errors(),
        "groups": {
            group.id: [[package.name, package.type, package.requires] for package in group.packages]
            for group in comps.groups
        },
        "names": [group.name_by_lang["cs"] for group in comps.groups],
        "descriptions": [group.desc for group in comps.groups],
        "categories": [category.id for category in comps.categories],
        "langpacks": dict(comps.langpacks.items()),
    }
print(json.dumps(seen))
