// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on the metadata members: records, tables, superblocks, through activations, commits,
 * crashes, a member that fails and a place that can't be read: meta.c, meta-load.c, meta-scan.c,
 * meta-state.c, meta-check.c, and recruiting in meta-set.c.
 *
 * A record has a number (its identity, as its checksum), and: sequence, term, predecessor, who is
 * active, and a value, which stands for the map. A member has a ring, a table (the record that it
 * stands for) and a superblock (its sequence, and whom it names). A write to several members
 * lands on each of them or not when the power goes; without a power cut it ends everywhere, and
 * up to FAULTS writes to one sick member fail, having had their effect or not.
 *
 * Bounds, all by -D: MEMBERS, COMMITS (each may be one that makes no sense without one of the
 * members), CRASHES (at any moment, in an activation as well), FAULTS, HIDES (activations that can't
 * read a place of a ring, or nothing of a member but its superblock), LEFT_OUT (activations that
 * are given one member less).
 *
 * Left out: the ring goes round (meta.c says why no record is lost by that), a second table area
 * (old, and of no more use than the first), histories, members that come and go by command.
 *
 * Asserted: an activation finds a state that may be: what the last commit that ended has left, or
 * what one that was cut off wanted; so that nothing that was acknowledged is lost, nothing that
 * was taken back comes again, and two activations agree. With all members given, or all that the
 * last complete record calls active, and readable, it is never refused; but it may be after one
 * that could read nothing of a member, or of which one could not read all and another was not
 * given all: both may have gone on, each in its way.
 *
 * Known, and beyond the bounds in "run": with two crashes, two faults and a member left out, a
 * recruit may go on alone. Its record is on it only (first crash), and the member that was alone
 * before fails in the next activation; given alone, that one doesn't know.
 *
 * Mutations, each must be caught: NO_SUPERSEDE (a failure that no record tells of), SAME_SEQ (the
 * record after a failed one has its number), REDO_AGAIN (the superseding record of a commit that
 * has lost its member does not take it back), NO_ROLL (nobody is brought up to date), SAME_TERM (an
 * activation goes on in the old term), HIDDEN_TERM (one that could not read everything takes the
 * next term all the same), NO_WITNESS, NO_VETO (nobody asks the newest superblock), NO_SET (members
 * may be missing), NAME_LATE (the superblocks name who is left after the commit has ended),
 * FIRST_SUPER (of two superblocks of one sequence the first is believed), RECRUIT_EARLY (called active before it has a table), RECRUIT_ALONE (goes on when all have failed
 * that were active before it).
 */
#ifndef MEMBERS
#define MEMBERS 2
#endif
#ifndef COMMITS
#define COMMITS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef HIDES
#define HIDES 0
#endif
#ifndef LEFT_OUT
#define LEFT_OUT 0
#endif

#define BIT(n)		(1 << (n))
#define EVERYBODY	(BIT(MEMBERS) - 1)
#define NOBODY		MEMBERS
#define NR		20		/* records, and sequences */
#define PLACE(m, seq)	((m) * NR + (seq))

/* the records; 0 is none */
byte r_seq[NR], r_term[NR], r_prev[NR], r_active[NR], r_value[NR];
byte nr = 1;

/* on the disks */
byte ring[MEMBERS * NR];
byte table[MEMBERS];
byte sb_seq[MEMBERS], sb_names[MEMBERS];

/* the core */
byte seq, term, last, act, value, named, next_sb;
byte erred;			/* members that failed since the activation */
byte complete;			/* whom the last complete record calls active */
bool up, crashed;
bool lenient;			/* it may be refused: too much could not be seen */

/* what an activation may find, as a set of values */
byte allowed = 1;
byte commits = COMMITS, crashes = CRASHES, faults = FAULTS, hides = HIDES, left_out = LEFT_OUT;
byte latest, stops = 1;
byte needed = EVERYBODY;		/* who is enough, if all is readable */

/* work, zero in between */
byte given, blind, blind_seq, todo, bad, was, m, k, at, best, end, from, top, newest, names;
byte doomed = NOBODY, want, old;
bool undone, gone, refused, forked, found, witness, vouched, unread;

