/* SPDX-License-Identifier: MIT */
#include <moonphase.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct dc_date date;
	struct moon moon;

	if (argc != 2 || dc_parse(argv[1], &date) != 0) {
		fprintf(stderr, "usage: moonlight DATE\n");
		return 2;
	}
	moon_of(&date, &moon);
	printf("%s, %d%% lit\n", moon_name(&moon), moon.lit);
	return 0;
}
