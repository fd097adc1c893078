// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes on purpose, one for each instrument of the kernels with checks: see instruments.t.
 * "insmod dm_adshard_mistakes.ko make=NAME" makes one.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *make = "";
module_param(make, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static unsigned long raced;
static volatile unsigned int zero;

static noinline void use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[1], 1);
}

static noinline void out_of_bounds(void)
{
	char *p = kmalloc(60, GFP_KERNEL);

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[60 + zero], 1);
	kfree(p);
}

static noinline void leak(void)
{
	void *p = kmalloc(2048, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
}

static noinline void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void sleep_in_atomic(void)
{
	spin_lock(&spin);
	mutex_lock(&first);
	mutex_unlock(&first);
	spin_unlock(&spin);
}

static noinline void no_rcu_lock(void)
{
	static int __rcu *pointer;

	/* not in a read section */
	if (rcu_dereference(pointer))
		zero = 0;
}

static void nothing(struct timer_list *t)
{
}

static noinline void free_active_timer(void)
{
	struct timer_list *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, nothing, 0);
	mod_timer(t, jiffies + 1000 * HZ);
	/* what would follow: kfree(); the object is initialized anew while it is armed */
	timer_setup(t, nothing, 0);
	timer_delete_sync(t);
	kfree(t);
}

static void shift(void)
{
	zero = 1 << (zero + 40);
	zero = 0;
}

static int racer(void *data)
{
	unsigned long i;

	for (i = 0; !kthread_should_stop(); i++) {
		raced++;
		if (!(i % 1024))
			cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *task[2];
	int i;

	for (i = 0; i < 2; i++)
		task[i] = kthread_run(racer, NULL, "racer%d", i);
	msleep(3000);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(task[i]))
			kthread_stop(task[i]);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "use_after_free", use_after_free },
	{ "out_of_bounds", out_of_bounds },
	{ "leak", leak },
	{ "lock_order", lock_order },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "no_rcu_lock", no_rcu_lock },
	{ "free_active_timer", free_active_timer },
	{ "shift", shift },
	{ "race", race },
};

static int __init mistakes_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(make, mistakes[i].name))
			continue;
		mistakes[i].make();
		return 0;
	}
	return -EINVAL;
}
module_init(mistakes_init);

static void __exit mistakes_exit(void)
{
}
module_exit(mistakes_exit);

MODULE_DESCRIPTION("mistakes that the debug kernels must notice");
MODULE_LICENSE("GPL");