#define RECORD	1
#define TABLE	2
#define SUPER	3

/* all of a member's metadata but the superblock, or one place of its ring */
#define ALL_BLIND(m)	(blind == (m) + 1 && blind_seq == 0)
#define READABLE(m, s)	(blind != (m) + 1 || (blind_seq != (s) && blind_seq != 0))
#ifdef MUTATE_NO_VETO
#define NAMED(m)	true
#else
#define NAMED(m)	(names & BIT(m))
#endif
#define GIVEN(m)	(given & BIT(m))

/*----------------------------------------------------------------------------*/

inline put(what) {
	if
	:: what == RECORD -> ring[PLACE(m, seq)] = nr
	:: what == TABLE -> table[m] = last
	:: what == SUPER -> sb_seq[m] = next_sb; sb_names[m] = named
	fi
}
/* The power goes, after any of the writes under way to those in @todo. */
inline maybe_crash() {
	if
	:: crashes > 0 && !crashed -> crashes--; crashed = true
	:: true
	fi
}
/* One write to each in @todo; those that failed are in @bad. */
inline write_all(what) {
	bad = 0;
	maybe_crash();
	m = 0;
	do
	:: m < MEMBERS && !(todo & BIT(m)) -> m++
	:: m < MEMBERS && (todo & BIT(m)) && crashed ->
		if
		:: put(what)
		:: true
		fi;
		m++
	:: m < MEMBERS && (todo & BIT(m)) && !crashed ->
		if
		:: put(what)
		:: faults > 0 -> faults--; bad = bad | BIT(m)
		:: faults > 0 -> faults--; bad = bad | BIT(m); put(what)
		fi;
		m++
	:: m == MEMBERS -> m = 0; todo = 0; break
	od
}
/* ads_meta_drop() */
inline drop() {
	act = act & ~bad;
	erred = erred | bad;
	bad = 0
}

/* ads_super_name(): best effort; one member after the other, but they don't depend on another. */
inline name(set) {
	if
	:: named != (set) && (set) && !crashed ->
		named = set;
		next_sb++;
		todo = set;
		write_all(SUPER);
		bad = 0
	:: else
	fi
}

/*
 * write_records(): until all that it calls act have it. The value is @want, or @old once
 * undone.
 */
inline write_records() {
	do
	:: 	found = false;
#ifdef MUTATE_SAME_SEQ
		if
		:: was == 0 -> seq++
		:: else
		fi;
		was = 1;
#else
		seq++;
#endif
		assert(nr < NR && seq < NR - 1);
		r_seq[nr] = seq; r_term[nr] = term; r_prev[nr] = last; r_active[nr] = act;
		r_value[nr] = (undone -> old : want);
		todo = act;
		write_all(RECORD);
		last = nr;
		nr++;
		found = (bad != 0);
		gone = gone || (doomed < MEMBERS && (bad & BIT(doomed)));
#ifndef MUTATE_REDO_AGAIN
		undone = gone;
#endif
		drop();
#ifndef MUTATE_RECRUIT_ALONE
		act = (act & complete -> act : 0);
#endif
		if
#ifdef MUTATE_NO_SUPERSEDE
		:: true -> break
#else
		:: !found || !act || crashed -> break
		:: found && act && !crashed
#endif
		fi
	od;
	complete = act;
	was = 0;
	found = false
}

inline commit() {
	commits--;
	if
	:: doomed = NOBODY
	:: doomed = 0
	:: doomed = 1
	fi;
	old = value;
	want = COMMITS - commits;
	allowed = allowed | BIT(want);
	needed = EVERYBODY;
	write_records();
#ifndef MUTATE_NAME_LATE
	name(act);
#endif
	if
	:: crashed || !act		/* both may be found */
	:: !crashed && act && !gone -> value = want; allowed = BIT(want); needed = act
	:: !crashed && act && gone -> allowed = BIT(old); needed = act
	fi;
#ifdef MUTATE_NAME_LATE
	name(act);
#endif
	undone = false; gone = false; doomed = NOBODY; want = 0; old = 0
}

