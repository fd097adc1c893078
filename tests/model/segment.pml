// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two segments on three members, two migrations, users who read, write and flush: the state
 * machine of chunk.c, copy.c, migrate.c and of the commit in meta.c, down to a crash (or a removal)
 * and what activation finds.
 *
 * A segment has one chunk of one block. A slot of a member holds one block: what a read returns
 * (cache), and the set of what may be found after a power cut (maybe): all that was written since
 * the last flush, what is in flight, and what was there before. One member may be sick: up to
 * FAULTS of its writes, flushes and records fail, having had their effect or not.
 *
 * Bounds, all by -D: USERS, WRITES (of a segment), READS, FLUSHES, MOVES, SLOTS (3: one on each
 * member, so that a move needs what another one has left; 4: two on member 2), FAULTS, ABORTS,
 * RELOADS, META (members with metadata), FUA. A crash
 * is always possible; NO_CRASH: never, which shows that nobody waits for ever.
 *
 * Left to drain.pml: that a drain waits for whoever used the old word. Taken for
 * granted: that activation finds the highest record.
 *
 * Asserted: a segment has one place and no other has it; no I/O reaches a free slot; a read
 * returns data of its segment, and nothing older than what was acknowledged before it began;
 * after a crash each segment holds what was acknowledged before the last flush, or newer; after a
 * removal, what was acknowledged; sequence numbers rise. A run that can't go on is an error, too.
 *
 * Mutations, each must be caught: NO_DRAIN (copying begins with writes in flight that nobody has
 * counted), NO_WAIT (or tracked ones), NO_HOLD, NO_STALE (what was read before the chunk was held is
 * copied, whatever was written since; not seen unless NO_COMPARE takes the comparison away, without
 * which the copying must be right by itself), NO_OVERLAP, NO_DIRTY (a mirrored write that
 * failed leaves its chunk clean), NO_FLUSH, NO_LAST_FLUSH, FLUSH_OWNERS (users' flushes leave out
 * destinations), FORGET_FLUSH, NO_FLUSH_HOLD (a user's flush
 * ends while nobody knows whether the destination counts), FLIP_EARLY (before the record), NO_WINDOW, NO_UNDO, NO_DOOM
 * (the next record repeats a move to a member that is lost), REUSE_EARLY.
 */
#ifndef USERS
#define USERS 1
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef READS
#define READS 0
#endif
#ifndef FLUSHES
#define FLUSHES 1
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef SLOTS
#define SLOTS 4
#endif
#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef ABORTS
#define ABORTS 0
#endif
#ifndef RELOADS
#define RELOADS 0
#endif
#ifndef META
#define META 7
#endif

#ifdef MUTATE_NO_COMPARE
#define SAME	true
#else
#define SAME	false
#endif
#define MEMBER(p)	((p) > 2 -> 2 : (p))
#define BIT(n)		(1 << (n))
/* Versions 0 to 3 of a segment's block, as a value and as a mask of all. */
#define VALUE(s, v)	((s) * 4 + (v))
#define ALL(s)		(15 << ((s) * 4))
#define NEWER(s, v)	(ALL(s) & ~(BIT(VALUE(s, (v) + 1)) - 1))
#define GARBAGE		8

mtype = { DIRTY, HELD, CLEAN };

/* disks */
byte cache[SLOTS];
short maybe[SLOTS], inflight[SLOTS], lost[SLOTS];
byte sick = 3, faults = FAULTS;
byte rec_seq[3], rec_active[3], rec_place[6];	/* [member * 2 + segment] */

/* the core: segments, slots, metadata */
byte place[2], epoch[2], count[4];
bool slow[2], taken[SLOTS];
byte seq = 1, actives = META, durable[2];
bool meta_lock;
byte nr_owned[3];

/* migrations, by segment */
bool moving[2];
byte src[2], dst[2];
mtype chunk[2] = DIRTY;
byte writes[2], mirrored[2];
bool stale[2];			/* a write has ended since the job's read began */
bool filled[2], verified[2], dirtied[2], window[2], dst_lost[2], committed[2], stuck[2], failed[2];
bool flush_failed[2], untold[3];

