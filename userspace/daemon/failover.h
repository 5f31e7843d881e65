/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failover.h - resources with failover = auto: arbiter, policy, and what they ask for
 *
 * One struct rblk_failover per resource that this node votes on, with or without
 * data. The pure machines (arbiter.h, policy.h) say what to do; here it is done, in
 * their order: the kernel stops, the store is durable, then messages leave, and only
 * then the policy looks again.
 *
 *   failover.c          life of one, its steps, requests of an admin
 *   failover_view.c     what the policy is to see
 *   failover_ballot.c   the arbiter builtin: its events, its store and messages
 *   failover_etcd.c     the arbiter etcd: its register is a key there
 *   failover_fresh.c    how a new store begins to vote
 *   failover_voters.c   who votes: rblk dismiss, rblk readmit
 *   failover_kernel.c   what the module is asked for, and the lease
 *   failover_fence.c    who is to be switched off, and who is off
 *   failover_show.c     status, and the record of what happened
 *   failover_well.c     may the watchdog get a sign of life
 */
#ifndef RBLK_FAILOVER_H
#define RBLK_FAILOVER_H

#include "ballot_store.h"
#include "beat.h"
#include "engine.h"
#include "etcd_call.h"
#include "history.h"
#include "policy.h"
#include "shared.h"
#include "verbs.h"

#define RBLK_FAILOVER_QUEUE	64	/* messages that wait for the store */

/* Messages of the arbiter. More are lost, as messages may be. */
struct rblk_failover_queue {
	struct rblk_arbiter_msg msg[RBLK_FAILOVER_QUEUE];
	size_t n;
};

/**
 * struct rblk_ballot_job - the store on its way to the disk, beside the loop
 * @place: which register
 * @store: its own until the job ended; not open: it is to be created
 * @keep: what to write
 * @ok: it is durable
 * @why: else why not
 */
struct rblk_ballot_job {
	struct rblk_ballot_place place;
	struct rblk_ballot_store *store;
	struct rblk_arbiter_store keep;
	bool ok;
	char why[512];
};

struct rblk_failover;

/**
 * struct rblk_failover_arbiter - who keeps a resource's register
 * @name: as in the configuration
 * @open: find the register
 * @open_again: it is mute: do so if the register may have come, as 'rblk create' says
 * @propose: try to make that change, once; ends in @is_due
 * @renew: this node leads: ask for another lease
 * @settle: nothing but the arbiter itself is waited for: go on
 * @receive: another node's arbiter says something
 * @heard: another node is there
 * @shun: of nodes that are not to be linked: those that this is certain of. The others
 *	are asked about
 * @pass_time: do what is due, and return when to be called again
 *
 * All show what they know as a struct rblk_arbiter, which the policy looks at, and obey
 * the three gates of failover_ballot.c. The policy asks nothing else of an arbiter.
 */
struct rblk_failover_arbiter {
	const char *name;
	void (*open)(struct rblk_failover *f, struct rblk_engine *e);
	void (*open_again)(struct rblk_failover *f, struct rblk_engine *e);
	void (*propose)(struct rblk_failover *f, struct rblk_engine *e,
			enum rblk_arbiter_change change, uint16_t mask);
	void (*renew)(struct rblk_failover *f, struct rblk_engine *e);
	void (*settle)(struct rblk_failover *f, struct rblk_engine *e);
	void (*receive)(struct rblk_failover *f, struct rblk_engine *e,
			const struct rblk_arbiter_msg *msg);
	void (*heard)(struct rblk_failover *f, uint8_t node);
	uint16_t (*shun)(struct rblk_failover *f, struct rblk_engine *e,
			 uint16_t nodes);
	uint64_t (*pass_time)(struct rblk_failover *f, struct rblk_engine *e,
			      uint64_t now);
};

extern const struct rblk_failover_arbiter rblk_failover_builtin;
extern const struct rblk_failover_arbiter rblk_failover_etcd;

/**
 * struct rblk_failover_etcd_state - of the arbiter etcd
 * @shared: the register, as core/shared.c has it
 * @started: @shared was
 * @call: number of the request under way, 0: none
 * @swaps: it is a write
 * @waits: for that request to end: @change of @mask
 * @change: see there
 * @mask: see there
 * @look_ms: when to read the register again
 * @asked_ms: when the request under way began
 * @known_ms: and when the last one did that is over
 * @doubt_ms: since when a link is doubted (failover_etcd.c), 0: none is
 * @failures: requests in a row that failed
 * @endpoint: that the next request goes to
 * @cluster: number of the etcd cluster, 0: not known yet
 * @is_down: so the log says
 */