/* A member that is not act, and has not failed, gets tables and then a record. */
inline recruit(who) {
#ifndef MUTATE_RECRUIT_EARLY
	todo = BIT(who);
	write_all(TABLE);
	found = (bad == 0);
	erred = erred | bad;
	bad = 0;
#else
	found = true;
#endif
	if
	:: !crashed && found ->
		found = false;
		name(act | BIT(who));
		if
		:: !crashed ->
			act = act | BIT(who);
			want = value;
			needed = EVERYBODY;
			write_records();
			needed = (crashed || !act -> EVERYBODY : act);
			want = 0
		:: else
		fi
	:: else -> found = false
	fi
}

/*----------------------------------------------------------------------------*/

/* The record after @at: on any member, or @only that one. Sets @best, and @forked. */
inline next_record(only) {
	best = 0;
	k = 0;
	do
	:: k < MEMBERS ->
		was = ring[PLACE(k, r_seq[at] + 1)];
		if
		:: GIVEN(k) && was && READABLE(k, r_seq[at] + 1) && r_prev[was] == at &&
		   ((only) == NOBODY || (only) == k) ->
			if
			:: !best -> best = was
			:: best && r_term[was] > r_term[best] -> best = was; forked = false
			:: best && was != best && r_term[was] == r_term[best] -> forked = true
			:: else
			fi
		:: else
		fi;
		k++
	:: else -> k = 0; was = 0; break
	od
}
inline chain_end(only) {
	do
	:: 	next_record(only);
		if
		:: best -> at = best
		:: else -> break
		fi
	od;
	best = 0
}

/* Steps 1 to 5. Leaves the end in @end, the table in @from; or @refused. */
inline look() {
	m = 0;
	do
	:: m < MEMBERS && !GIVEN(m) -> m++
	:: m < MEMBERS && GIVEN(m) ->
		top = (r_seq[table[m]] > top && !ALL_BLIND(m) -> r_seq[table[m]] : top);
		k = 0;
		do
		:: k < NR ->
			was = ring[PLACE(m, k)];
			if
			:: was && READABLE(m, k) -> top = (r_seq[was] > top -> r_seq[was] : top)
			:: else
			fi;
			k++
		:: else -> was = 0; k = 0; break
		od;
		if
		:: !GIVEN(newest) || sb_seq[m] > sb_seq[newest] -> newest = m
		:: else
		fi;
		m++
	:: m == MEMBERS -> m = 0; break
	od;
	/* the best table that leads to the highest record */
	do
	:: m < MEMBERS && !GIVEN(m) -> m++
	:: m < MEMBERS && GIVEN(m) ->
		at = table[m];
		chain_end(NOBODY);
		if
		:: !ALL_BLIND(m) && r_seq[at] == top && (!end || r_term[at] > r_term[end] ||
					(r_term[at] == r_term[end] && r_seq[table[m]] > r_seq[from])) ->
			end = at;
			from = table[m]
		:: else
		fi;
		at = 0;
		m++
	:: m == MEMBERS -> m = 0; break
	od;
	refused = forked || !end;
	names = EVERYBODY;
	do
	:: m < MEMBERS ->
		names = (GIVEN(m) && sb_seq[m] == sb_seq[newest] -> names & sb_names[m] : names);
#ifdef MUTATE_FIRST_SUPER
		names = sb_names[newest];
#endif
		m++
	:: else -> m = 0; break
	od;
	/* who must be here, is here; somebody can say that it is the end */
	do
	:: m < MEMBERS && !refused ->
		if
		:: r_active[end] & BIT(m) ->
#ifndef MUTATE_NO_SET
			refused = !GIVEN(m);
#endif
			unread = unread || !READABLE(m, top + 1);
			if
			:: GIVEN(m) && NAMED(m) ->
				witness = witness || READABLE(m, top + 1);
				vouched = vouched || (table[m] == end && !ALL_BLIND(m)) ||
					  (ring[PLACE(m, top)] == end && READABLE(m, top))
			:: else
			fi
		:: else
		fi;
		m++
	:: else -> m = 0; break
	od;
#ifdef MUTATE_NO_WITNESS
	witness = true;
#endif
	refused = refused || !witness || !vouched
}

