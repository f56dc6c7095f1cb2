/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unitconv.h>

int main(void)
{
	printf("%.1f ft, %.1f km/h, %.1f mph\n", uc_metres_to_feet(100),
	       uc_knots_to_kmh(10), uc_kmh_to_mph(100));
	return 0;
}
