// SPDX-License-Identifier: GPL-2.0-or-later
/* Slow disks and forecasts of load. */
#include <errno.h>
#include <math.h>

#include "lib/failslow.h"
#include "lib/forecast.h"
#include "train.h"

static double noise(uint32_t seed, uint32_t i)
{
	double sum = 0;

	for (int k = 0; k < 4; k++)
		sum += (double)dice_of(seed + 100 * k, i) / 0xffffffffU;
	return sum - 2;
}

/* Latency grows with throughput; disk 2 is slower by @factor. */
static size_t make_day(struct ads_slow_sample *s, unsigned int disks,
		       unsigned int each, double factor, uint32_t seed)
{
	size_t n = 0;

	for (unsigned int d = 0; d < disks; d++) {
		for (unsigned int i = 0; i < each; i++) {
			double tput = 1000 + dice_of(seed + d, i) % 50000;
			double lat = 5 + pow(tput, 0.4) *
				     exp(0.2 * noise(seed + 7 + d, i));

			/* now and then something else takes long */
			if (dice_of(seed + 9, n) % 50 == 0)
				lat *= 20;
			s[n++] = (struct ads_slow_sample){
				d, (float)tput,
				(float)(d == 2 ? lat * factor : lat)
			};
		}
	}
	return n;
}

static void test_slow_day(void)
{
	struct ads_slow_sample *s = calloc(12 * 500, sizeof(*s));
	struct ads_slow_curve c;
	double ratio[12], most = 0;
	size_t n = make_day(s, 8, 500, 1.4, 1);

	ok(ads_slow_day(s, n, 8, ratio), "a day");
	ok(fabs(ratio[2] - 1.4) < 0.1, "the slow disk: %.3f", ratio[2]);
	for (int d = 0; d < 8; d++)
		if (d != 2)
			most = fmax(most, fabs(ratio[d] - 1));
	ok(most < 0.06, "the others are as they should be: %.3f", most);
	s[0].latency = NAN;
	s[1].latency = -1;
	s[2].throughput = INFINITY;
	s[3].throughput = -1;
	ok(ads_slow_day(s, n, 8, ratio) && fabs(ratio[2] - 1.4) < 0.1,
	   "nonsense is passed over");
	n = make_day(s, 3, 500, 1.4, 1);
	ads_slow_day(s, n, 3, ratio);
	ok(isnan(ratio[2]), "two peers are not enough");
	n = make_day(s, 8, 20, 1.4, 1);
	ads_slow_day(s, n, 8, ratio);
	ok(isnan(ratio[2]), "nor are 20 samples");
	for (size_t i = 0; i < 4000; i++)
		s[i] = (struct ads_slow_sample){ i % 8, 100, 10 };
	ok(ads_slow_day(s, 4000, 8, ratio) && fabs(ratio[0] - 1) < 1e-6,
	   "all alike");

	/* without peers: its own past */
	n = make_day(s, 1, 5000, 1, 2);
	ok(ads_slow_fit(s, n, &c), "its own curve");
	for (size_t i = 0; i < 500; i++)
		s[i].latency *= 1.7F;
	ok(fabs(ads_slow_ratio(&c, s, 500) - 1.7) < 0.1, "slower than it was");
	ok(isnan(ads_slow_ratio(&c, s, 5)), "not by five samples");
	ok(!ads_slow_fit(s, 3, &c), "nor is a curve made of three");
	free(s);
}

static void test_verdict(void)
{
	const double t = 1.2;

	is(ads_slow_verdict((double[]){ 1, 1.3, 1, 1.3, 1.3, 1 }, 6, t), 4,
	   "three of five days");
	is(ads_slow_verdict((double[]){ 1.3, 1, 1, 1.3, 1, 1.3 }, 6, t), -1,
	   "not of six");
	is(ads_slow_verdict((double[]){ 1, 1.21, 1, 1.21, 1.21, 1 }, 6, t), -1,
	   "that are more than just so");
	is(ads_slow_verdict((double[]){ 1.3, NAN, 1.3, NAN, 1.3 }, 5, t), 4,
	   "days without data are no days");
	is(ads_slow_verdict((double[]){ 1.21, .9, .9, 1.21, 1.21 }, 5, t), -1,
	   "and on the average");
	is(ads_slow_verdict(NULL, 0, t), -1, "no days");
}

