/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much will be asked of a disk or a segment in half an hour, in three hours,
 * tomorrow at this time.
 *
 * Loads come in bursts: what is forecast is the logarithm, and besides the
 * middle also how far off it may be. Several simple forecasters are asked and
 * their answers weighed by how well each did on this very series in the last two
 * days.
 *
 * Pure: no I/O, no clock, the same answer for the same series. A forecast made
 * for step t knows y[0..t-1] and nothing else.
 */
#ifndef ADS_FORECAST_H
#define ADS_FORECAST_H

#include <stddef.h>

enum ads_forecaster {
	ADS_FC_NAIVE,		/* as now */
	ADS_FC_FAST,		/* a moving average that forgets in an hour */
	ADS_FC_LEVEL,		/* in two */
	ADS_FC_SLOW,		/* in half a day */
	ADS_FC_DAY,		/* as yesterday at that time: seasonal naive */
	ADS_FC_DAYS,		/* as on all days around that time, the newest most */
	ADS_FC_WEEK,		/* as last week at that time */
	ADS_FC_WINTERS,		/* Holt-Winters: level, damped trend, time of day */
	ADS_FC_REGRESSION,	/* seasonal autoregression, by ridge */
	ADS_FC_RECENT,		/* the same, of the last days above all */
	ADS_FC_CHANGES,		/* the same of differences: ARIMA(p,1,0) */
	ADS_FC_MIDDLE,		/* the median of all there was */
	ADS_FORECASTERS
};
const char *ads_forecaster_name(enum ads_forecaster f);

struct ads_forecast {
	double value;			/* the middle: as often above as below */
	double low, high;		/* nine of ten are above, below */
	double member[ADS_FORECASTERS];	/* what each said, NaN: nothing */
	double weight[ADS_FORECASTERS];	/* of it; their sum is 1 */
};

#define ADS_FC_MIN_POINTS	8	/* fewer and there is no forecast */
#define ADS_FC_MAX_SEASON	1440

/*
 * @y: one value for each step, oldest first, NaN where it is not known; @season:
 * steps in a day. Forecasts the value @horizon steps behind the last one: 1 is
 * the next. Nothing is negative, nor more than 1.2 times the most that was seen.
 * 0, -EINVAL, -ENODATA (too short) or -ENOMEM.
 */
int ads_forecast(const double *y, size_t nr, unsigned int season,
		 unsigned int horizon, struct ads_forecast *out);

/*
 * The same for many origins at once: out[i] is what ads_forecast() says of the
 * first @from + i values, for i up to @nr - @from.
 */
int ads_forecast_rolling(const double *y, size_t nr, unsigned int season,
			 unsigned int horizon, size_t from,
			 struct ads_forecast *out);

#endif
