// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lanes and epochs: kernel/lane.c and the first lines of ads_map().
 *
 * BIOS bios (each submitted on any of two CPUs, ended on any), DRAINERS drainers that each drain
 * a segment of its own DRAINS times; all segments are in one lane.
 *
 * Memory is weak. A store is seen by its own CPU at once and by the others at some later time:
 *  - the counters of a CPU are a queue of +1 and -1 for each epoch, in order for one counter
 *    (coherence), in any order between counters;
 *  - what a completion wrote becomes visible as late as the barriers allow, which is the
 *    worst case: nobody is harmed by seeing it early;
 *  - map and epoch, as a drainer stored them, become visible at any time, in any order;
 * and loads happen in the order of the program only if the code says so. Barriers restrict this:
 * release (epoch not before map), wmb (a decrement not before what its completion wrote), acquire
 * and rmb (order of loads), and a grace period (waits for the sections that it found, then a full
 * barrier on every CPU, one after the other).
 *
 * Proved: when a drain returns, every bio that used an older word has ended, and the drainer sees
 * what its completion wrote; no counter that is drained rises after the grace period; every
 * drain ends.
 *
 * Mutations, each must be caught: NO_RCU, WORD_FIRST, INC_OUTSIDE, NO_RMB, NO_WMB, NO_RELEASE,
 * EPOCH_FIRST, NO_MUTEX, ONE_CPU (the sum forgets one).
 */
#ifndef BIOS
#define BIOS 3
#endif
#ifndef DRAINERS
#define DRAINERS 1
#endif
#ifndef DRAINS
#define DRAINS 2
#endif

#define NONE	15
#define INC	NONE		/* in a queue: +1; otherwise the bio whose decrement it is */

/* What everybody sees. */
byte map[DRAINERS];		/* the generation of the segment's word */
bit epoch;
byte n[4];			/* cpu * 2 + epoch; modulo 16 */
bool done_seen[BIOS];

/* What is on its way. */
chan queue[4] = [BIOS] of { byte };
bool wrote[BIOS];		/* written, by CPU wrote_cpu */
bit wrote_cpu[BIOS];
bool map_stored[DRAINERS], epoch_stored;
bit new_epoch;

/* For the assertions and the grace period. */
bool in_section[BIOS], ended[BIOS], mapped[BIOS];
byte seg_of[BIOS], word_of[BIOS];
bool mutex;
byte begun;
byte complete = NONE;		/* the epoch whose counters only fall, NONE */

inline see_map(d) {
	if
	:: map_stored[d] -> map[d] = map[d] + 1; map_stored[d] = false
	:: else
	fi
}
inline see_epoch() {
	if
	:: epoch_stored -> epoch = new_epoch; epoch_stored = false
	:: else
	fi
}
/* The oldest entry of a queue becomes visible. */
inline see_count(q) {
	queue[q] ? x;
	if
	:: x == INC -> n[q] = (n[q] + 1) & 15
	:: else ->
		n[q] = (n[q] + 15) & 15;
#ifndef MUTATE_NO_WMB
		done_seen[x] = true
#endif
	fi
}
/* A full barrier on a CPU. */
inline barrier(cpu) {
	b = 0;
	do
	:: b < BIOS ->
		if
		:: wrote[b] && wrote_cpu[b] == cpu -> done_seen[b] = true
		:: else
		fi;
		b++
	:: else -> break
	od;
	do
	:: nempty(queue[cpu * 2]) -> see_count(cpu * 2)
	:: nempty(queue[cpu * 2 + 1]) -> see_count(cpu * 2 + 1)
	:: empty(queue[cpu * 2]) && empty(queue[cpu * 2 + 1]) -> break
	od;
	b = 0; x = 0
}

#ifdef MUTATE_NO_RELEASE
#define EPOCH_MAY	true
#else
#define EPOCH_MAY	(!map_stored[0] && !map_stored[DRAINERS - 1])
#endif
/* Time passes: one store more is seen by all. */
active proctype memory() {
	byte x;
end:	do
	:: atomic { nempty(queue[0]) -> see_count(0); x = 0 }
	:: atomic { nempty(queue[1]) -> see_count(1); x = 0 }
	:: atomic { nempty(queue[2]) -> see_count(2); x = 0 }
	:: atomic { nempty(queue[3]) -> see_count(3); x = 0 }
	:: atomic { map_stored[0] -> see_map(0) }
#if DRAINERS > 1
	:: atomic { map_stored[1] -> see_map(1) }
#endif
	:: atomic { epoch_stored && EPOCH_MAY -> see_epoch() }
	od
}