/* what may be read: now, and after a crash; which versions' writes have ended */
byte version[2];
short now[2], after[2], ended[2];
bool told;			/* a user's flush has failed: nothing is promised */

byte reads = READS, flushes = FLUSHES, aborts = ABORTS;
byte busy;			/* control steps and chunk jobs */
byte in_flight;			/* bios */
bool parked, blocked, down;

#define FAILS(p)	(faults > 0 && MEMBER(p) == sick)

inline start_io(p, v) {
	assert(taken[p]);
	maybe[p] = maybe[p] | BIT(v);
	inflight[p] = inflight[p] | BIT(v)
}
/* The write of @v at @p ends; @err is 1 if it failed. */
inline end_io(p, v, fua, err) {
	assert(taken[p]);
	inflight[p] = inflight[p] & ~BIT(v);
	err = 0;
	if
	:: cache[p] = v;
		lost[p] = 0;
		if
		:: fua -> maybe[p] = BIT(v) | inflight[p]
		:: else
		fi
	:: FAILS(p) -> faults--; err = 1; cache[p] = v
	:: FAILS(p) -> faults--; err = 1
	fi
}
inline write_done(s) {
	writes[s]--;
	stale[s] = moving[s] && !committed[s]
}
inline flush_slots(m) {
	k = 0;
	do
	:: k < SLOTS ->
		if
		:: MEMBER(k) == m -> maybe[k] = BIT(cache[k]) | inflight[k] | lost[k]
		:: else
		fi;
		k++
	:: else -> k = 0; break
	od
}
/* A flush has failed: what was in the cache may be gone, and the disk's next flush won't tell. */
inline lose(m) {
	k = 0;
	do
	:: k < SLOTS ->
		if
		:: MEMBER(k) == m -> lost[k] = maybe[k]
		:: else
		fi;
		k++
	:: else -> k = 0; break
	od;
	count_failed(m)
}
/* Everybody's failed flushes are counted, and a destination is told by that. */
inline count_failed(m) {
#ifdef MUTATE_FORGET_FLUSH
	skip
#else
	do
	:: k < 2 ->
		if
		:: moving[k] && MEMBER(dst[k]) == m -> flush_failed[k] = true
		:: else
		fi;
		k++
	:: else -> k = 0; break
	od
#endif
}
/* The flush was ours: the next user's on a member that owns something is an error. */
inline lose_untold(m) {
	lose(m);
	untold[m] = untold[m] || nr_owned[m] > 0
}

/*----------------------------------------------------------------------------*/

inline leave(s, e) {
	count[s * 2 + e]--;
	in_flight--
}

