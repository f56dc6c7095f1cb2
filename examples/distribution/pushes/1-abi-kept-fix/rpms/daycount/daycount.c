/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "daycount-plugin.h"
#include "daycount.h"

#define EXPORTED __attribute__((visibility("default")))

static const char *const weekdays[] = {
	"Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday", "Sunday",
};

static int month_length(int year, int month)
{
	static const char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return lengths[month - 1];
}

EXPORTED int dc_parse(const char *text, struct dc_date *date)
{
	char rest;

	if (sscanf(text, "%d-%d-%d%c", &date->year, &date->month, &date->day,
		   &rest) != 3)
		return -1;
	if (date->month < 1 || date->month > 12)
		return -1;
	if (date->day < 1 || date->day > month_length(date->year, date->month))
		return -1;
	return 0;
}

EXPORTED long dc_number(const struct dc_date *date)
{
	/* Years start in March, so that the leap day comes last. */
	long january = (14 - date->month) / 12;
	long year = date->year + 4800 - january;
	long month = date->month + 12 * january - 3;

	return date->day + (153 * month + 2) / 5 + 365 * year + year / 4 -
	       year / 100 + year / 400 - 32045;
}

EXPORTED long dc_julian(const struct dc_date *date)
{
	return dc_number(date);
}

EXPORTED void dc_date(long number, struct dc_date *date)
{
	long days = number + 32044;
	long century = (4 * days + 3) / 146097;
	long year, month;

	days -= 146097 * century / 4;
	year = (4 * days + 3) / 1461;
	days -= 1461 * year / 4;
	month = (5 * days + 2) / 153;
	date->day = (int)(days - (153 * month + 2) / 5 + 1);
	date->month = (int)(month + 3 - 12 * (month / 10));
	date->year = (int)(100 * century + year - 4800 + month / 10);
}

EXPORTED const char *dc_weekday(long number)
{
	return weekdays[number % 7];
}

static const struct dc_calendar *load_calendar(const char *name)
{
	char path[256];
	void *plugin;
	int length;

	length = snprintf(path, sizeof(path), "%s/%s.so", PLUGINDIR, name);
	if (length < 0 || (size_t)length >= sizeof(path) || strchr(name, '/'))
		return NULL;
	plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return plugin ? dlsym(plugin, "daycount_calendar") : NULL;
}

EXPORTED int dc_format(const char *calendar, long number, char *text,
		       size_t size)
{
	const struct dc_calendar *plugin;
	struct dc_date date;

	if (strcmp(calendar, "gregorian") == 0) {
		dc_date(number, &date);
		snprintf(text, size, "%04d-%02d-%02d", date.year, date.month,
			 date.day);
		return 0;
	}
	plugin = load_calendar(calendar);
	return plugin ? plugin->format(number, text, size) : -1;
}

EXPORTED const char *dc_version(void)
{
	return VERSION;
}
