/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of sim-tools share; see ../sim-tools.c. */
#ifndef SIM_TOOLS_H
#define SIM_TOOLS_H

#include "../format-host.h"
#include "../../../kernel/format.h"
#include "../../sim/sim.h"

#define NR	4
#define SECTORS	(20ULL << 11)
#define META	(3 << 20)		/* bytes before the data */
#define BLOCKS	(META / 4096)
#define CTL	"build/agent/bin/adshardctl"
#define SNAPS	8
#define MAX_SEQ	4096

/*--- pool.c -----------------------------------------------------*/

extern unsigned int count, failed;
extern char dir[64];			/* where the images are */
extern uint8_t uuid[16];
extern struct sim_dev *dev[NR];
extern uint8_t *base[NR], *img[NR];	/* the pool as made; as damaged */
extern uint8_t *snap[SNAPS][NR];	/* its past */
extern unsigned int nr_snap;
extern uint64_t map_of[MAX_SEQ];	/* by record */
extern uint64_t base_seq;
extern struct sim_segment place[64];	/* in the end */
extern bool present[NR], lost[NR];
extern uint64_t size_of[NR];
extern char out[8 << 20];		/* what a tool has said */
extern char what[128];			/* the case at hand */

bool ok(bool good, const char *name);
/* The pool: made, with moves and checkpoints; moved, activated, as made again. */
void make_base(unsigned int moves);
void move_some(struct sim_pool *pool, unsigned int n);
struct sim_pool *activate(void);
void reset(void);
/* What an activation says, and finds. */
int kernel(uint64_t *map, uint64_t *seq);
/* The images to files and back, and what a tool says of those. */
void path_of(int i, char *path);
void to_files(void);
void from_files(void);
int tool(const char *verb, const char *args, bool files);
const char *backup(void);
int repair(const char *more);

/*--- damage.c ---------------------------------------------------*/

void zero(int i, uint64_t block, uint64_t nr);
void flip(int i, uint64_t block);
struct ads_super super_of(int i);
uint64_t ring_block(int i, uint64_t seq);
uint64_t newest_area(int i);
/* A new case. */
void begin(const char *name);
/* Check ends with status @want and says @word; repair, called with @more, mends it. */
void check_is(int want, const char *word);
void mends(int want, const char *word, const char *more);
void test_mends(void);
void test_stays(void);
void test_veto(void);
void test_fork(void);

/*--- bad.c ------------------------------------------------------*/

void test_bad(void);

#endif