/* Bios are alike, so they may begin in the order of their numbers. */
active [BIOS] proctype bio() {
	byte me = _pid - 1;
	bit e, cpu;

	atomic {						/* (a) */
		begun == me;
		begun++;
		if :: seg_of[me] = 0 :: seg_of[me] = DRAINERS - 1 fi;
		in_section[me] = true;
#ifdef MUTATE_WORD_FIRST
		word_of[me] = map[seg_of[me]];
		mapped[me] = true
	}
	atomic {
#endif
		e = epoch
	}
#ifdef MUTATE_INC_OUTSIDE
	atomic { word_of[me] = map[seg_of[me]]; mapped[me] = true; in_section[me] = false }
#endif
	atomic {						/* (b) */
		if :: cpu = 0 :: cpu = 1 fi;
		assert(complete != e);
		queue[cpu * 2 + e] ! INC;
		cpu = 0
#ifdef MUTATE_WORD_FIRST
		; in_section[me] = false
#endif
	}
#if !defined(MUTATE_WORD_FIRST) && !defined(MUTATE_INC_OUTSIDE)
	/* (c): no load and no store of this section comes after its end */
	atomic { word_of[me] = map[seg_of[me]]; mapped[me] = true; in_section[me] = false }
#endif
	/* ... I/O, and its completion on any CPU ... */
	atomic {
		if :: wrote_cpu[me] = 0 :: wrote_cpu[me] = 1 fi;
		wrote[me] = true;
		ended[me] = true;
		queue[wrote_cpu[me] * 2 + e] ! me
	}
}

active [DRAINERS] proctype drainer() {
	byte me = _pid - 1 - BIOS, round, sum, b, x, first;
	bit old;
	bool waits[BIOS], saw[BIOS], early;

	do
	:: round < DRAINS ->
#ifndef MUTATE_EPOCH_FIRST
		map_stored[me] = true;				/* (0) */
#endif
#ifndef MUTATE_NO_MUTEX
		atomic { !mutex -> mutex = true; old = epoch }
#else
		old = epoch;
#endif
		atomic { new_epoch = !old; epoch_stored = true }/* (1) */
#ifdef MUTATE_EPOCH_FIRST
		atomic { see_epoch() }
		map_stored[me] = true;
#endif
		/* (2): the sections that it finds, and a barrier on every CPU */
		atomic {
#ifdef MUTATE_NO_RCU
			/* its own stores get out in the end */
			!map_stored[me] && !epoch_stored;
#else
			see_map(me);
			see_epoch();
			b = 0;
			do
			:: b < BIOS -> waits[b] = in_section[b]; b++
			:: else -> b = 0; break
			od
#endif
		}
#ifndef MUTATE_NO_RCU
		do
		:: atomic { b < BIOS -> !waits[b] || !in_section[b]; waits[b] = false; b++ }
		:: atomic { b == BIOS -> b = 0; break }
		od;
		atomic { barrier(0) }
		atomic { barrier(1) }
		complete = old;
#endif
#ifdef MUTATE_NO_RMB
		/* a load of what a completion wrote may have been done long ago */
		atomic {
			if
			:: early = true;
				do
				:: b < BIOS -> saw[b] = done_seen[b]; b++
				:: else -> b = 0; break
				od
			:: skip
			fi
		}
#endif
		/* (3): not a snapshot, and the CPUs in any order */
		do
		:: 	atomic { if :: first = 0 :: first = 2 fi; sum = n[first + old] }
			atomic {
#ifndef MUTATE_ONE_CPU
				sum = (sum + n[2 - first + old]) & 15;
#endif
				if
				:: sum == 0 -> first = 0; break
				:: else -> sum = 0; first = 0
				fi
			}
		od;
		/* (4) */
		atomic {
			b = 0;
			do
			:: b < BIOS ->
				if
				:: !early -> saw[b] = done_seen[b]
				:: else
				fi;
				if
				:: mapped[b] && seg_of[b] == me && word_of[b] <= round ->
					assert(ended[b]);
					assert(saw[b])
				:: else
				fi;
				saw[b] = false;
				b++
			:: else -> b = 0; break
			od;
			early = false;
			complete = NONE;
			mutex = false;
			round++
		}
	:: else -> break
	od
}