/* Steps 6 and 7. */
inline take_over() {
	seq = top;
	act = r_active[end] & given;
	complete = act;
	term = r_term[end];
	last = end;
	value = r_value[end];
	m = 0;
	/* who is not in step? */
	do
	:: m < MEMBERS ->
		at = table[m];
		chain_end(m);
		todo = todo | ((act & BIT(m)) && (at != end || table[m] != from || ALL_BLIND(m)) ->
				BIT(m) : 0);
		at = 0;
		m++
	:: else -> m = 0; break
	od;
#ifdef MUTATE_NO_ROLL
	todo = 0;
#endif
	if
	:: todo ->
		todo = act;
		write_all(TABLE);
		drop()
	:: else
	fi;
	if
	:: act && !crashed ->
#ifndef MUTATE_SAME_TERM
		term = term + 1;
#ifndef MUTATE_HIDDEN_TERM
		term = term + (unread -> 1 : 0);
#endif
#endif
		want = value;
		write_records();
		want = 0;
		name(act)
	:: else
	fi
}

inline activate() {
	/* what is given, and what can't be read */
	given = EVERYBODY;
	if
	:: true
	:: left_out > 0 -> left_out--; lenient = lenient || hides < HIDES; if :: given = given & ~1 :: given = given & ~BIT(MEMBERS - 1) fi
	fi;
	if
	:: true
	:: hides > 0 ->
		hides--;
		blind = 1;
		do
		:: blind < MEMBERS -> blind++
		:: true -> break
		od;
		if
		:: blind_seq = 0; lenient = true
		:: blind_seq = 2; lenient = lenient || left_out < LEFT_OUT;
			do
			:: blind_seq <= latest + 1 -> blind_seq++
			:: true -> break
			od
		fi
	fi;
	true;
	d_step {
		newest = (GIVEN(0) -> 0 : 1);
		erred = 0; named = 0; act = 0; next_sb = 0;
		look();
		if
		:: !refused ->
			/* the state is one that may be */
			assert(allowed & BIT(r_value[end]))
		:: refused ->
			assert((given & needed) != needed || blind || lenient)
		fi;
		m = 0;
		do
		:: m < MEMBERS ->
			next_sb = (GIVEN(m) && sb_seq[m] > next_sb -> sb_seq[m] : next_sb);
			m++
		:: else -> break
		od;
		m = 0
	}
	if
	:: !refused ->
		needed = EVERYBODY;
		take_over();
		if
		:: act && !crashed -> up = true; allowed = BIT(value); needed = act
		:: else
		fi
	:: refused
	fi;
	/* the repair */
	k = 0;
	d_step { blind = 0; blind_seq = 0; top = 0; end = 0; from = 0; newest = 0; names = 0; at = 0;
		refused = false; forked = false; witness = false; vouched = false; unread = false }
	best = 0;
	do
	:: up && !crashed && best < MEMBERS ->
		if
		:: act && GIVEN(best) && !(act & BIT(best)) && !(erred & BIT(best)) -> recruit(best)
		:: else
		fi;
		best++
	:: else -> best = 0; break
	od;
	given = 0
}

active proctype host() {
	atomic {
		r_seq[1] = 1; r_term[1] = 1; r_active[1] = EVERYBODY;
		nr = 2;
		do
		:: m < MEMBERS -> table[m] = 1; sb_seq[m] = 1; sb_names[m] = EVERYBODY; m++
		:: else -> m = 0; break
		od
	}
	do
	:: 	atomic {
			crashed = false;
			latest = (seq > latest -> seq : latest);
			seq = 0; term = 0; last = 0; act = 0; value = 0; named = 0; next_sb = 0; erred = 0;
			activate()
		}
		do
		:: atomic { up && !crashed && act && commits > 0 -> commit() }
		:: atomic { up && !crashed && crashes > 0 -> crashes--; crashed = true }
		/* down; and in the end once more, to see what is there */
		:: atomic { up && !crashed && crashes + commits == 0 && stops > 0 -> stops--; up = false; break }
		:: atomic { up && !crashed && crashes + commits + stops == 0 -> goto out }
		:: atomic { up && !crashed && !act -> up = false; break }
		:: atomic { !up || crashed -> up = false; break }
		od;
	od;
out:	skip
}
