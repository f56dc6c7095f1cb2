/* SPDX-License-Identifier: MIT */
#include <daycount.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	struct dc_date date;
	char text[32];
	long number;

	if (dc_parse("2024-02-29", &date) != 0)
		return 1;
	number = dc_number(&date);
	printf("%ld %s\n", number, dc_weekday(number));
	dc_date(number + 1, &date);
	printf("%d %d %d\n", date.year, date.month, date.day);
	printf("%d\n", dc_format("gregorian", number, text, sizeof(text)));
	printf("%s\n", text);
	printf("%d\n", dc_parse("2024-13-01", &date));
	printf("%d\n", dc_parse("2023-02-29", &date));
	printf("%d\n", dc_format("../etc", number, text, sizeof(text)));
	return atoi(dc_version()) != DC_MAJOR;
}
