/* SPDX-License-Identifier: MIT */
/* The calendar that was in use before 1582, as a plug-in of daycount. */
#include <daycount-plugin.h>
#include <daycount.h>
#include <stdio.h>

static int format(long number, char *text, size_t size)
{
	long days = number + 32082;
	long year = (4 * days + 3) / 1461;
	long month;

	days -= 1461 * year / 4;
	month = (5 * days + 2) / 153;
	snprintf(text, size, "%s, %ld.%ld.%ld (old style)", dc_weekday(number),
		 days - (153 * month + 2) / 5 + 1, month + 3 - 12 * (month / 10),
		 year - 4800 + month / 10);
	return 0;
}

const struct dc_calendar daycount_calendar = { "julian", format };