struct rblk_failover_etcd_state {
	struct rblk_shared shared;
	bool started;
	uint32_t call;
	bool swaps;
	bool waits;
	enum rblk_arbiter_change change;
	uint16_t mask;
	uint64_t look_ms;
	uint64_t asked_ms;
	uint64_t known_ms;
	uint64_t doubt_ms;
	unsigned int failures;
	unsigned int endpoint;
	uint64_t cluster;
	bool is_down;
};

/* What an admin asked for, who was primary then, and who is to be told. */
struct rblk_failover_request {
	enum rblk_policy_request want;
	uint8_t from;
	uint32_t flags;			/* RBLK_FLAG_* */
	uint64_t until_ms;
	struct rblk_call *call;
};

/**
 * struct rblk_failover - a resource
 * @next: in the engine's list
 * @name: of the resource
 * @uuid: of it
 * @keeper: who keeps its register
 * @etcd: of that one
 * @voters: nodes that vote by the configuration
 * @data: those of them that hold data; without this node: it is a witness
 * @lease_ms: how long a lease is
 * @margin_ms: and how far clocks may part meanwhile
 * @mute_why: why the arbiter is mute, "" when it is not
 * @fresh: its store is new, and it does not vote yet (failover_fresh.c)
 * @kept: that store
 * @new_too: nodes that said, in their present session, that they are new as well
 * @voted: a node said that it is not
 * @retry_ms: when to look for a store again
 * @store: the arbiter's
 * @arbiter: the register
 * @policy: what to do next
 * @view: what is remembered between two steps: told, asked_by, failures, fences,
 *	and that a beat leaves, until the next one
 * @told_nodes: whose told are in @view
 * @tells: this node told of itself
 * @told_hash: what it told last, as rblk_beat_hash()
 * @is_due: a step is due now
 * @told_by: by node: counter of the datagram that @view's told is from
 * @wake_ms: else then
 * @run_ms: whoever makes anything but a step due before then says @is_due as well
 * @look_ms: when the module was asked last
 * @is_stale: it has something new to tell
 * @stopping: the kernel is to have no lease before anything of the arbiter's goes on
 * @writing: the store is on its way to the disk; this is it
 * @dirty: the store has changed since @writing began; etcd: the record is being changed
 * @now: messages that leave when @writing is durable
 * @then: messages that wait for the write after that
 * @busy: an action of the kernel's is under way
 * @promoting: that is a promotion
 * @shun: nodes that the kernel is not to be connected to
 * @detaching: those of them whose link is being ended
 * @lease_set_ms: until when the kernel has a lease at most, ever told
 * @promoted_to: kernel's generation of the promotion under way
 * @promised_before: and what had been promised before
 * @linked: peers to which the module has a link, whatever the detector says
 * @behind: peers that follow only once they were copied to
 * @behind_ms: by node: since when; 0: it is not; copying begins somewhat later
 * @fence_run: by node: number of the run of its agent that counts here
 * @request: of an admin
 * @voter: who asked for a change of voters (NULL: nobody), which node, whether it joins
 *	in the end, left them, and how long it may take (failover_voters.c)
 * @waits: what the policy waits for
 * @waits_for: nodes that this is about
 * @copies: if it is RBLK_POLICY_ACKS_TOO_FEW: how many are known
 * @copies_needed: and how many it takes
 * @shown: record that was logged last
 * @failure: why the kernel refused last; "" when it did not
 * @record: of the failover under way, or the last one
 */
