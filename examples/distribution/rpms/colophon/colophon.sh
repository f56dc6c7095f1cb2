#!/bin/sh
# SPDX-License-Identifier: MIT
#: Usage: colophon SOURCE
#:
#: colophon prints the help text that stands in a program's source, in lines that start with a hash or a star and a colon.
#:
#: colophon --help prints this text.
set -eu

case ${1:-} in
--help)
    cat /usr/share/colophon/help.txt
    ;;
'' | -*)
    echo "usage: colophon SOURCE | colophon --help" >&2
    exit 2
    ;;
*)
    sed -n -e 's/^#:$//p' -e 's/^#: //p' -e 's/^ \*:$//p' -e 's/^ \*: //p' "$1"
    ;;
esac