proctype user() provided (!down) {
	byte s, e, v, p, q, m, k;
	short older, was[2];
	byte had[2];
	bool fua, err, both, err2, order;

end:	do
	:: atomic { !blocked && version[0] < WRITES -> s = 0; goto write }
	:: atomic { !blocked && version[1] < WRITES && MOVES > 1 -> s = 1; goto write }
	:: atomic { !blocked && reads > 0 -> reads--; s = 0; goto read }
	:: atomic { !blocked && reads > 0 && MOVES > 1 -> reads--; s = 1; goto read }
	:: atomic { !blocked && flushes > 0 -> flushes--; goto flush }
	od;

	/*--------------------------------------------------------------------*/
write:	atomic {
		version[s]++;
		v = VALUE(s, version[s]);
		older = ended[s];
		now[s] = now[s] | BIT(v);
		after[s] = after[s] | BIT(v);
		e = epoch[s];
		count[s * 2 + e]++;
		in_flight++;
#ifdef FUA
		if :: fua = false :: fua = true fi;
#endif
		p = place[s];
		if
		:: !slow[s] -> start_io(p, v)
		:: else -> goto tracked
		fi
	}
	atomic { end_io(p, v, fua, err); goto ack }

tracked:
	atomic {
		/* held, or overlaps */
#ifndef MUTATE_NO_HOLD
		chunk[s] != HELD &&
#endif
#ifndef MUTATE_NO_OVERLAP
		mirrored[s] == 0 &&
#endif
		true;
		writes[s]++;
		both = (chunk[s] == CLEAN);
		p = src[s];
		start_io(p, v);
		if
		:: both ->
			q = dst[s];
			mirrored[s]++;
			start_io(q, v);
			if :: order = 0 :: order = 1 fi
		:: else
		fi
	}
	if
	:: atomic { !both -> end_io(p, v, fua, err); write_done(s); goto ack }
	:: atomic { both && !order -> end_io(p, v, fua, err) }
		atomic { end_io(q, v, fua, err2) }
	:: atomic { both && order -> end_io(q, v, fua, err2) }
		atomic { end_io(p, v, fua, err) }
	fi;
	/* mirrored_end() */
	atomic {
		mirrored[s]--;
		write_done(s);
		if
#ifndef MUTATE_NO_WINDOW
		/* it may be a write and a flush */
		:: fua && window[s] ->
			dst_lost[s] = dst_lost[s] || err2;
			order = 0;
			goto stalled
		:: !err && !err2 && !(fua && window[s])
#else
		:: !err && !err2
#endif
		:: (err || err2) && committed[s] -> err = err2
		:: (err || err2) && !committed[s] && stuck[s] -> err = 1
#ifndef MUTATE_NO_WINDOW
		:: (err || err2) && !committed[s] && !stuck[s] && window[s] && !fua ->
			dst_lost[s] = dst_lost[s] || err2;
			order = 0;
			goto stalled
#endif
		:: else ->
			/* err stays: the source's */
			dirtied[s] = true;
			verified[s] = false;
#ifndef MUTATE_NO_DIRTY
			/* failed on the source only, the legs are compared again */
			if
			:: chunk[s] == CLEAN && err2 -> chunk[s] = DIRTY
			:: else
			fi
#endif
		fi;
		goto ack
	}
stalled:
	atomic {
		!window[s];
		if
		:: committed[s] -> err = err2
		:: !committed[s] && stuck[s] -> err = err || err2 || (fua && flush_failed[s])
		:: else
		fi
	}
ack:	atomic {
		if
		:: !err ->
			now[s] = now[s] & ~older;
			if
			:: fua -> after[s] = after[s] & ~older
			:: else
			fi
		:: else
		fi;
		ended[s] = ended[s] | BIT(v);
		leave(s, e);
		s = 0; e = 0; v = 0; p = 0; q = 0; older = 0; fua = 0; err = 0; err2 = 0; both = 0;
		order = 0;
		goto end
	}

	/*--------------------------------------------------------------------*/
read:	atomic {
		was[0] = now[s];
		v = version[s];
		e = epoch[s];
		count[s * 2 + e]++;
		in_flight++;
		p = place[s]
	}
	atomic {
		assert(taken[p]);
		assert(BIT(cache[p]) & (was[0] | NEWER(s, v)));
		leave(s, e);
		s = 0; e = 0; v = 0; p = 0; was[0] = 0;
		goto end
	}

	/*--------------------------------------------------------------------*/
flush:	atomic {
		was[0] = now[0]; was[1] = now[1];
		had[0] = version[0]; had[1] = version[1];
		in_flight++;
		if :: m = 0; order = 0 :: m = 2; order = 1 fi
	}
	do
	:: atomic {
#ifdef MUTATE_FLUSH_OWNERS
		p = (nr_owned[m] > 0);
#else
		/* members with legs */
		p = ((taken[m]) || (m == 2 && taken[SLOTS - 1]));
#endif
		if
		:: !p
		:: p -> flush_slots(m)
		:: p && FAILS(m) ->
			faults--;
			lose(m);
			/* nothing that was acknowledged depends on a mere destination */
			err = err || nr_owned[m] > 0
		fi;
		err = err || (p && untold[m]);
		untold[m] = untold[m] && !p;
		p = 0;
		/* a commit under way there: wait for its outcome (flush.c) */
#ifndef MUTATE_NO_FLUSH_HOLD
		q = (window[0] && MEMBER(dst[0]) == m -> 1 : 0) +
		    (window[1] && MEMBER(dst[1]) == m -> 2 : 0);
		(!(q & 1) || !window[0]) && (!(q & 2) || !window[1]);
		err = err || ((q & 1) && stuck[0] && flush_failed[0]) ||
		      ((q & 2) && stuck[1] && flush_failed[1]);
		q = 0;
#endif
		if
		:: m == (order -> 0 : 2) -> break
		:: else -> m = (order -> m - 1 : m + 1)
		fi
	   }
	od;
	atomic {
		if
		:: err -> told = true
		:: else ->
			after[0] = after[0] & (was[0] | NEWER(0, had[0]));
			after[1] = after[1] & (was[1] | NEWER(1, had[1]))
		fi;
		in_flight--;
		m = 0; order = 0; err = 0; was[0] = 0; was[1] = 0; had[0] = 0; had[1] = 0;
		goto end
	}
}

