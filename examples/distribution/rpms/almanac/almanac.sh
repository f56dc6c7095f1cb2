#!/bin/sh
# SPDX-License-Identifier: MIT
# almanac DATE HARBOUR: everything about a day, on one page.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: almanac DATE HARBOUR" >&2
    exit 2
fi
month=${1#*-}
month=${month%-*}

echo "Date:  $1, $(dayof "$1")"
echo "Feast: $(feasts "$1")"
echo "Moon:  $(moonlight "$1")"
echo "Tide:  $(tidetable "$2" "$1")"
echo "Star:  $(stars "${month#0}")"