struct rblk_failover {
	struct rblk_failover *next;
	char name[RBLK_NAME_SIZE];
	uint8_t uuid[RBLK_UUID_SIZE];
	const struct rblk_failover_arbiter *keeper;
	struct rblk_failover_etcd_state etcd;
	uint16_t voters;
	uint16_t data;
	uint64_t lease_ms;
	uint64_t margin_ms;
	char mute_why[512];
	bool fresh;
	struct rblk_arbiter_store kept;
	uint16_t new_too;
	bool voted;
	uint64_t retry_ms;
	struct rblk_ballot_store *store;
	struct rblk_arbiter arbiter;
	struct rblk_policy policy;
	struct rblk_policy_view view;
	uint64_t told_by[RBLK_MAX_NODES];
	uint16_t told_nodes;
	bool tells;
	uint64_t told_hash;
	bool is_due;
	uint64_t wake_ms;
	uint64_t run_ms;
	uint64_t look_ms;
	bool is_stale;
	bool stopping;
	struct rblk_ballot_job *writing;
	bool dirty;
	struct rblk_failover_queue now;
	struct rblk_failover_queue then;
	bool busy;
	bool promoting;
	uint16_t shun;
	uint16_t detaching;
	uint64_t lease_set_ms;
	uint64_t promoted_to;
	uint64_t promised_before;
	uint16_t linked;
	uint16_t behind;
	uint64_t behind_ms[RBLK_MAX_NODES];
	uint32_t fence_run[RBLK_MAX_NODES];
	struct rblk_failover_request request;
	struct {
		struct rblk_call *call;
		uint8_t node;
		bool joins;
		bool removed;
		uint64_t until_ms;
	} voter;
	enum rblk_policy_reason waits;
	uint16_t waits_for;
	uint8_t copies;
	uint8_t copies_needed;
	uint64_t shown;
	char failure[256];
	struct rblk_history_record record;
};

/**
 * rblk_failover_configure - follow the engine's configuration
 * @e: the engine
 *
 * Opens stores of resources that became automatic, lets go of others.
 */
void rblk_failover_configure(struct rblk_engine *e);

/**
 * rblk_failover_stop - let go of all
 * @e: the engine
 *
 * The kernel goes on until its lease ends.
 */
void rblk_failover_stop(struct rblk_engine *e);

/**
 * rblk_failover_find - an automatic resource
 * @e: the engine
 * @name: its name
 *
 * Return: it, or NULL.
 */
struct rblk_failover *rblk_failover_find(struct rblk_engine *e, const char *name);

/**
 * rblk_failover_run - steps that are due
 * @e: the engine
 *
 * Return: when to call it again, in milliseconds of CLOCK_BOOTTIME.
 */
uint64_t rblk_failover_run(struct rblk_engine *e);

/**
 * rblk_failover_due - something changed
 * @e: the engine
 * @name: the resource; NULL: all of them
 */
void rblk_failover_due(struct rblk_engine *e, const char *name);

/**
 * rblk_failover_beat - put what this node says of itself into its beats
 * @e: the engine
 *
 * All of it to a node that does not have it, what is new to the others.
 */
void rblk_failover_beat(struct rblk_engine *e);

/**
 * rblk_failover_held - what this node knows of what another said of itself
 * @e: the engine
 * @node: who
 *
 * Return: a sum of rblk_beat_hash().
 */
uint64_t rblk_failover_held(const struct rblk_engine *e, uint8_t node);

/**
 * rblk_failover_told - another node said something of a resource
 * @e: the engine
 * @node: who
 * @body: what
 */
void rblk_failover_told(struct rblk_engine *e, uint8_t node,
			const struct rblk_beat_body *body);

/**
 * rblk_failover_met - a new session with a node begins
 * @e: the engine
 * @node: which
 */
void rblk_failover_met(struct rblk_engine *e, uint8_t node);

/**
 * rblk_failover_written - a job of the store ended
 * @e: the engine
 * @job: it; freed
 */
void rblk_failover_written(struct rblk_engine *e, struct rblk_ballot_job *job);

/**
 * rblk_failover_etcd_answered - a request to an etcd is over
 * @e: the engine
 * @call: it; freed
 */
void rblk_failover_etcd_answered(struct rblk_engine *e, struct rblk_etcd_call *call);

/**
 * rblk_failover_lease_set - the module was told of a lease
 * @e: the engine
 * @name: of which resource
 * @until_ms: what it was told
 * @rc: 0, or a negative errno
 */
void rblk_failover_lease_set(struct rblk_engine *e, const char *name,
			     uint64_t until_ms, int rc);

/**
 * rblk_failover_fence_ended - the agents of a node are done
 * @e: the engine
 * @node: who was to be switched off
 * @off: it is
 * @text: how it went
 */