/*----------------------------------------------------------------------------*/

/* Change the word, and wait for whoever has seen the old one. */
inline drain(to) {
	atomic {
		slow[s] = to;
		e = epoch[s];
		epoch[s] = !e
	}
	atomic { count[s * 2 + e] == 0 -> e = 0 }
}

inline flush_dst(bad) {
	bad = 0;
	if
	:: flush_slots(MEMBER(dst[s]))
	:: FAILS(dst[s]) -> faults--; lose_untold(MEMBER(dst[s])); bad = 1
	fi;
	bad = bad || flush_failed[s]
}

/*
 * write_records(): one record after the other, each behind a flush, until all that
 * it calls active have it.
 */
inline write_records() {
	do
	:: 	atomic { todo = actives; bad = 0 }
		do
		:: atomic { todo & 1 -> m = 0; flush_before() }
		:: atomic { todo & 2 -> m = 1; flush_before() }
		:: atomic { todo & 4 -> m = 2; flush_before() }
		:: atomic { todo == 0 -> m = 0; drop(); break }
		od;
		atomic {
			if
			:: !actives -> break
			:: else
			fi;
			sent = true;
			seq++;
			todo = actives;
			durable[s] = (undone -> src[s] : dst[s])
		}
		do
		:: atomic { todo & 1 -> m = 0; record() }
		:: atomic { todo & 2 -> m = 1; record() }
		:: atomic { todo & 4 -> m = 2; record() }
		:: atomic { todo == 0 -> break }
		od;
		atomic {
			m = 0;
			err = (bad != 0);
			drop();
			if
			:: !err || !actives -> err = 0; break
			:: else -> err = 0
			fi
		}
	od
}
inline drop() {
	actives = actives & ~bad;
#ifndef MUTATE_NO_DOOM
	undone = undone || (bad & BIT(MEMBER(dst[s])));
#endif
	bad = 0
}
inline flush_before() {
	todo = todo & ~BIT(m);
	if
	:: flush_slots(m)
	:: FAILS(m) -> faults--; bad = bad | BIT(m); lose_record(m)
	fi
}
/* With FUA; where the disk has none, the flush behind the write may be what failed. */
inline record() {
	todo = todo & ~BIT(m);
	assert(seq > rec_seq[m]);
	if
	:: put_record()
	:: FAILS(m) ->
		faults--;
		bad = bad | BIT(m);
		if
		:: true
		:: put_record()
		fi;
		if
		:: lose_record(m)
		:: count_failed(m)
		fi
	fi
}
inline put_record() {
	rec_seq[m] = seq;
	rec_active[m] = actives;
	rec_place[m * 2] = durable[0];
	rec_place[m * 2 + 1] = durable[1]
}
/* Without DOOM nobody looks at what a record's flush says of a destination. */
inline lose_record(m) {
#ifdef MUTATE_NO_DOOM
	err = flush_failed[s];
	lose_untold(m);
	flush_failed[s] = err;
	err = 0
#else
	lose_untold(m)
#endif
}