#define SEASON	48

static double load_at(int i)
{
	return 1000 * exp(sin(2 * M_PI * i / SEASON)) *
	       exp(0.3 * noise(3, i));
}

static void test_forecast(void)
{
	static const unsigned int horizon[] = { 1, 6, SEASON };
	enum { N = 10 * SEASON, FROM = 8 * SEASON };
	double *y = calloc(N, sizeof(*y));
	struct ads_forecast *f = calloc(N + 1, sizeof(*f)), one;

	for (int i = 0; i < N; i++)
		y[i] = load_at(i);
	for (int h = 0; h < 3; h++) {
		double off = 0, naive = 0, day = 0, within = 0;
		bool same = true;
		int n = 0;

		is(ads_forecast_rolling(y, N, SEASON, horizon[h], FROM, f), 0,
		   "forecasts %u steps ahead", horizon[h]);
		for (int t = FROM; t + (int)horizon[h] <= N; t++, n++) {
			const struct ads_forecast *g = &f[t - FROM];
			double v = y[t + horizon[h] - 1];

			off += fabs(g->value - v);
			naive += fabs(g->member[ADS_FC_NAIVE] - v);
			day += fabs(g->member[ADS_FC_DAY] - v);
			within += v >= g->low && v <= g->high;
			if (t % 40)
				continue;
			ads_forecast(y, t, SEASON, horizon[h], &one);
			same &= fabs(one.value / g->value - 1) < 1e-9;
		}
		ok(same, "one by one they are the same");
		ok(off < 0.95 * day && off < naive, "better than naive: %.2f, as yesterday: %.2f",
		   off / naive, off / day);
		within /= n;
		ok(within > 0.65 && within < 0.92, "range: %.2f", within);
	}
	/* and the future changes nothing */
	ads_forecast_rolling(y, N, SEASON, 6, FROM, f);
	one = f[20];
	for (int i = FROM + 20; i < N; i++)
		y[i] = 1e9;
	ads_forecast_rolling(y, N, SEASON, 6, FROM, f);
	ok(!memcmp(&one, &f[20], sizeof(one)), "without a look ahead");
	ok(memcmp(&one, &f[24], sizeof(one)), "but what is known counts");
	free(y);
	free(f);
}

static void test_odd_series(void)
{
	double y[600] = { 0 };
	struct ads_forecast f;

	is(ads_forecast(y, 3, SEASON, 1, &f), -ENODATA, "three values");
	for (int i = 0; i < 600; i++)
		y[i] = 0;
	ok(!ads_forecast(y, 600, SEASON, 6, &f) && f.value == 0 && f.high == 0,
	   "nothing, for ever");
	for (int i = 0; i < 600; i++)
		y[i] = i % 7 ? 100 : NAN;
	ok(!ads_forecast(y, 600, SEASON, 6, &f) && fabs(f.value - 100) < 1,
	   "gaps: %.1f", f.value);
	for (int i = 0; i < 600; i++)
		y[i] = i % SEASON == 7 ? 1e6 : 1;
	ok(!ads_forecast(y, 600, SEASON, 1, &f) && f.value < 1.3e6, "bursts");
	y[5] = -1;
	is(ads_forecast(y, 600, SEASON, 1, &f), -EINVAL, "below nothing");
	y[5] = 1;
	is(ads_forecast(y, 600, 0, 1, &f), -EINVAL, "days without steps");
	is(ads_forecast(y, 600, SEASON, 0, &f), -EINVAL, "the past");
	for (int n = ADS_FC_MIN_POINTS; n < 200; n++)
		if (ads_forecast(y, n, SEASON, 48, &f) || !(f.value >= 0) ||
		    f.low > f.value || f.high < f.value)
			ok(false, "a series of %d", n);
	for (int m = 0; m < ADS_FORECASTERS; m++)
		if (!ads_forecaster_name(m))
			ok(false, "forecaster %d has no name", m);
}

int main(void)
{
	test_slow_day();
	test_verdict();
	test_forecast();
	test_odd_series();
	return done_testing();
}
