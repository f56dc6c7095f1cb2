#!/bin/sh
# SPDX-License-Identifier: MIT
# beacons HARBOUR: the light of a harbour, in words.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: beacons HARBOUR" >&2
    exit 2
fi
light=$(sed -n "s/^$1	//p" /usr/share/almanac/beacons.words)
if [ -z "$light" ]; then
    echo "beacons: no light is known at $1" >&2
    exit 1
fi
echo "$light"