proctype mover() provided (!down) {
	byte s, e, v, m, k, bad, todo;
	bool undone, err, sent;

	/* QUEUED: a slot */
	atomic {
		!parked;
		if
		:: !moving[0] -> s = 0
		:: !moving[1] && MOVES > 1 -> s = 1
		fi;
		if
		:: !taken[0] -> v = 0
		:: !taken[1] -> v = 1
		:: !taken[2] -> v = 2
		/* alike, so only if the other one is taken */
		:: SLOTS > 3 && taken[2] && !taken[SLOTS - 1] -> v = SLOTS - 1
		fi;
		taken[v] = true;
		moving[s] = true;
		src[s] = place[s];
		dst[s] = v;
		v = 0;
		chunk[s] = DIRTY;
		filled[s] = false; verified[s] = false; dirtied[s] = false; window[s] = false; dst_lost[s] = false;
		committed[s] = false; stuck[s] = false; failed[s] = false; flush_failed[s] = false;
		busy++
	}
	/* TRACK */
#ifdef MUTATE_NO_DRAIN
	slow[s] = true;
#else
	drain(true);
#endif
work:	atomic {
		/* where a suspend may come between */
		busy--;
		!parked;
		busy++;
		if
		:: failed[s] -> goto abort
		:: aborts > 0 -> aborts--; goto abort
		:: !failed[s] && chunk[s] == DIRTY
		:: !failed[s] && chunk[s] == CLEAN && !filled[s] -> goto fill
		:: !failed[s] && chunk[s] == CLEAN && filled[s] && !verified[s] -> goto compare
		:: !failed[s] && chunk[s] == CLEAN && filled[s] && verified[s] -> goto commit
		fi
	}
	/* FILL: the source is read while writes go on */
again:	atomic {
		stale[s] = false;
		v = cache[src[s]]
	}
	chunk[s] = HELD;
	atomic {
#ifndef MUTATE_NO_WAIT
		writes[s] == 0;
#endif
#ifndef MUTATE_NO_STALE
		if
		:: stale[s] -> v = cache[src[s]]
		:: else
		fi;
#endif
		stale[s] = false;
		start_io(dst[s], v)
	}
	atomic {
		end_io(dst[s], v, false, err);
		v = 0;
		if
		:: err -> failed[s] = true; chunk[s] = DIRTY; err = 0; goto work
		:: else -> chunk[s] = CLEAN; verified[s] = false
		fi
	}
	goto work;

	/* the end of FILL */
fill:	atomic {
#ifndef MUTATE_NO_FLUSH
		flush_dst(err);
		if
		:: err -> err = 0; goto abort
		:: else
		fi;
#endif
		filled[s] = true;
		goto work
	}

	/* VERIFY */
compare:
	v = cache[src[s]];
	atomic {
		if
		:: (SAME || v == cache[dst[s]]) && chunk[s] != DIRTY -> verified[s] = true; v = 0; goto work
		:: chunk[s] == DIRTY -> v = 0; goto work
		:: else -> chunk[s] = HELD; v = 0
		fi
	}
	/* again, held */
	atomic {
		writes[s] == 0;
		if
		:: cache[src[s]] == cache[dst[s]] -> verified[s] = true; chunk[s] = CLEAN; goto work
		:: else -> chunk[s] = DIRTY; goto again
		fi
	}

commit:	dirtied[s] = false;
#if !defined(MUTATE_NO_FLUSH) && !defined(MUTATE_NO_LAST_FLUSH)
	atomic {
		flush_dst(err);
		if
		:: err -> err = 0; goto abort
		:: else
		fi
	}
#endif
	atomic {
		!meta_lock;
		if
		:: !actives -> goto abort
		:: actives && (dirtied[s] || chunk[s] != CLEAN || flush_failed[s]) -> goto work
		:: else
		fi;
		/* mig_begin() */
		meta_lock = true;
		window[s] = true;
#ifdef MUTATE_FLIP_EARLY
		committed[s] = true; window[s] = false; place[s] = dst[s]; slow[s] = false;
		nr_owned[MEMBER(dst[s])]++;
#endif
	}
	write_records();
#ifndef MUTATE_FLIP_EARLY
	atomic {
		if
		:: actives && !undone ->
			/* mig_apply() */
			if
#ifndef MUTATE_NO_UNDO
			:: dst_lost[s] || flush_failed[s] -> undone = true; goto undo
#endif
			:: else ->
				/* legs are equal, unless a write is under way or has failed */
				assert(FAULTS > 0 || writes[s] > 0 || cache[src[s]] == cache[dst[s]]);
				committed[s] = true;
				window[s] = false;
				nr_owned[MEMBER(dst[s])]++;
				place[s] = dst[s];
				slow[s] = false
			fi
		:: else
		fi;
		goto unlock
	}
undo:	write_records();
unlock:
#endif
	atomic {
		meta_lock = false;
		window[s] = false;
		undone = false;
		if
		:: !committed[s] && !actives && sent ->
			stuck[s] = true;
			nr_owned[MEMBER(dst[s])]++;
			untold[MEMBER(dst[s])] = untold[MEMBER(dst[s])] || flush_failed[s];
			sent = false;
			busy--;
			goto end
		:: !committed[s] && !(!actives && sent) ->
			sent = false;
			goto abort
		:: else -> sent = false
		fi
	}
	/* RELEASE */
#ifndef MUTATE_REUSE_EARLY
	drain(false);
#endif
	atomic {
		nr_owned[MEMBER(src[s])]--;
		taken[src[s]] = false;
		moving[s] = false;
		busy--;
		goto end
	}

abort:	drain(false);
	atomic {
		taken[dst[s]] = false;
		moving[s] = false;
		busy--
	}
end:	skip
}