void rblk_failover_fence_ended(struct rblk_engine *e, uint8_t node, bool off,
			       const char *text);

/**
 * rblk_failover_fence_is_wanted - is a node still to be switched off
 * @e: the engine
 * @node: which
 *
 * Return: false when all who asked for it have heard of it since.
 */
bool rblk_failover_fence_is_wanted(const struct rblk_engine *e, uint8_t node);

/**
 * rblk_failover_fence_for - an admin wants a node to be switched off
 * @e: the engine
 * @node: which; nobody else waits for that
 * @call: gets the result
 */
void rblk_failover_fence_for(struct rblk_engine *e, uint8_t node,
			     struct rblk_call *call);

/**
 * rblk_failover_fence_confirmed - an admin says that a node is off
 * @e: the engine
 * @node: which
 */
void rblk_failover_fence_confirmed(struct rblk_engine *e, uint8_t node);

/**
 * rblk_failover_is_well - may the watchdog get a sign of life
 * @e: the engine
 *
 * Return: true while each resource that is primary here has its lease, or the module
 * confirms that it completes nothing.
 */
bool rblk_failover_is_well(struct rblk_engine *e);

/**
 * rblk_failover_has_primary - is anything primary here, or about to be
 * @e: the engine
 *
 * Return: true when the watchdog must not stop.
 */
bool rblk_failover_has_primary(const struct rblk_engine *e);

/**
 * rblk_failover_ballot_work - do a job; on any thread
 * @job: ends in rblk_failover_written()
 */
void rblk_failover_ballot_work(struct rblk_ballot_job *job);

/**
 * rblk_failover_ask - an admin wants something
 * @f: the resource
 * @e: the engine
 * @want: what
 * @flags: RBLK_FLAG_* of it
 * @limit_ms: how long it may take
 * @call: gets the result, once
 */
void rblk_failover_ask(struct rblk_failover *f, struct rblk_engine *e,
		       enum rblk_policy_request want, uint32_t flags,
		       uint64_t limit_ms, struct rblk_call *call);

/**
 * rblk_failover_change_voter - have a node leave the voters, or join them
 * @f: the resource; this node leads it
 * @e: the engine
 * @node: which; it need not be in the configuration to leave
 * @joins: it is new, or lost its store: it leaves where it votes, and joins
 * @call: gets the result, once
 */
void rblk_failover_change_voter(struct rblk_failover *f, struct rblk_engine *e,
				uint8_t node, bool joins, struct rblk_call *call);

/**
 * rblk_failover_show - what a resource's arbiter and policy say, for status
 * @f: the resource
 * @e: the engine
 *
 * Return: a new object.
 */
json_t *rblk_failover_show(struct rblk_failover *f, struct rblk_engine *e);

/**
 * rblk_failover_shuns - must the kernel not be connected to a node
 * @e: the engine
 * @name: of the resource; it need not be automatic
 * @node: which
 *
 * Return: true while the policy says so.
 */
bool rblk_failover_shuns(struct rblk_engine *e, const char *name, uint8_t node);

/* ---- between the files above */

/* An admin wants it demoted, whoever uses it. */
static inline bool rblk_failover_forces(const struct rblk_failover *f)
{
	return f->request.want == RBLK_POLICY_WANT_DEMOTE && f->request.flags;
}

/**
 * rblk_failover_look - ask the module, and put together what the policy sees
 * @f: the resource
 * @e: the engine
 * @now_ms: the time
 */
void rblk_failover_look(struct rblk_failover *f, struct rblk_engine *e,
			uint64_t now_ms);

/**
 * rblk_failover_obey - do what the arbiter says
 * @f: the resource
 * @e: the engine
 * @out: what it said
 */
void rblk_failover_obey(struct rblk_failover *f, struct rblk_engine *e,
			const struct rblk_arbiter_out *out);

/**
 * rblk_failover_settle - go on with what waits for the kernel or the store
 * @f: the resource
 * @e: the engine
 */
void rblk_failover_settle(struct rblk_failover *f, struct rblk_engine *e);

/**
 * rblk_failover_is_settled - may the policy look
 * @f: the resource
 *
 * Return: false while anything of the arbiter's is not durable yet.
 */
bool rblk_failover_is_settled(const struct rblk_failover *f);

