#!/bin/sh
# SPDX-License-Identifier: MIT
# signals CHARACTER: the character of a light, as charts write it, in words.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: signals CHARACTER" >&2
    exit 2
fi
echo "$1" | sed \
    -e 's/^Fl(\([0-9]*\)) \([0-9]*\)s$/\1 flashes every \2 seconds/' \
    -e 's/^Fl \([0-9]*\)s$/a flash every \1 seconds/' \
    -e 's/^F$/fixed/'
