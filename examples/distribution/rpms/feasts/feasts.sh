#!/bin/sh
# SPDX-License-Identifier: MIT
# feasts DATE: the feast of a day, with its day of the week.
set -eu

table=/usr/share/almanac/feasts.tsv

if [ $# -ne 1 ]; then
    echo "usage: feasts DATE" >&2
    exit 2
fi
weekday=$(dayof "$1")
feast=$(sed -n "s/^${1#*-}	//p" "$table")
echo "$weekday, ${feast:-no feast}"