/**
 * rblk_failover_log_record - a record became known
 * @f: the resource
 * @e: the engine
 * @r: the record; each version is logged once
 */
void rblk_failover_log_record(struct rblk_failover *f, struct rblk_engine *e,
			      const struct rblk_arbiter_record *r);

/**
 * rblk_failover_set_lease - tell the module until when it has a lease
 * @f: the resource
 * @e: the engine
 * @until_ms: 0: not at all
 *
 * Ends in rblk_failover_lease_set().
 */
void rblk_failover_set_lease(struct rblk_failover *f, struct rblk_engine *e,
			     uint64_t until_ms);

/**
 * rblk_failover_is_untouched - did this voter never promise anything
 * @s: its store
 *
 * Return: true for one that was just created, or that has just begun.
 */
bool rblk_failover_is_untouched(const struct rblk_arbiter_store *s);

/**
 * rblk_failover_begin_fresh - a new store was found
 * @f: the resource; its arbiter is mute
 * @e: the engine
 * @kept: the store
 */
void rblk_failover_begin_fresh(struct rblk_failover *f, struct rblk_engine *e,
			       const struct rblk_arbiter_store *kept);

/**
 * rblk_failover_ask_fresh - ask the other voters whether they are new as well
 * @f: the resource; nothing happens if its store is not new
 * @e: the engine
 */
void rblk_failover_ask_fresh(struct rblk_failover *f, struct rblk_engine *e);

/**
 * rblk_failover_is_about_fresh - take a message that is none of the arbiter's
 * @f: the resource
 * @e: the engine
 * @msg: a message
 *
 * Return: false when it is the arbiter's.
 */
bool rblk_failover_is_about_fresh(struct rblk_failover *f, struct rblk_engine *e,
				  const struct rblk_arbiter_msg *msg);

/**
 * rblk_failover_copy_over - bring peers level that were passed over
 * @f: the resource
 * @e: the engine
 * @now_ms: the time
 */
void rblk_failover_copy_over(struct rblk_failover *f, struct rblk_engine *e,
			     uint64_t now_ms);

/**
 * rblk_failover_stop_kernel - the kernel is to complete nothing more
 * @f: the resource
 * @e: the engine
 *
 * Until it is known that it does not, nothing else of the arbiter's goes on.
 */
void rblk_failover_stop_kernel(struct rblk_failover *f, struct rblk_engine *e);

/**
 * rblk_failover_fence - nodes are to be switched off
 * @f: the resource
 * @e: the engine
 * @nodes: bit mask
 */
void rblk_failover_fence(struct rblk_failover *f, struct rblk_engine *e,
			 uint16_t nodes);

/**
 * rblk_failover_go_on_with_voter - the next round of that, if the policy has none
 * @f: the resource
 * @e: the engine
 * @now_ms: the time
 */
void rblk_failover_go_on_with_voter(struct rblk_failover *f,
				    struct rblk_engine *e, uint64_t now_ms);

/**
 * rblk_failover_newest - the newest record that this node knows of, chosen or not
 * @f: the resource
 *
 * Return: it.
 */
const struct rblk_arbiter_record *
rblk_failover_newest(const struct rblk_failover *f);

/**
 * rblk_failover_note - remember moments of a failover
 * @f: the resource
 * @e: the engine
 * @notes: RBLK_POLICY_NOTE_*
 * @node: whom they are about
 */
void rblk_failover_note(struct rblk_failover *f, struct rblk_engine *e,
			uint8_t notes, uint8_t node);

/**
 * rblk_failover_first_write - the application goes on
 * @f: the resource
 * @e: the engine
 * @boottime_ns: when the first write of this term was reported
 */
void rblk_failover_first_write(struct rblk_failover *f, struct rblk_engine *e,
			       uint64_t boottime_ns);

/**
 * rblk_failover_shun - end the links that are not to be
 * @f: the resource
 * @e: the engine
 * @nodes: bit mask
 */
void rblk_failover_shun(struct rblk_failover *f, struct rblk_engine *e,
			uint16_t nodes);

/**
 * rblk_failover_act - have the module do what the policy asks for
 * @f: the resource
 * @e: the engine
 * @out: what the policy said
 */
void rblk_failover_act(struct rblk_failover *f, struct rblk_engine *e,
		       const struct rblk_policy_out *out);

#endif