/*----------------------------------------------------------------------------*/

/* What the next activation finds. */
proctype next(bool clean) {
	byte m, top;

	d_step {
		do
		:: m < 3 ->
			if
			:: rec_seq[m] > rec_seq[top] -> top = m
			:: else
			fi;
			m++
		:: else -> m = 0; break
		od;
		/* nobody who is called active has an older one than was acknowledged */
		place[0] = rec_place[top * 2];
		place[1] = rec_place[top * 2 + 1];
		assert(place[0] != place[1]);
		do
		:: m < 2 ->
			assert(place[m] < SLOTS);
			if
			:: clean -> assert(BIT(cache[place[m]]) & now[m])
			:: !clean && !told ->
				assert((maybe[place[m]] & ~after[m]) == 0)
			:: else ->
				/* of its segment it is in any case */
				assert((maybe[place[m]] & ~ALL(m)) == 0)
			fi;
			m++
		:: else -> break
		od
	}
	/* not a deadlock */
	do
	:: m = 0
	:: m = 1
	od
}

proctype crash() {
	atomic { !down -> down = true; run next(false) }
}

#if RELOADS
/* Suspend; then resume, or remove the volume and activate it again. */
proctype reload() {
	atomic { !down; parked = true }
	atomic { !down && busy == 0; blocked = true }
	atomic {
		!down && in_flight == 0;
		if
		:: blocked = false; parked = false
		:: down = true; run next(true)
		fi
	}
}
#endif

init {
	byte i;

	atomic {
		do
		:: i < SLOTS ->
			cache[i] = GARBAGE;
			maybe[i] = BIT(GARBAGE);
			i++
		:: else -> i = 0; break
		od;
		do
		:: i < 2 ->
			place[i] = i; durable[i] = i; taken[i] = true; nr_owned[i] = 1;
			cache[i] = VALUE(i, 0);
			maybe[i] = BIT(VALUE(i, 0));
			now[i] = BIT(VALUE(i, 0)); after[i] = now[i]; ended[i] = now[i];
			i++
		:: else -> i = 0; break
		od;
		do
		:: i < 3 ->
			if
			:: META & BIT(i) ->
				rec_seq[i] = 1; rec_active[i] = META;
				rec_place[i * 2 + 1] = 1
			:: else
			fi;
			i++
		:: else -> i = 0; break
		od;
		if
		:: FAULTS > 0 -> if :: sick = 0 :: sick = 1 :: sick = 2 fi
		:: else
		fi;
		do
		:: i < USERS -> run user(); i++
		:: else -> i = 0; break
		od;
		run mover();
#if MOVES > 1
		run mover();
#endif
#if RELOADS
		run reload();
#endif
#ifndef NO_CRASH
		run crash();
#endif
		skip
	}
}
