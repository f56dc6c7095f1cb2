/* SPDX-License-Identifier: MIT */
#include <moonphase.h>
#include <stdio.h>

static void show(const char *day)
{
	struct dc_date date;
	struct moon moon;

	if (dc_parse(day, &date) != 0)
		return;
	moon_of(&date, &moon);
	printf("%s %d %d\n", day, moon.age, moon.lit);
}

int main(void)
{
	show("2000-01-07");
	show("2024-08-19");
	return 0;
}
