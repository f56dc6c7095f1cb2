/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tidal.h>

static void show(const char *day)
{
	struct dc_date date;
	struct tide tide;

	if (dc_parse(day, &date) != 0)
		return;
	tide_of(&date, 672, 600, &tide);
	printf("%s %d %.1f %d\n", day, tide.minutes, tide.feet,
	       tide.moon.lit);
}

int main(void)
{
	show("2024-08-19");
	show("2024-08-27");
	return 0;
}
