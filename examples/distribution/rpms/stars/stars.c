/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "table.c"

int main(int argc, char **argv)
{
	int found = 0, i;

	for (i = 0; argc == 2 && stars[i].key; i++) {
		if (strcmp(stars[i].value, argv[1]) == 0 ||
		    strcmp("--all", argv[1]) == 0) {
			puts(stars[i].key);
			found = 1;
		}
	}
	if (!found)
		fprintf(stderr, "usage: stars MONTH | stars --all\n");
	return found ? 0 : 2;
}
